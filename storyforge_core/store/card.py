"""A graphics card that is shared: a lock that whoever paints holds on a connection of its own, on whatever machine."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from storyforge_core.domain.turns import FORGOTTEN, SOON
from storyforge_core.store.database import Database
from storyforge_core.store.dedicated import open_once
from storyforge_core.store.statement import Statement
from storyforge_core.store.transaction import connection, own_errors

TRY_AGAIN = 1.0
"""Seconds until it is tried again to have the card that another picture has."""

# A run that was taken up is told as long as its worker lives; one that waits is about to be, until it seems forgotten.
_WANTED = Statement("""
    SELECT EXISTS (
        SELECT FROM run
         WHERE {writing}
           AND CASE WHEN run.worker IS NULL THEN run.created_at > now() - make_interval(secs => :forgotten)
                    ELSE NOT pg_try_advisory_xact_lock(hashtextextended('worker:' || run.worker, 0)) END
    ) OR EXISTS (
        SELECT FROM ballot
         WHERE ballot.status = 'open' AND ballot.deadline BETWEEN now() AND now() + make_interval(secs => :soon)
    )
""")

_TAKE = "SELECT pg_try_advisory_lock(hashtextextended('card', 0))"

_FREE = Statement("SELECT pg_try_advisory_xact_lock(hashtextextended('card', 0))")


class PostgresCard:
    """See `picture_ports.Card`."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self._engine = database.engine

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None, None]:
        """Have the card for one picture, as soon as nobody else paints; a connection that breaks lets go of it."""
        with own_errors():
            session = await open_once(self._url, "SELECT 1")
        try:
            with own_errors():
                while not await session.db.fetchval(_TAKE):  # noqa: ASYNC110 - nobody tells when it is let go
                    await asyncio.sleep(TRY_AGAIN)
            yield
        finally:
            session.db.terminate()

    async def wanted(self) -> bool:
        """Tell whether a scene is told, or is about to be."""
        async with connection(self._engine) as db:
            return bool(await _WANTED.value(db, forgotten=float(FORGOTTEN), soon=float(SOON)))

    async def painted_on(self) -> bool:
        """Tell whether a picture is being painted."""
        async with connection(self._engine) as db:
            return not await _FREE.value(db)
