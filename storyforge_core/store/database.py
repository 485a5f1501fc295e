"""The way to a PostgreSQL: its address in every driver's form, a small pool, and whether it will do."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakSet

import asyncpg
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storyforge_core.domain.writing import Finding
from storyforge_core.errors import SetupError
from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.migrate import MigrationState, migration_state

OLDEST_SERVER = 15
OLDEST_PGVECTOR = (0, 7)
"""halfvec came with pgvector 0.7."""

_CONNECT_WITHIN = 10.0
_SESSION = {
    "application_name": "storyforge",
    "timezone": "UTC",
    "jit": "off",  # guesses about recursive queries set it off, and compiling takes longer than they do
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}
_PGVECTOR = """
    SELECT extension.installed_version, version.version AS offered,
           version.trusted AND has_database_privilege(current_database(), 'CREATE')
               OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS may_install
      FROM pg_available_extensions AS extension
      JOIN pg_available_extension_versions AS version
        ON version.name = extension.name AND version.version = extension.default_version
     WHERE extension.name = 'vector'
"""
_NO_TLS = "No connection to {where} in the way that sslmode in DATABASE_URL asks for: {error}."
_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,  # a wrong password is one of these
        "{where} does not let the user {user!r} in: check user and password in DATABASE_URL. ({error})",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "{where} has no database {database!r}: create it, or name another one in DATABASE_URL.",
    ),
    (
        asyncpg.TooManyConnectionsError,
        "{where} has no connection left: close programs that use it, or raise its max_connections.",
    ),
    (asyncpg.CannotConnectNowError, "{where} is just starting or stopping: try again in a moment."),
    (ssl.SSLError, _NO_TLS),
    (
        OSError,
        "Nothing answers at {where}: see that PostgreSQL runs there and that DATABASE_URL names it rightly.",
    ),
)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; `engine` is the pool that all queries share."""

    url: DatabaseUrl
    engine: AsyncEngine
    opened: WeakSet[asyncpg.Connection]
    """Every connection that was made for the pool and is still in memory."""

    @property
    def dsn(self) -> str:
        """For a connection of its own, such as the one that listens; see `connect`."""
        return self.url.asyncpg

    @property
    def conninfo(self) -> str:
        """For psycopg, which the job engine uses."""
        return self.url.psycopg

    async def check(self) -> None:
        """See that the server is there and will do.

        Raises:
            SetupError: it won't; the sentence says what to do.
        """
        async with visit(self.url) as connection:
            await _examine(connection)

    async def findings(self) -> list[Finding]:
        """The same for a health report, with the state of the tables; never raises for what is expected."""
        try:
            async with visit(self.url) as connection:
                version = await connection.fetchval("SHOW server_version")
                pgvector = await _examine(connection)
            state = await migration_state(self.url)
        except SetupError as error:
            return [Finding("database", "fail", str(error))]
        return [
            Finding("database", "ok", f"PostgreSQL {version} at {self.url.where}"),
            Finding("pgvector", "ok", pgvector),
            _migrations(state),
        ]

    async def aclose(self) -> None:
        """Close the pool; also what it has lent to somebody who was cancelled and gives nothing back any more."""
        await self.engine.dispose()
        for connection in tuple(self.opened):
            if not connection.is_closed():
                connection.terminate()


def open_database(url: str, pool_size: int = 5, overflow: int = 5) -> Database:
    """Make a pool for `url`; nothing is connected before the first query.

    Raises:
        SetupError: the address can't be understood.
    """
    address = normalise(url)
    opened: WeakSet[asyncpg.Connection] = WeakSet()

    async def creator() -> asyncpg.Connection:
        connection = await connect(address)
        opened.add(connection)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=creator,
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=_CONNECT_WITHIN,
        pool_use_lifo=True,  # what the rush opened closes again
    )
    event.listen(engine.sync_engine, "checkout", _must_be_open)
    return Database(address, engine, opened)


def _must_be_open(adapted: AdaptedConnection, *_: object) -> None:
    """Give out no connection that has ended: asyncpg knows as soon as the server closes it.

    The pool's own `pre_ping` asks the server, in three round trips for every borrowing: half of all that a turn makes.
    """
    if adapted.driver_connection.is_closed():
        raise InvalidatePoolError


async def connect(url: DatabaseUrl) -> asyncpg.Connection:
    """A connection with the settings that every session of ours has; the caller closes it."""
    return await asyncpg.connect(url.asyncpg, timeout=_CONNECT_WITHIN, server_settings=_SESSION)


@asynccontextmanager
async def visit(url: DatabaseUrl) -> AsyncGenerator[asyncpg.Connection, None]:
    """A connection for a short look.

    Raises:
        SetupError: there is none to be had; the sentence says what to do, never the password.
    """
    try:
        connection = await connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise SetupError(_why_not(url, error)) from error
    try:
        yield connection
    finally:
        await connection.close()


def _why_not(url: DatabaseUrl, error: Exception) -> str:
    """Why no connection came about, and what to do; never with the password."""
    sentence = next((text for kind, text in _REFUSALS if isinstance(error, kind)), "{where} refuses: {error}.")
    if "SSL" in str(error):  # asyncpg says "rejected SSL upgrade" by a plain ConnectionError
        sentence = _NO_TLS
    return sentence.format(where=url.where, user=url.user, database=url.database, error=error)


async def _examine(connection: asyncpg.Connection) -> str:
    """Look at server and extension; answer how pgvector stands."""
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise SetupError(
            f"PostgreSQL {version.major} is too old for StoryForge: upgrade the server to {OLDEST_SERVER} or later."
        )
    found = await connection.fetchrow(_PGVECTOR)
    if found is None:
        raise SetupError(
            "The PostgreSQL server has no pgvector: install its package there (such as postgresql-"
            f"{version.major}-pgvector), version 0.7 or later."
        )
    installed = found["installed_version"]
    if _numbers(installed or found["offered"]) < OLDEST_PGVECTOR:
        raise SetupError(
            f"pgvector {installed or found['offered']} is too old: install version 0.7 or later on the server"
            f"{', then run ALTER EXTENSION vector UPDATE in the database' if installed else ''}."
        )
    if not installed and not found["may_install"]:
        raise SetupError(
            "pgvector is not switched on in this database and the user may not do it: let an administrator run "
            "CREATE EXTENSION vector there."
        )
    return f"{installed} is installed" if installed else f"{found['offered']} will be switched on at the start"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _migrations(state: MigrationState) -> Finding:
    match state.kind:
        case "current":
            return Finding("tables", "ok", f"up to date ({state.current})")
        case "behind":
            return Finding("tables", "warn", "older than this program; the next start or `storyforge migrate` helps")
        case "newer":
            return Finding("tables", "fail", state.advice)
