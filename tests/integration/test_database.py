import pytest
from sqlalchemy import text

from storyforge_core.store.database import Database

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])


async def test_every_test_gets_a_database_with_all_tables(database: Database) -> None:
    async with database.engine.connect() as connection:
        version = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert version
