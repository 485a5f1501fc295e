"""One story in several rooms, one person with several accounts."""

import re
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest

from storyforge_core.domain.commands import Ban, JoinRoom, Link, NewStory, ShowStories, Speaker, Vote
from storyforge_core.domain.events import BallotChanged, BallotOpened, SceneTold, StoryOpened
from storyforge_core.domain.replies import Accepted, Declined, Reply, StoriesShown
from storyforge_core.domain.story import RoomKey
from storyforge_core.domain.tickets import LIFETIME
from storyforge_core.store.database import Database
from tests.game import ANN, BO, Game
from tests.game import game as open_game

ELSEWHERE = RoomKey("matrix", "!cellar:example.org", "example.org")
ANN_THERE = Speaker("matrix", "@ann:example.org", "Ann from afar", private=True)
CY_THERE = Speaker("matrix", "@cy:example.org", "Cy")


@pytest.fixture
async def game(database: Database) -> AsyncGenerator[Game]:
    async with open_game(database) as opened:
        await opened.play(NewStory("A door in the sea"))
        yield opened


def at(game: Game, room: RoomKey) -> Game:
    return replace(game, room=room)


def code_in(reply: Reply) -> str:
    assert isinstance(reply, Accepted), reply
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", reply.sentence)
    assert found, reply.sentence
    return found[0]


def why(reply: Reply) -> str:
    assert isinstance(reply, Declined), reply
    return reply.sentence


async def joined(game: Game) -> Game:
    """Have the story told elsewhere too; answer the game as it is seen there."""
    there = at(game, ELSEWHERE)
    assert isinstance(await there.say(JoinRoom(code_in(await game.say(Link()))), CY_THERE), Accepted)
    return there


async def link(game: Game) -> None:
    """Ann's two accounts become one player."""
    code = code_in(await game.say(Link("me"), replace(ANN, private=True)))
    assert isinstance(await at(game, ELSEWHERE).say(Link(code), ANN_THERE), Accepted)


async def voters(game: Game) -> dict[str, int]:
    """How many votes each choice of the open ballot has."""
    shown = await game.status()
    assert shown.ballot
    texts = {choice.id: choice.text for choice in shown.ballot.choices}
    return dict(Counter(texts[vote.choice] for vote in shown.ballot.votes))


async def test_another_room_shows_the_story_and_its_votes_count(game: Game) -> None:
    there = await joined(game)
    assert await there.playthrough() == await game.playthrough()
    await there.say(Vote(2), CY_THERE)
    await game.play(Vote(2))
    told = [event for event in await there.events() if isinstance(event, SceneTold)]
    assert [event.chosen for event in told] == ["", "Choice 2 of 1"]


async def test_only_the_new_room_is_told_the_scene_and_asked_again(game: Game) -> None:
    there = await joined(game)
    room = await there.store.room(ELSEWHERE)
    opened = [event for event in await game.events() if isinstance(event, StoryOpened | BallotOpened) and event.room]
    assert [type(event) for event in opened] == [StoryOpened, BallotOpened]
    assert {event.room for event in opened} == {room.id}


async def test_the_story_is_listed_where_it_is_read(game: Game) -> None:
    there = await joined(game)
    listed = await there.say(ShowStories(), CY_THERE)
    assert isinstance(listed, StoriesShown)
    assert [line.here for line in listed.stories] == [True]


async def test_a_code_works_once(game: Game) -> None:
    code = code_in(await game.say(Link()))
    assert isinstance(await at(game, ELSEWHERE).say(JoinRoom(code), CY_THERE), Accepted)
    third = at(game, RoomKey("matrix", "!attic:example.org"))
    assert "used up" in why(await third.say(JoinRoom(code), CY_THERE))


async def test_a_new_code_makes_the_old_one_worthless(game: Game) -> None:
    old = code_in(await game.say(Link()))
    await game.say(Link())
    assert "used up" in why(await at(game, ELSEWHERE).say(JoinRoom(old), CY_THERE))


async def test_a_code_is_worthless_when_its_time_is_over(game: Game) -> None:
    code = code_in(await game.say(Link()))
    async with game.store.resume(await game.playthrough()) as desk:
        later = game.forge.clock.now() + LIFETIME + timedelta(seconds=1)
        assert await desk.redeem(code.replace("-", ""), later) is None


async def test_a_code_that_was_refused_can_still_be_used(game: Game) -> None:
    code = code_in(await game.say(Link()))
    assert "/story join-room" in why(await at(game, ELSEWHERE).say(Link(code), CY_THERE))
    assert isinstance(await at(game, ELSEWHERE).say(JoinRoom(code.lower()), CY_THERE), Accepted)


@pytest.mark.parametrize("code", ["", "x", "0000-0000", "'; DROP TABLE room; --"])
async def test_rubbish_is_no_code(game: Game, code: str) -> None:
    assert "/story link" in why(await at(game, ELSEWHERE).say(JoinRoom(code), CY_THERE))


async def test_only_the_host_lets_another_room_in(game: Game) -> None:
    assert "Only the host" in why(await game.say(Link(), BO))


async def test_who_is_shut_out_cannot_bring_the_story_home(game: Game) -> None:
    code = code_in(await game.say(Link()))
    await game.say(Vote(1), BO)
    await game.quiet()
    await game.say(Ban("Bo"))
    assert "shut you out" in why(await at(game, ELSEWHERE).say(JoinRoom(code), BO))


async def test_a_room_with_a_story_changes_it_only_for_its_host(game: Game) -> None:
    there = at(game, ELSEWHERE)
    await there.play(NewStory("Another story"), CY_THERE)
    code = code_in(await game.say(Link()))
    assert "Only the host" in why(await there.say(JoinRoom(code), Speaker("matrix", "@di:example.org", "Di")))
    assert isinstance(await there.say(JoinRoom(code), CY_THERE), Accepted)
    assert await there.playthrough() == await game.playthrough()


async def test_a_person_with_two_accounts_has_one_vote_and_the_newest_counts(game: Game) -> None:
    there = await joined(game)
    await game.say(Vote(1), BO)  # so that nothing is decided yet
    await there.say(Vote(3), ANN_THERE)
    assert await voters(game) == {"Choice 1 of 1": 1, "Choice 3 of 1": 1}
    await link(game)
    assert await voters(game) == {"Choice 1 of 1": 1, "Choice 3 of 1": 1}
    assert len((await game.status()).members) == 2
    await at(there, ELSEWHERE).play(Vote(1), ANN_THERE)
    assert [event.chosen for event in await game.events() if isinstance(event, SceneTold)] == ["", "Choice 1 of 1"]


async def test_two_votes_become_one_when_accounts_are_linked(game: Game) -> None:
    there = await joined(game)
    await game.say(Vote(1), replace(BO, private=True))
    await there.say(Vote(2), CY_THERE)
    code = code_in(await game.say(Link("me"), replace(BO, private=True)))
    await there.say(Link(code), CY_THERE)
    assert await voters(game) == {"Choice 2 of 1": 1}
    last = [event for event in await game.events() if isinstance(event, BallotChanged)][-1]
    assert len(last.ballot.votes) == 1


async def test_a_host_stays_host_with_the_other_account(game: Game) -> None:
    there = await joined(game)
    await link(game)
    assert isinstance(await there.say(Link(), ANN_THERE), Accepted)


async def test_shut_out_with_one_account_is_shut_out_with_both(game: Game) -> None:
    there = await joined(game)
    await game.say(Vote(1), BO)
    await game.say(Ban("Bo"))
    code = code_in(await at(game, RoomKey("terminal", "attic", "here")).say(Link("me"), replace(BO, private=True)))
    await there.say(Link(code), CY_THERE)
    assert "shut you out" in why(await there.say(Vote(1), CY_THERE))


async def test_accounts_can_part_again(game: Game) -> None:
    there = await joined(game)
    await link(game)
    assert isinstance(await there.say(Link("off"), ANN_THERE), Accepted)
    assert "Only the host" in why(await there.say(Link(), ANN_THERE))
    assert isinstance(await game.say(Link()), Accepted)


async def test_a_personal_code_is_told_to_nobody_else(game: Game) -> None:
    assert "Others would read" in why(await game.say(Link("me")))


async def test_ones_own_code_changes_nothing(game: Game) -> None:
    alone = replace(ANN, private=True)
    reply = await game.say(Link(code_in(await game.say(Link("me"), alone))), alone)
    assert isinstance(reply, Accepted)
    assert "already" in reply.sentence
