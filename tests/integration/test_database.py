import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import asyncpg
import pytest
from asyncpg.types import ServerVersion
from sqlalchemy import text

from storyforge_core.errors import SetupError
from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.database import Database, _examine, open_database

WRONG = "wrong-secret"
GUEST = "guest"
both = pytest.mark.parametrize("postgres_major", [18, 16])


async def told(url: DatabaseUrl | str) -> str:
    """Why a database won't do."""
    opened = open_database(url if isinstance(url, str) else url.psycopg)
    with pytest.raises(SetupError) as refusal:
        await opened.check()
    return str(refusal.value)


@asynccontextmanager
async def by_network(url: DatabaseUrl, host: str) -> AsyncGenerator[DatabaseUrl]:
    """The same database through a TCP port."""

    links: set[asyncio.Task[None]] = set()

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(1 << 16):
                target.write(piece)
        target.close()
        with suppress(ConnectionError):
            await target.wait_closed()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(f"{url.host}/.s.PGSQL.{url.port}")
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        links.add(asyncio.create_task(link(reader, writer)))

    async with await asyncio.start_server(serve, host) as server:
        yield replace(url, host=host, port=server.sockets[0].getsockname()[1])
        await asyncio.gather(*links)


@both
async def test_a_fresh_database_will_do(database: Database) -> None:
    await database.check()
    assert [(finding.name, finding.status) for finding in await database.findings()] == [
        ("database", "ok"),
        ("pgvector", "ok"),
        ("tables", "ok"),
    ]


async def test_every_session_speaks_utc_without_jit_and_with_a_time_limit(database: Database) -> None:
    async with database.engine.connect() as connection:
        for setting, value in {
            "timezone": "UTC",
            "jit": "off",
            "application_name": "storyforge",
            "statement_timeout": "30s",
            "idle_in_transaction_session_timeout": "1min",
        }.items():
            assert await connection.scalar(text(f"SHOW {setting}")) == value


async def test_the_pool_gives_out_no_connection_that_the_server_has_closed(database: Database) -> None:
    async with database.engine.connect() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
    admin = await asyncpg.connect(database.dsn)
    await admin.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await admin.close()
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) != pid


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
        return True


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6"))],
)
async def test_a_server_is_reached_by_network(database_url: str, host: str) -> None:
    async with by_network(normalise(database_url), host) as url:
        opened = open_database(url.psycopg)
        async with opened.engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
        await opened.aclose()


async def test_the_representation_hides_the_password(database: Database) -> None:
    assert database.url.password
    assert database.url.password not in repr(database)


async def test_a_server_that_is_not_there_is_named(database_url: str) -> None:
    assert "Nothing answers at /nowhere" in await told(replace(normalise(database_url), host="/nowhere"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert f"Nothing answers at 127.0.0.1:{port}" in await told(f"postgresql://a:secret@127.0.0.1:{port}/d")


async def test_a_wrong_password_is_told_without_repeating_it(database_url: str) -> None:
    sentence = await told(replace(normalise(database_url), password=WRONG))
    assert "does not let the user 'storyforge' in" in sentence
    assert WRONG not in sentence


async def test_an_unknown_database_is_named(database_url: str) -> None:
    assert "no database 'atlantis'" in await told(normalise(database_url).renamed("atlantis"))


async def test_a_server_without_tls_is_told_from_one_that_is_away(database_url: str) -> None:
    async with by_network(normalise(database_url), "127.0.0.1") as url:
        assert "sslmode" in await told(replace(url, options={"sslmode": "require"}))


async def test_a_report_says_what_is_wrong_instead_of_raising(database_url: str) -> None:
    findings = await open_database(normalise(database_url).renamed("atlantis").psycopg).findings()
    assert [(finding.name, finding.status) for finding in findings] == [("database", "fail")]
    assert "atlantis" in findings[0].detail


async def test_tables_of_an_older_program_are_a_warning(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert (await database.findings())[-1].status == "warn"


async def test_tables_of_a_newer_program_are_a_failure(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    finding = (await database.findings())[-1]
    assert finding.status == "fail"
    assert "newer StoryForge" in finding.detail


async def test_a_user_who_may_not_switch_pgvector_on_is_told_who_can(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP EXTENSION vector CASCADE"))
        await connection.execute(text("CREATE ROLE guest LOGIN PASSWORD 'guest'"))
    try:
        guest = replace(database.url, user=GUEST, password=GUEST)
        assert "CREATE EXTENSION vector" in await told(guest)
    finally:
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP ROLE guest"))


@dataclass(frozen=True)
class OtherServer:
    """As much of a connection as the examination looks at, for servers that are not to be had here."""

    version: int
    pgvector: dict[str, object] | None

    def get_server_version(self) -> ServerVersion:
        return ServerVersion(self.version, 0, 0, "final", 0)

    async def fetchrow(self, _: str) -> dict[str, object] | None:
        return self.pgvector


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (OtherServer(14, None), "PostgreSQL 14 is too old"),
        (OtherServer(17, None), "postgresql-17-pgvector"),
        (OtherServer(15, {"installed_version": None, "offered": "0.6.2", "may_install": True}), "0.6.2 is too old"),
        (OtherServer(15, {"installed_version": "0.5.1", "offered": "0.8.0", "may_install": True}), "ALTER EXTENSION"),
    ],
)
async def test_a_server_that_will_not_do_is_told_what_it_needs(server: OtherServer, words: str) -> None:
    with pytest.raises(SetupError, match=words):
        await _examine(server)  # type: ignore[arg-type]


@pytest.mark.parametrize(("installed", "answer"), [("0.7.0", "0.7.0 is installed"), (None, "will be switched on")])
async def test_the_oldest_server_that_will_do_is_accepted(installed: str | None, answer: str) -> None:
    server = OtherServer(15, {"installed_version": installed, "offered": "0.7.0", "may_install": True})
    assert answer in await _examine(server)  # type: ignore[arg-type]


async def test_a_closed_database_holds_no_connection_whoever_has_borrowed_it(database: Database) -> None:
    pool = open_database(database.url.psycopg)
    async with pool.engine.connect() as borrowed:
        lent = (await borrowed.get_raw_connection()).driver_connection
        assert lent
        assert not lent.is_closed()
        await pool.aclose()
        assert lent.is_closed()
