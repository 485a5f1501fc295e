"""Signals between processes, and the ledger of what was shown where."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import pytest

from storyforge_core.domain.events import Noted
from storyforge_core.domain.story import RunId
from storyforge_core.ports import Chunk, EventsWaiting, Resync, Signal, WordsWaiting
from storyforge_core.store.database import Database, connect
from storyforge_core.store.ledger import PostgresLedger
from storyforge_core.store.signals import MOST_WAITING
from tests.world import HOME, World, eventually, open_world, some_worker

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@pytest.fixture
async def signals(world: World) -> AsyncGenerator[AsyncGenerator[Signal, None]]:
    async with aclosing(world.store.signals()) as listening:
        yield listening


async def next_of(signals: AsyncGenerator[Signal, None]) -> Signal:
    return await asyncio.wait_for(anext(signals), 5)


async def test_listening_begins_with_a_look_at_everything(signals: AsyncGenerator[Signal, None]) -> None:
    assert await next_of(signals) == Resync()


async def test_events_wake_a_listener_at_commit(world: World, signals: AsyncGenerator[Signal, None]) -> None:
    story = await world.begin()
    await next_of(signals)
    async with world.store.resume(story.id) as desk:
        await desk.tell(story.id, Noted("a"))
        await desk.tell(story.id, Noted("b"))
        hears = asyncio.ensure_future(anext(signals))
        await asyncio.sleep(0.05)
        assert not hears.done()
    assert await asyncio.wait_for(hears, 5) == EventsWaiting(story.id)
    async with world.store.resume(story.id) as desk:
        await desk.tell(story.id, Noted("c"))
    assert await next_of(signals) == EventsWaiting(story.id)


async def test_words_wake_a_listener(world: World, signals: AsyncGenerator[Signal, None]) -> None:
    run, worker = await world.queue(await world.begin()), some_worker()
    await world.store.claim(run.id, worker)
    await next_of(signals)
    await world.store.save_words(run.id, worker, Chunk(0, "Once"))
    assert await next_of(signals) == WordsWaiting(run.id)


async def test_a_slow_listener_hears_the_same_once(
    world: World, database: Database, signals: AsyncGenerator[Signal, None]
) -> None:
    await next_of(signals)
    story = await world.begin()
    db = await connect(database.url)
    for _ in range(50):
        await db.execute("SELECT pg_notify('storyforge', $1)", f"events:{story.id}")
    await asyncio.sleep(0.1)
    await db.execute("SELECT pg_notify('storyforge', 'words:00000000-0000-0000-0000-000000000001')")
    await db.close()
    await asyncio.sleep(0.1)
    assert await next_of(signals) == EventsWaiting(story.id)
    assert await next_of(signals) == WordsWaiting(RunId(UUID(int=1)))


async def test_a_listener_far_behind_is_told_to_look_at_everything(
    database: Database, signals: AsyncGenerator[Signal, None]
) -> None:
    await next_of(signals)
    db = await connect(database.url)
    await db.execute(
        "SELECT pg_notify('storyforge', 'words:' || gen_random_uuid()) FROM generate_series(1, $1::int)",
        MOST_WAITING + 5,
    )
    await db.close()
    await asyncio.sleep(0.3)
    heard = [await next_of(signals) for _ in range(5)]
    assert heard[0] == Resync()
    assert all(isinstance(signal, WordsWaiting) for signal in heard[1:])


async def test_what_a_newer_program_tells_makes_a_listener_look(
    database: Database, signals: AsyncGenerator[Signal, None]
) -> None:
    await next_of(signals)
    db = await connect(database.url)
    await db.execute("SELECT pg_notify('storyforge', 'pictures:1')")
    await db.close()
    assert await next_of(signals) == Resync()


async def test_a_listener_whose_connection_died_listens_again(
    world: World, database: Database, signals: AsyncGenerator[Signal, None]
) -> None:
    await next_of(signals)
    story = await world.begin()
    db = await connect(database.url)
    await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    await db.close()
    assert await next_of(signals) == Resync()
    async with world.store.resume(story.id) as desk:
        await desk.tell(story.id, Noted("a"))
    assert await next_of(signals) == EventsWaiting(story.id)


async def test_listening_leaves_no_connection_behind(world: World, database: Database) -> None:
    async with aclosing(world.store.signals()) as signals:
        await next_of(signals)
    db = await connect(database.url)
    gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    await eventually(lambda: db.fetchval(gone))
    await db.close()


async def test_a_room_remembers_how_far_it_was_shown_and_never_goes_back(world: World, database: Database) -> None:
    ledger = PostgresLedger(database, world.clock)
    story, room = await world.begin(), await world.store.room(HOME)
    for event, remembered in [(7, 7), (9, 9), (3, 9)]:
        await ledger.advance(room.id, story.id, event)
        assert await ledger.cursor(room.id, story.id) == remembered


async def test_a_message_announced_again_is_the_same_message(world: World, database: Database) -> None:
    ledger = PostgresLedger(database, world.clock)
    room = await world.store.room(HOME)
    opened = await asyncio.gather(*(ledger.open(room.id, "run:1", 0) for _ in range(5)))
    assert len(set(opened)) == 1
    assert (opened[0].message, opened[0].shown, opened[0].final) == (None, 0, False)


async def test_a_message_is_unfinished_until_its_last_frame_is_shown(world: World, database: Database) -> None:
    ledger = PostgresLedger(database, world.clock)
    room = await world.store.room(HOME)
    first, second = await ledger.open(room.id, "run:1", 0), await ledger.open(room.id, "run:1", 1)
    shown = replace(first, message="m1", shown=2000, final=True)
    await ledger.mark(shown)
    assert await ledger.unfinished(room.id) == (second,)
    assert await ledger.deliveries(room.id, "run:1") == (shown, second)
    assert await ledger.deliveries(room.id, "run:2") == ()
