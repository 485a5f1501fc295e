"""Connections outside the pool that are meant to last: opened with patience, watched for their end."""

import asyncio

import asyncpg
import structlog

from storyforge_core.store.address import DatabaseUrl
from storyforge_core.store.database import connect
from storyforge_core.store.statement import Db

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""How a connection that fails, or cannot be made, shows."""

_PING_EVERY = 10.0
_PING_WITHIN = 5.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)


class Dedicated:
    """An open connection that notices its end: at once when told, after a failed round trip otherwise."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.woken = asyncio.Event()
        """Set when the connection is gone; its user may set it for reasons of their own."""
        db.add_termination_listener(lambda _: self.woken.set())

    async def lasts(self) -> bool:
        """Sleep until woken, or for a while; tell whether the connection still works."""
        try:
            async with asyncio.timeout(_PING_EVERY):
                await self.woken.wait()
        except TimeoutError:
            return await self._answers()
        return not self.db.is_closed()

    async def _answers(self) -> bool:
        try:
            await self.db.execute("SELECT 1", timeout=_PING_WITHIN)
        except LOST:
            return False
        return True


async def open_patiently(url: DatabaseUrl, first: str) -> Dedicated:
    """Connect and run a first statement, again and again with growing pauses until both succeed."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await open_once(url, first)
        except LOST as error:
            _log.warning("waiting for the database", error=str(error))
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def open_once(url: DatabaseUrl, first: str) -> Dedicated:
    """Connect and run a first statement."""
    db = await connect(url)
    try:
        await db.execute(first)
    except BaseException:
        db.terminate()
        raise
    return Dedicated(db)
