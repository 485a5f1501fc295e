"""Being known as alive: a session holds a lock made of the worker's id for as long as the process lives."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from storyforge_core.store.address import DatabaseUrl
from storyforge_core.store.dedicated import LOST, Dedicated, open_once, open_patiently
from storyforge_core.store.transaction import own_errors

# The server ends a session whose host has vanished without a word after 25 s; by itself it would wait two hours.
_HOLD = """
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SELECT pg_advisory_lock(hashtextextended('worker:{worker}', 0))
"""
_LET_GO_WITHIN = 2.0


@asynccontextmanager
async def alive(url: DatabaseUrl, worker: UUID) -> AsyncGenerator[None, None]:
    """Be known as a living worker while the context is open, and not a moment longer, even after a kill.

    Raises:
        ServiceDown: the database is away at the start; later the lock is taken again as soon as it is back.
    """
    hold = _HOLD.format(worker=worker)
    with own_errors():
        session = await open_once(url, hold)
    keeper = asyncio.create_task(_keep(url, hold, session))
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        session.db.terminate()  # a keeper that is cancelled before it has begun lets go of nothing


async def _keep(url: DatabaseUrl, hold: str, session: Dedicated) -> None:
    while True:
        try:
            while await session.lasts():
                pass
        finally:
            await _let_go(session)
        session = await open_patiently(url, hold)


async def _let_go(session: Dedicated) -> None:
    """Be dead at once: the server notices a closed connection only a moment later."""
    with suppress(*LOST):
        await session.db.execute("SELECT pg_advisory_unlock_all()", timeout=_LET_GO_WITHIN)
    session.db.terminate()
