"""A database goes into a file and comes back, whatever lies in the way."""

import asyncio
import os
import sys
from collections.abc import Generator
from pathlib import Path

import asyncpg
import pytest

from storyforge_core.errors import SetupError
from storyforge_core.store import backup as tools
from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.backup import backup, restore
from storyforge_core.store.bundle import Major
from storyforge_core.store.migrate import differences, migration_state, upgrade
from tests.conftest import Servers

STORY = """
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at)
    VALUES ('01890000-0000-7000-8000-000000000001', 'The door', 'A lighthouse ''keeper''', 'sea', 'warm', 1, now());
    CREATE TABLE IF NOT EXISTS keepsake (meaning halfvec(3), words text);
    INSERT INTO keepsake VALUES ('[1,2,3]', E'two\\nlines ✦')
"""
JOB = """
    SELECT procrastinate_defer_jobs_v1(
        ARRAY[ROW('q', 'tell', 0, NULL, NULL, '{}', NULL)::procrastinate_job_to_defer_v1]
    )
"""


@pytest.fixture
def url(database_url: str) -> DatabaseUrl:
    return normalise(database_url)


async def execute(url: DatabaseUrl, statement: str) -> None:
    connection = await asyncpg.connect(url.asyncpg)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def value(url: DatabaseUrl, question: str) -> object:
    connection = await asyncpg.connect(url.asyncpg)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.fixture
def target(postgres_servers: Servers, target_major: Major) -> Generator[DatabaseUrl]:
    """A second database, with all tables and no rows."""
    second = postgres_servers.new_database(target_major)
    yield second
    postgres_servers.drop(second, target_major)


@pytest.fixture
def target_major() -> Major:
    return 18


@pytest.mark.parametrize(("postgres_major", "target_major"), [(18, 18), (16, 16), (16, 18)])
async def test_what_was_backed_up_comes_back(url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path) -> None:
    await execute(url, STORY)
    await execute(url, JOB)
    await backup(url.psycopg, tmp_path / "night.backup")
    await restore(target.psycopg, tmp_path / "night.backup")
    assert await value(target, "SELECT title || premise FROM story") == "The doorA lighthouse 'keeper'"
    assert await value(target, "SELECT (meaning <-> '[1,2,4]') || words FROM keepsake") == "1two\nlines ✦"
    assert await value(target, "SELECT task_name FROM procrastinate_jobs") == "tell"
    await upgrade(target)
    assert await differences(target) != []  # the keepsake, which no program knows
    await execute(target, "DROP TABLE keepsake")
    assert await differences(target) == []
    await execute(target, JOB)


async def test_a_restored_database_that_is_older_can_be_upgraded(
    url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path
) -> None:
    await execute(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await upgrade(url)
    await backup(url.psycopg, tmp_path / "b")
    await restore(target.psycopg, tmp_path / "b")
    await upgrade(target)
    assert (await migration_state(target)).kind == "current"


async def test_a_backup_is_private_and_alone_in_its_directory(url: DatabaseUrl, tmp_path: Path) -> None:
    await backup(url.psycopg, tmp_path / "b")
    assert [entry.name for entry in os.scandir(tmp_path)] == ["b"]
    assert os.stat(tmp_path / "b").st_mode & 0o077 == 0  # noqa: PTH116 -- for the linter a Path's method would block


async def refused_backup(url: DatabaseUrl, file: Path) -> str:
    with pytest.raises(SetupError) as refusal:
        await backup(url.psycopg, file)
    assert url.password not in str(refusal.value)
    return str(refusal.value)


async def refused_restore(url: DatabaseUrl, file: Path) -> str:
    with pytest.raises(SetupError) as refusal:
        await restore(url.psycopg, file)
    assert url.password not in str(refusal.value)
    return str(refusal.value)


async def test_a_file_that_exists_is_never_overwritten(url: DatabaseUrl, tmp_path: Path) -> None:
    file = written(tmp_path / "b", b"precious")
    assert "exists" in await refused_backup(url, file)
    assert content(file) == b"precious"


async def test_a_file_that_appears_meanwhile_is_not_overwritten(
    url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = tools._publish

    def late(draft: Path, file: Path) -> None:
        written(file, b"precious")
        publish(draft, file)

    monkeypatch.setattr(tools, "_publish", late)
    assert "exists by now" in await refused_backup(url, tmp_path / "b")
    assert content(tmp_path / "b") == b"precious"


async def test_a_directory_that_is_not_there_is_named(url: DatabaseUrl, tmp_path: Path) -> None:
    assert "cannot be written" in await refused_backup(url, tmp_path / "gone" / "b")


async def test_nothing_is_left_of_a_backup_that_failed(url: DatabaseUrl, tmp_path: Path) -> None:
    await refused_backup(url.renamed("atlantis"), tmp_path / "b")
    await execute(url, "CREATE ROLE thief LOGIN PASSWORD 'thief'")
    try:
        thief = normalise(url.psycopg.replace(f"storyforge:{url.password}", "thief:thief"))
        assert "permission denied" in await refused_backup(thief, tmp_path / "b")
    finally:
        await execute(url, "DROP ROLE thief")
    assert list(os.scandir(tmp_path)) == []


async def test_stories_are_never_replaced(url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path) -> None:
    await backup(url.psycopg, tmp_path / "b")
    await execute(target, STORY)
    assert "holds stories" in await refused_restore(target, tmp_path / "b")
    assert await value(target, "SELECT count(*) FROM story") == 1


async def test_a_database_that_is_in_use_is_left_alone(url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path) -> None:
    await backup(url.psycopg, tmp_path / "b")
    user = await asyncpg.connect(target.asyncpg)
    try:
        assert "Another program" in await refused_restore(target, tmp_path / "b")
    finally:
        await user.close()


@pytest.mark.parametrize("garbage", [b"", b"no backup"])
async def test_garbage_is_refused_before_anything_is_touched(url: DatabaseUrl, tmp_path: Path, garbage: bytes) -> None:
    file = written(tmp_path / "b", garbage)
    assert "is not a backup" in await refused_restore(url, file)
    assert (await migration_state(url)).kind == "current"


async def test_a_missing_file_is_named(url: DatabaseUrl, tmp_path: Path) -> None:
    assert "There is no file" in await refused_restore(url, tmp_path / "gone")


@pytest.mark.parametrize("target_major", [16])
async def test_the_backup_of_a_newer_server_is_refused_by_an_older_one(
    url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path
) -> None:
    await backup(url.psycopg, tmp_path / "b")
    assert "newer PostgreSQL" in await refused_restore(target, tmp_path / "b")
    assert (await migration_state(target)).kind == "current"


async def test_half_a_backup_is_refused_before_anything_is_touched(url: DatabaseUrl, tmp_path: Path) -> None:
    await backup(url.psycopg, tmp_path / "whole")
    whole = content(tmp_path / "whole")
    assert "damaged" in await refused_restore(url, written(tmp_path / "half", whole[: len(whole) - 2000]))
    assert (await migration_state(url)).kind == "current"


async def test_the_backup_of_another_program_is_refused(url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path) -> None:
    await execute(url, "DROP TABLE alembic_version")
    await backup(url.psycopg, tmp_path / "b")
    assert "something else" in await refused_restore(target, tmp_path / "b")


async def test_the_backup_of_a_newer_program_is_refused(url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path) -> None:
    await execute(url, "UPDATE alembic_version SET version_num = '9999'")
    await backup(url.psycopg, tmp_path / "b")
    assert "newer StoryForge" in await refused_restore(target, tmp_path / "b")


async def test_a_restore_that_fails_leaves_a_database_that_can_be_used(
    url: DatabaseUrl, target: DatabaseUrl, tmp_path: Path
) -> None:
    looks = "$$ BEGIN PERFORM 1 FROM story; RETURN true; END $$"  # finds nothing where no search path is set
    await execute(url, f"CREATE FUNCTION looks() RETURNS bool LANGUAGE plpgsql AS {looks}")
    await execute(url, "CREATE TABLE t (x int CHECK (looks())); INSERT INTO t VALUES (1)")
    await backup(url.psycopg, tmp_path / "b")
    assert "pg_restore did not succeed" in await refused_restore(target, tmp_path / "b")
    await upgrade(target)
    assert await differences(target) == []


def written(file: Path, what: bytes) -> Path:
    file.write_bytes(what)
    return file


def content(file: Path) -> bytes:
    return file.read_bytes()


def program(file: Path, text: str) -> None:
    file.write_text(f"#!{sys.executable}\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def newer_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the bundle were of PostgreSQL 16 while the server is 18."""
    monkeypatch.setattr(tools, "BUNDLED", (16,))


@pytest.mark.usefixtures("newer_server")
async def test_a_newer_server_is_backed_up_by_the_tools_of_the_machine(
    url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "pg_dump", "print('pg_dump (PostgreSQL) 18.4 (Somewhere 1)')")
    monkeypatch.setenv("PATH", str(tmp_path))
    fitting = await tools._fitting_tools(url)
    assert fitting.directory == tmp_path


@pytest.mark.usefixtures("newer_server")
@pytest.mark.parametrize("version", ["17.2", None])
async def test_without_tools_for_the_server_the_sentence_names_them(
    url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        program(tmp_path / "pg_dump", f"print('pg_dump (PostgreSQL) {version}')")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "version 18 or later" in await refused_backup(url, tmp_path / "b")


async def test_the_password_is_on_no_command_line(
    url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    start = asyncio.create_subprocess_exec

    async def watched(*line: str, **options: object) -> asyncio.subprocess.Process:
        seen.extend(line)
        return await start(*line, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    await backup(url.psycopg, tmp_path / "b")
    assert seen
    assert not [word for word in seen if url.password in word]
