"""A store whose database is not there."""

from collections.abc import AsyncGenerator

import pytest

from storyforge_core.errors import ServiceDown
from storyforge_core.store.database import open_database
from tests.world import HOME, World, open_world, some_worker


@pytest.fixture
async def nowhere() -> AsyncGenerator[World]:
    database = open_database("postgresql://nobody@/nothing?host=/tmp/no-such-socket")
    yield open_world(database)
    await database.aclose()


async def test_whoever_asks_gets_a_sentence(nowhere: World) -> None:
    with pytest.raises(ServiceDown, match="does not answer"):
        await nowhere.store.room(HOME)


async def test_no_worker_is_alive(nowhere: World) -> None:
    async def live() -> None:
        async with nowhere.store.alive(some_worker()):
            pass

    with pytest.raises(ServiceDown, match="does not answer"):
        await live()
