"""The tree in the store: numbers, branches, takes, search, the map; many writers at once."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.story import Playthrough, SceneId
from storyforge_core.errors import NotFound, Refused
from storyforge_core.store.database import Database, connect
from tests.world import World, open_world

pytestmark = pytest.mark.parametrize("postgres_major", [18, 16])


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


async def test_the_first_child_goes_on_and_later_ones_branch_off(world: World) -> None:
    story = await world.begin()
    opening = await world.tell(story, None)
    first = await world.tell(story, opening.id)
    second = await world.tell(story, opening.id)
    below = await world.tell(story, second.id)
    assert [scene.number for scene in (opening, first, second, below)] == [1, 2, 3, 4]
    assert [scene.depth for scene in (opening, first, second, below)] == [0, 1, 1, 2]
    assert first.branch == opening.branch != second.branch == below.branch


async def test_takes_count_up_per_parent_and_choice(world: World) -> None:
    story = await world.begin()
    opening = await world.tell(story, None)
    choice, other = await world.choices(story, opening)
    free, again = await world.tell(story, opening.id), await world.tell(story, opening.id)
    chosen, rerolled = await world.tell(story, opening.id, choice.id), await world.tell(story, opening.id, choice.id)
    lone = await world.tell(story, opening.id, other.id)
    assert [scene.take for scene in (free, again, chosen, rerolled, lone)] == [1, 2, 1, 2, 1]
    async with world.store.resume(story.id) as desk:
        assert await desk.takes(again) == (free, again)
        assert await desk.takes(chosen) == (chosen, rerolled)
        assert await desk.takes(lone) == (lone,)


async def test_another_opening_is_another_take_of_the_first(world: World) -> None:
    story = await world.begin()
    first, second = await world.tell(story, None), await world.tell(story, None)
    assert (first.take, second.take, second.depth) == (1, 2, 0)
    assert first.branch != second.branch
    async with world.store.resume(story.id) as desk:
        assert await desk.takes(second) == (first, second)
        assert await desk.path(second.id, 10) == (second,)


async def test_a_scene_cannot_follow_one_of_another_story(world: World) -> None:
    story, foreign = await world.begin(), await world.begin()
    elsewhere = await world.tell(foreign, None)
    with pytest.raises(NotFound, match="not in this story"):
        await world.tell(story, elsewhere.id)
    assert (await world.tell(story, None)).number == 1


async def test_a_run_tells_one_scene_however_often_it_is_executed(world: World) -> None:
    story = await world.begin()
    run = await world.queue(story)

    async def tell() -> None:
        scene = world.new_scene(story.story, None, run=run.id)
        async with world.store.resume(story.id) as desk:
            await desk.apply([SceneAdded(scene, ())], "continue")

    await tell()
    with pytest.raises(Refused):
        await tell()
    async with world.store.resume(story.id) as desk:
        assert await desk.count_scenes(story.story) == 1


async def test_sixteen_writers_at_once_lose_nothing(world: World, database: Database) -> None:
    story = await world.begin()
    opening = await world.tell(story, None)
    choices = await world.choices(story, opening)

    async def write(number: int) -> None:
        scene = await world.tell(story, opening.id, choices[number % 2].id, options=())
        for _ in range(5):
            scene = await world.tell(story, scene.id, options=())

    await asyncio.gather(*(write(number) for number in range(16)))
    db = await connect(database.url)
    scenes = await db.fetch("SELECT number, parent_id, choice_id, branch_id, depth, take FROM scene ORDER BY number")
    branches = await db.fetch("SELECT fork_depth FROM branch")
    await db.close()
    assert [scene["number"] for scene in scenes] == list(range(1, 98))
    second = [scene for scene in scenes if scene["depth"] == 1]
    assert sorted(scene["take"] for scene in second) == sorted([*range(1, 9)] * 2)
    assert len(branches) == 16
    assert Counter(branch["fork_depth"] for branch in branches) == {-1: 1, 0: 15}
    assert Counter(scene["branch_id"] for scene in scenes).most_common(1)[0][1] == 7


async def test_writers_of_two_playthroughs_of_one_story_share_its_numbers(world: World, database: Database) -> None:
    story = await world.begin()
    opening = await world.tell(story, None)
    db = await connect(database.url)
    other = world.new_story("unused")[1]
    await db.execute(
        "INSERT INTO playthrough (id, story_id, rules, created_at) VALUES ($1, $2, '{}', now())", other.id, story.story
    )
    await db.close()

    async def write(playthrough: Playthrough) -> list[int]:
        return [(await world.tell(playthrough, opening.id, options=())).number for _ in range(8)]

    one, two = await asyncio.gather(write(story), write(replace(other, story=story.story)))
    assert sorted([*one, *two]) == list(range(2, 18))


async def test_scenes_are_found_by_number_or_title(world: World) -> None:
    story = await world.begin()
    opening = await world.tell(story, None, title="The Cellar")
    longer = await world.tell(story, opening.id, title="The Cellar Door")
    newest = await world.tell(story, longer.id, title="Below the cellar")
    year = await world.tell(story, newest.id, title="1984")
    async with world.store.resume(story.id) as desk:
        for words, found in {
            "2": [longer],
            " #3 ": [newest],
            "the CELLAR": [opening, newest, longer],
            "cellar": [newest, longer, opening],
            "1984": [year],
            "99": [],
            "%": [],
            "": [],
            "  ": [],
            "9" * 40: [],
            "٣": [],
        }.items():
            assert list(await desk.find_scenes(story.story, words)) == found, words


async def test_a_path_ends_at_its_scene_and_knows_no_siblings(world: World) -> None:
    story = await world.begin()
    opening = await world.tell(story, None)
    choice = (await world.choices(story, opening))[0]
    left = await world.tell(story, opening.id)
    right = await world.tell(story, opening.id, choice.id)
    end = await world.tell(story, right.id)
    async with world.store.resume(story.id) as desk:
        assert await desk.path(end.id, 10) == (opening, right, end)
        assert await desk.path(end.id, 2) == (right, end)
        assert await desk.path(end.id, 1) == (end,)
        assert await desk.path(left.id, 10) == (opening, left)
        assert await desk.choice_texts([opening, right, end]) == ("", "Open the door", "")
        assert await desk.choice_texts([]) == ()
        with pytest.raises(NotFound):
            await desk.scene(SceneId(world.clock.new_id()))


async def test_the_map_shows_all_or_what_is_nearest(world: World) -> None:
    story = await world.begin()
    line = [await world.tell(story, None)]
    for _ in range(9):
        line.append(await world.tell(story, line[-1].id, options=()))
    side = await world.tell(story, line[5].id)
    async with world.store.resume(story.id) as desk:
        everything, left_out = await desk.tree(story.story, line[5].id, 11)
        assert ([node.number for node in everything], left_out) == ([1, 2, 3, 4, 5, 6, 7, 11, 8, 9, 10], 0)
        near, left_out = await desk.tree(story.story, line[5].id, 4)
        assert {node.id for node in near} == {line[4].id, line[5].id, line[6].id, side.id}
        assert ([node.depth for node in near], left_out) == ([4, 5, 6, 6], 7)
        from_the_top, left_out = await desk.tree(story.story, None, 3)
        assert ([node.number for node in from_the_top], left_out) == ([1, 2, 3], 8)
        assert [node.choice_text for node in everything] == [""] * 11


async def test_an_empty_story_has_an_empty_map(world: World) -> None:
    story = await world.begin()
    async with world.store.resume(story.id) as desk:
        assert await desk.tree(story.story, None, 0) == ((), 0)
        assert await desk.count_scenes(story.story) == 0
