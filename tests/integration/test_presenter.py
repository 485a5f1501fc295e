"""What people in a room are shown of a story's events: in order, once, whatever goes wrong."""

import asyncio
from itertools import pairwise
from uuid import uuid4

import pytest

from bot.surface import RoomGone, SurfaceDown
from storyforge_core.domain.events import (
    BallotDecided,
    BallotWaits,
    HeadSet,
    Noted,
    StoryBegan,
    StoryOpened,
)
from storyforge_core.domain.story import (
    PlaythroughId,
)
from tests.fakes import Chat, chat_limits
from tests.stage import ANN, BO, HEADING, HERE, THERE, Room, ballot, changed, opened, present, scene


def test_a_message_whose_answer_was_lost_is_not_posted_twice() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.chat.lost_answers = 1
        room.happens(Noted("Ann joined."))
        await asyncio.sleep(1)
        await room.restart()
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["Ann joined."]

    present(story())


def test_events_are_shown_once_across_restarts() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(StoryBegan("Salt", "A lighthouse keeper", "Ann"), Noted("Ann joined."))
        await room.restart()
        await room.shows(Noted("Bo joined."))
        assert room.chat.texts[1:] == ["Ann joined.", "Bo joined."]

    present(story())


def test_a_deleted_message_is_replaced() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.messages[0].gone = True
        speech.say("was open.")
        await room.shows(room.told(run, speech))
        assert room.chat.texts == [f"{HEADING}\n\nThe door was open."]

    present(story())


def test_a_request_without_an_answer_is_given_up_and_repeated() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.chat.lost_answers = 2
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]

    present(story())


def test_a_dead_room_does_not_hold_up_another() -> None:
    async def story() -> None:
        room = Room()
        room.store.bind(THERE, room.playthrough)
        room.chat.closed.add(THERE)
        await room.presenter.attend(room.chat, THERE)
        await room.start()
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]
        with pytest.raises(RoomGone):
            await room.presenter.settled(THERE)

    present(story())


def test_a_platform_that_is_away_does_not_hold_up_another_room() -> None:
    async def story() -> None:
        room = Room()
        room.store.bind(THERE, room.playthrough)
        broken = Chat(chat_limits())
        broken.failures.extend([SurfaceDown("away")] * 10_000)
        await room.presenter.attend(broken, THERE)
        await room.start()
        await room.shows(Noted("Ann joined."))
        assert room.chat.texts == ["Ann joined."]
        await room.presenter.aclose()

    present(story())


def test_twenty_votes_in_a_second_are_one_card_and_few_edits() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        for number in range(20):
            room.happens(changed(ballot((ANN, 1 + number % 2))))
            await asyncio.sleep(0.05)
        await room.presenter.settled(HERE)
        (card,) = room.chat.messages
        assert "2. Wait — 1 vote (Ann)" in card.text
        assert len(card.frames) <= 4

    present(story())


def test_card_edits_are_at_least_a_second_and_a_half_apart() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        for number in range(30):
            await asyncio.sleep(0.3)
            room.happens(changed(ballot((ANN, 1 + number % 2))))
        await room.presenter.settled(HERE)
        times = [when for when, _, _ in room.chat.when]
        assert len(times) > 4
        assert min(late - early for early, late in pairwise(times)) > 1.49

    present(story())


def test_a_decided_ballot_loses_its_buttons_and_names_the_winner() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        asked = ballot((ANN, 1), (BO, 1))
        await room.shows(opened(ballot()))
        assert len(room.chat.messages[0].frames[-1].choices) == 2
        await room.shows(BallotDecided(asked, asked.choices[0], (), ""))
        last = room.chat.messages[0].frames[-1]
        assert not last.choices
        assert "**1. Open the door** wins with 2 of 2 votes." in last.text

    present(story())


def test_a_card_is_kept_up_to_date_across_a_kill() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        room.happens(changed(ballot((BO, 2))))
        await asyncio.sleep(0)
        await room.restart()
        await room.presenter.settled(HERE)
        (card,) = room.chat.messages
        assert "2. Wait — 1 vote (Bo)" in card.text

    present(story())


def test_the_question_is_taken_back_when_the_group_moves_on() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(opened(ballot()))
        await room.shows(HeadSet(scene("Long ago."), "branch", "Ann", None), opened(ballot(), again=True))
        assert "No longer asked" in room.chat.texts[0]
        assert "Waiting for Ann and Bo." in room.chat.texts[-1]
        assert room.chat.messages[-1].frames[-1].choices

    present(story())


def test_where_nothing_can_be_edited_votes_are_lines_and_a_decision_follows() -> None:
    async def story() -> None:
        room = Room(Chat(chat_limits(None, edits="append", markup="plain")))
        await room.start()
        await room.shows(opened(ballot()))
        await room.shows(changed(ballot((ANN, 1))))
        decided = ballot((ANN, 1), (BO, 1))
        await room.shows(changed(decided), BallotDecided(decided, decided.choices[0], (), ""))
        assert room.chat.texts[1:] == ["1 has 1 vote. Waiting for Bo.", "1. Open the door wins with 2 of 2 votes."]

    present(story())


def test_a_room_that_opens_an_old_story_is_not_told_all_of_it_again() -> None:
    async def story() -> None:
        room = Room()
        room.happens(StoryBegan("Salt", "A keeper", "Ann"), Noted("Long ago."), StoryOpened("Salt", scene("The end.")))
        await room.start()
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["**Salt** is open here, at 1 · The cold door.\nThe end."]

    present(story())


def test_a_room_that_changes_to_another_story_leaves_the_old_one() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        await room.shows(Noted("Ann joined."))
        other = PlaythroughId(uuid4())
        room.store.bind(HERE, other)
        room.store.tell(other, StoryBegan("Pepper", "A cook", "Bo"))
        await room.presenter.attend(room.chat, HERE)
        room.happens(Noted("Nobody reads this here."))
        await room.presenter.settled(HERE)
        assert room.chat.texts == ["Ann joined.", "**Pepper**\nA cook\n*Begun by Bo.*"]

    present(story())


def test_a_database_that_is_away_for_a_while_doubles_nothing() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        room.ledger.outages = 5
        await room.shows(Noted("Ann joined."), Noted("Bo joined."))
        assert room.chat.texts == ["Ann joined.", "Bo joined."]
        assert not room.ledger.outages

    present(story())


def test_a_room_that_closes_while_a_scene_is_written_ends_its_presentation() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        run, speech = room.writing()
        speech.say("The door ")
        await asyncio.sleep(2)
        room.chat.closed.add(HERE)
        room.happens(room.told(run, speech))
        with pytest.raises(RoomGone):
            await room.presenter.settled(HERE)

    present(story())


def test_a_host_is_called_when_only_they_can_decide() -> None:
    async def story() -> None:
        room = Room()
        await room.start()
        tied = ballot((ANN, 1), (BO, 2))
        await room.shows(opened(tied), BallotWaits(tied, tuple(choice.id for choice in tied.choices)))
        assert room.chat.texts[-1] == "A tie between 1 and 2. The host decides: /story close 1 or /story close 2."

    present(story())
