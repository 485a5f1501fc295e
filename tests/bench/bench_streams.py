"""What lies between a model's token and the one who listens to the feed: writer, step, feed, saving and all.

The model is a scripted server in a process and on a core of its own. It says the monotonic time of each token as its
prose, so that both sides read the same clock.
"""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import QueuePool

from bot.compose import House, alongside, furnish
from bot.storyteller import for_workers
from storyforge_core.domain.commands import Incoming, NewStory, Speaker
from storyforge_core.domain.story import RoomKey, RunId
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from tests.bench.figures import Figure, Scale
from tests.bench.ground import ground
from tests.bench.timing import ROUNDS
from tests.program import Ollama

RATE = 50
"""Tokens a second of each run, as the peer's script `clock` has it."""
OVERHEAD_MS, CORE, HELD = 5.0, 35.0, 0.0
WORDS = 2000
"""Asked for, so that no telling ends while it is listened to."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One round: each token's delay in milliseconds, the share of a core, sessions that were lent at each token."""

    delays: list[float]
    core: float
    lent: list[int]


@dataclass(slots=True)
class Ears:
    """Listen to the feeds of runs."""

    house: House
    pool: QueuePool
    delays: list[float] = field(default_factory=list)
    lent: list[int] = field(default_factory=list)
    silent: set[RunId] = field(default_factory=set)
    all_speak: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, run: RunId) -> None:
        """Hear a run to its end."""
        self.silent.add(run)
        async with self.house.bus.live(run) as feed:
            heard = 0
            while await feed.changed(heard):
                now = time.monotonic()
                fresh, heard = feed.text[heard:], len(feed.text)
                self.delays += [(now - float(stamp)) * 1000 for stamp in fresh.split()]
                self.lent.append(self.pool.checkedout())
                self._spoke(run)

    def _spoke(self, run: RunId) -> None:
        self.silent.discard(run)
        if not self.silent:
            self.all_speak.set()

    async def heard(self, seconds: float) -> Heard:
        """Begin anew and listen for so long."""
        self.delays, self.lent = [], []
        wall, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        core = (time.process_time() - cpu) / (time.monotonic() - wall) * 100
        return Heard(self.delays, core, self.lent)


@contextmanager
def model() -> Iterator[str]:
    """Run the peer on the last core and everything of ours on the first; gives the peer's address."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    with Ollama() as peer:
        os.sched_setaffinity(0, {min(cores)})
        peer.plays(name="clock", rate=RATE, length=10_000)
        try:
            yield peer.url
        finally:
            os.sched_setaffinity(0, cores)


@asynccontextmanager
async def telling(database: Database, url: str, streams: int) -> AsyncGenerator[Ears, None]:
    """So many rooms whose openings are being told, as the program does it."""
    settings = Settings(
        data_dir=Path(os.devnull),
        storyteller="ollama",
        ollama_host=url,
        ollama_model="storyteller",
        ollama_num_ctx=16_384,
        ollama_num_predict=16_384,
        runs_at_once=streams,
        scene_words=WORDS,
    )
    async with aclosing(await for_workers(settings)) as cast:
        house = furnish(settings, database, cast, OfflineEmbedder())
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        ears = Ears(house, pool)
        async with alongside(house.bus.listen(), house.worker.work()), asyncio.TaskGroup() as listening:
            runs = [await begin(house, number) for number in range(streams)]
            tasks = [listening.create_task(ears.listen(run)) for run in runs]
            await ears.all_speak.wait()
            yield ears
            for task in tasks:
                task.cancel()


async def begin(house: House, number: int) -> RunId:
    """Begin a story in a room of its own."""
    room = RoomKey("terminal", f"room {number}")
    speaker = Speaker("terminal", f"player {number}", "Ann")
    asked = Incoming(str(house.clock.new_id()), room, speaker, NewStory("A door in the sea"), house.clock.now())
    await house.door.handle(asked)
    playthrough = (await house.store.room(room)).playthrough
    assert playthrough
    run = await house.store.live_run(playthrough)
    assert run
    return run.id


def bench(scale: Scale) -> list[Figure]:
    """Listen to one run, then to many."""
    one = asyncio.run(listened(1, scale.seconds))
    many = asyncio.run(listened(scale.streams, scale.seconds))
    several = f"{scale.streams} runs"
    return [
        _delay("one run", one),
        _delay(several, many),
        Figure(f"{several} at {RATE} tokens/s: processor", statistics.median(each.core for each in many), "%", CORE),
        Figure("sessions lent while one run streams", _lent(one), "", HELD),
        Figure(f"sessions lent while {several} stream", _lent(many), "", HELD),
    ]


async def listened(streams: int, seconds: float) -> list[Heard]:
    """Listen a few times for so long while so many runs stream."""
    async with ground() as database:
        with model() as url:
            async with telling(database, url, streams) as ears:
                return [await ears.heard(seconds) for _ in range(ROUNDS)]


def _delay(name: str, heard: list[Heard]) -> Figure:
    p95 = statistics.median(statistics.quantiles(each.delays, n=20)[-1] for each in heard)
    return Figure(f"token of the model to listener of the feed, {name}, p95", p95, "ms", OVERHEAD_MS)


def _lent(heard: list[Heard]) -> float:
    return statistics.median(lent for each in heard for lent in each.lent)
