"""Puts old scenes into fewer words, in the background: chapters, and of many chapters the story so far.

Nobody waits for it. What a model does not give, or gives badly, is made of the scenes' own sentences instead.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.chapters import (
    CHAPTER_TITLE_CHARS,
    Cover,
    Digested,
    Summary,
    abridged,
    digest_schema,
    next_cover,
    plain_digest,
    read_digest,
)
from storyforge_core.domain.story import SceneId
from storyforge_core.domain.writing import Asking, Brief, Message, ToldScene
from storyforge_core.engine.background import Quiet
from storyforge_core.engine.digesting import chapter_messages, digest_tokens, gists_wanted, so_far_messages
from storyforge_core.engine.prompting import repair_messages
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.memory_ports import Summaries
from storyforge_core.ports import Clock, Writer

PATIENCE = 240.0
"""Seconds for a question and its repair; a telling meanwhile is waited for without counting."""


@dataclass(frozen=True, slots=True)
class Chronicle:
    """Keeps long stories short."""

    store: Summaries
    writer: Writer
    clock: Clock
    quiet: Quiet = field(default_factory=Quiet)
    """Its questions give way to whoever tells a scene."""

    async def summarise(self, end: SceneId) -> None:
        """Summarise whatever is left to on the path to a scene; again it does nothing.

        Raises:
            ServiceDown: the store is away; try again.
        """
        while (outline := await self.store.outline(end)) is not None:
            cover = next_cover(outline)
            if cover is None:
                return
            made = await self._chapter(end, cover) if cover.layer == 1 else await self._so_far(end, cover)
            await self.store.keep_summaries(made, self.clock.now())

    async def _chapter(self, end: SceneId, cover: Cover) -> tuple[Summary, ...]:
        """A stretch of scenes, and each of them in a sentence."""
        read = await self.store.stretch(end, cover.first, cover.last)
        scenes = tuple(scene for _, scene in read)
        plain = await asyncio.to_thread(plain_digest, scenes)
        gists = gists_wanted(len(scenes), self.writer.window)
        messages = await asyncio.to_thread(chapter_messages, scenes, gists, self.writer.window)
        digest = await self._asked(messages, scenes, gists) or plain
        last, _ = read[-1]
        each = (
            Summary(scene, 0, cover.first + place, "", gist)
            for place, ((scene, _), gist) in enumerate(zip(read, digest.gists or plain.gists, strict=True))
        )
        return (Summary(last, 1, cover.first, digest.title or plain.title, digest.text), *each)

    async def _so_far(self, end: SceneId, cover: Cover) -> tuple[Summary, ...]:
        """Several summaries as one."""
        parts = await self.store.covered(end, cover.layer - 1, cover.first, cover.last)
        ((last, scene),) = await self.store.stretch(end, cover.last, cover.last)
        messages = await asyncio.to_thread(so_far_messages, parts, self.writer.window)
        told = tuple(ToldScene(scene.number, title, "", text) for title, text in parts)
        digest = await self._asked(messages, told, 0)
        plain = Digested(parts[-1][0][:CHAPTER_TITLE_CHARS], abridged([text for _, text in parts]))
        digest = digest or plain
        return (Summary(last, cover.layer, cover.first, digest.title or plain.title, digest.text),)

    async def _asked(self, messages: tuple[Message, ...], scenes: Sequence[ToldScene], gists: int) -> Digested | None:
        """What the model makes of it; None when it is away or its answer cannot be used."""
        brief = Brief("", "", "", "", tuple(scenes), "", "", "", 0, 0, 0)
        prose = "\n".join(scene.prose for scene in scenes)
        asking = Asking(brief, messages, prose, digest_schema(gists), digest_tokens(gists), "summary")
        try:
            found = await self.quiet.ask(lambda: self._in_time(asking, gists))
        except (ServiceDown, ModelMissing, TimeoutError) as error:
            found = Problem(str(error) or "It took too long.")
        if isinstance(found, Problem):
            structlog.get_logger().info("sentences of the scenes instead of a summary", cause=found.text)
            return None
        return found

    async def _in_time(self, asking: Asking, gists: int) -> Digested | Problem:
        async with asyncio.timeout(PATIENCE):
            answer = await self.writer.ask(asking)
            found = read_digest(answer, gists)
            if isinstance(found, Problem):
                repaired = await asyncio.to_thread(repair_messages, asking.messages, answer, found)
                found = read_digest(await self.writer.ask(replace(asking, messages=repaired)), gists)
        return found
