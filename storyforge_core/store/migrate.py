"""Bringing the tables of a database up to date.

Alembic is synchronous and reads files, so it runs in a thread, over psycopg, and never on the event loop.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from storyforge_core.errors import SetupError
from storyforge_core.shipped import shipped
from storyforge_core.store.address import DatabaseUrl
from storyforge_core.store.tables import metadata

_LOCK = 0x53_74_6F_72_79  # "Story": one upgrade at a time, whoever starts together
_FOREIGN = "procrastinate_"


@dataclass(frozen=True, slots=True)
class MigrationState:
    """How the tables of a database stand to this program."""

    current: str | None
    """The revision of the database; None where nothing of ours is in it."""
    head: str
    """The revision this program needs."""
    known: bool
    """Whether this program has heard of `current`."""

    @property
    def kind(self) -> Literal["current", "behind", "newer"]:
        """In a word."""
        if self.current == self.head:
            return "current"
        return "behind" if self.known else "newer"

    @property
    def advice(self) -> str:
        """What to do when the database is newer."""
        return (
            f"The database was made by a newer StoryForge (its tables are at {self.current}, this program knows up to "
            f"{self.head}): install that version again."
        )


async def upgrade(url: DatabaseUrl) -> None:
    """Bring the tables up to date; programs that start together wait for each other.

    Raises:
        SetupError: the database is newer than this program, or can't be reached.
    """
    await asyncio.to_thread(_upgrade, url)


async def migration_state(url: DatabaseUrl) -> MigrationState:
    """Compare the revision of the database with that of this program.

    Raises:
        SetupError: the database can't be reached.
    """
    return await asyncio.to_thread(_state, url)


async def differences(url: DatabaseUrl) -> list[object]:
    """What the tables of the program have that those of an up-to-date database have not, and the reverse."""
    return await asyncio.to_thread(_differences, url)


def known_revisions() -> frozenset[str]:
    """Every state of the tables that this program knows; reads files."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(config_for()).walk_revisions())


def is_ours(name: str | None, kind: str) -> bool:
    """Whether a thing in the database is described by our metadata; the job engine's tables are its own."""
    return not (kind == "table" and name is not None and name.startswith(_FOREIGN))


def config_for(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def migration_lock(url: DatabaseUrl) -> Generator[Connection, None, None]:
    """A connection that nobody else migrates beside; the server frees the lock when the connection closes.

    Raises:
        SetupError: the database can't be reached.
    """
    with _connected(url) as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        yield connection


def _upgrade(url: DatabaseUrl) -> None:
    with migration_lock(url) as connection:
        state = _compare(connection)
        if state.kind == "newer":
            raise SetupError(state.advice)
        if state.kind == "behind":
            _go_to_head(connection)


def _go_to_head(connection: Connection) -> None:
    try:
        command.upgrade(config_for(connection), "head")
    except (DBAPIError, psycopg.Error) as error:
        raise SetupError(
            "The tables could not be brought up to date; what was there is unharmed. StoryForge needs a database for "
            "itself, owned by its user (ALTER DATABASE … OWNER TO …), and free disk space. "
            f"(PostgreSQL said: {str(error).splitlines()[0]})"
        ) from error


def _state(url: DatabaseUrl) -> MigrationState:
    with _connected(url) as connection:
        return _compare(connection)


def _compare(connection: Connection) -> MigrationState:
    scripts = ScriptDirectory.from_config(config_for())
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return MigrationState(current, scripts.get_current_head() or "", current is None or current in known_revisions())


def _differences(url: DatabaseUrl) -> list[object]:
    with _connected(url) as connection:
        options = {"include_name": lambda name, kind, _: is_ours(name, kind), "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


@contextmanager
def _connected(url: DatabaseUrl) -> Generator[Connection, None, None]:
    place = url.psycopg.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(place, poolclass=NullPool, connect_args={"application_name": "storyforge migrate"})
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise SetupError(f"The database at {url.where} broke off or cannot be reached: see that it runs.") from error
