"""The worker: procrastinate hands out stored jobs, here or on any other host that runs this same code.

What it needs from us (its own promise is “at least once”): jobs that do nothing the second time, a sweep for what dead
workers left behind, and a supervisor, because a worker ends when its database connection does.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions, job_context, jobs, retry

from storyforge_core.domain.runs import LIVE
from storyforge_core.domain.story import BallotId, RunId, SceneId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Purged
from storyforge_core.ports import Store
from storyforge_core.store.jobs_sql import (
    CLOCK_QUEUE,
    DEADLINE_TASK,
    MEMORY_QUEUE,
    PICTURE_QUEUE,
    PICTURE_TASK,
    REMEMBER_TASK,
    REREAD_TASK,
    RUN_TASK,
    TEXT_QUEUE,
)

HEARTBEAT = 2.0
STALLED = 10.0
"""Seconds without a heartbeat after which a worker counts as dead for jobs that are no live run."""
SWEEP = 1.0
"""Seconds between looks for orphans; each costs one small query."""
LOOK_FOR_JOBS = 1.0
"""Seconds between looks for jobs nobody is called for: orphans that were given back, and deadlines that pass."""
BACK_IN = 1.0
"""Seconds until a worker begins anew after its database went away."""
REMEMBERED = timedelta(days=30)
"""How long the ids of messages are kept; Matrix and Discord deliver late by hours at the most."""
CLEANING = 3600.0
"""Seconds between looks for what is older."""
ENDING = 2.0
"""Seconds after which a task that was told to end is told again; a job stopped decently takes well under one."""
EMBEDDER_BACK_IN = 60
"""Seconds until an embedder that was away is tried again; words are found without it."""
MEMORY_JOBS = 1
"""Scenes read at once: it is not to keep others waiting."""
CLOCK_JOBS = 4
"""Deadlines handled at once; they are quick."""


Execute = Callable[[RunId, UUID], Awaitable[None]]


class _AsSoonAsPossible(retry.BaseRetryStrategy):
    """Hand a job on when the program ends under it, and try again when what it needs was away."""

    def __init__(self, back_in: int = 2) -> None:
        self._back_in = back_in

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> retry.RetryDecision | None:
        del job
        if isinstance(exception, asyncio.CancelledError):
            return retry.RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, ServiceDown):
            return retry.RetryDecision(retry_in={"seconds": self._back_in})
        return None


@dataclass(frozen=True, slots=True)
class Worker:
    """Executes stored jobs until it is cancelled."""

    conninfo: str
    store: Store
    on_run: Execute
    """Gets the run and the worker's identity."""
    on_deadline: Callable[[BallotId], Awaitable[None]] | None
    """None where deadlines are left to programs that hear what people do, and can count their votes first."""
    on_scene: Callable[[SceneId], Awaitable[None]]
    """Reads a scene that was told, so that it can be found again."""
    on_start: Callable[[], Awaitable[None]]
    """Reads whatever was not read yet."""
    runs_at_once: int
    retention: timedelta | None = None
    """How long the stories of a space are kept that the bot was removed from; None for ever."""
    on_picture: Execute | None = None
    """As `on_run`; None where nobody paints: then pictures wait for a worker elsewhere."""
    pictures_at_once: int = 1
    on_purged: Callable[[Purged], Awaitable[None]] | None = None
    """Gets what of the files belongs to no story any more; None where their directory is not."""

    async def work(self) -> None:
        """Work for ever; begins anew, as another worker, whenever the database went away."""
        while True:
            _heed_cancellation()
            try:
                await self._live(uuid4())
            except (ServiceDown, exceptions.ConnectorException, psycopg.Error, OSError) as error:
                structlog.get_logger().warning("worker lost its database", error=str(error))
            await asyncio.sleep(BACK_IN)

    async def _live(self, identity: UUID) -> None:
        """Work under one identity: what it leaves behind when it ends is seen as an orphan at once."""
        app = self._app(identity)
        async with self.store.alive(identity), _opened(app):
            await _reread_soon(app)
            _heed_cancellation()
            work = [_work_on(app, TEXT_QUEUE, self.runs_at_once), self._sweep(app), self._forget()]
            work.append(_work_on(app, MEMORY_QUEUE, MEMORY_JOBS))
            if self.on_deadline is not None:
                work.append(_work_on(app, CLOCK_QUEUE, CLOCK_JOBS))
            if self.on_picture is not None:
                work.append(_work_on(app, PICTURE_QUEUE, self.pictures_at_once))
            tasks = [asyncio.ensure_future(one) for one in work]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(tasks)
            for task in done:
                task.result()

    def _app(self, identity: UUID) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(conninfo=self.conninfo, min_size=1, max_size=6)
        app = procrastinate.App(connector=connector)
        again = _AsSoonAsPossible()
        in_hand: set[str] = set()

        async def take(run: str, context: job_context.JobContext, execute: Execute) -> None:
            if run in in_hand:  # given back while the database was away, although it was never let go
                return
            in_hand.add(run)
            try:
                await execute(RunId(UUID(run)), identity)
            except asyncio.CancelledError:
                if context.abort_reason() is job_context.AbortReason.USER_REQUEST:
                    raise exceptions.JobAborted from None
                raise
            finally:
                in_hand.remove(run)

        @app.task(name=RUN_TASK, pass_context=True, retry=again)
        async def run(context: job_context.JobContext, run: str) -> None:
            await take(run, context, self.on_run)

        if (paint := self.on_picture) is not None:

            @app.task(name=PICTURE_TASK, pass_context=True, retry=again)
            async def picture(context: job_context.JobContext, run: str) -> None:
                await take(run, context, paint)

        if (decide := self.on_deadline) is not None:

            @app.task(name=DEADLINE_TASK, retry=again)
            async def deadline(ballot: str) -> None:
                await decide(BallotId(UUID(ballot)))

        self._read(app)
        return app

    def _read(self, app: procrastinate.App) -> None:
        """Let jobs read what stories remember."""
        later = _AsSoonAsPossible(EMBEDDER_BACK_IN)

        @app.task(name=REMEMBER_TASK, retry=later)
        async def remember(scene: str) -> None:
            await self.on_scene(SceneId(UUID(scene)))

        @app.task(name=REREAD_TASK, retry=later)
        async def reread() -> None:
            await self.on_start()

    async def _forget(self) -> None:
        """Let go of message ids that no platform will deliver again, and of stories whose time is over."""
        while True:
            now = datetime.now(UTC)
            await self.store.forget_messages(now - REMEMBERED)
            if self.retention is not None and (gone := await self.store.purge(now - self.retention)).stories:
                structlog.get_logger().info("stories deleted whose server had removed the bot", stories=gone.stories)
                if self.on_purged is not None:
                    await self.on_purged(gone)
            await asyncio.sleep(CLEANING)

    async def _sweep(self, app: procrastinate.App) -> None:
        """Give back what dead workers left: live runs at once, other jobs when the heartbeat has been missing."""
        seen: frozenset[RunId] = frozenset(await self.store.orphans())
        while True:
            _heed_cancellation()
            orphans = frozenset(await self.store.orphans())
            for run in orphans & seen:  # seen twice: a worker that is just reconnecting is not dead
                structlog.get_logger().info("taking up an orphan", run=str(run))
                await self.store.revive(run)
            seen = orphans
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                if not await self._is_live(job):
                    await app.job_manager.retry_job(job)
            await asyncio.sleep(SWEEP)

    async def _is_live(self, job: jobs.Job) -> bool:
        """Whether a job is about a live run: a lock tells more of its worker than a heartbeat does."""
        return (
            job.task_name in {RUN_TASK, PICTURE_TASK}
            and await self.store.run_status(RunId(UUID(str(job.task_kwargs["run"])))) in LIVE
        )


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks, and again those that did not hear it; see `_heed_cancellation`."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=ENDING)
    await asyncio.gather(*tasks, return_exceptions=True)


def _heed_cancellation() -> None:
    """End here if that was asked for: `asyncio.wait_for` of Python 3.11, which psycopg's pool uses, may swallow it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _reread_soon(app: procrastinate.App) -> None:
    """Have what was never read looked for, once, however many workers start."""
    with suppress(exceptions.AlreadyEnqueued):
        task = app.configure_task(REREAD_TASK, queue=MEMORY_QUEUE, lock=REREAD_TASK, queueing_lock=REREAD_TASK)
        await task.defer_async()


async def _work_on(app: procrastinate.App, queue: str, at_once: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=at_once,
        install_signal_handlers=False,
        delete_jobs="successful",
        fetch_job_polling_interval=LOOK_FOR_JOBS,
        shutdown_graceful_timeout=0,
        update_heartbeat_interval=HEARTBEAT,
        stalled_worker_timeout=STALLED,
    )


@asynccontextmanager
async def _opened(app: procrastinate.App) -> AsyncIterator[None]:
    """Connect, and let go of the pool also when connecting is cancelled half-way, which procrastinate does not."""
    try:
        await app.open_async()
        yield
    finally:
        await app.close_async()
