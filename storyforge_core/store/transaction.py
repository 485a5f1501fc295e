"""Borrowing a connection, with or without a transaction, and turning the driver's errors into ours."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from storyforge_core.errors import Busy, Refused, ServiceDown
from storyforge_core.store.statement import Db

MEANWHILE = "Somebody changed that in the meantime; look again with /story story."

_AWAY = ("08", "53", "57P", "58")
"""SQLSTATE classes: connection lost; out of disk, memory or connections; shutting down or crashed; its disk fails."""
_TAKEN = "23505"
"""SQLSTATE of a unique key that somebody else has just used: a position, an open ballot, a place in the tree."""
_CROSSED = ("40001", "40P01", "55P03", "57014")
"""SQLSTATEs of work that met other work: serialisation, deadlock, lock not available, taking too long."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def connection(engine: AsyncEngine) -> AsyncGenerator[Db, None]:
    """Borrow a connection; each statement is stored by itself.

    Raises:
        ServiceDown: the database is away, or full.
        Busy: others hold what is needed for too long.
    """
    with own_errors():
        async with engine.connect() as borrowed:
            db = cast("Db", (await borrowed.get_raw_connection()).driver_connection)
            try:
                yield db
            finally:
                if db.is_closed() or db.is_in_transaction():  # cut off or cancelled midway: not for the next borrower
                    await borrowed.invalidate()


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncGenerator[Db, None]:
    """Borrow a connection; all that is written is stored together at the end, or not at all.

    Raises:
        ServiceDown: the database is away, or full.
        Busy: others hold what is needed for too long.
    """
    async with connection(engine) as db, db.transaction():
        yield db


@contextmanager
def own_errors() -> Generator[None, None, None]:
    """Turn the errors of driver and pool that are to be expected into ours; the others are bugs and pass."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _translated(error, error.sqlstate or "") from error
    except DBAPIError as error:
        raise _translated(error, getattr(error.orig, "sqlstate", None) or "08") from error
    except (OSError, PoolTimeout, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if isinstance(error, ValueError):  # an argument that does not fit its column
            raise
        raise _translated(error, "08") from error


def _translated(error: Exception, state: str) -> Exception:
    if state in _CROSSED:
        return Busy("Somebody else is busy with the same story. Try again in a moment.")
    if state == _TAKEN:
        return Refused(MEANWHILE)
    if not state.startswith(_AWAY):
        return error
    _log.error("the database does not answer", error=str(error), sqlstate=state)
    return ServiceDown("The story's database does not answer. Nothing is lost; try again in a moment.")
