"""The storyteller as a writer."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

from storyforge_core.domain.chapters import plain_digest
from storyforge_core.domain.writing import Asking, Finding, Finished, Profile, Telling, Words, WriterEvent
from storyforge_core.providers.offline.choices import choices_of, title_of
from storyforge_core.providers.offline.findings import findings_of
from storyforge_core.providers.offline.outline import plan_of
from storyforge_core.providers.offline.scene import go_on, scene_of
from storyforge_core.providers.offline.text import pieces


class OfflineStoryteller:
    """Tells stories from a grammar, so that everything can be tried without a language model.

    It composes in a thread: the word banks are read from files when they are first needed.

    Args:
        pace: words per second; 0 tells as fast as possible.
    """

    def __init__(self, pace: float = 0) -> None:
        self._pause = 1 / pace if pace > 0 else 0

    @property
    def label(self) -> str:
        """How players see it named under a scene."""
        return "built-in storyteller"

    @property
    def window(self) -> int:
        """Tokens that prompt and answer may take together: as with many a model, though it reads no prompt."""
        return 16_384

    async def profile(self) -> Profile:
        """It has no options."""
        return Profile(self.label)

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream a scene word by word, or the rest of it behind what was told."""
        for piece in pieces(await asyncio.to_thread(_untold, telling)):
            yield Words(piece)
            await asyncio.sleep(self._pause)
        yield Finished("stop")

    async def ask(self, asking: Asking) -> str:
        """Title and choices of a scene, what it will tell or says, or a summary, as JSON text; else nothing."""
        return await asyncio.to_thread(_answer, asking)

    async def check(self) -> Sequence[Finding]:
        """Say what it is and how to get a language model."""
        return [
            Finding(
                "writer",
                "ok",
                "The built-in storyteller tells the stories. For a language model install Ollama, run "
                "`ollama pull dolphin-mistral:7b` and set OLLAMA_HOST and OLLAMA_MODEL.",
            )
        ]

    async def aclose(self) -> None:
        """Nothing to let go of."""


def _untold(telling: Telling) -> str:
    text = scene_of(telling.brief)
    return text.removeprefix(telling.told) if text.startswith(telling.told) else go_on(telling.brief, telling.told)


def _answer(asking: Asking) -> str:
    brief, prose = asking.brief, asking.prose
    match asking.wanted:
        case "choices":
            answer: dict[str, object] = {"title": title_of(brief, prose), "choices": choices_of(brief, prose)}
        case "plan":
            answer = plan_of(brief)
        case "findings":
            answer = dict(findings_of(brief, prose))
        case "summary":
            digest = plain_digest(brief.path)
            answer = {"title": digest.title, "summary": digest.text, "scenes": digest.gists}
        case _:
            answer = {}
    return json.dumps(answer, ensure_ascii=False)
