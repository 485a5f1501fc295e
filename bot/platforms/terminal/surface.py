"""The terminal as a chat platform: one screen on which everything shown stays shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.platforms.terminal.screen import Screen, ScreenClosed
from bot.surface import Allowance, File, Frame, Limits, MessageGone, Pace, RoomGone
from bot.wording.voice import clock_and_distance
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import RoomKey

PLATFORM = "terminal"
LIMITS = Limits(
    max_chars=None,
    edits="append",
    markup="plain",
    pace=Pace(burst=1000, per=1.0, min_gap=0.1, first_gap=0.1, shared=1000.0),
    max_choices=0,
    sketches="apart",
)
"""The screen itself takes any pace; ten frames a second look alive, and each of them costs a commit."""


class TerminalSurface:
    """Shows messages one below the other; only the newest can grow in place.

    Args:
        now: the time in the zone of whoever reads.
    """

    name = PLATFORM
    limits = LIMITS

    def __init__(self, screen: Screen, now: Callable[[], datetime]) -> None:
        self._screen = screen
        self._now = now
        self._shown: dict[str, _Shown] = {}

    async def post(self, room: RoomKey, frame: Frame, key: UUID) -> str:  # noqa: ARG002 - there is one room
        """Show a message; one that was shown before is not shown again."""
        message = str(key)
        if message not in self._shown:
            with _screen_as_room():
                block = await self._screen.begin(frame.text)
                await self._keep(message, block, frame)
        return message

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:  # noqa: ARG002
        """Show what is new in a message, below it or, when others came between, below those."""
        shown = self._shown.get(message)
        if shown is None:
            raise MessageGone("That was shown on another screen.")
        more = frame.text[shown.chars :]
        with _screen_as_room():
            block = await self._screen.grow(shown.block, more) if more else shown.block
            await self._keep(message, block, frame)

    async def attach(self, room: RoomKey, message: str, file: File) -> str:  # noqa: ARG002
        """Describe what a screen of letters cannot show, and say where it is to be seen."""
        with _screen_as_room():
            await self._screen.say(f"[{file.alt}\n{file.place or file.name}]")
        return message

    async def detach(self, room: RoomKey, hung: str) -> None:
        """What was shown on a screen stays there."""

    async def sketch(self, room: RoomKey, message: str, text: str, preview: File | None = None) -> None:
        """Nothing stands beside a message on a screen."""

    async def adults(self, room: RoomKey) -> bool | None:  # noqa: ARG002
        """Whoever runs the program decides what is on their screen."""
        return True

    async def whisper(self, room: RoomKey, user: str, text: str) -> None:  # noqa: ARG002 - there is nobody else
        """Say it to whoever sits here."""
        with _screen_as_room():
            await self._screen.say(text)

    async def typing(self, room: RoomKey) -> None:
        """Nothing to show: the words come as they are written."""

    async def manner(self, room: RoomKey) -> Manner:  # noqa: ARG002
        """Whoever sits at a screen reads along."""
        return "live"

    def allowance(self, room: RoomKey) -> Allowance | None:  # noqa: ARG002
        """A screen never asks to wait."""
        return None

    def moment(self, at: datetime) -> str:
        """Say a time as a clock and a distance, in the reader's time zone."""
        now = self._now()
        return clock_and_distance(at.astimezone(now.tzinfo), now)

    async def _keep(self, message: str, block: int, frame: Frame) -> None:
        self._shown[message] = _Shown(block, len(frame.text))
        if not frame.live:
            await self._screen.end(block)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where on the screen a message is, and how much of it."""

    block: int
    chars: int


@contextmanager
def _screen_as_room() -> Iterator[None]:
    try:
        yield
    except ScreenClosed as error:
        raise RoomGone("Nobody reads this screen any more.") from error
