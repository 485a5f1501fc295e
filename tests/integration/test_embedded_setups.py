"""Where the embedded server can live, and what owners read where it cannot."""

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from storyforge_core.errors import SetupError
from storyforge_core.store import premises
from storyforge_core.store.bundle import Major, find_bundle
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.premises import settle
from tests.conftest import FAST
from tests.peers.servers import another_program, ask, ended, furnish, rename, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")


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
