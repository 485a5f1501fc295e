"""Hands letters over: those of a room one after the other, rooms side by side, each until it is done with."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import structlog

from bot.platforms.matrix.sealing import SEALED_KIND
from bot.surface import SlowDown, SurfaceDown
from storyforge_core.errors import ServiceDown
from storyforge_core.mailbox import Account, Kept, Letter, Mailbox
from storyforge_core.ports import Clock

PATIENCE = timedelta(days=1)
"""How long a letter is kept whose key is missing."""
LOOK_BACK = timedelta(hours=1)
"""How often it is seen whether one has waited too long."""
AT_A_TIME = 100
AGAIN = 1.0
"""Seconds until something is tried once more."""

log = structlog.stdlib.get_logger()


class Recipient(Protocol):
    """Who does what letters ask for."""

    async def receive(self, letter: Letter) -> None:
        """Do it; the same letter may come again, and has its effect once.

        Raises:
            ServiceDown: it could not be done just now, and should be tried again.
            SurfaceDown: likewise.
            SlowDown: likewise.
        """


class Postman:
    """Takes letters out of a mailbox.

    Args:
        mailbox: where they wait.
        account: whose letters.
        unseal: decrypts an event of a room; None while its key is not there.
        recipient: who gets them.
        clock: tells how long a letter has waited for its key.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        account: Account,
        unseal: Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None],
        recipient: Recipient,
        clock: Clock,
    ) -> None:
        self._mailbox = mailbox
        self._account = account
        self._unseal = unseal
        self._recipient = recipient
        self._clock = clock
        self._after = 0
        self._looked_back = clock.now()
        self._rounds: dict[str, deque[Kept]] = {}
        """What is still to be handed over in each room."""
        self._walks: dict[str, asyncio.Task[None]] = {}

    async def look(self, *, sealed_too: bool = False) -> None:
        """Take up what has come; where keys have come as well, and now and then, also what could not be read before.

        Raises:
            ServiceDown: the store is away.
        """
        now = self._clock.now()
        if sealed_too or now - self._looked_back > LOOK_BACK:
            self._after, self._looked_back = 0, now
        while found := await self._mailbox.letters(self._account, self._after, AT_A_TIME):
            for kept in found:
                self._take(kept)
            self._after = found[-1].number

    async def aclose(self) -> None:
        """Let go; what is not done with stays in the box."""
        walks = list(self._walks.values())
        for walk in walks:
            walk.cancel()
        if walks:
            await asyncio.wait(walks)

    def _take(self, kept: Kept) -> None:
        room = kept.letter.room
        waiting = self._rounds.setdefault(room, deque())
        if all(kept.number != other.number for other in waiting):
            waiting.append(kept)
        if room not in self._walks:
            self._walks[room] = asyncio.create_task(self._walk(room, waiting), name=f"letters {room}")

    async def _walk(self, room: str, waiting: deque[Kept]) -> None:
        try:
            while waiting:
                if await self._over(waiting[0]):
                    waiting.popleft()
                else:
                    await asyncio.sleep(AGAIN)
        finally:
            del self._rounds[room], self._walks[room]

    async def _over(self, kept: Kept) -> bool:
        """Hand a letter over; False when that has to be tried again."""
        try:
            letter = self._opened(kept)
            if letter is not None:
                await self._hand_over(letter)
                await self._mailbox.done(kept)
        except (ServiceDown, SurfaceDown, SlowDown) as down:
            log.info("a letter has to wait", room=kept.letter.room, reason=str(down))
            return False
        return True

    async def _hand_over(self, letter: Letter) -> None:
        try:
            await self._recipient.receive(letter)
        except (ServiceDown, SurfaceDown, SlowDown):
            raise
        except Exception:  # supervisor: one letter must not keep all others of its room waiting for ever
            log.exception("a letter was not understood", room=letter.room, letter=letter.id)

    def _opened(self, kept: Kept) -> Letter | None:
        """A letter that can be read; None when its key may still come."""
        letter = kept.letter
        if letter.body.get("type") != SEALED_KIND:
            return letter
        body = self._unseal(letter.room, letter.body)
        if body is not None:
            return Letter(letter.id, letter.room, body)
        if self._clock.now() - kept.at < PATIENCE:
            return None
        log.warning("a message could not be decrypted", room=letter.room, letter=letter.id)
        return letter
