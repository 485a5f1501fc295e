"""Playing in the terminal: line after line is read, asked, and its effect awaited."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any, Protocol

from bot.catalog.help import help_text
from bot.catalog.row import HelpAsked, Problem
from bot.platforms.terminal.files import opened
from bot.platforms.terminal.keyboard import Lines
from bot.platforms.terminal.line import Quit, Said, read_line
from bot.platforms.terminal.seat import Seat
from bot.platforms.terminal.show import Show
from storyforge_core.domain.commands import Command, Incoming, ShowStatus, Stop
from storyforge_core.domain.replies import Declined, Reply, StatusShown
from storyforge_core.domain.story import PlaythroughId, Room, RoomKey
from storyforge_core.errors import StoryForgeError
from storyforge_core.ports import Clock

FIRST_TIME = """\
StoryForge tells a story, and you decide how it goes on. Begin one:
  /story new A lighthouse keeper finds a door in the sea
/help shows all commands, Ctrl-D leaves."""
IN_THE_TERMINAL = """\
Here a bare number votes, and other words are what you do next. @player2: 2 speaks for another player.
Ctrl-C stops what is being written, Ctrl-D or /quit leaves."""
HOW_TO_LEAVE = "Ctrl-D or /quit leaves the story; it is kept."
GOODBYE = "Until next time. The story is kept as it is."


class Door(Protocol):
    """Where commands go."""

    async def handle(self, incoming: Incoming) -> Reply:
        """Do what is asked, or say in a sentence why not."""


class Rooms(Protocol):
    """Where one learns which story a room shows."""

    async def room(self, key: RoomKey) -> Room:
        """Find a room, or make it known."""


class Play:
    """One sitting at the terminal."""

    def __init__(self, seat: Seat, door: Door, rooms: Rooms, show: Show, lines: Lines, clock: Clock) -> None:
        self._seat = seat
        self._door = door
        self._rooms = rooms
        self._show = show
        self._lines = lines
        self._clock = clock
        self._story: PlaythroughId | None = None
        self._interrupted = asyncio.Event()

    async def run(self) -> None:
        """Play until the lines end or somebody has had enough."""
        with _interrupts(self._interrupted.set) if self._lines.typed else nullcontext():
            await self._begin()
            while (line := await self._next_line()) is not None:
                said = read_line(line)
                if isinstance(said, Quit):
                    break
                if said is not None:
                    await self._take(line.strip(), said)
        if self._lines.typed:
            await self._show.note(GOODBYE)

    async def _begin(self) -> None:
        """Go on with the story that the room shows, or say how to begin one."""
        room = await self._rooms.room(self._seat.room)
        reply = await self._ask(ShowStatus(), None) if room.playthrough else None
        if isinstance(reply, StatusShown):
            await self._show.welcome(reply)
            await self._effect()
        elif self._lines.typed:
            await self._show.note(FIRST_TIME)

    async def _take(self, line: str, said: Said) -> None:
        await self._show.line(line)
        match await opened(said):
            case Problem(sentence):
                await self._show.reply(Declined(sentence))
            case HelpAsked(""):
                await self._show.note(f"{help_text()}\n\n{IN_THE_TERMINAL}")
            case HelpAsked(command):
                await self._show.note(help_text(command))
            case command:
                await self._show.reply(await self._ask(command, said.speaker))
                await self._effect()

    async def _ask(self, command: Command, speaker: str | None) -> Reply:
        event = str(self._clock.new_id())
        return await self._door.handle(
            Incoming(event, self._seat.room, self._seat.speaker(speaker), command, self._clock.now())
        )

    async def _effect(self) -> None:
        """Show what came of it, to the end; a story that cannot be read just now is read with the next line."""
        try:
            room = await self._rooms.room(self._seat.room)
            if room.playthrough != self._story:
                self._story = room.playthrough
                await self._show.attend(room)
            await self._until_settled()
        except StoryForgeError as error:
            await self._show.note(str(error))

    async def _until_settled(self) -> None:
        """Wait for the end of the writing. An interrupt stops it, another one no longer waits for that."""
        settled = asyncio.ensure_future(self._show.settled())
        try:
            if not await self._undisturbed(settled):
                await self._show.reply(await self._ask(Stop(), None))
                if not await self._undisturbed(settled):
                    return
            await settled
        finally:
            settled.cancel()

    async def _next_line(self) -> str | None:
        line = asyncio.ensure_future(self._lines.next())
        try:
            while not await self._undisturbed(line):
                await self._show.note(HOW_TO_LEAVE)
            return await line
        finally:
            line.cancel()

    async def _undisturbed(self, work: asyncio.Future[Any]) -> bool:
        """Wait for work to be done; False when an interrupt came first."""
        self._interrupted.clear()
        interrupted = asyncio.ensure_future(self._interrupted.wait())
        try:
            await asyncio.wait({work, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            interrupted.cancel()
        return work.done()


@contextmanager
def _interrupts(heed: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C heeded rather than end the program."""
    loop = asyncio.get_running_loop()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(heed)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
