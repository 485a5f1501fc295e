"""Timers of the lore along paths, on random trees: what the store answers is what a walk over parents finds."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyforge_core.domain.changes import LoreSet, SceneAdded
from storyforge_core.domain.lore import Fired, Lore, LoreId
from storyforge_core.domain.story import Playthrough, SceneId
from storyforge_core.store.database import Database
from tests.world import World, open_world

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])

ENTRIES = 3
Told = tuple[int | None, dict[int, bool]]
"""Which earlier scene it follows (counted back from the newest), and the entries told for it: whether only held."""
back = st.one_of(st.integers(0, 2), st.integers(0, 30), st.none())
trees = st.lists(st.tuples(back, st.dictionaries(st.integers(0, ENTRIES - 1), st.booleans())), min_size=1, max_size=25)


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


async def grow(world: World, tree: list[Told]) -> tuple[Playthrough, tuple[LoreId, ...], list[SceneAdded]]:
    story = await world.begin()
    ids = tuple(LoreId(world.clock.new_id()) for _ in range(ENTRIES))
    entries = [LoreSet(story.story, each, n, None, Lore(title="x", text="y")) for n, each in enumerate(ids, 1)]
    grown: list[SceneAdded] = []
    for steps_back, told in tree:
        parent = None if steps_back is None or not grown else grown[-1 - steps_back % len(grown)].scene.id
        lore = tuple(Fired(ids[n], held) for n, held in told.items())
        grown.append(SceneAdded(world.new_scene(story.story, parent), (), lore))
    async with world.store.resume(story.id) as desk:
        await desk.apply((*entries, *grown), "test")
    return story, ids, grown


def walked(grown: list[SceneAdded], end: SceneId, last: int) -> Mapping[LoreId, int]:
    """Go up from a scene, parent after parent, and note when entries were found."""
    parents = {each.scene.id: each.scene.parent for each in grown}
    path = [end]
    while (parent := parents[path[-1]]) is not None:
        path.append(parent)
    lore = {each.scene.id: each.lore for each in grown}
    found: dict[LoreId, int] = {}
    for depth, scene in enumerate(reversed(path)):
        if len(path) - depth <= last:
            found |= {fired.entry: depth for fired in lore[scene] if not fired.held}
    return found


@given(tree=trees, last=st.integers(0, 12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_a_path_knows_what_was_told_on_it_and_nothing_else(world: World, tree: list[Told], last: int) -> None:
    story, ids, grown = await grow(world, tree)
    async with world.store.resume(story.id) as desk:
        for each in grown:
            assert await desk.lore_found(each.scene.id, ids, last) == walked(grown, each.scene.id, last)
            assert set(await desk.lore_told(each.scene.id)) == set(each.lore)
        known = await desk.lore_found(grown[-1].scene.id, ids[:1], last)
        assert known.keys() <= {ids[0]}
