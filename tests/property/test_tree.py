"""Paths by segments against a plain walk over parents, on random trees."""

from collections import Counter
from collections.abc import AsyncGenerator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.story import BranchId, Playthrough, Scene, SceneId
from storyforge_core.store.database import Database, connect
from storyforge_core.store.statement import Db
from tests.world import World, open_world

ORACLE = """
    WITH RECURSIVE up AS (
        SELECT id, parent_id, 0 AS steps FROM scene WHERE id = $1
        UNION ALL
        SELECT scene.id, scene.parent_id, up.steps + 1 FROM up JOIN scene ON scene.id = up.parent_id
    )
    SELECT id FROM up ORDER BY steps DESC
"""

Shape = list[tuple[int | None, int]]
"""For each scene in order of telling: which earlier one it follows (counted back from the newest), by which choice."""
back = st.one_of(st.integers(0, 2), st.integers(0, 30))  # mostly on from the newest scenes: long paths, some forks
shapes: st.SearchStrategy[Shape] = st.lists(
    st.tuples(st.one_of(back, back, back, st.none()), st.integers(0, 2)), min_size=1, max_size=30
)


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@pytest.fixture
async def db(database: Database) -> AsyncGenerator[Db]:
    connection = await connect(database.url)
    yield connection
    await connection.close()


async def grow(world: World, shape: Shape) -> tuple[Playthrough, list[Scene]]:
    """Tell a tree of this shape; choice 0 is a free continuation."""
    playthrough = await world.begin()
    grown: list[SceneAdded] = []
    for steps_back, option in shape:
        parent = None if steps_back is None or not grown else grown[-1 - steps_back % len(grown)]
        choice = parent.choices[option - 1].id if parent and option else None
        scene = world.new_scene(playthrough.story, parent.scene.id if parent else None, choice)
        grown.append(SceneAdded(scene, world.new_choices(scene.id, ("left", "right"))))
    async with world.store.resume(playthrough.id) as desk:
        await desk.apply(grown, "test")
        return playthrough, [await desk.scene(told.scene.id) for told in grown]


@given(shape=shapes, last=st.integers(1, 12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_a_tree_of_segments_is_the_tree_of_parents(world: World, db: Db, shape: Shape, last: int) -> None:
    playthrough, scenes = await grow(world, shape)
    async with world.store.resume(playthrough.id) as desk:
        for scene in scenes:
            truth = [row["id"] for row in await db.fetch(ORACLE, scene.id)]
            assert [on_path.id for on_path in await desk.path(scene.id, 1000)] == truth
            assert [on_path.id for on_path in await desk.path(scene.id, last)] == truth[-last:]
            assert scene.depth == len(truth) - 1
            siblings = [o for o in scenes if (o.parent, o.choice) == (scene.parent, scene.choice)]
            assert [take.id for take in await desk.takes(scene)] == [sibling.id for sibling in siblings]
            assert [sibling.take for sibling in siblings] == list(range(1, len(siblings) + 1))
    assert [scene.number for scene in scenes] == list(range(1, len(scenes) + 1))
    assert_branches_are_lines(scenes)
    assert await db.fetchval("SELECT count(*) FROM branch WHERE story_id = $1", playthrough.story) == branches(scenes)


def assert_branches_are_lines(scenes: list[Scene]) -> None:
    """A branch is never broken, never forks, and each of its scenes follows the one before."""
    lines: dict[BranchId, list[Scene]] = {}
    for scene in sorted(scenes, key=lambda scene: scene.depth):
        lines.setdefault(scene.branch, []).append(scene)
    for line in lines.values():
        assert [scene.depth for scene in line] == list(range(line[0].depth, line[0].depth + len(line)))
        assert [scene.parent for scene in line[1:]] == [scene.id for scene in line[:-1]]


def branches(scenes: list[Scene]) -> int:
    """One for each opening, and one for each child but the first."""
    children = Counter(scene.parent for scene in scenes if scene.parent)
    return sum(scene.parent is None for scene in scenes) + sum(count - 1 for count in children.values())


@given(shape=shapes, limit=st.integers(1, 12), where=st.integers(0, 29))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_the_nearest_part_of_the_map_is_nearest(world: World, shape: Shape, limit: int, where: int) -> None:
    playthrough, scenes = await grow(world, shape)
    centre = scenes[where % len(scenes)]
    async with world.store.resume(playthrough.id) as desk:
        nodes, left_out = await desk.tree(playthrough.story, centre.id, limit)
    assert len(nodes) + left_out == len(scenes)
    assert [(node.depth, node.number) for node in nodes] == sorted((node.depth, node.number) for node in nodes)
    if left_out:
        distance = distances(scenes, centre.id)
        shown = {node.id for node in nodes}
        furthest = max(distance[scene] for scene in shown)
        assert len(nodes) == min(limit, len(distance))
        assert all(scene in shown for scene, steps in distance.items() if steps < furthest)


def distances(scenes: list[Scene], centre: SceneId) -> dict[SceneId, int]:
    """Steps along the tree from the centre, by asking everybody again and again."""
    found = {centre: 0}
    for _ in scenes:
        for scene in scenes:
            if scene.parent in found and scene.id not in found:
                found[scene.id] = found[scene.parent] + 1
            elif scene.parent and scene.id in found and scene.parent not in found:
                found[scene.parent] = found[scene.id] + 1
    return found
