"""The tree as its players walk it: branches, takes, undo and redo. Nothing told is ever lost."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from storyforge_core.domain.commands import (
    BranchFrom,
    DeleteStory,
    Direct,
    Edit,
    Extend,
    GoTo,
    NewStory,
    Redo,
    Reroll,
    SetTitle,
    ShowMap,
    ShowPath,
    ShowStories,
    ShowTakes,
    Undo,
    Vote,
)
from storyforge_core.domain.replies import Accepted, Declined, MapShown, PathShown, StoriesShown, TakesShown
from storyforge_core.domain.story import RoomKey
from storyforge_core.store.database import Database
from tests.game import BO, CY, Game, game


@pytest.fixture
async def told(database: Database) -> AsyncIterator[Game]:
    """Three scenes in a row."""
    async with game(database) as played:
        await played.play(NewStory("A door in the sea"))
        await played.play(Vote(1))
        await played.play(Vote(1))
        yield played


async def head(played: Game) -> int:
    scene = (await played.status()).head
    assert scene is not None
    return scene.number


async def test_a_branch_asks_again_and_another_choice_grows_beside(told: Game) -> None:
    await told.say(BranchFrom())
    assert await head(told) == 2
    await told.play(Vote(2))
    fourth = (await told.scenes())[-1]
    assert (fourth.number, fourth.depth, fourth.take) == (4, 2, 1)
    assert fourth.parent == (await told.scenes())[1].id


async def test_the_same_choice_again_is_another_take(told: Game) -> None:
    await told.say(BranchFrom("2"))
    await told.play(Vote(1))
    assert (await told.scenes())[-1].take == 2


async def test_a_reroll_is_another_take_with_another_seed(told: Game) -> None:
    await told.play(Reroll("with more rain"))
    third, fourth = (await told.scenes())[-2:]
    assert (fourth.parent, fourth.choice, fourth.take) == (third.parent, third.choice, 2)
    seeds = [telling.brief.seed for telling in told.writer.tellings]
    assert len(set(seeds)) == len(seeds)
    assert told.writer.tellings[-1].brief.hint == "with more rain"
    assert len(told.writer.tellings[-1].brief.path) == 2


async def test_an_extension_keeps_the_words_and_adds_to_them(told: Game) -> None:
    before = (await told.scenes())[-1]
    await told.play(Extend())
    after = (await told.scenes())[-1]
    assert after.prose.startswith(before.prose)
    assert len(after.prose) > len(before.prose)
    assert after.origin == "extended"


async def test_an_edit_is_a_take_in_the_players_words_with_the_same_choices(told: Game) -> None:
    await told.say(Edit("All of it was a dream."))
    scene = (await told.scenes())[-1]
    assert (scene.prose, scene.origin, scene.writer) == ("All of it was a dream.", "edited", "Ann")
    ballot = (await told.status()).ballot
    assert ballot is not None
    assert [choice.text for choice in ballot.choices] == ["Choice 1 of 3", "Choice 2 of 3", "Choice 3 of 3"]


async def test_takes_are_listed_and_one_can_be_taken(told: Game) -> None:
    await told.say(Edit("Mine."))
    shown = await told.say(ShowTakes())
    assert isinstance(shown, TakesShown)
    assert [take.take for take in shown.takes] == [1, 2]
    await told.say(ShowTakes(1))
    assert await head(told) == 3


async def test_undo_walks_back_and_redo_forward_again(told: Game) -> None:
    await told.say(Undo())
    assert await head(told) == 2
    await told.say(Undo())
    assert await head(told) == 1
    await told.say(Redo())
    assert await head(told) == 2
    await told.say(Redo())
    assert await head(told) == 3
    assert isinstance(await told.say(Redo()), Declined)


async def test_after_something_new_there_is_nothing_to_redo(told: Game) -> None:
    await told.say(Undo())
    await told.say(Direct("darker"))
    assert isinstance(await told.say(Redo()), Declined)
    await told.say(Undo())
    assert (await told.status()).playthrough.note == ""


async def test_the_opening_cannot_be_undone(told: Game) -> None:
    await told.say(Undo())
    await told.say(Undo())
    reply = await told.say(Undo())
    assert isinstance(reply, Declined)
    assert "beginning" in reply.sentence
    assert await head(told) == 1


async def test_undo_asks_the_question_of_the_scene_again(told: Game) -> None:
    await told.say(Undo())
    ballot = (await told.status()).ballot
    assert ballot is not None
    assert (ballot.status, ballot.votes) == ("open", ())


async def test_titles_come_back_with_undo(told: Game) -> None:
    await told.say(SetTitle("One"))
    await told.say(SetTitle("Two"))
    await told.say(Undo())
    assert (await told.status()).story.title == "One"


async def test_go_finds_scenes_by_number_and_title(told: Game) -> None:
    await told.say(GoTo("#1"))
    assert await head(told) == 1
    await told.say(GoTo("scene after 2"))
    assert await head(told) == 3
    reply = await told.say(GoTo("Scene after"))
    assert isinstance(reply, Declined)
    assert "Several" in reply.sentence
    assert isinstance(await told.say(GoTo("999999999999999999999")), Declined)


async def test_the_path_is_read_from_the_opening(told: Game) -> None:
    shown = await told.say(ShowPath())
    assert isinstance(shown, PathShown)
    assert [scene.number for scene in shown.scenes] == [1, 2, 3]
    assert shown.chosen == ("", "Choice 1 of 1", "Choice 1 of 2")


async def test_the_map_holds_every_scene_and_the_path(told: Game) -> None:
    await told.say(BranchFrom())
    await told.play(Vote(3))
    shown = await told.say(ShowMap())
    assert isinstance(shown, MapShown)
    numbers = {node.id: node.number for node in shown.nodes}
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    assert [numbers[scene] for scene in shown.path] == [1, 2, 4]


async def test_a_deleted_story_is_gone_until_undo(told: Game) -> None:
    assert isinstance(await told.say(DeleteStory("wrong")), Declined)
    await told.say(DeleteStory("a DOOR in the sea"))
    assert isinstance(await told.say(Vote(1)), Declined)
    assert isinstance(await told.say(Undo()), Accepted)
    assert await head(told) == 3


async def test_another_story_can_be_opened_and_the_first_again(told: Game) -> None:
    await told.play(NewStory("A second story"))
    shown = await told.say(ShowStories())
    assert isinstance(shown, StoriesShown)
    assert [(line.title, line.here) for line in shown.stories] == [
        ("A second story", True),
        ("A door in the sea", False),
    ]
    await told.say(ShowStories("door"))
    assert (await told.status()).story.title == "A door in the sea"
    assert await head(told) == 3


async def test_whoever_writes_to_the_bot_alone_sees_nobody_elses_stories(told: Game) -> None:
    mine, theirs = (replace(told, room=RoomKey("chat", address)) for address in ("direct one", "direct two"))
    await mine.play(NewStory("A secret of my own"), CY)
    shown = await theirs.say(ShowStories(), BO)
    assert isinstance(shown, StoriesShown)
    assert not shown.stories
    assert isinstance(await theirs.say(ShowStories("secret"), BO), Declined)
    again = await mine.say(ShowStories(), CY)
    assert isinstance(again, StoriesShown)
    assert [line.premise for line in again.stories] == ["A secret of my own"]


async def test_what_a_sibling_branch_told_never_reaches_the_writer(told: Game) -> None:
    await told.say(BranchFrom("1"))
    await told.play(Vote(2))
    await told.play(Vote(1))
    path = told.writer.tellings[-1].brief.path
    assert [scene.number for scene in path] == [1, 4]
    assert path[-1].choice == "Choice 2 of 1"
