"""The embedded server in good and bad days. Each test has a data directory and a server of its own."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import psutil
import pytest

from storyforge_core.errors import SetupError
from storyforge_core.store import cluster
from storyforge_core.store.bundle import Major
from storyforge_core.store.embedded import EmbeddedPostgres, embedded_postgres
from storyforge_core.store.premises import settle
from storyforge_core.store.server import Address, probe
from tests.conftest import FAST
from tests.peers.servers import another_program, ask, ask_patiently, ended, furnish, mode, until


@pytest.mark.parametrize("major", [18, 16])
async def test_a_new_directory_becomes_a_server_with_pgvector_and_checksums(new_directory: Path, major: Major) -> None:
    async with embedded_postgres(new_directory, major, FAST) as server:
        assert server.owned
        assert str(await ask(server.url, "SHOW server_version")).startswith(f"{major}.")
        assert await ask(server.url, "SHOW data_checksums") == "on"
        assert await ask(server.url, "SELECT lower('ÄÖ') || ('[1,2]'::vector <-> '[1,2]')") == "äö0"


async def test_what_was_written_is_there_after_a_stop(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with embedded_postgres(directory, settings=FAST) as server:
        assert await ask(server.url, "SELECT answer FROM kept") == 42


async def test_the_server_ends_with_its_context(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.pid
        pid = server.pid
    assert not psutil.pid_exists(pid)


async def test_only_who_knows_the_password_gets_in(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url.replace("@", "x@", 1))


async def test_it_listens_on_a_private_socket_and_nowhere_else(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.pid
        assert await ask(server.url, "SHOW listen_addresses") == ""
        assert not [link for link in psutil.Process(server.pid).net_connections("inet") if link.status == "LISTEN"]
        for private in (directory, directory / "socket", directory / "cluster", directory / "password"):
            assert mode(private) & 0o077 == 0


async def test_no_secret_stands_on_a_command_line(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.pid
        password = (directory / "password").read_text()
        assert password not in " ".join(psutil.Process(server.pid).cmdline())
        assert password not in repr(Address("/run", password))


async def test_a_killed_server_is_started_again_with_what_was_committed(directory: Path) -> None:
    async with embedded_postgres(directory) as server:
        await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        for _ in range(2):
            await until(lambda: server.pid is not None)
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            assert await ask_patiently(server.url, "SELECT answer FROM kept") == 42


async def test_a_server_that_cannot_be_kept_alive_is_given_up_with_a_sentence(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyforge_core.store.embedded._FIRST_PAUSE", 0.001)
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.pid
        version = directory / "cluster" / "global" / "pg_control"
        version.rename(version.with_name("gone"))
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(SetupError, match="cannot start"):
            await server.watch()


async def test_a_stale_pid_file_that_names_a_stranger_does_not_confuse_it(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.pid
        account = psutil.Process(server.pid).uids().real
    stranger = await asyncio.create_subprocess_exec("sleep", "600", user=account if os.geteuid() == 0 else None)
    try:
        for stale in (directory / "cluster" / "postmaster.pid", directory / "socket" / ".s.PGSQL.5432.lock"):
            furnish(stale, f"{stranger.pid}\n{directory}/cluster\n1700000000\n5432\n\n\n  1 1\n")
        async with embedded_postgres(directory, settings=FAST) as server:
            assert await ask(server.url) == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_the_server_ends_cleanly_when_its_program_is_killed(directory: Path) -> None:
    async with another_program(directory) as (program, told):
        program.kill()
        await until(lambda: ended(int(str(told["pid"]))))
    async with embedded_postgres(directory) as server:
        assert server.owned
    assert "was not properly shut down" not in "".join(log.read_text() for log in (directory / "log").iterdir())


async def test_a_server_that_outlived_its_program_is_ended_before_a_new_one_starts(directory: Path) -> None:
    first = await asyncio.to_thread(settle, directory, 18)
    left = EmbeddedPostgres(first, FAST)
    await left.start()
    assert left.pid
    pid = left.pid
    left._supervision.cancel()  # type: ignore[union-attr]
    left._ownership.give_up()  # as if the program were gone, without its server noticing
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.owned
        assert server.pid != pid
        assert await ask(server.url) == 1
        assert ended(pid)


async def test_a_second_program_shares_the_server_and_leaves_it_running(directory: Path) -> None:
    async with embedded_postgres(directory) as owner:
        async with another_program(directory) as (_, told):
            assert told == {"owned": False, "pid": None, "url": owner.url}
        assert await ask(owner.url) == 1


async def test_programs_that_start_together_agree_on_one_owner(new_directory: Path) -> None:
    async with (
        asyncio.timeout(60),
        another_program(new_directory) as (_, first),
        another_program(new_directory) as (_, second),
        another_program(new_directory) as (_, third),
    ):
        assert sum(bool(told["owned"]) for told in (first, second, third)) == 1
        assert first["url"] == second["url"] == third["url"]


@pytest.mark.parametrize("how", [signal.SIGKILL, None], ids=["killed", "stopped"])
async def test_a_sharer_takes_the_server_over_when_its_owner_goes(directory: Path, how: signal.Signals | None) -> None:
    async with another_program(directory) as (program, _), embedded_postgres(directory) as sharer:
        assert not sharer.owned
        await ask(sharer.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert program.stdin
        program.send_signal(how) if how else program.stdin.close()
        await program.wait()
        await until(lambda: sharer.owned)
        assert await ask_patiently(sharer.url, "SELECT answer FROM kept") == 42


async def test_a_path_too_long_for_a_socket_gets_its_socket_elsewhere(data_directory: Path) -> None:
    directory = data_directory / ("long" * 30) / "postgres"
    async with embedded_postgres(directory, settings=FAST) as server:
        assert await ask(server.url) == 1
        sockets = Path(str(await ask(server.url, "SHOW unix_socket_directories")).strip('"'))
        assert mode(sockets) == 0o700
    assert not await asyncio.to_thread(sockets.exists)


@pytest.mark.parametrize("name", ["a, b", "\"c\" 'd' %s ?&=+ü"])
async def test_an_odd_directory_name_is_no_trouble(data_directory: Path, name: str) -> None:
    async with embedded_postgres(data_directory / name, settings=FAST) as server:
        assert await ask(server.url) == 1


async def test_an_interrupted_first_start_is_begun_anew(new_directory: Path) -> None:
    place = await asyncio.to_thread(settle, new_directory, 18)
    furnish(place.root / "cluster.new" / "half")
    async with embedded_postgres(new_directory, settings=FAST) as server:
        assert await ask(server.url) == 1


async def test_a_processor_that_pgvector_does_not_fit_gets_a_sentence(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST) as server:
        address = server._address
        assert address
        await probe(address)
        with pytest.raises(SetupError, match="AVX2"):
            await probe(address, "COPY (SELECT 1) TO PROGRAM 'kill -ILL $PPID'")
        assert await ask_patiently(server.url) == 1


async def test_the_pid_file_of_a_dead_server_keeps_what_it_says_about_shared_memory(new_directory: Path) -> None:
    place = await asyncio.to_thread(settle, new_directory, 18)
    place.cluster.mkdir()
    (place.cluster / "postmaster.pid").write_text("1\nrest\n  123 456\n")
    await cluster.clear_leftovers(place, await asyncio.to_thread(place.socket_directory))
    assert (place.cluster / "postmaster.pid").read_text() == f"{os.getpid()}\nrest\n  123 456\n"
