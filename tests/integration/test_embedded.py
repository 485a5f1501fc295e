"""The embedded server in good and bad days. Each test has a data directory and a server of its own."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from storyforge_core.errors import SetupError
from storyforge_core.store import cluster, premises
from storyforge_core.store.bundle import Major, find_bundle
from storyforge_core.store.embedded import EmbeddedPostgres, embedded_postgres
from storyforge_core.store.premises import settle
from storyforge_core.store.server import Address, probe
from tests.conftest import FAST

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")


@pytest.fixture
def new_directory(data_directory: Path) -> Path:
    """Where no server has ever been."""
    return data_directory / "postgres"


@pytest.fixture(scope="session")
def lived_in(open_directory: Path) -> Path:
    """What a server leaves when it is stopped."""

    async def live() -> None:
        async with embedded_postgres(open_directory / "lived-in", settings=FAST):
            pass

    asyncio.run(live())
    return open_directory / "lived-in"


@pytest.fixture
def directory(new_directory: Path, lived_in: Path) -> Path:
    """Where a server has been before; a copy takes a tenth of the time that a new one takes."""
    subprocess.run(["cp", "-a", lived_in, new_directory], check=True)
    return new_directory


def furnish(path: Path, text: str = "") -> None:
    """Put a file somewhere, with the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


async def ask(url: str, question: str = "SELECT 1") -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def ask_patiently(url: str, question: str = "SELECT 1") -> object:
    """Ask again until a server that is being restarted answers."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask(url, question)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)


async def until(it_is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not it_is_so():  # noqa: ASYNC110 -- other processes set no event of ours
            await asyncio.sleep(0.02)


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@asynccontextmanager
async def another_program(directory: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, dict[str, object]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.peers.server_owner", str(directory)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert process.stdin
    assert process.stdout
    try:
        while not (line := await process.stdout.readline()).startswith(b"{"):
            assert line, "the program ended before its server answered"
        yield process, json.loads(line)
    finally:
        process.stdin.close()
        await process.wait()


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


async def refused(directory: Path, major: Major = 18) -> str:
    with pytest.raises(SetupError) as refusal:
        async with asyncio.timeout(30), embedded_postgres(directory, major, FAST):
            pass
    return str(refusal.value)


async def test_data_of_another_version_is_refused_with_the_way_out(new_directory: Path) -> None:
    async with embedded_postgres(new_directory, 16, FAST):
        pass
    sentence = await refused(new_directory, 18)
    assert "PostgreSQL 16" in sentence
    assert "storyforge restore" in sentence


async def test_a_directory_with_other_files_is_left_alone(new_directory: Path) -> None:
    furnish(new_directory / "thesis.txt", "mine")
    before = os.stat(new_directory)  # noqa: PTH116 -- the linter takes Path.stat() in a coroutine for a blocking mistake
    assert "other files" in await refused(new_directory)
    assert os.stat(new_directory) == before  # noqa: PTH116


async def test_a_data_directory_that_is_none_is_named(new_directory: Path) -> None:
    place = await asyncio.to_thread(settle, new_directory, 18)
    furnish(place.cluster / "thesis.txt")
    assert "not a PostgreSQL data directory" in await refused(new_directory)


async def test_a_lost_password_file_is_named(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST):
        pass
    (directory / "password").rename(directory / "password.old")
    assert "password is missing" in await refused(directory)


async def test_a_wrong_password_file_is_named(directory: Path) -> None:
    async with embedded_postgres(directory, settings=FAST):
        pass
    (directory / "password").write_text("wrong")
    assert "is not that of this database" in await refused(directory)


async def test_a_link_to_nowhere_is_named(new_directory: Path) -> None:
    os.symlink(new_directory.with_name("gone"), new_directory)  # noqa: PTH211 -- as for the linter a Path's method would block
    assert "points to one that is gone" in await refused(new_directory)


async def test_a_directory_that_cannot_be_written_is_named(data_directory: Path) -> None:
    assert "may write to" in await refused(Path("/proc/storyforge/postgres"))
    furnish(data_directory / "file")
    assert "may write to" in await refused(data_directory / "file" / "postgres")


async def test_a_data_directory_that_vanishes_while_it_is_shared_is_named(directory: Path) -> None:
    async with another_program(directory) as (program, told), embedded_postgres(directory) as sharer:
        rename(directory, "elsewhere")
        program.kill()
        with pytest.raises(SetupError, match="see that the directory is there"):
            await sharer.watch()
        await until(lambda: ended(int(str(told["pid"]))))


async def test_a_server_that_refuses_a_setting_is_quoted(directory: Path) -> None:
    with pytest.raises(SetupError, match="shared_buffers"):
        async with embedded_postgres(directory, settings={**FAST, "shared_buffers": "much"}):
            pass


async def test_after_a_refusal_the_directory_is_free_again(directory: Path) -> None:
    with pytest.raises(SetupError):
        async with embedded_postgres(directory, settings={**FAST, "shared_buffers": "much"}):
            pass
    async with embedded_postgres(directory, settings=FAST) as server:
        assert server.owned


@contextmanager
def small_disk(place: Path, size: str) -> Generator[None]:
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=False).returncode:
        pytest.skip("this machine does not let tests mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def fill_disk(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1 << 12))


@as_root
async def test_a_full_disk_is_named_when_the_database_is_made(new_directory: Path) -> None:
    with small_disk(new_directory, "5M"):
        assert "disk is full" in await refused(new_directory)


@as_root
async def test_a_full_disk_is_named_when_the_server_starts(new_directory: Path) -> None:
    with small_disk(new_directory, "120M"):
        async with embedded_postgres(new_directory):
            pass
        fill_disk(new_directory / "filler")
        assert "disk is full" in await refused(new_directory)


def close(directory: Path) -> None:
    directory.mkdir(mode=0o700)


@as_root
async def test_below_a_closed_directory_the_data_lives_in_the_shelter(
    data_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(premises, "SHELTER", data_directory / "shelter")
    closed = data_directory / "root"
    close(closed)
    for _ in range(2):
        async with embedded_postgres(closed / "data" / "postgres", settings=FAST) as server:
            assert await ask(server.url) == 1
    assert (closed / "data" / "postgres").is_symlink()
    assert [place.name for place in (closed / "data").iterdir()] == ["postgres"]


@as_root
async def test_programs_in_a_closed_directory_are_copied_to_the_shelter(
    data_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data_directory / "venv"
    bundle = await asyncio.to_thread(find_bundle, 18)
    monkeypatch.setattr(premises, "SHELTER", data_directory / "shelter")
    monkeypatch.setattr(premises, "find_bundle", lambda _: bundle.copied_to(closed))
    close(closed)
    for _ in range(2):
        async with embedded_postgres(data_directory / "postgres", settings=FAST) as server:
            assert await ask(server.url) == 1
    shutil.rmtree(data_directory / "shelter")


@as_root
async def test_existing_data_is_run_by_its_owner(new_directory: Path) -> None:
    owner = pwd.getpwnam("daemon")
    close(new_directory)
    os.chown(new_directory, owner.pw_uid, owner.pw_gid)
    async with embedded_postgres(new_directory, settings=FAST) as server:
        assert server.pid
        assert psutil.Process(server.pid).uids().effective == owner.pw_uid


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
