"""The tables of a database, from nothing to this program's and back, on both servers of the bundle."""

import asyncio
from dataclasses import replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from storyforge_core.errors import SetupError
from storyforge_core.shipped import shipped
from storyforge_core.store.address import DatabaseUrl, normalise
from storyforge_core.store.migrate import config_for, differences, migration_lock, migration_state, upgrade

REVISIONS = [script.revision for script in ScriptDirectory.from_config(config_for()).walk_revisions()][::-1]
CATALOGUE = """
    SELECT relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull AS thing
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT enumlabel FROM pg_enum
    UNION ALL SELECT pg_get_functiondef(pg_proc.oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'
    UNION ALL SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger WHERE NOT tgisinternal
"""

VISITOR = "visitor"
both = pytest.mark.parametrize("postgres_major", [18, 16])


async def execute(url: DatabaseUrl, statement: str) -> None:
    connection = await asyncpg.connect(url.asyncpg)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def shape(url: DatabaseUrl) -> list[str]:
    """Everything in a database but rows, the place of a column in its table, and what alembic notes."""
    connection = await asyncpg.connect(url.asyncpg)
    try:
        return sorted(row["thing"] for row in await connection.fetch(CATALOGUE) if "version" not in row["thing"])
    finally:
        await connection.close()


@pytest.fixture
def migrated(database_url: str) -> DatabaseUrl:
    """A database with all tables."""
    return normalise(database_url)


@pytest.fixture
async def bare(migrated: DatabaseUrl) -> DatabaseUrl:
    """A database with nothing in it."""
    await execute(migrated, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return migrated


async def forth(url: DatabaseUrl, revision: str) -> None:
    def go() -> None:
        with migration_lock(url) as connection:
            command.upgrade(config_for(connection), revision)

    await asyncio.to_thread(go)


async def back(url: DatabaseUrl, revision: str) -> None:
    def go() -> None:
        with migration_lock(url) as connection:
            command.downgrade(config_for(connection), revision)

    await asyncio.to_thread(go)


@both
async def test_an_empty_database_gets_all_tables(bare: DatabaseUrl) -> None:
    await upgrade(bare)
    assert (await migration_state(bare)).kind == "current"


@both
@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_earlier_state_becomes_the_present_one(bare: DatabaseUrl, revision: str) -> None:
    await forth(bare, revision)
    await upgrade(bare)
    assert await differences(bare) == []


ROWS_ONLY: set[str] = set()
"""What comes after these changes no table."""


@both
@pytest.mark.parametrize("revision", ["base", *REVISIONS[:-1]])
async def test_the_way_back_leads_to_the_same_place_again(migrated: DatabaseUrl, revision: str) -> None:
    before = await shape(migrated)
    await back(migrated, revision)
    assert (await shape(migrated) == before) == (revision in ROWS_ONLY)
    await upgrade(migrated)
    assert await shape(migrated) == before


@both
async def test_the_way_back_leaves_nothing_behind(migrated: DatabaseUrl) -> None:
    await back(migrated, "base")
    assert await shape(migrated) == []


@both
async def test_tables_and_program_describe_the_same(migrated: DatabaseUrl) -> None:
    assert await differences(migrated) == []


async def test_a_difference_between_tables_and_program_is_noticed(migrated: DatabaseUrl) -> None:
    await execute(migrated, "ALTER TABLE story ADD COLUMN moon text")
    assert "moon" in str(await differences(migrated))


async def test_programs_that_start_together_upgrade_once(bare: DatabaseUrl) -> None:
    await asyncio.gather(*(upgrade(bare) for _ in range(4)))
    assert (await migration_state(bare)).kind == "current"


async def test_an_upgrade_waits_for_one_that_is_under_way(bare: DatabaseUrl) -> None:
    under_way = migration_lock(bare)
    await asyncio.to_thread(under_way.__enter__)
    waiting = asyncio.create_task(upgrade(bare))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert (await migration_state(bare)).current is None
    await asyncio.to_thread(under_way.__exit__, None, None, None)
    await waiting
    assert (await migration_state(bare)).kind == "current"


async def test_a_broken_upgrade_leaves_the_state_before_it(bare: DatabaseUrl) -> None:
    await execute(bare, "CREATE TABLE procrastinate_jobs ()")
    with pytest.raises(SetupError, match="already exists"):
        await upgrade(bare)
    await execute(bare, "DROP TABLE procrastinate_jobs")
    await upgrade(bare)
    assert (await migration_state(bare)).kind == "current"


async def test_a_user_who_may_not_make_tables_gets_a_sentence(bare: DatabaseUrl) -> None:
    await execute(bare, "CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
    try:
        with pytest.raises(SetupError, match="owned by its user"):
            await upgrade(replace(bare, user=VISITOR, password=VISITOR))
    finally:
        await execute(bare, "DROP ROLE visitor")


async def test_a_database_of_a_newer_program_is_refused(migrated: DatabaseUrl) -> None:
    await execute(migrated, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError, match="newer StoryForge"):
        await upgrade(migrated)


async def test_a_database_out_of_reach_gets_a_sentence(migrated: DatabaseUrl) -> None:
    with pytest.raises(SetupError, match="cannot be reached"):
        await upgrade(migrated.renamed("atlantis"))


@both
async def test_the_job_engine_gets_the_tables_it_was_written_for(bare: DatabaseUrl) -> None:
    assert version("procrastinate").startswith("3.10.")
    await forth(bare, "0001")
    ours = await shape(bare)
    await execute(bare, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    schema = await asyncio.to_thread(files("procrastinate.sql").joinpath("schema.sql").read_text, encoding="utf-8")
    await execute(bare, schema)
    assert ours == await shape(bare)


def test_every_revision_follows_the_one_before_it() -> None:
    assert ScriptDirectory.from_config(config_for()).get_heads() == [REVISIONS[-1]]
    assert sorted(path.name[:4] for path in Path(shipped("migrations"), "versions").glob("*.py")) == REVISIONS
