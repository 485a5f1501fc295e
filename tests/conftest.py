"""What every test may ask for: a database of its own on a real server, and an event loop that nobody blocks."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType

import asyncpg
import hypothesis
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
        self._templates: dict[Major, DatabaseUrl] = {}
        self._numbers = count(1)

    def new_database(self, major: Major) -> DatabaseUrl:
        """A database with all tables and no rows."""
        if major not in self._templates:
            self._templates[major] = self._runner.run(self._start(major))
        template = self._templates[major]
        fresh = template.renamed(f"test_{next(self._numbers)}")
        copy = f"CREATE DATABASE {fresh.database} TEMPLATE {template.database} STRATEGY FILE_COPY"  # here the fastest
        self._runner.run(_sql(template, copy))
        return fresh

    def drop(self, url: DatabaseUrl) -> None:
        self._runner.run(_sql(url, f"DROP DATABASE {url.database} WITH (FORCE)"))

    async def _start(self, major: Major) -> DatabaseUrl:
        server = await self._stack.enter_async_context(embedded_postgres(self._directory / str(major), major, FAST))
        template = normalise(server.url)
        await upgrade(template)
        return template


async def _sql(url: DatabaseUrl, statement: str) -> None:
    """Run a statement about databases, which none of their own sessions can."""
    connection = await asyncpg.connect(url.renamed("postgres").asyncpg)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def open_directory() -> Generator[Path]:
    """A directory that every user may enter: as root the server runs as another one, and pytest's are closed to it."""
    directory = Path(tempfile.mkdtemp(prefix="storyforge-tests-"))
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
    postgres_servers.drop(url)


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
