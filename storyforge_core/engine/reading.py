"""Reads a scene that was told: who is in it, what it says of them, what it promises. Nobody waits for it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.bible import named
from storyforge_core.domain.context import Keep, Part, as_data, estimate, prompt_tokens, shorten
from storyforge_core.domain.findings import (
    Findings,
    Known,
    findings_schema,
    found_entities,
    read_findings,
    refused_names,
)
from storyforge_core.domain.manifest import digest_of
from storyforge_core.domain.mentions import plain
from storyforge_core.domain.promises import open_promises
from storyforge_core.domain.states import fact_lines, state_lines, subjects
from storyforge_core.domain.story import Scene, SceneId, Story
from storyforge_core.domain.writing import Asking, Brief, Message
from storyforge_core.engine.background import Quiet
from storyforge_core.engine.prompting import render, repair_messages, template_digests
from storyforge_core.errors import Busy, ModelMissing, ServiceDown
from storyforge_core.ports import Writer
from storyforge_core.state_ports import Casebook, Casebooks, Origin, Unread

PATIENCE = 600.0
"""Seconds for one question; nobody waits, but a model that hangs is to be let go of."""
ANSWER_TOKENS = 1800
"""For some thirty assertions with their quotes."""
REPAIR_TOKENS = 300
KNOWN_HERE = 40
"""People, places and things that the model is told of: those that the scene names."""
PROMISES_HERE = 20
MARGIN = 24
"""Tokens for the tags around the scene."""
TEMPLATE = "extract"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads scenes, each once."""

    store: Casebooks
    writer: Writer
    quiet: Quiet

    async def read(self, wanted: SceneId) -> None:
        """Write down what a scene says; nothing where the model's answer cannot be used.

        Raises:
            ServiceDown: store or model is away; try again.
        """
        try:
            await self._read(wanted)
        except (Busy, ModelMissing) as error:
            raise ServiceDown(str(error)) from error

    async def _read(self, wanted: SceneId) -> None:
        async with self.store.casebook() as book:
            unread = await book.unread(wanted)
            known = await known_before(book, unread.scene) if unread else Known()
        if unread is None or not unread.scene.prose.strip():
            return
        try:
            found = await self._asked(unread, known)
        except TimeoutError:  # asked again it would take as long again, and others wait behind it
            found = Problem("The model took too long.")
        if isinstance(found, Problem):
            structlog.get_logger().warning("scene not understood", scene=str(wanted), cause=found.text)
            found = Findings()
        origin = await self._origin(known)
        async with self.store.casebook() as book:
            await book.keep(unread.scene, found, origin)

    async def _asked(self, unread: Unread, known: Known) -> Findings | Problem:
        """What is found: as the model answered, or as it repaired its answer."""
        prose = unread.scene.prose
        messages = await asyncio.to_thread(reading_messages, unread.scene, known, self.writer.window)
        tokens = answer_tokens(self.writer.window)
        asking = Asking(_brief(unread.story), messages, prose, findings_schema(), tokens, "findings")
        answer = await self._ask(asking)
        found = await asyncio.to_thread(read_findings, answer, prose, known)
        if isinstance(found, Problem):
            repaired = await asyncio.to_thread(repair_messages, messages, answer, found)
            answer = await self._ask(replace(asking, messages=repaired))
            found = await asyncio.to_thread(read_findings, answer, prose, known)
        return found

    async def _ask(self, asking: Asking) -> str:
        async def once() -> str:
            async with asyncio.timeout(PATIENCE):
                return await self.writer.ask(asking)

        return await self.quiet.ask(once)

    async def _origin(self, known: Known) -> Origin:
        names = sorted({plain(name) for each in known.entities for name in each.card.names})
        profile = await self.writer.profile()
        return Origin(profile.model, dict(template_digests())[TEMPLATE], digest_of("\n".join(names)))


async def known_before(book: Casebook, scene: Scene) -> Known:
    """What is known on the way to a scene about those whom it names."""
    cards = await book.entities(scene.story)
    if scene.parent is None:
        return Known(cards)
    sighted = await book.sighted(scene.parent)
    entities = found_entities(cards, sighted)
    here = await asyncio.to_thread(named, entities, scene.prose)
    return Known(
        entities,
        await book.facts(scene.parent),
        await book.newest(scene.parent, subjects(here[:KNOWN_HERE])),
        await book.promises(scene.parent),
        refused_names(sighted) - {plain(name) for each in cards for name in each.card.names},
    )


def answer_tokens(window: int) -> int:
    """Tokens to allow for what is found in a scene."""
    return min(ANSWER_TOKENS, window // 3)


def reading_messages(scene: Scene, known: Known, window: int) -> tuple[Message, ...]:
    """Ask what a scene says, within the window minus the answer and a repair; of a long one the end matters."""
    frame = prompt_tokens((Message("user", render(TEMPLATE, material="", example=_example())),))
    room = window - answer_tokens(window) - REPAIR_TOKENS - frame
    here = named(known.entities, scene.prose)[:KNOWN_HERE]
    people = [f"{each.card.name} ({each.card.sort})" for each in here]
    promises = [f"{each.number}. {each.text}" for each in open_promises(known.promises)[:PROMISES_HERE]]
    state = (*state_lines(here, known.held), *fact_lines(here, known.held))
    listed: tuple[tuple[str, Sequence[str]], ...] = (("known", people), ("state", state), ("promises", promises))
    notes = "".join(_block(tag, lines, room // 8) for tag, lines in listed)
    prose = shorten(Part(as_data(scene.prose), Keep.END), room - estimate(notes) - MARGIN)
    material = f"{notes}<scene>\n{prose}\n</scene>"
    return (Message("user", render(TEMPLATE, material=material, example=_example())),)


def _block(tag: str, lines: Sequence[str], tokens: int) -> str:
    if not lines:
        return ""
    return f"<{tag}>\n{shorten(Part(as_data(chr(10).join(lines))), tokens)}\n</{tag}>\n\n"


def _example() -> str:
    entity = {"name": "…", "sort": "character", "also": [], "description": "…", "voice": ""}
    assertion = {
        "subject": "…",
        "slot": "where",
        "aspect": "",
        "value": "…",
        "quote": "…",
        "manner": "told",
        "change": "is",
    }
    promise = {"number": 0, "outcome": "open", "text": "…", "quote": "…"}
    return json.dumps({"entities": [entity], "assertions": [assertion], "promises": [promise]}, ensure_ascii=False)


def _brief(story: Story) -> Brief:
    """What the port wants besides the messages."""
    return Brief(story.premise, story.title, story.genre, story.tone, (), "", "", "", 0, 0, story.seed)
