"""A whole game without a chat platform: real store, real worker, a writer that follows a script."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bot.illustrator import Studio
from storyforge_core.domain.commands import Command, Incoming, ShowStatus, Speaker
from storyforge_core.domain.context import prompt_tokens
from storyforge_core.domain.events import Event, Recorded, SceneTold
from storyforge_core.domain.replies import Reply, StatusShown
from storyforge_core.domain.story import PlaythroughId, RoomKey, Rules, Scene
from storyforge_core.domain.writing import Asking, Finding, Finished, Profile, Telling, Words, WriterEvent
from storyforge_core.engine.app import LastCall, StoryForge
from storyforge_core.engine.bus import Bus
from storyforge_core.engine.clock import SystemClock
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.oracle import Oracle
from storyforge_core.engine.painter import Painter
from storyforge_core.engine.portraits import Portraits
from storyforge_core.engine.recipes import PICTURE, SCENE, Recipe
from storyforge_core.engine.runner import Runner
from storyforge_core.errors import ServiceDown
from storyforge_core.memory_ports import Embedder
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.store.database import Database
from storyforge_core.store.jobs import Worker
from storyforge_core.store.postgres import PostgresStore
from storyforge_core.store.shelf import FileShelf
from tests.fakes import Gallery

HOME = RoomKey("terminal", "main", "here")
ANN = Speaker("terminal", "ann", "Ann")
BO = Speaker("terminal", "bo", "Bo")
CY = Speaker("terminal", "cy", "Cy")


class ScriptedWriter:
    """Tells numbered words: `scene 1 word 1 …`; what else happens is up to the test."""

    label = "scripted"
    window = 8192

    def __init__(self, words: int = 20) -> None:
        self.words = words
        self.tellings: list[Telling] = []
        self.askings: list[Asking] = []
        self.closed = 0
        self.pace = 0.0
        """Seconds between words."""
        self.reads: float | None = None
        """Tokens that it counts for each one that is estimated of a prompt; None: it does not count."""
        self.fail_after: list[int] = []
        """For each telling in turn: break off after so many words."""
        self.hold: asyncio.Event | None = None
        """Answers to questions wait for it."""
        self.answers: list[str | Exception] = []
        """For each question in turn: this instead of good choices."""
        self.gate = asyncio.Event()
        """Cleared, the telling waits after half of its words."""
        self.gate.set()

    async def profile(self) -> Profile:
        return Profile(self.label)

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        self.tellings.append(telling)
        breaks = self.fail_after.pop(0) if self.fail_after else None
        whole = self.text(telling)
        assert whole.startswith(telling.told)
        try:
            for number, word in enumerate(whole[len(telling.told) :].split(" ")):
                if number == breaks:
                    msg = "The storyteller broke off."
                    raise ServiceDown(msg)
                if number == self.words // 2:
                    await self.gate.wait()
                await asyncio.sleep(self.pace)
                yield Words(word if number == 0 else f" {word}")
            read = None if self.reads is None else round(prompt_tokens(telling.messages) * self.reads)
            yield Finished("stop", read, self.words)
        finally:
            self.closed += 1

    def text(self, telling: Telling) -> str:
        """What it tells for a brief, whole; the same every time."""
        number = len(telling.brief.path) + 1
        return " ".join(f"s{number}w{word}" for word in range(1, self.words + 1)) + "."

    async def ask(self, asking: Asking) -> str:
        self.askings.append(asking)
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        number = len(asking.brief.path) + 1
        choices = [f"Choice {option} of {number}" for option in range(1, asking.brief.choices + 1)]
        return answer or json.dumps({"title": f"Scene after {number - 1}", "choices": choices})

    async def check(self) -> Sequence[Finding]:
        return (Finding("storyteller", "ok", "scripted"),)

    async def aclose(self) -> None:
        """Nothing to let go of."""


@dataclass(slots=True)
class Game:
    """One process: a door, a worker, a bus."""

    store: PostgresStore
    forge: StoryForge
    bus: Bus
    writer: ScriptedWriter
    gallery: Gallery
    room: RoomKey = HOME

    async def say(self, command: Command, speaker: Speaker = ANN, event: str = "") -> Reply:
        """Send a command, as a new message unless an event id is given."""
        return await self.forge.handle(
            Incoming(event or uuid4().hex, self.room, speaker, command, self.forge.clock.now())
        )

    async def play(self, command: Command, speaker: Speaker = ANN) -> Reply:
        """Send a command and wait until everything that follows from it is written."""
        reply = await self.say(command, speaker)
        await self.quiet()
        return reply

    async def quiet(self, within: float = 20) -> None:
        """Wait until nothing is being written."""

        async def idle() -> bool:
            return await self.store.live_run(await self.playthrough()) is None

        await until(idle, within)

    async def playthrough(self) -> PlaythroughId:
        """What the room shows."""
        room = await self.store.room(self.room)
        assert room.playthrough is not None
        return room.playthrough

    async def events(self) -> tuple[Event, ...]:
        """Everything the room's playthrough was told."""
        return tuple(recorded.event for recorded in await self.recorded())

    async def recorded(self) -> tuple[Recorded, ...]:
        """The same with ids."""
        return await self.store.events(await self.playthrough(), 0, 10_000)

    async def scenes(self) -> tuple[Scene, ...]:
        """All scenes in order of telling."""
        return tuple(event.scene for event in await self.events() if isinstance(event, SceneTold))

    async def status(self) -> StatusShown:
        """Where the story stands."""
        reply = await self.say(ShowStatus())
        assert isinstance(reply, StatusShown)
        return reply


async def until(true: Callable[[], Awaitable[bool]], within: float = 15) -> None:
    """Wait until something is true that this process is not told of."""
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)


@asynccontextmanager
async def game(  # noqa: PLR0913 - what a test may want of a process
    database: Database,
    writer: ScriptedWriter | None = None,
    *,
    rules: Rules | None = None,
    recipe: Recipe = SCENE,
    workers: int = 1,
    last_calls: tuple[LastCall, ...] = (),
    embedder: Embedder | None = None,
    studio: Studio | None = None,
    static: Path | None = None,
) -> AsyncIterator[Game]:
    """Open a game; without workers nothing is written until another process does, without a studio nothing painted."""
    clock = SystemClock()
    store = PostgresStore(database, clock)
    bus = Bus(store)
    told_by = writer or ScriptedWriter()
    mode = studio.mode if studio else "off"
    gallery = Gallery()
    memory = Memory(store, embedder or OfflineEmbedder())
    runner = Runner(store, told_by, memory, bus, clock, recipe, mode)
    portraits = Portraits(FileShelf(static or Path("nowhere")), gallery)
    forge = StoryForge(store, clock, rules or Rules(), Oracle(memory, told_by), mode, portraits, last_calls=last_calls)
    painter = None
    if studio:
        painter = Painter(store, studio.illustrator, gallery, portraits.shelf, studio.visualizer, clock, PICTURE)
    tasks = [asyncio.create_task(bus.listen())]
    for _ in range(workers):
        worker = Worker(
            conninfo=database.conninfo,
            store=store,
            on_run=runner.execute,
            on_deadline=forge.deadline,
            on_scene=memory.remember,
            on_start=memory.reread,
            runs_at_once=4,
            on_picture=painter.execute if painter else None,
        )
        tasks.append(asyncio.create_task(worker.work()))
    try:
        yield Game(store, forge, bus, told_by, gallery)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
