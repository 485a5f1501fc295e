"""What a turn costs without the model: each of its transactions, then all of it from the door to the told scene."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from storyforge_core.domain.commands import Command, Incoming, NewStory, ShowStatus, Vote
from storyforge_core.domain.runs import Run
from storyforge_core.domain.story import PlaythroughId, Rules
from storyforge_core.domain.writing import Asking, Finding, Finished, Profile, Telling, Words, WriterEvent
from storyforge_core.engine.app import StoryForge
from storyforge_core.engine.bus import Bus
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.clock import SystemClock
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.oracle import Oracle
from storyforge_core.engine.recipes import SCENE
from storyforge_core.engine.runner import Runner
from storyforge_core.engine.turn import settle
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.store.database import Database
from storyforge_core.store.postgres import PostgresStore
from tests.bench.figures import Figure, Scale
from tests.bench.ground import PROSE
from tests.bench.timing import WARM, Cost, cost, measure, timed
from tests.world import ANN, HOME, some_worker

CPU, P95 = 2.0, 10.0
"""Milliseconds that a transaction may take."""
CHOICES = ("Open the door", "Walk away", "Call out")
ANSWER = json.dumps({"title": "A scene", "choices": CHOICES})


class ReadyWriter:
    """Has the whole scene at once."""

    label = "ready"
    window = 8192

    async def profile(self) -> Profile:
        return Profile(self.label)

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        del telling
        yield Words(PROSE)
        yield Finished("stop")

    async def ask(self, asking: Asking) -> str:
        del asking
        return ANSWER

    async def check(self) -> Sequence[Finding]:
        return ()

    async def aclose(self) -> None:
        """Nothing to let go of."""


class Turns:
    """One story, a player who always votes for the first choice, and a worker."""

    def __init__(self, database: Database) -> None:
        self._clock = SystemClock()
        self._store = PostgresStore(database, self._clock)
        writer, memory = ReadyWriter(), Memory(self._store, OfflineEmbedder())
        self._door = StoryForge(self._store, self._clock, Rules(), Oracle(memory, writer))
        self._runner = Runner(self._store, Cast.alone(writer), memory, Bus(self._store), self._clock, SCENE)
        self._worker = some_worker()
        self._asked = 0

    async def begin(self) -> None:
        """Tell the opening."""
        await self.ask(NewStory("A lighthouse keeper finds a door in the sea"))
        await self.write()

    async def ask(self, command: Command) -> None:
        """Say something at the door, a minute after the last time: nobody is too fast."""
        self._asked += 1
        at = self._clock.now() + timedelta(minutes=self._asked)
        await self._door.handle(Incoming(str(self._clock.new_id()), HOME, ANN, command, at))

    async def write(self) -> None:
        """Let the runner do all that is its own."""
        await self._runner.execute((await self.run()).id, self._worker)

    async def take_up(self, run: Run) -> None:
        """Claim a run and save three stages of it."""
        await self._store.claim(run.id, self._worker)
        for stage in ("write", "choose", "settle"):
            await self._store.checkpoint(run.id, self._worker, stage, replace(run.draft, prose=PROSE))

    async def tell(self, run: Run) -> None:
        """Put scene and choices into the tree, move the head, open the next ballot, tell the rooms."""
        draft = replace(run.draft, prose=PROSE, title="A scene", choices=CHOICES, writer="ready")
        async with self._store.resume(run.playthrough) as desk:
            assert desk.situation
            await settle(desk, desk.situation, run, draft, self._clock, "off")

    async def run(self) -> Run:
        """What is to be written."""
        run = await self._store.live_run(await self._playthrough())
        assert run
        return run

    async def _playthrough(self) -> PlaythroughId:
        shown = (await self._store.room(HOME)).playthrough
        assert shown
        return shown


async def transactions(turns: Turns, times: int) -> list[Figure]:
    """Whole turns, each transaction measured by itself."""
    parts: tuple[list[tuple[float, float]], ...] = ([], [], [])
    for _ in range(WARM + times):
        parts[0].append(await timed(turns.ask(Vote(1))))
        run = await turns.run()
        parts[1].append(await timed(turns.take_up(run)))
        parts[2].append(await timed(turns.tell(run)))
    names = (
        "a vote decides: vote, ballot, run and job, through the door",
        "a run is taken up and saves three stages",
        "a scene is told: scene, choices, head, next ballot",
    )
    return [figure for name, part in zip(names, parts, strict=True) for figure in _both(name, cost(part[WARM:]))]


def _both(name: str, found: Cost) -> list[Figure]:
    cpu = Figure(f"{name}, CPU", found.cpu, "ms", CPU)
    return [cpu, Figure("    the same by the clock, 95th percentile", found.p95, "ms", P95)]


async def whole_turns(turns: Turns, times: int) -> list[Figure]:
    """Everything between a vote and the next question; the runner also reads 60 scenes and makes two prompts."""
    looks = await measure(times, partial(turns.ask, ShowStatus()))

    async def turn() -> None:
        await turns.ask(Vote(1))
        await turns.write()

    whole = await measure(times, turn)
    return [
        Figure("a command that only looks, CPU", looks.cpu, "ms"),
        Figure("a whole turn with its two prompts, without the model, CPU", whole.cpu, "ms"),
        Figure("    the same by the clock, median", whole.median, "ms"),
    ]


async def bench(database: Database, scale: Scale) -> list[Figure]:
    """Measure one story among many others."""
    turns = Turns(database)
    await turns.begin()
    return [*await transactions(turns, scale.times), *await whole_turns(turns, scale.times)]
