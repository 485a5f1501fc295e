"""The message of one ballot: kept up to date at a calm pace, the newest state first."""

import asyncio
from contextlib import suppress

import structlog

from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing, let_go
from bot.presenter.pacer import SHORTEST_WAIT
from bot.surface import Frame, SlowDown, SurfaceDown
from storyforge_core.errors import ServiceDown

CALM_SECONDS = 1.5
"""Between two edits of a card: twenty votes in a second are one edit, and scenes need the room's edits more."""

log = structlog.stdlib.get_logger()


class Card:
    """Shows what it was given last; a single task of its own does the edits."""

    def __init__(self, subject: str, outbox: Outbox) -> None:
        self._subject = subject
        self._outbox = outbox
        self._wanted: Showing | None = None
        self._done = asyncio.Event()
        self._stir = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"card {subject}")

    @property
    def idle(self) -> bool:
        """It shows what it was given last."""
        return self._done.is_set()

    def show(self, frame: Frame) -> None:
        """Give it another state to show, soon."""
        self._want(Showing(subject=self._subject, frame=frame, final=False))

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

    async def close(self, frame: Frame) -> None:
        """Show the last state, and return when it is shown.

        Raises:
            RoomGone: there is nowhere to show it.
        """
        self._want(Showing(subject=self._subject, frame=frame, final=True))
        self._closing.set()
        await self.shown()

    def drop(self) -> None:
        """Stop; the ledger knows that the card is not finished."""
        let_go(self._task)

    def _want(self, showing: Showing) -> None:
        self._wanted = showing
        self._done.clear()
        self._stir.set()

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
                log.warning("card waits", subject=self._subject, reason=str(down))
                await self._again_in(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            else:
                retry = FIRST_RETRY
                await self._calm_down()

    async def _bring_up_to_date(self) -> None:
        wanted = self._wanted
        if wanted is not None:
            await self._outbox.send(wanted)
        if wanted is self._wanted:
            self._done.set()

    async def _again_in(self, seconds: float) -> None:
        self._stir.set()
        await asyncio.sleep(max(seconds, SHORTEST_WAIT))

    async def _calm_down(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_SECONDS):
                await self._closing.wait()
