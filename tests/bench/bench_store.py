"""What the store costs: a turn's bookkeeping, paths, a new branch; beside the recursive query in the same run.

`python -m tests.bench.bench_store [--scenes 1000000]` prints a table. The server is the bundled one with the settings
it has in use: every commit is on the disk.
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.changes import (
    BallotAdded,
    BallotSet,
    CastVote,
    Change,
    HeadMoved,
    Outcome,
    SceneAdded,
    VoteSet,
)
from storyforge_core.domain.events import BallotDecided, BallotOpened, SceneTold, WritingQueued
from storyforge_core.domain.runs import Run
from storyforge_core.domain.story import BallotId, Playthrough, SceneId, StoryId
from storyforge_core.store import tree
from storyforge_core.store.database import connect, open_database
from storyforge_core.store.embedded import embedded_postgres
from storyforge_core.store.migrate import upgrade
from storyforge_core.store.statement import Db
from tests.world import World, open_world, some_worker

DEEP = 20_000
WARM = 6
"""Unmeasured rounds: the server plans a statement anew five times before it keeps a plan."""
PROSE = "The sea held its breath, and the door in it stood open. " * 9
"""About 500 characters, as in the measurements of the facts."""

FILL = """
    CREATE FUNCTION pg_temp.key(kind bigint, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
        AS $$ SELECT (lpad(to_hex(kind), 16, '0') || lpad(to_hex(number), 16, '0'))::uuid $$;
    -- Story 0 is one path that forks every 2,000 scenes.
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at, scenes)
        VALUES (pg_temp.key(1, 0), 'deep', '', '', '', 1, now(), {deep});
    INSERT INTO branch SELECT pg_temp.key(2, b), pg_temp.key(1, 0),
            CASE WHEN b > 0 THEN pg_temp.key(2, b - 1) END, b * 2000 - 1
          FROM generate_series(0, {deep} / 2000 - 1) AS b;
    INSERT INTO scene (id, story_id, number, parent_id, branch_id, depth, take,
                       title, prose, origin, writer, created_at)
        SELECT pg_temp.key(3, n), pg_temp.key(1, 0), n + 1, CASE WHEN n > 0 THEN pg_temp.key(3, n - 1) END,
               pg_temp.key(2, n / 2000), n, 1, 'A scene', '{prose}', 'told', 'bench', now()
          FROM generate_series(0, {deep} - 1) AS n;
    -- All others have 500 scenes: a line of 100, and from its middle four more lines of 100.
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at, scenes)
        SELECT pg_temp.key(1, s), 'story', '', '', '', 1, now(), 500 FROM generate_series(1, {stories}) AS s;
    INSERT INTO branch SELECT pg_temp.key(4, s * 5 + b), pg_temp.key(1, s),
            CASE WHEN b > 0 THEN pg_temp.key(4, s * 5) END, CASE WHEN b > 0 THEN 50 ELSE -1 END
          FROM generate_series(1, {stories}) AS s, generate_series(0, 4) AS b;
    INSERT INTO scene (id, story_id, number, parent_id, branch_id, depth, take,
                       title, prose, origin, writer, created_at)
        SELECT pg_temp.key(5, s * 500 + n), pg_temp.key(1, s), n + 1,
               CASE WHEN n = 0 THEN NULL WHEN n % 100 = 0 THEN pg_temp.key(5, s * 500 + 50)
                    ELSE pg_temp.key(5, s * 500 + n - 1) END,
               pg_temp.key(4, s * 5 + n / 100), CASE WHEN n < 100 THEN n ELSE 51 + n % 100 END,
               CASE WHEN n % 100 = 0 THEN n / 100 + 1 ELSE 1 END, 'A scene', '{prose}', 'told', 'bench', now()
          FROM generate_series(1, {stories}) AS s, generate_series(0, 499) AS n
         ORDER BY s, n;
"""

# The walk over parents that paths by segments replace.
BY_PARENTS = """
    WITH RECURSIVE up AS (
        SELECT id, parent_id, depth FROM scene WHERE id = $1
        UNION ALL
        SELECT scene.id, scene.parent_id, scene.depth FROM up JOIN scene ON scene.id = up.parent_id WHERE up.depth > $2
    )
    SELECT scene.* FROM up JOIN scene ON scene.id = up.id ORDER BY scene.depth
"""
IDS_BY_PARENTS = BY_PARENTS.replace(
    "scene.* FROM up JOIN scene ON scene.id = up.id ORDER BY scene", "id FROM up ORDER BY up"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds: median and 95th percentile of the wall clock, and processor time of this process each time."""

    median: float
    p95: float
    cpu: float


async def measure(times: int, work: Callable[[], Awaitable[object]]) -> Cost:
    """Do it some times unmeasured, so that plans and pages are warm, then so many times."""
    for _ in range(WARM):
        await work()
    return cost([await timed(work()) for _ in range(times)])


async def timed(work: Awaitable[object]) -> tuple[float, float]:
    """Wall clock and processor time, in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def cost(times: Sequence[tuple[float, float]]) -> Cost:
    walls = [wall for wall, _ in times]
    return Cost(
        statistics.median(walls), statistics.quantiles(walls, n=20)[-1], statistics.mean(cpu for _, cpu in times)
    )


def show(name: str, cost: Cost, note: str = "") -> None:
    sys.stdout.write(f"{name:<58}{cost.median:>9.2f}{cost.p95:>9.2f}{cost.cpu:>9.2f}  {note}\n")
    sys.stdout.flush()


def key(kind: int, number: int) -> UUID:
    return UUID(int=kind << 64 | number)


class Turns:
    """Whole turns of one story as its players see them, without the model: a vote decides, a scene is told."""

    def __init__(self, world: World, playthrough: Playthrough, ballot: BallotId) -> None:
        self.world = world
        self.playthrough = playthrough
        self.ballot = ballot
        self.worker = some_worker()

    async def vote(self, run: Run) -> None:
        """One player votes, the ballot closes, the next scene is queued."""
        async with self.world.store.receive(self.world.incoming()) as desk:
            assert desk.situation
            assert desk.situation.ballot
            assert desk.player
            ballot = desk.situation.ballot
            winner = ballot.choices[0]
            said = CastVote(winner.id, self.world.clock.now())
            closed = Outcome("closed", winner.id)
            changes: list[Change] = [
                VoteSet(ballot.id, desk.player.id, None, said),
                BallotSet(ballot.id, Outcome("open"), closed),
            ]
            await desk.apply(changes, "vote")
            place = await desk.queue(run, 0)
            decided = BallotDecided(replace(ballot, status="closed", winner=winner.id), winner, (), "")
            queued = WritingQueued(run.id, "continue", winner.text, "Ann", place)
            await desk.tell(self.playthrough.id, decided, queued)

    async def write(self, run: Run) -> None:
        """A worker takes it up and saves each stage."""
        await self.world.store.claim(run.id, self.worker)
        for stage in ("write", "choices", "keep"):
            await self.world.store.checkpoint(run.id, self.worker, stage, replace(run.draft, prose=PROSE))

    async def tell(self, run: Run) -> None:
        """The scene with its choices, the head, the next ballot."""
        world, here, now = self.world, self.playthrough.id, self.world.clock.now()
        async with world.store.resume(here) as desk:
            assert desk.situation
            head = desk.situation.playthrough.head
            scene = replace(world.new_scene(self.playthrough.story, head, run=run.id), prose=PROSE)
            choices = world.new_choices(scene.id, ("Open the door", "Walk away", "Call out"))
            asked = BallotAdded(
                ballot=BallotId(world.clock.new_id()), playthrough=here, scene=scene.id, opened_at=now, deadline=None
            )
            changes: list[Change] = [SceneAdded(scene, choices), HeadMoved(here, head, scene.id), asked]
            await desk.apply(changes, "continue")
            await desk.finish(run.id, "done")
            told = await desk.scene(scene.id)
            ballot = Ballot(id=asked.ballot, playthrough=here, scene=scene.id, choices=choices, opened_at=now)
            rules, members = self.playthrough.rules, desk.situation.members
            opened = BallotOpened(ballot, rules, members, again=False)
            await desk.tell(here, SceneTold(run.id, told, choices[0].text), opened)


async def measure_parts(times: int, turns: Turns) -> list[Cost]:
    """Whole turns, each part measured by itself."""
    parts: list[list[tuple[float, float]]] = [[], [], []]
    for _ in range(WARM + times):
        run = turns.world.new_run(turns.playthrough.id)
        for part, work in zip(parts, (turns.vote(run), turns.write(run), turns.tell(run)), strict=True):
            part.append(await timed(work))
    return [cost(part[WARM:]) for part in parts]


async def bench_turns(world: World) -> None:
    story = await world.begin()
    turns = Turns(world, story, await world.ask(story, await world.tell(story, None)))
    parts = await measure_parts(200, turns)
    show("a vote decides: vote, ballot, run and job", parts[0], "<= 2 CPU, p95 <= 10")
    show("a run is taken up and saves three stages", parts[1], "<= 2 CPU, p95 <= 10")
    show("a scene is told: scene, choices, head, next ballot", parts[2], "<= 2 CPU, p95 <= 10")

    async def look() -> None:
        async with world.store.receive(world.incoming()):
            pass

    show("a command that only looks", await measure(200, look))


async def bench_paths(db: Db) -> None:
    for depth in (20, 2_000, DEEP - 1):
        end = SceneId(key(3, depth))
        show(f"last 50 of a path at depth {depth:,}", await measure(200, partial(tree.path, db, end, 50)), "<= 0.5")
        show("    the same by the recursive query", await measure(200, partial(db.fetch, BY_PARENTS, end, depth - 49)))
    end = SceneId(key(3, DEEP - 1))
    ids = f"SELECT id FROM ({tree._PATH.sql}) AS path"  # noqa: S608 - the same statement, of its ids only
    show(f"whole path at depth {DEEP:,}, ids", await measure(20, partial(db.fetch, ids, DEEP, end)), "<= 25")
    show("    the same by the recursive query", await measure(20, partial(db.fetch, IDS_BY_PARENTS, end, 0)))
    show(f"whole path at depth {DEEP:,}, scenes with prose", await measure(5, partial(tree.path, db, end, DEEP)))


async def bench_branch(world: World, db: Db) -> None:
    story = await world.begin()
    async with world.store.resume(story.id) as desk:
        line: list[SceneAdded] = []
        for _ in range(1000):
            parent = line[-1].scene.id if line else None
            line.append(SceneAdded(world.new_scene(story.story, parent), ()))
        await desk.apply(line, "test")
    fork = line[500].scene.id
    rows = "SELECT (SELECT count(*) FROM branch WHERE story_id = $1) + (SELECT count(*) FROM scene WHERE story_id = $1)"
    before = await db.fetchval(rows, story.story)
    await world.tell(story, fork, options=())
    added = await db.fetchval(rows, story.story) - before
    forked = await measure(50, partial(world.tell, story, fork, options=()))
    show("new branch in the middle of a 1,000-scene story", forked, f"<= 5; {added} rows: scene and branch")


async def bench_map(db: Db) -> None:
    nearest = partial(tree.tree, db, StoryId(key(1, 0)), SceneId(key(3, DEEP // 2)), 60)
    show("map: the 60 scenes nearest to one", await measure(50, nearest))


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that the server's user may enter when it is not ours."""
    directory = Path(tempfile.mkdtemp(prefix="storyforge-bench-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


async def main(scenes: int) -> None:
    with scratch() as directory:
        async with embedded_postgres(directory) as server:
            database = open_database(server.url)
            await upgrade(database.url)
            db = await connect(database.url)
            began = time.perf_counter()
            await db.execute("SET statement_timeout = 0")
            await db.execute(FILL.format(deep=DEEP, prose=PROSE, stories=max(1, (scenes - DEEP) // 500)))
            await db.execute("VACUUM (ANALYZE)")
            total = await db.fetchval("SELECT count(*) FROM scene")
            took = time.perf_counter() - began
            sys.stdout.write(f"{total:,} scenes, written in {took:.0f} s\n{'ms':<58}{'p50':>9}{'p95':>9}{'CPU':>9}\n")
            world = open_world(database)
            await bench_turns(world)
            await bench_paths(db)
            await bench_branch(world, db)
            await bench_map(db)
            await db.close()
            await database.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100_000, help="how many scenes the database holds")
    asyncio.run(main(parser.parse_args().scenes))
