"""The composition root: the only place that knows every part, and puts them together from the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from storyforge_core.settings import Settings
from storyforge_core.store.database import Database, open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.migrate import upgrade


def database_directory(settings: Settings) -> Path:
    """Where the bundled PostgreSQL keeps its files."""
    return settings.data_dir / "postgres"


def log_file(settings: Settings) -> Path:
    """Where a program that uses the screen for something else writes its log."""
    return settings.data_dir / "logs" / "storyforge.log"


@asynccontextmanager
async def database_server(settings: Settings) -> AsyncGenerator[str, None]:
    """The address of the owner's server, or of the bundled one, which runs meanwhile.

    Raises:
        SetupError: there is none.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with embedded_postgres(database_directory(settings)) as server:
        yield server.url


@asynccontextmanager
async def ready_database(settings: Settings) -> AsyncGenerator[Database, None]:
    """A database that is there and up to date.

    Raises:
        SetupError: it is not, and the sentence says what to do.
    """
    async with database_server(settings) as url:
        database = open_database(url)
        try:
            await database.check()
            await upgrade(database.url)
            yield database
        finally:
            await database.aclose()
