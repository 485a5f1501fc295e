"""What the tree costs: paths by segments beside the walk over parents in the same run, a new branch, a map."""

from functools import partial

from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.story import Scene, SceneId
from storyforge_core.store import tree
from storyforge_core.store.database import Database, connect
from storyforge_core.store.statement import Db, Statement
from tests.bench.figures import Figure, Scale
from tests.bench.ground import DEEP, deep_scene, deep_story
from tests.bench.timing import measure
from tests.world import World, open_world

LAST, LAST_MS, ROOT_MS, BRANCH_MS, BRANCH_ROWS = 50, 0.5, 25.0, 5.0, 2.0

# The walk that paths by segments replace.
_WALK = """
    WITH RECURSIVE up AS (
        SELECT id, parent_id, depth FROM scene WHERE id = :scene
        UNION ALL
        SELECT scene.id, scene.parent_id, scene.depth FROM up JOIN scene ON scene.id = up.parent_id
         WHERE up.depth > :first
    )
"""
SCENES_BY_PARENTS = Statement(f"{_WALK} SELECT {{scene}} FROM up JOIN scene ON scene.id = up.id ORDER BY scene.depth")  # noqa: S608 - our own text
IDS_BY_PARENTS = Statement(f"{_WALK} SELECT id FROM up ORDER BY depth")  # noqa: S608 - the same
IDS_BY_SEGMENTS = f"SELECT id FROM ({tree._PATH.sql}) AS path"  # noqa: S608 - the product's statement, of its ids only
ROWS = "SELECT (SELECT count(*) FROM branch WHERE story_id = $1) + (SELECT count(*) FROM scene WHERE story_id = $1)"


async def last_scenes(db: Db, times: int) -> list[Figure]:
    """The newest scenes of paths of any length, as the values that the engine gets."""

    async def by_parents(end: SceneId, depth: int) -> None:
        rows = await SCENES_BY_PARENTS.rows(db, scene=end, first=depth - LAST + 1)
        assert len([Scene(**row) for row in rows]) == min(LAST, depth + 1)

    figures = []
    for depth in (20, 2_000, DEEP - 1):
        end = deep_scene(depth)
        found = await measure(times, partial(tree.path, db, end, LAST))
        walk = await measure(times, partial(by_parents, end, depth))
        figures.append(Figure(f"last {LAST} of a path at depth {depth:,}", found.median, "ms", LAST_MS, walk.median))
    return figures


async def root_path(db: Db, times: int) -> list[Figure]:
    """A path from the very first scene."""
    end = deep_scene(DEEP - 1)
    found = await measure(times, partial(db.fetch, IDS_BY_SEGMENTS, DEEP, end))
    walk = await measure(times, partial(IDS_BY_PARENTS.rows, db, scene=end, first=0))
    return [Figure(f"root path of {DEEP:,} scenes, ids", found.median, "ms", ROOT_MS, walk.median)]


async def new_branch(world: World, db: Db, times: int) -> list[Figure]:
    """Another choice in the middle of a story of a thousand scenes."""
    story = await world.begin()
    async with world.store.resume(story.id) as desk:
        line: list[SceneAdded] = []
        for _ in range(1000):
            parent = line[-1].scene.id if line else None
            line.append(SceneAdded(world.new_scene(story.story, parent), ()))
        await desk.apply(line, "bench")
    fork = line[500].scene.id
    before = await db.fetchval(ROWS, story.story)
    await world.tell(story, fork, options=())
    added = await db.fetchval(ROWS, story.story) - before
    forked = await measure(times, partial(world.tell, story, fork, options=()))
    return [
        Figure("new branch in the middle of a 1,000-scene story", forked.median, "ms", BRANCH_MS),
        Figure("    rows that it adds: scene and branch", added, "rows", BRANCH_ROWS),
    ]


async def nearest(db: Db, times: int) -> list[Figure]:
    """What a map shows of a large story."""
    found = await measure(times, partial(tree.tree, db, deep_story(), deep_scene(DEEP // 2), 60))
    return [Figure("map: the 60 scenes nearest to one", found.median, "ms")]


async def bench(database: Database, scale: Scale) -> list[Figure]:
    """Measure in a forest."""
    db = await connect(database.url)
    world = open_world(database)
    figures = [
        *await last_scenes(db, scale.times),
        *await root_path(db, max(6, scale.times // 10)),
        *await new_branch(world, db, max(6, scale.times // 5)),
        *await nearest(db, max(6, scale.times // 5)),
    ]
    await db.close()
    return figures
