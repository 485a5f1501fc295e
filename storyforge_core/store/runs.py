"""Runs and their jobs: queued together, taken up by one living worker, found again when it dies.

A worker lives as long as its session holds an advisory lock made of its id: the server lets go of it the moment the
process, the host or the connection is gone, and nobody has to guess from a clock.
"""

from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from storyforge_core.domain.pictures import PictureDraft, PictureRun
from storyforge_core.domain.runs import Draft, Run, RunStatus
from storyforge_core.domain.story import BallotId, PlaythroughId, RunId, SceneId
from storyforge_core.errors import Busy, Superseded
from storyforge_core.ports import Chunk
from storyforge_core.store.codec import DRAFT, PICTURE_DRAFT, PICTURE_RUN, RUN, dump, storable
from storyforge_core.store.jobs_sql import (
    CHANNEL,
    CLOCK_QUEUE,
    DEADLINE_TASK,
    PICTURE_QUEUE,
    PICTURE_TASK,
    RUN_TASK,
    TEXT_QUEUE,
)
from storyforge_core.store.statement import Db, Statement

_JOBS = MappingProxyType({"scene": (TEXT_QUEUE, RUN_TASK), "picture": (PICTURE_QUEUE, PICTURE_TASK)})
"""Queue and task by kind of run."""
NO_LONGER_YOURS = "Another worker has taken this run over, or it is over."

# The playthrough is locked, so "no live run" is still true when the row is written. One live run is all the order that
# a playthrough needs; the engine's own lock for that would stay with a job whose worker died just after its run.
_QUEUE = Statement("""
    WITH job AS (
        SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW(
                   :queue::text, :task::text, :priority::integer, NULL, NULL,
                   jsonb_build_object('run', :id::uuid), NULL
               )::procrastinate_job_to_defer_v1])) AS id
         WHERE NOT EXISTS (SELECT FROM run WHERE run.playthrough_id = :playthrough AND {writing})
    )
    INSERT INTO run (id, playthrough_id, status, stage, draft, attempts, priority, job_id, created_at)
    SELECT :id, :playthrough, 'queued', :stage, :draft, :attempts, :priority, job.id, :created_at FROM job
    RETURNING (SELECT count(*) FROM run WHERE {writing} AND (run.status <> 'queued' OR run.priority >= :priority))
""")

# As many may wait as are allowed to: they are in nobody's way.
_QUEUE_PICTURE = Statement("""
    WITH job AS (
        SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW(
                   :queue::text, :task::text, :priority::integer, NULL, NULL,
                   jsonb_build_object('run', :id::uuid), NULL
               )::procrastinate_job_to_defer_v1])) AS id
         WHERE (SELECT count(*) FROM run
                 WHERE run.playthrough_id = :playthrough AND run.kind = 'picture' AND {live}) < :most
    )
    INSERT INTO run (id, playthrough_id, kind, status, stage, draft, attempts, priority, job_id, created_at)
    SELECT :id, :playthrough, 'picture', 'queued', :stage, :draft, :attempts, :priority, job.id, :created_at FROM job
    RETURNING (SELECT count(*) FROM run WHERE run.kind = 'picture' AND {live}
                AND (run.status <> 'queued' OR run.priority >= :priority))
""")

_LIVE_PICTURES = Statement("""
    SELECT to_json(part)::text
      FROM (SELECT {run} FROM run
             WHERE run.playthrough_id = :playthrough AND run.kind = 'picture' AND {live} ORDER BY run.job_id) AS part
""")

_SCHEDULE = Statement("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue::text, :task::text, 0, NULL, NULL, jsonb_build_object('ballot', :ballot::uuid), :at::timestamptz
    )::procrastinate_job_to_defer_v1])
""")

# Who runs is before all who wait; who waits goes by the job engine's order.
_BEFORE = Statement("""
    SELECT count(*)
      FROM run
      JOIN run AS mine ON mine.id = :run AND mine.status = 'queued' AND run.id <> mine.id AND run.kind = mine.kind
     WHERE {live}
       AND (run.status <> 'queued' OR (-run.priority, run.job_id) < (-mine.priority, mine.job_id))
""")

_STOP = Statement("""
    UPDATE run SET status = 'stopping' WHERE run.id = :run AND {live} RETURNING run.job_id
""")

_JOB_RUNS = Statement("SELECT status = 'doing' FROM procrastinate_jobs WHERE id = :job FOR UPDATE")

_CANCEL = Statement("SELECT procrastinate_cancel_job_v1(:job, true, false)")

# A scene has the words of a run that is done; those of any other run are nowhere else.
_FINISH = Statement("""
    WITH dropped AS (
        DELETE FROM run_chunk USING run WHERE :status = 'done' AND run.id = :run AND {live} AND run_id = run.id
    )
    UPDATE run SET status = :status, error = :error, finished_at = :at WHERE run.id = :run AND {live}
""")

_CLAIM = Statement("""
    UPDATE run
       SET worker = :worker, attempts = attempts + 1, status = CASE status WHEN 'queued' THEN 'running' ELSE status END
     WHERE run.id = :run AND run.kind = :kind AND {live}
       AND (run.worker IS NULL OR run.worker = :worker
            OR pg_try_advisory_xact_lock(hashtextextended('worker:' || run.worker, 0)))
    RETURNING to_json((SELECT part FROM (SELECT {run}) AS part))::text
""")

_STATUS = Statement("SELECT status FROM run WHERE id = :run")

_DRAFT_OF = Statement("""
    SELECT run.draft::text FROM scene JOIN run ON run.id = scene.run_id WHERE scene.id = :scene
""")

_CHECKPOINT = Statement("""
    UPDATE run SET stage = :stage, draft = :draft WHERE run.id = :run AND run.worker = :worker AND {live} RETURNING id
""")

# A worker that was thought dead may still be at it: its words must not get between those of its successor. So a claim
# waits for these words (FOR SHARE), or these words see the claim.
_SAVE_WORDS = Statement("""
    WITH mine AS (
        SELECT run.id FROM run WHERE run.id = :run AND run.worker = :worker AND {live} FOR SHARE
    ), saved AS (
        INSERT INTO run_chunk (run_id, seq, text) SELECT id, :seq, :text FROM mine
        ON CONFLICT DO NOTHING RETURNING run_id
    )
    SELECT (SELECT count(pg_notify(:channel, 'words:' || run_id)) FROM saved) FROM mine
""")

_CHUNKS = Statement("SELECT seq, text FROM run_chunk WHERE run_id = :run AND seq > :after ORDER BY seq")

# A job that waits is in good hands. Otherwise the run is an orphan when its job ended without it, or when the worker
# died that took it up; the heart of a worker that lives may go unheard. Before that only the job engine knows a worker.
_ORPHANS = Statement("""
    SELECT run.id
      FROM run
      LEFT JOIN procrastinate_jobs AS job ON job.id = run.job_id
      LEFT JOIN procrastinate_workers AS engine ON engine.id = job.worker_id
     WHERE {live} AND (:run::uuid IS NULL OR run.id = :run)
       AND job.status IS DISTINCT FROM 'todo'
       AND (job.status IS DISTINCT FROM 'doing'
            OR CASE WHEN run.worker IS NULL
                    THEN coalesce(engine.last_heartbeat, '-infinity') < now() - interval '10 seconds'
                    ELSE pg_try_advisory_xact_lock(hashtextextended('worker:' || run.worker, 0)) END)
     ORDER BY run.job_id
""")

_HOLD = Statement("""
    SELECT run.kind, run.job_id, job.status AS job_status, job.abort_requested
      FROM run LEFT JOIN procrastinate_jobs AS job ON job.id = run.job_id
     WHERE run.id = :run FOR UPDATE OF run
""")

_END_JOB = Statement("SELECT procrastinate_finish_job_v1(:job, 'failed', false)")

_RETRY_JOB = Statement("SELECT procrastinate_retry_job_v2(:job, NULL, NULL, NULL, NULL)")

_NEW_JOB = Statement("""
    UPDATE run SET job_id = (procrastinate_defer_jobs_v1(ARRAY[ROW(
               :queue::text, :task::text, run.priority, NULL, NULL,
               jsonb_build_object('run', run.id), NULL
           )::procrastinate_job_to_defer_v1]))[1]
     WHERE run.id = :run
""")


async def queue(db: Db, run: Run, priority: int) -> int:
    """Store a run and its job; answer how many runs are before it.

    Raises:
        Busy: the playthrough has a live run already.
    """
    place: int | None = await _QUEUE.value(
        db,
        id=run.id,
        playthrough=run.playthrough,
        stage=run.stage,
        draft=dump(DRAFT, run.draft),
        attempts=run.attempts,
        created_at=run.created_at,
        priority=priority,
        queue=TEXT_QUEUE,
        task=RUN_TASK,
    )
    if place is None:
        raise Busy("A scene is being written already. Wait for it, or end it with /story stop.")
    return place


async def queue_picture(db: Db, run: PictureRun, priority: int, most: int) -> int:
    """Store the run of a picture and its job; answer how many pictures are before it.

    Raises:
        Busy: as many as may wait are waiting for this playthrough.
    """
    place: int | None = await _QUEUE_PICTURE.value(
        db,
        id=run.id,
        playthrough=run.playthrough,
        stage=run.stage,
        draft=dump(PICTURE_DRAFT, run.draft),
        attempts=run.attempts,
        created_at=run.created_at,
        priority=priority,
        most=most,
        queue=PICTURE_QUEUE,
        task=PICTURE_TASK,
    )
    if place is None:
        raise Busy(f"{most} pictures of this story are waiting to be painted already. Let them be painted first.")
    return place


async def live_pictures(db: Db, playthrough: PlaythroughId) -> tuple[PictureRun, ...]:
    """List the pictures of a playthrough that are being painted or wait, first come first."""
    rows = await _LIVE_PICTURES.rows(db, playthrough=playthrough)
    return tuple(PICTURE_RUN.validate_json(row[0]) for row in rows)


async def schedule(db: Db, ballot: BallotId, at: datetime) -> None:
    """Have the ballot decided at that time, if it is still open then."""
    await _SCHEDULE.run(db, queue=CLOCK_QUEUE, task=DEADLINE_TASK, ballot=ballot, at=at)


async def runs_before(db: Db, run: RunId) -> int:
    """Count the live runs that are written before this one; 0 as soon as it is being written."""
    return await _BEFORE.value(db, run=run) or 0


async def stop(db: Db, run: RunId) -> bool:
    """Mark a live run as stopping; False when no worker has it, so that nobody but the caller will finish it."""
    job = await _STOP.value(db, run=run)
    if job is None:
        return False
    runs = bool(await _JOB_RUNS.value(db, job=job))
    await _CANCEL.run(db, job=job)
    return runs


async def finish(db: Db, run: RunId, status: RunStatus, error: str, at: datetime) -> None:
    """End a live run."""
    await _FINISH.run(db, run=run, status=status, error=storable(error), at=at)


async def claim(db: Db, run: RunId, worker: UUID) -> Run | None:
    """Take a run up; None when it is over or a living worker has it."""
    claimed = await _CLAIM.value(db, run=run, worker=worker, kind="scene")
    return RUN.validate_json(claimed) if claimed else None


async def claim_picture(db: Db, run: RunId, worker: UUID) -> PictureRun | None:
    """The same for the run of a picture."""
    claimed = await _CLAIM.value(db, run=run, worker=worker, kind="picture")
    return PICTURE_RUN.validate_json(claimed) if claimed else None


async def run_status(db: Db, run: RunId) -> RunStatus | None:
    """Read how a run stands."""
    status: RunStatus | None = await _STATUS.value(db, run=run)
    return status


async def draft_of(db: Db, scene: SceneId) -> Draft | None:
    """Read what a scene was made from; None when no run told it."""
    stored = await _DRAFT_OF.value(db, scene=scene)
    return DRAFT.validate_json(stored) if stored else None


async def checkpoint(db: Db, run: RunId, worker: UUID, stage: str, draft: Draft | PictureDraft) -> None:
    """Save a draft and the stage that comes next.

    Raises:
        Superseded: the run is no longer this worker's.
    """
    written = dump(DRAFT, draft) if isinstance(draft, Draft) else dump(PICTURE_DRAFT, draft)
    if await _CHECKPOINT.value(db, run=run, worker=worker, stage=stage, draft=written) is None:
        raise Superseded(NO_LONGER_YOURS)


async def save_words(db: Db, run: RunId, worker: UUID, chunk: Chunk) -> None:
    """Save a stretch of words and wake the listeners; the same `seq` again changes nothing.

    Raises:
        Superseded: the run is no longer this worker's.
    """
    text = storable(chunk.text)
    if await _SAVE_WORDS.value(db, run=run, worker=worker, seq=chunk.seq, text=text, channel=CHANNEL) is None:
        raise Superseded(NO_LONGER_YOURS)


async def chunks(db: Db, run: RunId, after: int) -> tuple[Chunk, ...]:
    """Read the stretches with a `seq` above `after`, in order."""
    return tuple(Chunk(**row) for row in await _CHUNKS.rows(db, run=run, after=after))


async def orphans(db: Db) -> tuple[RunId, ...]:
    """Find live runs whose worker is gone, those first queued first."""
    return tuple(row["id"] for row in await _ORPHANS.rows(db, run=None))


async def revive(db: Db, run: RunId) -> None:
    """Give an orphan back to the workers, in its old place; a run that is none any more is left alone."""
    held = await _HOLD.row(db, run=run)
    if held is None or not await _ORPHANS.rows(db, run=run):
        return
    job, status = held["job_id"], held["job_status"]
    if status == "doing":  # takes back a request to abort
        await _END_JOB.run(db, job=job)
        await _RETRY_JOB.run(db, job=job)
    elif status == "failed" and not held["abort_requested"]:  # the engine cannot retry what was to be aborted
        await _RETRY_JOB.run(db, job=job)
    else:
        queue_name, task = _JOBS[held["kind"]]
        await _NEW_JOB.run(db, run=run, queue=queue_name, task=task)
