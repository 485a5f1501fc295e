"""Matrix as a surface: posts, edits and files in rooms and threads."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol
from uuid import UUID

import structlog

from bot.platforms.matrix import media, paper
from bot.platforms.matrix.budget import Budget
from bot.platforms.matrix.link import Link, Urgency
from bot.platforms.matrix.places import PLATFORM, Place
from bot.platforms.matrix.wire import API, part
from bot.platforms.matrix.withdrawals import Withdrawals
from bot.surface import Allowance, File, Frame, MessageGone
from bot.wording.voice import clock, distance
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import Choice, RoomKey

LIVE_MESSAGING = "org.matrix.msc4357.live_messaging"
"""A room's state that says whether messages may grow in it."""
CLOCK_SLACK = 0.05
"""Seconds; an event that is older than its own sending was there before."""

log = structlog.stdlib.get_logger()


class Board(Protocol):
    """Whoever has to know which messages ask a question."""

    def shown(self, room: RoomKey, message: str, choices: tuple[Choice, ...]) -> None:
        """A message shows these choices now, or none any more."""


class Direct(Protocol):
    """Whoever knows where somebody can be told something alone."""

    async def room_with(self, user: str) -> str:
        """Find the direct room with somebody, or open one."""


class Signs(Protocol):
    """Whoever has to know which messages are pictures."""

    def hung(self, room: RoomKey, message: str, *, unlimited: bool) -> None:
        """A picture hangs; the homeserver takes anything, or not."""


class MatrixSurface:
    """Shows messages in the rooms of Matrix.

    Args:
        link: the connection.
        budget: what the homeserver still takes; the link counts.
        board: is told which messages ask a question.
        withdrawals: cleans up behind messages that were taken back.
        now: tells the time, to say how far away another is.
        direct: knows where somebody can be told something alone; None: nobody is.
        signs: is told which messages are pictures; None: nothing stands under them.
    """

    name = PLATFORM
    limits = paper.LIMITS

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        link: Link,
        budget: Budget,
        board: Board,
        withdrawals: Withdrawals,
        now: Callable[[], datetime],
        *,
        direct: Direct | None = None,
        signs: Signs | None = None,
    ) -> None:
        self._link = link
        self._budget = budget
        self._board = board
        self._withdrawals = withdrawals
        self._now = now
        self._direct = direct
        self._signs = signs
        self._growing: set[str] = set()
        """Messages of which it is known that they stand, as long as they are edited."""
        self._withdrawn: set[str] = set()
        """Messages that somebody took back while they were edited."""
        self._started = secrets.token_hex(4)
        self._revisions = count()
        self._under_way: dict[str, tuple[Frame, str]] = {}
        """The newest edit of a message that was not answered, and what it is known by."""

    async def post(self, room: RoomKey, frame: Frame, key: UUID) -> str:
        """Send a message; the homeserver answers the one that is there when the key is the same.

        That one may show less than this frame, if an earlier program got no further; then it is edited at once.
        """
        place = Place.of(room)
        began = _clock()
        content = paper.written(frame, place)
        message = await self._link.send(place.room, paper.MESSAGE, content, str(key), "draft" if frame.live else "last")
        if not frame.live and await self._is_older(place, message, _clock() - began):
            await self._rewrite(place, message, frame)
        self._note(room, message, frame)
        return message

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        """Show another frame in a message; one that somebody took back stays empty.

        Raises:
            MessageGone: there is none.
        """
        place = Place.of(room)
        if message not in self._growing | self._withdrawn:
            await self._find(place, message)
        if message not in self._withdrawn:
            await self._rewrite(place, message, frame)
        self._note(room, message, frame)

    async def attach(self, room: RoomKey, message: str, file: File) -> str:
        """Send a file as an answer to a message, since Matrix hangs nothing under one; the same name again, once."""
        place = Place.of(room)
        content = await media.uploaded(self._link, place.room, file)
        mark = media.fingerprint(message, file.name)
        shown = {**content, **paper.thread(place, message)}
        hung = await self._link.send(place.room, paper.MESSAGE, shown, mark, "later")
        if file.picture is not None and self._signs is not None:
            self._signs.hung(room, hung, unlimited=self._budget.left() is None)
        return hung

    async def detach(self, room: RoomKey, hung: str) -> None:
        """Take a file back; what was uploaded stays on the homeserver, and nothing points to it."""
        self._growing.discard(hung)
        await self._link.redact(Place.of(room).room, hung, f"{hung} back", urgency="later")

    async def sketch(self, room: RoomKey, message: str, text: str, preview: File | None = None) -> None:
        """Nothing stands beside a message here."""

    async def adults(self, room: RoomKey) -> bool | None:  # noqa: ARG002
        """No room is marked here."""
        return None

    async def whisper(self, room: RoomKey, user: str, text: str) -> None:
        """Tell somebody in the direct room with them.

        Raises:
            MessageGone: nobody is told anything alone here.
        """
        if self._direct is None:
            raise MessageGone("There are no direct rooms.")
        alone = Place(await self._direct.room_with(user))
        mark = media.fingerprint(room.address, text)
        await self._link.send(alone.room, paper.MESSAGE, paper.written(Frame(text), alone), mark, "last")

    async def typing(self, room: RoomKey) -> None:
        """Show for some seconds that something is being written."""
        await self._link.typing(Place.of(room).room)

    def allowance(self, room: RoomKey) -> Allowance | None:  # noqa: ARG002 - one budget for all rooms
        """Say what the homeserver still takes; None when it takes anything."""
        return self._budget.left()

    def moment(self, at: datetime) -> str:
        """Say a time in words: no client knows how to show one in its reader's own zone."""
        now = self._now()
        return f"{distance(at - now)} ({clock(at.astimezone(UTC), now)} UTC)"

    async def manner(self, room: RoomKey) -> Manner:
        """Ask the room whether messages may grow in it."""
        switch = await self._link.state(Place.of(room).room, LIVE_MESSAGING)
        return "paragraphs" if switch is not None and switch.get("enabled") is False else "live"

    async def withdrawn(self, room: str, message: str) -> None:
        """Know that somebody took a message back: it is left alone, and what it said before is taken back too."""
        if message in self._growing:
            self._withdrawn.add(message)
        await self._withdrawals.heard(room, message)

    async def _rewrite(self, place: Place, message: str, frame: Frame) -> None:
        """Send an edit; one that is sent again because its answer was lost is the same event."""
        before = self._under_way.get(message)
        mark = before[1] if before and before[0] == frame else f"{self._started}.{next(self._revisions)}"
        self._under_way[message] = frame, mark
        urgency: Urgency = "draft" if frame.live else "later" if frame.choices else "last"  # a tally can wait
        await self._link.send(place.room, paper.MESSAGE, paper.rewritten(frame, message), mark, urgency)
        del self._under_way[message]
        if message in self._withdrawn:  # meanwhile
            await self._withdrawals.heard(place.room, message)

    async def _find(self, place: Place, message: str) -> None:
        """See whether a message stands that an earlier program posted."""
        event = await self._event(place, message)
        if "redacted_because" in event.get("unsigned", {}):
            self._withdrawn.add(message)
            await self._withdrawals.heard(place.room, message)

    async def _is_older(self, place: Place, message: str, seconds: float) -> bool:
        """Tell whether a message was there before it was sent just now."""
        age = (await self._event(place, message)).get("unsigned", {}).get("age", 0)
        return bool(age / 1000 > seconds + CLOCK_SLACK)

    async def _event(self, place: Place, message: str) -> Mapping[str, Any]:
        if not message.startswith("$"):
            raise MessageGone("Matrix has no such message.")
        return await self._link.call("GET", f"{API}/rooms/{part(place.room)}/event/{part(message)}")

    def _note(self, room: RoomKey, message: str, frame: Frame) -> None:
        """Keep in mind which messages will be edited again."""
        if frame.live or frame.choices:
            self._growing.add(message)
        else:
            self._growing.discard(message)
            self._withdrawn.discard(message)
        self._board.shown(room, message, frame.choices)


def _clock() -> float:
    return asyncio.get_running_loop().time()
