"""The message of one ballot: kept up to date at a calm pace, the newest state first."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing, let_go
from bot.presenter.pacer import SHORTEST_WAIT
from bot.surface import Frame, MessageOld, SlowDown, SurfaceDown, SurfaceError
from bot.wording.voice import paragraphs
from storyforge_core.domain.story import Choice
from storyforge_core.errors import ServiceDown

CALM_SECONDS = 1.5
"""Between two edits of a card: twenty votes in a second are one edit, and scenes need the room's edits more."""
_GAP = 2
"""The blank line between a scene and its question."""

log = structlog.stdlib.get_logger()
Wording = Callable[[int | None], str]
"""Puts something into words, in no more characters than it is given; None sets no limit."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A message that a question can stand in."""

    subject: str
    """Its name in the ledger."""
    above: str = ""
    """The end of a scene, which the message shows above the question and keeps without it; empty in one of its own."""

    def room(self, limit: int | None) -> int | None:
        """How much of a message the question may take."""
        return None if limit is None else limit - (len(self.above) + _GAP if self.above else 0)


@dataclass(frozen=True, slots=True)
class Face:
    """What a card shows at a time: a little less where the scene stands right above it."""

    alone: Wording
    below: Wording
    choices: tuple[Choice, ...] = ()

    def frame(self, slot: Slot, limit: int | None) -> Frame:
        """Show it in a message."""
        say = self.below if slot.above else self.alone
        return Frame(paragraphs(slot.above, say(slot.room(limit))), choices=self.choices)


class Card:
    """Shows what it was given last; a single task of its own does the edits.

    Args:
        slots: the messages that it may stand in, one after the other: it moves on from one that takes no more edits.
        left: messages that an earlier program meant to leave.
        gone_on: says in a message of its own, in few words, that the question has moved.
    """

    def __init__(self, slots: Iterator[Slot], outbox: Outbox, gone_on: str, left: tuple[Slot, ...] = ()) -> None:
        self._slots = slots
        self._slot = next(slots)
        self._outbox = outbox
        self._gone_on = gone_on
        self._left = list(left)
        self._wanted: Face | None = None
        self._done = asyncio.Event()
        self._stir = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"card {self._slot.subject}")

    @property
    def idle(self) -> bool:
        """It shows what it was given last."""
        return self._done.is_set()

    def show(self, face: Face) -> None:
        """Give it another state to show, soon."""
        self._wanted = face
        self._done.clear()
        self._stir.set()

    async def shown(self) -> None:
        """Wait until it shows what it was given last.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        waiting = asyncio.ensure_future(self._done.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done() and not self._task.cancelled():
            self._task.result()

    async def close(self, face: Face) -> None:
        """Show the last state, and return when it is shown.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        self._closing.set()
        self.show(face)
        await self.shown()

    def drop(self) -> None:
        """Stop; the ledger knows that the card is not finished."""
        let_go(self._task)

    async def _keep(self) -> None:
        retry = FIRST_RETRY
        while not self._done.is_set() or not self._closing.is_set():
            await self._stir.wait()
            self._stir.clear()
            try:
                await self._bring_up_to_date()
            except SlowDown as slow:
                await self._again_in(slow.retry_after)
            except (SurfaceDown, ServiceDown) as down:
                log.warning("card waits", subject=self._slot.subject, reason=str(down))
                await self._again_in(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            else:
                retry = FIRST_RETRY
                await self._calm_down()

    async def _bring_up_to_date(self) -> None:
        wanted, closing = self._wanted, self._closing.is_set()
        if wanted is not None:
            await self._put(wanted, closing=closing)
        while self._left:
            await self._leave(self._left[-1])
            self._left.pop()
        if (wanted, closing) == (self._wanted, self._closing.is_set()):
            self._done.set()

    async def _put(self, face: Face, *, closing: bool) -> None:
        """Show a state; in another message, if votes are to be counted on and the old one takes no more edits."""
        try:
            await self._send(self._slot, face, final=closing)
        except MessageOld as old:
            log.info("card moves on", subject=self._slot.subject, reason=str(old))
            if closing:
                await self._outbox.close(self._slot.subject)
                return
            self._left.append(self._slot)
            self._slot = next(self._slots)
            await self._send(self._slot, face, final=False)

    async def _leave(self, slot: Slot) -> None:
        """Take the buttons away from a message that the question has moved on from, if that can still be done."""
        gone_on = Face(lambda _: self._gone_on, lambda _: "")
        try:
            await self._send(slot, gone_on, final=True)
        except SurfaceError as error:
            log.info("card left as it is", subject=slot.subject, reason=str(error))
            await self._outbox.close(slot.subject)

    async def _send(self, slot: Slot, face: Face, *, final: bool) -> None:
        frame = face.frame(slot, self._outbox.limits.max_chars)
        await self._outbox.send(Showing(subject=slot.subject, frame=frame, final=final, stays=True))

    async def _again_in(self, seconds: float) -> None:
        self._stir.set()
        await asyncio.sleep(max(seconds, SHORTEST_WAIT))

    async def _calm_down(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_SECONDS):
                await self._closing.wait()
