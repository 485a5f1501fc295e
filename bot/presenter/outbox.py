"""The messages of one room: announced in the ledger before they are sent, known by their id, edited from then on."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import uuid5

import structlog

from bot.presenter import pacer
from bot.surface import (
    Allowance,
    File,
    Frame,
    Limits,
    MessageGone,
    MessageOld,
    SlowDown,
    Surface,
    SurfaceDown,
    SurfaceError,
)
from storyforge_core.domain.space import Manner
from storyforge_core.domain.story import Room
from storyforge_core.errors import ServiceDown
from storyforge_core.show_ports import Delivery, Ledger

CALL_SECONDS = 30.0
"""No answer of a chat platform is waited for longer."""
AT_EASE = 3
"""Edits that are left for others when something is shown that nobody needs."""
FIRST_RETRY = 0.5
LONGEST_RETRY = 30.0

log = structlog.stdlib.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What one message of a room has to show."""

    subject: str
    part: int = 0
    frame: Frame
    shown: int = 0
    """Characters of the whole text that this message and those before it show."""
    final: bool
    """Nothing about it will change any more."""
    stays: bool = False
    """It is not to be posted anew for the only reason that the platform takes no more edits of so old a message."""


@dataclass(slots=True)
class _Message:
    delivery: Delivery
    frame: Frame | None = None
    """What it shows; None while that is not known."""
    marked: bool = True
    """The ledger knows as much."""


class Outbox:
    """Sends and edits; a message that is final is never touched again."""

    def __init__(self, surface: Surface, room: Room, ledger: Ledger) -> None:
        self._surface = surface
        self._room = room
        self._ledger = ledger
        self._messages: dict[tuple[str, int], _Message] = {}
        self._spent = pacer.UNSPENT

    @property
    def limits(self) -> Limits:
        """What the platform allows."""
        return self._surface.limits

    def left(self) -> Allowance:
        """How many edits this room has left: by the platform's word, or else by our count."""
        told = self._surface.allowance(self._room.key)
        return told or pacer.allowance(self._spent, self.limits.pace, _now())

    def text(self, subject: str, part: int = 0) -> str:
        """What a message shows; empty while it is not known to exist."""
        message = self._messages.get((subject, part))
        return message.frame.text if message and message.frame else ""

    async def known(self, subject: str) -> tuple[Delivery, ...]:
        """List the messages about a subject that were announced."""
        return await self._ledger.deliveries(self._room.id, subject)

    async def unfinished(self) -> tuple[Delivery, ...]:
        """List the messages of the room whose last frame was not shown."""
        return await self._ledger.unfinished(self._room.id)

    async def close(self, subject: str) -> None:
        """Leave the messages about a subject as they are, for good."""
        for delivery in await self.known(subject):
            await self._ledger.mark(replace(delivery, final=True))
            self._messages.pop((subject, delivery.part), None)

    async def share(self, subject: str, delivery: Delivery, frame: Frame) -> None:
        """Let a message that was shown for one subject, and shows this frame, be kept up to date for another."""
        message = await self._open(Showing(subject=subject, frame=frame, final=False))
        if message.delivery.message is None:
            message.delivery = replace(message.delivery, message=delivery.message)
            await self._ledger.mark(message.delivery)
        message.frame = frame

    async def manner(self) -> Manner:
        """Ask the room how scenes are to be told in it. Raises what the platform does."""
        return await _within_limit(self._surface.manner(self._room.key))

    async def announced(self, subject: str) -> Delivery:
        """Announce something that is no message of its own; the same again answers what is known of it."""
        return await self._ledger.open(self._room.id, subject, 0)

    async def remember(self, delivery: Delivery) -> None:
        """Have the ledger know how far something got that is no message of its own."""
        await self._ledger.mark(delivery)

    async def attach(self, message: str, file: File) -> str:
        """Hang a file under a message; answers by what it can be taken away again.

        Raises:
            SurfaceError: as the platform has it.
        """
        return await _within_limit(self._surface.attach(self._room.key, message, file))

    async def detach(self, hung: str) -> None:
        """Take a file away again.

        Raises:
            SurfaceError: as the platform has it.
        """
        await _within_limit(self._surface.detach(self._room.key, hung))

    async def sketch(self, message: str, text: str, preview: File | None = None) -> None:
        """Show beside a message how far its picture is; without a text, nothing any more.

        Raises:
            SurfaceError: as the platform has it.
        """
        await _within_limit(self._surface.sketch(self._room.key, message, text, preview))

    async def adults(self) -> bool | None:
        """Ask whether only adults are let into the room. Raises what the platform does."""
        return await _within_limit(self._surface.adults(self._room.key))

    async def whisper(self, user: str, text: str) -> None:
        """Tell somebody something that nobody else reads. Raises what the platform does."""
        await _within_limit(self._surface.whisper(self._room.key, user, text))

    @property
    def at_ease(self) -> bool:
        """The platform can be asked for what nobody needs: it counts nothing, or many edits of this room are left.

        Of a budget that all rooms share and that refills slowly, nothing is spent so: words would miss it.
        """
        told = self._surface.allowance(self._room.key)
        if told is not None and told.refill:
            return False
        return told is None or told.remaining - max(told.kept, self.limits.pace.kept) >= AT_EASE

    async def typing(self) -> None:
        """Show that something is being written; not worth a second try."""
        try:
            await _within_limit(self._surface.typing(self._room.key))
        except SurfaceError as error:
            log.debug("no typing sign", room=self._room.key.address, reason=str(error))

    async def send(self, showing: Showing) -> None:
        """Try once to bring a message up to date.

        Raises:
            MessageOld: nothing has changed; only where the message is to stay.
            SurfaceError: as the platform has it, but never `MessageGone`: the text is posted anew then.
            ServiceDown: the ledger's database is away.
        """
        message = await self._open(showing)
        if message.delivery.final:
            del self._messages[showing.subject, showing.part]
            return
        if message.frame != showing.frame:
            await self._bring(message, showing)
        self._note(message, showing)
        if not message.marked:
            await self._ledger.mark(message.delivery)
            message.marked = True
        if showing.final:  # the ledger knows the rest
            del self._messages[showing.subject, showing.part]

    async def insist(self, showing: Showing) -> None:
        """Try until it is shown, however long the platform or the ledger is away.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        retry = FIRST_RETRY
        while True:
            try:
                await self.send(showing)
            except SlowDown as slow:
                await asyncio.sleep(max(slow.retry_after, pacer.SHORTEST_WAIT))
            except (SurfaceDown, ServiceDown) as down:
                log.warning("message waits", room=self._room.key.address, subject=showing.subject, reason=str(down))
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            else:
                return

    async def _open(self, showing: Showing) -> _Message:
        place = (showing.subject, showing.part)
        if place not in self._messages:
            self._messages[place] = _Message(await self._ledger.open(self._room.id, *place))
        return self._messages[place]

    async def _bring(self, message: _Message, showing: Showing) -> None:
        posted = message.delivery.message
        if posted is None:
            await self._post(message, showing.frame)
        elif self._can_become(message.frame, showing.frame):
            try:
                await self._edit(posted, showing.frame)
            except MessageGone as gone:
                if showing.stays and isinstance(gone, MessageOld):
                    raise
                await self._post(message, showing.frame)
        else:
            await self._post(message, showing.frame)
        message.frame = showing.frame

    def _can_become(self, before: Frame | None, after: Frame) -> bool:
        match self.limits.edits:
            case "rewrite":
                return True
            case "append":
                return before is None or after.text.startswith(before.text)
            case "none":
                return False

    async def _post(self, message: _Message, frame: Frame) -> None:
        """Post under the delivery's id, so that a second try is recognised; instead of a lost one, under another."""
        delivery = message.delivery
        key = delivery.id if delivery.message is None else uuid5(delivery.id, delivery.message)
        posted = await _within_limit(self._surface.post(self._room.key, frame, key))
        message.delivery = replace(delivery, message=posted)
        message.marked = False

    async def _edit(self, posted: str, frame: Frame) -> None:
        try:
            await _within_limit(self._surface.edit(self._room.key, posted, frame))
        finally:  # counted when it is over: the platform's window began no later than that
            self._spent = pacer.spend(self._spent, self.limits.pace, _now())

    def _note(self, message: _Message, showing: Showing) -> None:
        """Keep in mind how far it got; the ledger hears of each step that a restart has to know of."""
        before = message.delivery
        message.delivery = replace(before, shown=showing.shown, final=showing.final)
        if showing.final or (showing.shown and not before.shown):
            message.marked = False


def let_go(task: asyncio.Task[None]) -> None:
    """End a task that nobody waits for any more; what it failed of was the room, which is known."""
    task.cancel()
    if task.done() and not task.cancelled():
        task.exception()  # asked for, it is not reported as forgotten


async def _within_limit(request: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await request
    except TimeoutError:
        msg = "The chat platform does not answer."
        raise SurfaceDown(msg) from None


def _now() -> float:
    return asyncio.get_running_loop().time()
