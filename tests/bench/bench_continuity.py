"""Whether planning earns its place: what a story contradicts with and without it, and what that costs.

By a model of a model (`forgetful.py`), which shows what would have to be true for planning to pay; and by a real one
where `OLLAMA_HOST` names its server, which decides.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import takewhile

from storyforge_core.domain.book import AddFact
from storyforge_core.domain.commands import ContinueStory, Edit, NewStory
from storyforge_core.domain.context import estimate
from storyforge_core.domain.story import RoomKey, Rules
from storyforge_core.domain.writing import Asking, Message, Profile, Telling, Words, WriterEvent
from storyforge_core.ports import Writer
from storyforge_core.providers.ollama import OllamaOptions, OllamaWriter
from tests.bench.figures import Figure, Scale
from tests.bench.forgetful import Forgetful, Held
from tests.bench.ground import ground
from tests.game import Game, ScriptedWriter, game, until

FACTS, PROBES = 8, 8
"""Planted first, then asked for two at a time, in scenes in which they have to be said."""
THINGS = ("brass key", "silver bell", "torn letter", "drowned crown", "painted violin", "iron saddle")
PEOPLE = ("Maren", "Osk", "Ione", "Tamsin", "Brede", "Havel", "Lumen", "Corvo")
PLACES = ("the mill", "the chapel", "the harbour", "the quarry", "the orchard", "the tower")
FILLER = "The wind went round the house all night, and in the morning somebody had swept the yard. " * 14
REAL_STORIES = 2
PREMISE = "A village keeps what the sea has brought"


def holds(chance: random.Random) -> tuple[Held, ...]:
    """Who has what, who is where, who is dead, and what was promised, two of each."""
    things, people, places = (chance.sample(texts, len(texts)) for texts in (THINGS, PEOPLE, PLACES))
    return (
        *(Held(f"the {thing}", "is with", people[n], tuple(people[2:4])) for n, thing in enumerate(things[:2])),
        *(Held(who, "has gone to", places[n], tuple(places[2:4])) for n, who in enumerate(people[4:6])),
        Held(people[6], "is", "dead", ("alive",)),
        Held(people[7], "is", "alive", ("dead",)),
        *(
            Held(f"the {thing}", "was promised to", people[n], tuple(people[2:4]))
            for n, thing in enumerate(things[2:4])
        ),
    )


class Watched(ScriptedWriter):
    """Has another one tell, and counts what that reads, anew where its server keeps what it has read, and writes."""

    def __init__(self, teller: Writer) -> None:
        super().__init__()
        self._teller = teller
        self._kept = ""
        self.label, self.window = teller.label, teller.window
        self.reset()

    def reset(self) -> None:
        """Count from here."""
        self.calls, self.read, self.written, self.seconds = 0, 0, 0, 0.0

    async def profile(self) -> Profile:
        return await self._teller.profile()

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        said, began = "", time.monotonic()
        try:
            async with aclosing(self._teller.tell(telling)) as events:
                async for event in events:
                    said += event.text if isinstance(event, Words) else ""
                    yield event  # noqa: ASYNC119  # the port has callers close it
        finally:
            self._count(telling.messages, said, began)

    async def ask(self, asking: Asking) -> str:
        began = time.monotonic()
        said = await self._teller.ask(asking)
        self._count(asking.messages, said, began)
        return said

    def _count(self, messages: Sequence[Message], said: str, began: float) -> None:
        prompt = "\n".join(message.content for message in messages)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(prompt, self._kept, strict=False)))
        self._kept = f"{prompt}\n{said}"
        self.calls += 1
        self.read += estimate(prompt[same:])
        self.written += estimate(said)
        self.seconds += time.monotonic() - began


@dataclass(slots=True)
class Tally:
    """What was counted over all scenes in which something could be said wrong."""

    scenes: int = 0
    contradictions: int = 0
    sentences: int = 0
    repeated: int = 0
    calls: int = 0
    read: int = 0
    written: int = 0
    seconds: float = 0.0

    def rows(self) -> dict[str, tuple[float, str]]:
        """What it comes to, with its unit."""
        scenes = max(self.scenes, 1)
        return {
            "contradictions a scene": (self.contradictions / scenes, ""),
            "sentences said before": (100 * self.repeated / max(self.sentences, 1), "%"),
            "calls a turn": (self.calls / scenes, ""),
            "tokens read anew a turn": (self.read / scenes, ""),
            "tokens written a turn": (self.written / scenes, ""),
            "seconds a turn": (self.seconds / scenes, "s"),
        }


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have the same stories told."""

    name: str
    planned: bool = False
    noted: bool = False
    """What holds is written down, and so told near the end of each prompt."""
    careless: bool = False
    """Whoever plans is as careless as whoever tells."""
    notes: bool = False
    """Whoever tells heeds notes only, and old passages that came back no more than what is far from the end."""


def ways(*, notes: bool) -> tuple[Way, ...]:
    """The plain one, and those that are compared with it."""
    return (
        Way("by scenes alone", notes=notes),
        Way("planned", planned=True, notes=notes),
        Way("planned as carelessly as told", planned=True, careless=True, notes=notes),
        Way("what holds written down", noted=True, notes=notes),
        Way("written down and planned", noted=True, planned=True, notes=notes),
    )


async def told(played: Game, writer: Watched, story: tuple[Held, ...], way: Way, tally: Tally) -> None:
    """Plant what holds, let it get out of sight, and have it told."""
    await played.play(NewStory(PREMISE))
    for held in story:
        await played.play(ContinueStory())
        await played.play(Edit(f"{FILLER}{held.put(held.right)} {FILLER}"))
        if way.noted:
            await played.say(AddFact(held.put(held.right), held.put(held.right)))
    await until(lambda: _findable(played), 60)
    earlier = {sentence for scene in await played.scenes() for sentence in _sentences(scene.prose)}
    for probe in range(PROBES):
        asked = (story[probe % len(story)], story[(probe * 3 + 1) % len(story)])
        writer.reset()
        wish = " and of ".join(dict.fromkeys(held.subject for held in asked))
        await played.play(ContinueStory(f"Somebody says how things stand: they speak of {wish}."))
        prose = (await played.scenes())[-1].prose
        said = _sentences(prose)
        tally.scenes += 1
        tally.contradictions += sum(held.contradicted(prose) for held in set(asked))
        tally.sentences += len(said)
        tally.repeated += sum(sentence in earlier for sentence in said)
        earlier |= set(said)
        tally.calls += writer.calls
        tally.read += writer.read
        tally.written += writer.written
        tally.seconds += writer.seconds


async def _findable(played: Game) -> bool:
    return not await played.store.uncut(1) and not await played.store.unread("built-in embedder/1", 1)


def _sentences(prose: str) -> list[str]:
    return [each.strip() for each in prose.replace("\n", " ").split(". ") if each.strip()]


async def _tally(way: Way, stories: int, teller: Writer | None) -> Tally:
    """The same stories, told this way."""
    tally = Tally()
    async with ground() as database:
        for number in range(stories):
            story = holds(random.Random(number))
            writer = Watched(teller or Forgetful(story, number, careless=way.careless, notes=way.notes))
            async with game(database, writer, rules=Rules(words=150, planner=way.planned)) as played:
                await told(in_room(played, number), writer, story, way, tally)
    return tally


def in_room(played: Game, number: int) -> Game:
    """The same in a room of its own."""
    return replace(played, room=RoomKey("terminal", f"bench {number}", "here"))


def _figures(heading: str, plain: Tally, other: Tally) -> list[Figure]:
    before = plain.rows()
    return [
        Figure(f"{heading}: {name}" if first == 0 else f"    {name}", measured, unit, baseline=before[name][0])
        for first, (name, (measured, unit)) in enumerate(other.rows().items())
    ]


def bench(scale: Scale) -> list[Figure]:
    """Tell the same stories every way."""
    return asyncio.run(_measured(scale))


async def _measured(scale: Scale) -> list[Figure]:
    stories = 1 if scale.starts == 1 else scale.tellings // 3
    figures: list[Figure] = []
    for notes in (False, True):
        plain, *others = [(way, await _tally(way, stories, None)) for way in ways(notes=notes)]
        heeded = "notes only" if notes else "notes and passages"
        figures += [row for way, tally in others for row in _figures(f"{heeded}, {way.name}", plain[1], tally)]
    host = os.environ.get("OLLAMA_HOST")
    if not host:
        return figures
    teller = OllamaWriter(
        OllamaOptions(host, os.environ.get("OLLAMA_MODEL", "dolphin-mistral:7b"), 8192, 1024, "30m", 0.8, 300, 60)
    )
    plain, *others = [(way, await _tally(way, REAL_STORIES, teller)) for way in ways(notes=False) if not way.careless]
    await teller.aclose()
    figures += [row for way, tally in others for row in _figures(f"{teller.label}, {way.name}", plain[1], tally)]
    return figures
