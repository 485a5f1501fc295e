"""A story as its players see it: begun, voted on, written on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.commands import (
    Ban,
    ChangeRules,
    CloseBallot,
    ContinueStory,
    Direct,
    Join,
    Leave,
    NewStory,
    SetTitle,
    Speaker,
    Unvote,
    Vote,
    WriteIn,
)
from storyforge_core.domain.events import (
    BallotChanged,
    BallotDecided,
    BallotOpened,
    BallotWaits,
    SceneTold,
    StoryBegan,
    WritingQueued,
)
from storyforge_core.domain.replies import Accepted, Declined, Repeated
from storyforge_core.domain.story import Rules
from storyforge_core.store.database import Database
from tests.fakes import NOON
from tests.game import ANN, BO, CY, Game, game, until

PREMISE = "A lighthouse keeper finds a door in the sea"


@pytest.fixture
async def alone(database: Database) -> AsyncIterator[Game]:
    """Ann has begun a story; the opening is told."""
    async with game(database) as played:
        await played.play(NewStory(PREMISE))
        yield played


async def ballot(played: Game) -> Ballot:
    found = (await played.status()).ballot
    assert found is not None
    return found


async def test_a_new_story_tells_an_opening_and_asks(alone: Game) -> None:
    kinds = [type(event) for event in await alone.events()]
    assert kinds == [StoryBegan, WritingQueued, SceneTold, BallotOpened]
    opening = (await alone.scenes())[0]
    assert (opening.number, opening.depth, opening.take, opening.parent) == (1, 0, 1, None)
    assert opening.prose.startswith("s1w1 s1w2")
    assert [choice.text for choice in (await ballot(alone)).choices] == [
        "Choice 1 of 1",
        "Choice 2 of 1",
        "Choice 3 of 1",
    ]


async def test_alone_a_vote_is_the_decision(alone: Game) -> None:
    await alone.play(Vote(2))
    second = (await alone.scenes())[1]
    assert (second.number, second.depth) == (2, 1)
    assert alone.writer.tellings[-1].brief.chosen == "Choice 2 of 1"
    decided = [event for event in await alone.events() if isinstance(event, BallotDecided)]
    assert decided[0].winner.text == "Choice 2 of 1"


async def test_a_sign_that_is_taken_back_takes_its_vote_along(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(2, given=NOON))
    assert (await ballot(alone)).votes[0].at == NOON
    await alone.say(Unvote(NOON))
    assert (await ballot(alone)).votes == ()
    await alone.play(Vote(1), BO)
    assert (await ballot(alone)).status == "open", "Ann is waited for again"


async def test_a_sign_that_is_taken_back_leaves_a_later_vote_alone(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(2, given=NOON))
    await alone.say(Vote(3))
    await alone.say(Unvote(NOON))
    (vote,) = (await ballot(alone)).votes
    assert vote.choice == (await ballot(alone)).choices[2].id


async def test_a_sign_that_is_found_late_changes_no_newer_vote(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(2, given=NOON))
    await alone.say(Vote(3, given=NOON - timedelta(seconds=1)))
    assert (await ballot(alone)).votes[0].choice == (await ballot(alone)).choices[1].id
    await alone.say(Vote(2, given=NOON + timedelta(seconds=1)))
    await alone.say(Unvote(NOON))
    assert len((await ballot(alone)).votes) == 1, "the same was said once more since"


async def test_a_ballot_waits_for_everybody_who_joined(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(1))
    assert (await ballot(alone)).status == "open"
    await alone.play(Vote(1), BO)
    assert len(await alone.scenes()) == 2


async def test_whoever_votes_has_joined(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(1), CY)
    assert {member.name for member in (await alone.status()).members} == {"Ann", "Bo", "Cy"}


async def test_the_newest_vote_of_a_player_counts(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(1))
    await alone.say(Vote(3))
    votes = (await ballot(alone)).votes
    assert len(votes) == 1
    assert votes[0].choice == (await ballot(alone)).choices[2].id


async def test_a_quorum_closes_a_ballot(database: Database) -> None:
    async with game(database, rules=Rules(quorum=2)) as played:
        await played.play(NewStory(PREMISE))
        await played.say(Join(), BO)
        await played.say(Join(), CY)
        await played.say(Vote(1))
        await played.play(Vote(1), BO)
        assert len(await played.scenes()) == 2


async def test_a_write_in_is_taken_at_once_when_alone(alone: Game) -> None:
    await alone.play(WriteIn("I pour tea for the ghost"))
    assert alone.writer.tellings[-1].brief.chosen == "I pour tea for the ghost"


async def test_a_write_in_joins_the_choices_in_a_group(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(WriteIn("Dive"), BO)
    assert (await ballot(alone)).choices[-1].text == "Dive"
    changed = [event for event in await alone.events() if isinstance(event, BallotChanged)][-1]
    assert changed.added is not None
    assert changed.by == "Bo"


async def test_the_same_write_in_twice_is_a_vote(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Join(), CY)
    await alone.say(WriteIn("Dive"), BO)
    await alone.say(WriteIn("  DIVE "), CY)
    assert len((await ballot(alone)).choices) == 4
    assert len((await ballot(alone)).votes) == 2


async def test_only_a_host_closes_a_ballot_of_several(alone: Game) -> None:
    await alone.say(Vote(2), BO)
    reply = await alone.say(CloseBallot(), BO)
    assert isinstance(reply, Declined)
    assert "Ann" in reply.sentence
    await alone.play(CloseBallot())
    assert alone.writer.tellings[-1].brief.chosen == "Choice 2 of 1"


async def test_a_host_may_name_the_winner(alone: Game) -> None:
    await alone.say(Vote(2), BO)
    await alone.play(CloseBallot(3))
    assert alone.writer.tellings[-1].brief.chosen == "Choice 3 of 1"
    decided = [event for event in await alone.events() if isinstance(event, BallotDecided)][-1]
    assert decided.by == "Ann"


async def test_a_tie_left_to_the_host_waits(database: Database) -> None:
    async with game(database, rules=Rules(tie="host")) as played:
        await played.play(NewStory(PREMISE))
        await played.say(Join(), BO)
        await played.say(Vote(1))
        await played.say(Vote(2), BO)
        waits = [event for event in await played.events() if isinstance(event, BallotWaits)]
        assert len(waits[0].tied) == 2
        await played.play(CloseBallot(2))
        assert len(await played.scenes()) == 2


async def test_when_the_missing_player_leaves_the_ballot_is_complete(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(1))
    await alone.play(Leave(), BO)
    assert len(await alone.scenes()) == 2


async def test_a_banned_player_is_shut_out(alone: Game) -> None:
    await alone.say(Join(), BO)
    assert isinstance(await alone.say(Ban("bo")), Accepted)
    assert isinstance(await alone.say(Vote(1), BO), Declined)
    await alone.say(Ban("bo", lift=True))
    assert isinstance(await alone.say(Vote(1), BO), Accepted)


async def test_the_deadline_decides(database: Database) -> None:
    async with game(database, rules=Rules(deadline=1)) as played:
        await played.play(NewStory(PREMISE))
        await played.say(Join(), BO)
        await played.say(Vote(2), BO)

        async def decided() -> bool:
            return len(await played.scenes()) == 2

        await until(decided)
        assert played.writer.tellings[1].brief.chosen == "Choice 2 of 1"


async def test_a_deadline_without_votes_leaves_the_question_open(database: Database) -> None:
    async with game(database, rules=Rules(deadline=1)) as played:
        await played.play(NewStory(PREMISE))

        async def waits() -> bool:
            return any(isinstance(event, BallotWaits) for event in await played.events())

        await until(waits)
        assert (await ballot(played)).status == "open"


async def test_a_message_that_arrives_twice_counts_once(alone: Game) -> None:
    await alone.say(Join(), BO)
    await alone.say(Vote(1), BO, event="same")
    before = len(await alone.events())
    assert isinstance(await alone.say(Vote(2), BO, event="same"), Repeated)
    assert len(await alone.events()) == before


async def test_twenty_players_vote_within_a_second(alone: Game) -> None:
    crowd = [Speaker("terminal", f"p{number}", f"P{number}") for number in range(20)]
    for speaker in crowd:
        await alone.say(Join(), speaker)
    await asyncio.gather(*(alone.say(Vote(1 + number % 2), speaker) for number, speaker in enumerate(crowd)))
    votes = (await ballot(alone)).votes
    assert len({vote.player for vote in votes}) == 20
    await alone.play(Vote(2))
    assert alone.writer.tellings[-1].brief.chosen == "Choice 2 of 1"


async def test_while_a_scene_is_written_votes_and_orders_are_declined(alone: Game) -> None:
    alone.writer.gate.clear()
    await alone.say(Vote(1))
    for command in (Vote(1), ContinueStory(), NewStory("x")):
        reply = await alone.say(command)
        assert isinstance(reply, Declined)
        assert "being written" in reply.sentence
    alone.writer.gate.set()
    await alone.quiet()
    assert len(await alone.scenes()) == 2


async def test_the_note_and_the_hint_reach_the_writer(alone: Game) -> None:
    await alone.say(Direct("slow and eerie"))
    await alone.play(ContinueStory("it rains"))
    brief = alone.writer.tellings[-1].brief
    assert (brief.note, brief.hint, brief.chosen) == ("slow and eerie", "it rains", "")


async def test_settings_are_checked_in_words(alone: Game) -> None:
    reply = await alone.say(ChangeRules("words", "three"))
    assert isinstance(reply, Declined)
    assert "50 to 1000" in reply.sentence
    await alone.say(ChangeRules("choices", "5"))
    await alone.play(Vote(1))
    assert len((await ballot(alone)).choices) == 5


async def test_others_may_not_change_the_title(alone: Game) -> None:
    await alone.say(Join(), BO)
    assert isinstance(await alone.say(SetTitle("Mine"), BO), Declined)
    await alone.say(SetTitle("The Door"))
    assert (await alone.status()).story.title == "The Door"


async def test_a_room_without_a_story_says_how_to_begin(database: Database) -> None:
    async with game(database) as played:
        reply = await played.say(Vote(1), ANN)
        assert isinstance(reply, Declined)
        assert "/story new" in reply.sentence
