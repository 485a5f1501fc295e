"""Looks along paths, on random trees: what the store answers is what a walk over parents finds."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyforge_core.domain.bible import Card, Entity, EntityId, Sort
from storyforge_core.domain.changes import LookSet, SceneAdded, inverse
from storyforge_core.domain.looks import (
    FOLDERS,
    KINDS,
    ORDER,
    Held,
    Look,
    LookId,
    file_of,
    likenesses,
    only,
    upload_name,
    visible,
    worn,
)
from storyforge_core.domain.pictures import LookKind, Vision
from storyforge_core.domain.story import Playthrough, SceneId
from storyforge_core.store.database import Database
from tests.fakes import NOON
from tests.world import World, open_world

SITTERS = 3
back = st.one_of(st.integers(0, 2), st.integers(0, 20), st.none())
trees = st.lists(back, min_size=1, max_size=20)
gifts = st.lists(st.tuples(st.integers(0, 20), st.integers(0, SITTERS), st.booleans()), max_size=20)
"""At which scene, to whom (the last: to the scene itself), and whether it is forgotten again."""


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@dataclass
class Grown:
    """A tree with looks, as the test knows it."""

    story: Playthrough
    scenes: list[SceneAdded]
    sitters: list[EntityId]
    given: list[Look]
    """Those that are not forgotten, first given first."""

    def walked(self, end: SceneId) -> set[Look]:
        """Go up from a scene, parent after parent; of each sitter the first look that is met counts."""
        parents = {each.scene.id: each.scene.parent for each in self.scenes}
        found: dict[EntityId | None, Look] = {}
        here: SceneId | None = end
        while here is not None:
            for look in reversed([each for each in self.given if each.scene == here]):
                if look.entity is not None or here == end:
                    found.setdefault(look.entity, look)
            here = parents[here]
        return {*found.values()}


def a_look(world: World, story: Playthrough, entity: EntityId | None, scene: SceneId) -> Look:
    kind: LookKind = "scene" if entity is None else "character"
    made = LookId(world.clock.new_id())
    return Look(
        id=made, story=story.story, kind=kind, entity=entity, scene=scene, file=f"{kind}/{made}.png",
        sha256=made.hex * 2, bytes=7, source="given", by=None,
    )  # fmt: skip


async def grow(world: World, tree: list[int | None], given_to: list[tuple[int, int, bool]]) -> Grown:
    story = await world.begin()
    sitters = [EntityId(world.clock.new_id()) for _ in range(SITTERS)]
    grown = Grown(story, [], sitters, [])
    for steps_back in tree:
        parent = None
        if steps_back is not None and grown.scenes:
            parent = grown.scenes[-1 - steps_back % len(grown.scenes)].scene.id
        grown.scenes.append(SceneAdded(world.new_scene(story.story, parent), ()))
    changes: list[LookSet] = []
    for place, whom, forgotten in given_to:
        scene = grown.scenes[place % len(grown.scenes)].scene.id
        look = a_look(world, story, ([*sitters, None])[whom], scene)
        changes.append(LookSet(look.id, None, look))
        changes += [LookSet(look.id, look, None)] if forgotten else []
        grown.given += [] if forgotten else [look]
    async with world.store.resume(story.id) as desk:
        await desk.apply((*grown.scenes, *changes), "test")
    return grown


@pytest.mark.parametrize("postgres_major", [18, 16])
@given(tree=trees, given_to=gifts)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_the_newest_look_on_a_path_counts_and_none_beside_it(
    world: World, tree: list[int | None], given_to: list[tuple[int, int, bool]]
) -> None:
    grown = await grow(world, tree, given_to)
    numbers = {each.scene.id: number for number, each in enumerate(grown.scenes, 1)}
    async with world.store.resume(grown.story.id) as desk:
        for each in grown.scenes:
            held = await desk.looks(each.scene.id)
            assert {entry.look for entry in held} == grown.walked(each.scene.id)
            assert all(entry.number == numbers[entry.look.scene] for entry in held)
        assert await desk.count_looks(grown.story.story) == len(given_to)


@pytest.mark.parametrize("postgres_major", [18])
@given(tree=trees, given_to=gifts)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_what_was_given_is_taken_back_and_given_again(
    world: World, tree: list[int | None], given_to: list[tuple[int, int, bool]]
) -> None:
    grown = await grow(world, tree, given_to)
    end = grown.scenes[-1].scene.id
    step = [LookSet(look.id, None, look) for look in (a_look(world, grown.story, each, end) for each in grown.sitters)]
    async with world.store.resume(grown.story.id) as desk:
        before = await desk.looks(end)
        await desk.apply(step, "look")
        after = await desk.looks(end)
        await desk.apply(inverse(step), "look")
        assert await desk.looks(end) == before
        await desk.apply(inverse(inverse(step)), "look")
        assert await desk.looks(end) == after != before


sorts: st.SearchStrategy[Sort] = st.sampled_from(["character", "place", "prop"])
casts = st.lists(st.tuples(sorts, st.booleans(), st.booleans()), max_size=6).map(
    lambda rows: [
        (Entity(EntityId(UUID(int=number)), Card(sort, f"Name{number}x")), has, seen)
        for number, (sort, has, seen) in enumerate(rows, 1)
    ]
)


@given(casts, st.booleans())
def test_only_those_are_painted_by_their_look_who_are_seen_people_first(
    cast: list[tuple[Entity, bool, bool]],
    told: bool,  # noqa: FBT001 - drawn
) -> None:
    everybody = [entity for entity, _, _ in cast]
    names = tuple(entity.card.name for entity, _, seen in cast if seen)
    held = [
        Held(
            Look(
                id=LookId(entity.id), story=entity.id, kind=KINDS[entity.card.sort], entity=entity.id,  # type: ignore[arg-type]  # any id
                scene=entity.id, file="", sha256="0" * 64, bytes=0, source="given", by=None,  # type: ignore[arg-type]
            ),
            1,
        )
        for entity, has, _ in cast if has
    ]  # fmt: skip
    vision = Vision("", "", names) if told else Vision(f"{' and '.join(names)} by the sea", "The sea.")
    seen = visible(everybody, vision)
    assert {entity.card.name for entity in seen} == {*names}
    used = worn(likenesses(everybody, held), names)
    assert {each.name for each in used} == {entity.card.name for entity, has, there in cast if has and there}
    assert [ORDER.index(each.kind) for each in used] == sorted(ORDER.index(each.kind) for each in used)
    people = [entity for entity in seen if entity.card.sort == "character"]
    assert only(seen) == next(iter(people or seen), None) if len(people or seen) == 1 else only(seen) is None
    assert all(upload_name(each).isascii() for each in used)


@given(st.sampled_from(sorted(FOLDERS)), st.uuids())
def test_a_file_is_named_by_what_it_is_whose_and_when(kind: LookKind, whose: UUID) -> None:
    assert file_of(kind, whose, NOON).startswith(f"{FOLDERS[kind]}/{kind}_{whose}_{NOON:%Y%m%d}T")
