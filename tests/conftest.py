"""What every test may ask for: a database of its own on a real server, and an event loop that nobody blocks."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import hypothesis
import psutil
import psycopg
import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.bundle import Major
from storyforge_core.store.database import Database, open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.migrate import upgrade
from tests.peers.synapse import Kind, Synapse

FAST: Mapping[str, str] = MappingProxyType(
    {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
)
"""PostgreSQL settings for data that nobody will miss."""

MEMORY = Path("/dev/shm")  # noqa: S108 -- only by mkdtemp
"""A file system in memory, as every Linux has it: a database is made there in a tenth of the time."""
ROOM = 1 << 30
"""Bytes that have to be free there and in memory as a whole: a worker's data are at most a third of that."""

hypothesis.settings.register_profile(
    "anywhere", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # a slow machine proves nothing about a rule
hypothesis.settings.load_profile("anywhere")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", type=int, choices=(16, 18), default=18, help="the bundled PostgreSQL to test with")


@pytest.fixture(scope="session", autouse=True)
def nobody_blocks_the_loop() -> Generator[BlockBuster]:
    """A blocking call inside an event loop is an error when our code is anywhere above it; tests may read files."""
    with blockbuster_ctx(["storyforge_core", "bot"]) as watch:
        for function in watch.functions.values():
            # for each connection over TCP asyncpg looks whether there are certificates in the home directory
            function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_arguments")
            # loads its part for a curve when that is first used
            function.can_block_in("Crypto/Util/_raw_api.py", {"load_pycryptodome_raw_lib"})
            # nio keeps keys in SQLite and small text files, a few at a time
            function.can_block_in("nio/store/database.py", {"__post_init__", "inner"})
            function.can_block_in("nio/store/file_trustdb.py", {"_load", "decorated"})
            # a logged exception shows lines of its source
            function.can_block_in("linecache.py", {"checkcache", "updatecache"})
        yield watch


class Servers:
    """The test servers of this worker, each started when it is first asked for."""

    def __init__(self, runner: asyncio.Runner, stack: AsyncExitStack, directory: Path) -> None:
        self._runner = runner
        self._stack = stack
        self._directory = directory
        self._started: dict[Major, _Started] = {}
        self._numbers = count(1)

    def new_database(self, major: Major) -> DatabaseUrl:
        """A database with all tables and no rows."""
        if major not in self._started:
            self._started[major] = self._runner.run(self._start(major))
        template, session = self._started[major]
        fresh = template.renamed(f"test_{next(self._numbers)}")
        copy = f"CREATE DATABASE {fresh.database} TEMPLATE {template.database} STRATEGY FILE_COPY"  # here the fastest
        session.execute(copy.encode())
        return fresh

    def drop(self, url: DatabaseUrl, major: Major) -> None:
        self._started[major].session.execute(f"DROP DATABASE {url.database} WITH (FORCE)".encode())

    async def _start(self, major: Major) -> "_Started":
        server = await self._stack.enter_async_context(embedded_postgres(self._directory / str(major), major, FAST))
        template = normalise(server.url)
        await upgrade(template)
        session = psycopg.connect(template.renamed("postgres").psycopg, autocommit=True)
        self._stack.callback(session.close)
        return _Started(template, session)


class _Started(NamedTuple):
    template: DatabaseUrl
    session: psycopg.Connection
    """For statements about databases, which none of their own sessions can run."""


def _memory_has_room() -> bool:
    return (
        os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > ROOM
        and psutil.virtual_memory().available > ROOM
    )


@pytest.fixture(scope="session")
def open_directory() -> Generator[Path]:
    """A directory that every user may enter: as root the server runs as another one, and pytest's are closed to it."""
    directory = Path(tempfile.mkdtemp(prefix="storyforge-tests-", dir=MEMORY if _memory_has_room() else None))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def data_directory(open_directory: Path) -> Generator[Path]:
    """An empty directory for the data of a program under test."""
    directory = Path(tempfile.mkdtemp(dir=open_directory))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_servers(open_directory: Path) -> Generator[Servers]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield Servers(runner, stack, open_directory)
        runner.run(stack.aclose())


@pytest.fixture
def postgres_major(request: pytest.FixtureRequest) -> Major:
    """Which PostgreSQL to use; `@pytest.mark.parametrize("postgres_major", [16, 18])` runs a test on both."""
    major: Major = request.config.getoption("--postgres")
    return major


@pytest.fixture
def database_url(postgres_servers: Servers, postgres_major: Major) -> Generator[str]:
    """The address of a database with all tables and no rows, dropped afterwards."""
    url = postgres_servers.new_database(postgres_major)
    yield url.psycopg
    postgres_servers.drop(url, postgres_major)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """The same, opened."""
    opened = open_database(database_url)
    yield opened
    await opened.aclose()


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Generator[Callable[[Kind], Synapse]]:
    """The homeservers of this worker, each started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started(kind: Kind) -> Synapse:
            return stack.enter_context(Synapse(tmp_path_factory.mktemp(f"synapse-{kind}"), kind))

        yield started


@pytest.fixture
def homeserver(synapse: Callable[[Kind], Synapse]) -> Synapse:
    """A homeserver that limits nobody."""
    return synapse("free")
