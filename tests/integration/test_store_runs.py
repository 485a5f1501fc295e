"""Runs and their jobs: one at a time, one living worker each, nothing lost when a worker or its jobs die."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from storyforge_core.domain.runs import RunStatus
from storyforge_core.domain.story import BallotId, RoomKey, RunId
from storyforge_core.errors import Busy, Superseded
from storyforge_core.ports import Chunk
from storyforge_core.store.database import Database, connect
from storyforge_core.store.statement import Db
from tests.world import World, eventually, open_world, some_worker

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])


_WORKERS = """
    SELECT count(*) FROM pg_locks
     WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@pytest.fixture
async def db(database: Database) -> AsyncGenerator[Db]:
    """What the job engine does, done by hand."""
    connection = await connect(database.url)
    yield connection
    await connection.close()


async def fetch(db: Db) -> asyncpg.Record | None:
    """Take the next job of the text queue as a worker of the job engine does."""
    worker = await db.fetchval("SELECT worker_id FROM procrastinate_register_worker_v1()")
    job = await db.fetchrow("SELECT id, args::text FROM procrastinate_fetch_job_v2(ARRAY['text'], $1)", worker)
    return job if job and job["id"] else None


async def job_of(db: Db, run: RunId) -> asyncpg.Record:
    job = await db.fetchrow(
        "SELECT job.* FROM run JOIN procrastinate_jobs AS job ON job.id = run.job_id WHERE run.id = $1", run
    )
    assert job is not None
    return job


async def finish(world: World, playthrough: UUID, run: RunId, status: RunStatus) -> None:
    async with world.store.resume(playthrough) as desk:  # type: ignore[arg-type] # the run names it
        await desk.finish(run, status, "why")


async def test_a_worker_that_died_right_after_a_run_holds_up_nobody(world: World, db: Db) -> None:
    story = await world.begin()
    first = await world.queue(story)
    assert await fetch(db)
    await finish(world, story.id, first.id, "done")
    second = await world.queue(story)
    job = await fetch(db)
    assert job is not None
    assert job["args"] == f'{{"run": "{second.id}"}}'


async def test_a_run_and_its_job_are_queued_together(world: World, db: Db) -> None:
    story = await world.begin()
    run = await world.queue(story, priority=5)
    job = await fetch(db)
    assert job is not None
    assert job["args"] == f'{{"run": "{run.id}"}}'
    assert (await job_of(db, run.id))["priority"] == 5
    assert await world.store.live_run(story.id) == run
    assert await world.store.run_status(run.id) == "queued"


async def test_a_playthrough_has_one_live_run(world: World, db: Db) -> None:
    story = await world.begin()
    first = await world.queue(story)
    async with world.store.resume(story.id) as desk:
        with pytest.raises(Busy, match="/story stop"):
            await desk.queue(world.new_run(story.id), 0)
        await desk.finish(first.id, "done")
        await desk.queue(world.new_run(story.id), 0)
    assert await db.fetchval("SELECT count(*) FROM procrastinate_jobs") == 2


async def test_the_place_in_the_queue_counts_those_who_are_written_before(world: World) -> None:
    stories = [await world.begin(RoomKey("test", str(number))) for number in range(4)]
    runs = [world.new_run(story.id) for story in stories]
    places = []
    for story, run, priority in zip(stories, runs, [0, 0, 0, 9], strict=True):
        async with world.store.resume(story.id) as desk:
            places.append(await desk.queue(run, priority))
    assert places == [0, 1, 2, 0]
    await world.store.claim(runs[3].id, some_worker())
    async with world.store.resume(stories[2].id) as desk:
        assert await desk.runs_before(runs[2].id) == 3
        assert await desk.runs_before(runs[3].id) == 0
    await finish(world, stories[0].id, runs[0].id, "failed")
    async with world.store.resume(stories[2].id) as desk:
        assert await desk.runs_before(runs[2].id) == 2


async def test_a_deadline_is_a_job_of_its_time(world: World, db: Db) -> None:
    story = await world.begin()
    ballot, at = BallotId(world.clock.new_id()), world.clock.now() + timedelta(hours=1)
    async with world.store.resume(story.id) as desk:
        await desk.schedule(ballot, at)
    job = await db.fetchrow("SELECT queue_name, task_name, lock, args::text, scheduled_at FROM procrastinate_jobs")
    assert job is not None
    assert tuple(job) == ("clock", "storyforge.deadline", None, f'{{"ballot": "{ballot}"}}', at)


async def test_a_living_worker_keeps_its_run_and_a_dead_one_loses_it(world: World) -> None:
    run = await world.queue(await world.begin())
    first, second = some_worker(), some_worker()
    async with world.store.alive(first):
        claimed = await world.store.claim(run.id, first)
        assert claimed == replace(run, status="running", attempts=1)
        assert await world.store.claim(run.id, second) is None
        assert await world.store.claim(run.id, first) == replace(run, status="running", attempts=2)
    assert await world.store.claim(run.id, second) == replace(run, status="running", attempts=3)


async def test_a_worker_that_lost_its_run_can_write_no_more(world: World) -> None:
    run = await world.queue(await world.begin())
    old, new = some_worker(), some_worker()
    await world.store.claim(run.id, old)
    await world.store.save_words(run.id, old, Chunk(0, "Once"))
    await world.store.claim(run.id, new)
    with pytest.raises(Superseded):
        await world.store.save_words(run.id, old, Chunk(1, " upon"))
    with pytest.raises(Superseded):
        await world.store.checkpoint(run.id, old, "choices", run.draft)
    await world.store.save_words(run.id, new, Chunk(1, " a time"))
    assert await world.store.chunks(run.id, -1) == (Chunk(0, "Once"), Chunk(1, " a time"))


async def test_a_run_that_is_over_is_nobodys(world: World) -> None:
    story = await world.begin()
    run, worker = await world.queue(story), some_worker()
    await world.store.claim(run.id, worker)
    await finish(world, story.id, run.id, "failed")
    assert await world.store.claim(run.id, worker) is None
    assert await world.store.run_status(run.id) == "failed"
    assert await world.store.live_run(story.id) is None
    with pytest.raises(Superseded):
        await world.store.checkpoint(run.id, worker, "x", run.draft)
    await finish(world, story.id, run.id, "done")
    assert await world.store.run_status(run.id) == "failed"
    assert await world.store.run_status(RunId(world.clock.new_id())) is None


async def test_a_checkpoint_is_where_the_next_worker_begins(world: World) -> None:
    run, worker = await world.queue(await world.begin()), some_worker()
    await world.store.claim(run.id, worker)
    draft = replace(run.draft, prose="The sea\0", choices=("Swim", "Wait"))
    await world.store.checkpoint(run.id, worker, "choices", draft)
    taken = await world.store.claim(run.id, some_worker())
    assert taken is not None
    assert (taken.stage, taken.draft) == ("choices", replace(draft, prose="The sea\ufffd"))


async def test_the_same_words_again_change_nothing(world: World) -> None:
    story = await world.begin()
    run, worker = await world.queue(story), some_worker()
    await world.store.claim(run.id, worker)
    for chunk in [Chunk(0, "Once"), Chunk(0, "Twice"), Chunk(1, " upon")]:
        await world.store.save_words(run.id, worker, chunk)
    assert await world.store.chunks(run.id, -1) == (Chunk(0, "Once"), Chunk(1, " upon"))
    assert await world.store.chunks(run.id, 0) == (Chunk(1, " upon"),)
    async with world.store.resume(story.id) as desk:
        assert await desk.words_told(run.id) == "Once upon"


@pytest.mark.parametrize(("status", "kept"), [("done", 0), ("failed", 1), ("stopped", 1)])
async def test_words_are_dropped_only_when_a_scene_has_them(world: World, status: RunStatus, kept: int) -> None:
    story = await world.begin()
    run, worker = await world.queue(story), some_worker()
    await world.store.claim(run.id, worker)
    await world.store.save_words(run.id, worker, Chunk(0, "Once"))
    await finish(world, story.id, run.id, status)
    assert len(await world.store.chunks(run.id, -1)) == kept


async def test_stopping_a_run_that_waits_leaves_it_to_the_caller(world: World, db: Db) -> None:
    story = await world.begin()
    run = await world.queue(story)
    async with world.store.resume(story.id) as desk:
        assert not await desk.stop(run.id)
        await desk.finish(run.id, "stopped")
    assert await fetch(db) is None
    assert await world.store.orphans() == ()


async def test_stopping_a_run_under_way_reaches_its_worker(world: World, db: Db) -> None:
    story = await world.begin()
    run, worker = await world.queue(story), some_worker()
    await fetch(db)
    await world.store.claim(run.id, worker)
    async with world.store.resume(story.id) as desk:
        assert await desk.stop(run.id)
    assert (await job_of(db, run.id))["abort_requested"]
    assert await world.store.run_status(run.id) == "stopping"
    async with world.store.resume(story.id) as desk:
        await desk.finish(run.id, "stopped")
        assert not await desk.stop(run.id)


async def test_what_waits_or_is_under_way_is_no_orphan(world: World, db: Db) -> None:
    waiting = await world.queue(await world.begin())
    assert await world.store.orphans() == ()
    await fetch(db)
    assert await world.store.orphans() == ()
    worker = some_worker()
    async with world.store.alive(worker):
        await world.store.claim(waiting.id, worker)
        assert await world.store.orphans() == ()
        await world.store.revive(waiting.id)
        assert (await job_of(db, waiting.id))["status"] == "doing"


@asynccontextmanager
async def left_behind(world: World, db: Db) -> AsyncGenerator[RunId]:
    """A run that a worker took up before it died; two more wait, one of the same story's host."""
    run, worker = await world.queue(await world.begin()), some_worker()
    await world.queue(await world.begin(RoomKey("test", "b")))
    await fetch(db)
    async with world.store.alive(worker):
        await world.store.claim(run.id, worker)
    yield run.id


async def test_a_run_whose_worker_died_is_given_back_in_its_old_place(world: World, db: Db) -> None:
    async with left_behind(world, db) as run:
        assert await world.store.orphans() == (run,)
        await world.store.revive(run)
        assert await world.store.orphans() == ()
        job = await fetch(db)
        assert job is not None
        assert str(run) in job["args"]


async def test_a_dying_run_that_was_to_stop_still_finds_somebody_who_ends_it(world: World, db: Db) -> None:
    async with left_behind(world, db) as run:
        await db.execute("UPDATE run SET status = 'stopping' WHERE id = $1", run)
        await db.execute("SELECT procrastinate_cancel_job_v1(job_id, true, false) FROM run WHERE id = $1", run)
        await world.store.revive(run)
        job = await fetch(db)
        assert job is not None
        assert str(run) in job["args"]
        claimed = await world.store.claim(run, some_worker())
        assert claimed is not None
        assert claimed.status == "stopping"


@pytest.mark.parametrize(
    "end",
    [
        "DELETE FROM procrastinate_jobs WHERE id = $1",
        "SELECT procrastinate_finish_job_v1($1, 'failed', false)",
        "SELECT procrastinate_finish_job_v1($1, 'succeeded', false)",
        "SELECT procrastinate_finish_job_v1($1, 'aborted', false)",
        "UPDATE procrastinate_jobs SET status = 'failed', abort_requested = true WHERE id = $1",
    ],
)
async def test_a_live_run_whose_job_ended_gets_another(world: World, db: Db, end: str) -> None:
    run, worker = await world.queue(await world.begin()), some_worker()
    job = await fetch(db)
    assert job is not None
    async with world.store.alive(worker):
        await world.store.claim(run.id, worker)
        await db.execute(end, job["id"])
        assert await world.store.orphans() == (run.id,)
        await world.store.revive(run.id)
        again = await fetch(db)
        assert again is not None
        assert str(run.id) in again["args"]


async def test_a_job_taken_by_an_engine_that_fell_silent_is_given_back(world: World, db: Db) -> None:
    run = await world.queue(await world.begin())
    await fetch(db)
    await db.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    assert await world.store.orphans() == (run.id,)
    await world.store.revive(run.id)
    assert await fetch(db) is not None


async def test_two_sweeps_at_once_revive_a_run_once(world: World, db: Db) -> None:
    async with left_behind(world, db) as run:
        await asyncio.gather(*(world.store.revive(run) for _ in range(5)))
        assert (await job_of(db, run))["attempts"] == 2
        assert await db.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE args->>'run' = $1", str(run)) == 1


async def test_a_worker_that_is_gone_at_once_is_not_alive(world: World, db: Db) -> None:
    async with world.store.alive(some_worker()):
        assert await db.fetchval(_WORKERS) == 1
    async with world.store.alive(some_worker()):
        pass  # gone before anything else had its turn

    async def nobody() -> bool:
        return bool(await db.fetchval(_WORKERS) == 0)

    await eventually(nobody)


async def test_a_worker_process_is_alive_until_it_is_killed(world: World, db: Db, database: Database) -> None:
    run, worker = await world.queue(await world.begin()), some_worker()
    await fetch(db)
    program = [sys.executable, "-m", "tests.peers.living_worker", database.url.psycopg, str(worker)]
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"alive\n"
    await world.store.claim(run.id, worker)
    assert await world.store.claim(run.id, some_worker()) is None
    assert await world.store.orphans() == ()
    process.kill()
    await process.wait()
    await eventually(world.store.orphans)
    assert await world.store.claim(run.id, some_worker()) is not None


async def test_a_worker_that_lost_its_session_is_alive_again_soon(world: World, db: Db) -> None:
    run, worker = await world.queue(await world.begin()), some_worker()
    await fetch(db)
    async with world.store.alive(worker):
        await world.store.claim(run.id, worker)
        await _end_lock_holders(db)
        await eventually(lambda: no_orphans(world))
        assert await world.store.claim(run.id, some_worker()) is None


async def no_orphans(world: World) -> bool:
    return not await world.store.orphans()


async def _end_lock_holders(db: Db) -> None:
    holders = [row["pid"] for row in await db.fetch("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")]
    await db.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", holders)
    gone = "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = ANY($1))"
    await eventually(lambda: db.fetchval(gone, holders))
