"""The question below its scene, in one message: asked, counted, decided, taken back, and found again."""

import asyncio
from dataclasses import replace

import pytest

from bot.surface import Frame, MessageOld
from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import BallotDecided, BallotOpened, HeadSet, SceneTold
from storyforge_core.domain.story import Member, RoomKey
from tests.fakes import Chat, ChatMessage, chat_limits
from tests.stage import ANN, BO, HEADING, HERE, Room, ballot, changed, opened, present, scene

PROSE = "The door was open, and behind it lay the sea."
SCENE = f"{HEADING}\n\n{PROSE}"


class Elderly(Chat):
    """Takes no more tallies in a message that is old."""

    def __init__(self) -> None:
        super().__init__(chat_limits(question="inside"))
        self.old: set[str] = set()
        self.stubborn = False
        """It takes no edits at all of an old message."""

    async def edit(self, room: RoomKey, message: str, frame: Frame) -> None:
        if message in self.old and (frame.choices or self.stubborn):
            raise MessageOld("Too old.")
        await super().edit(room, message, frame)


class Told(Room):
    """A room in which a scene can be told that asks something."""

    last: SceneTold

    def votes(self, *votes: tuple[Member, int]) -> Ballot:
        return replace(ballot(*votes), scene=self.last.scene.id)

    async def scene(self, prose: str = PROSE) -> ChatMessage:
        """Tell a scene with its question; answers the message of the scene."""
        await self.start()
        run, speech = self.writing()
        speech.say(prose)
        await asyncio.sleep(2)
        self.last = self.told(run, speech)
        await self.shows(self.last, self.asks())
        return self.chat.messages[0]

    def asks(self) -> BallotOpened:
        return opened(self.votes())


def inside(max_chars: int = 2000) -> Told:
    return Told(Chat(chat_limits(max_chars, question="inside")))


def elderly() -> tuple[Told, Elderly]:
    chat = Elderly()
    return Told(chat), chat


def test_the_last_words_and_the_question_come_in_one_edit() -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        assert room.chat.messages == [message]
        without, whole = message.frames[-2:]
        assert not without.choices
        assert HEADING not in without.text
        assert whole.text.startswith(f"{SCENE}\n\n**What happens next?**")
        assert len(whole.choices) == 2

    present(story())


def test_votes_are_counted_below_the_scene_at_a_calm_pace() -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        before = len(message.frames)
        for number in range(20):
            room.happens(changed(room.votes((ANN, 1 + number % 2))))
            await asyncio.sleep(0.05)
        await room.presenter.settled(HERE)
        assert message.text.startswith(SCENE)
        assert "2. Wait — 1 vote (Ann)" in message.text
        assert len(message.frames) - before <= 3

    present(story())


def test_a_decision_leaves_the_scene_with_a_line_and_no_buttons() -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        asked = room.votes((ANN, 1), (BO, 1))
        await room.shows(changed(asked), BallotDecided(asked, asked.choices[0], (), ""))
        assert message.text == f"{SCENE}\n\n**Decided.** **1. Open the door** wins with 2 of 2 votes."
        assert not message.frames[-1].choices

    present(story())


def test_going_elsewhere_leaves_the_scene_as_it_was_told() -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        await room.shows(HeadSet(scene("Long ago."), "undo", "Ann", None), opened(room.votes(), again=True))
        assert message.text == SCENE
        assert not message.frames[-1].choices
        assert room.chat.messages[-1].frames[-1].choices

    present(story())


@pytest.mark.parametrize("votes", [(), ((BO, 2),)])
def test_the_question_is_found_below_its_scene_after_a_kill(votes: tuple[tuple[Member, int], ...]) -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        await room.kill()
        room.happens(changed(room.votes(*votes)))
        await room.start()
        await room.presenter.settled(HERE)
        assert room.chat.messages == [message]
        assert message.text.startswith(f"{SCENE}\n\n**What happens next?**")
        assert ("1 vote (Bo)" in message.text) == bool(votes)
        decided = room.votes((ANN, 1), (BO, 1))
        await room.shows(BallotDecided(decided, decided.choices[0], (), ""))
        assert message.text.startswith(f"{SCENE}\n\n**Decided.**")

    present(story())


@pytest.mark.parametrize("calls", range(1, 9))
def test_a_kill_between_the_scene_and_its_question_changes_nothing(calls: int) -> None:
    async def story() -> None:
        room = inside()
        await room.start()
        run, speech = room.writing()
        speech.say(PROSE)
        await asyncio.sleep(2)
        room.last = room.told(run, speech)
        room.happens(room.last, room.asks())
        for _ in range(calls * 3):
            await asyncio.sleep(0)
        await room.restart()
        await room.presenter.settled(HERE)
        (message,) = room.chat.messages
        assert message.text.startswith(f"{SCENE}\n\n**What happens next?**")
        assert message.frames[-1].choices

    present(story())


def test_a_deleted_scene_with_its_question_is_posted_again() -> None:
    async def story() -> None:
        room = inside()
        message = await room.scene()
        message.gone = True
        await room.shows(changed(room.votes((ANN, 2))))
        (text,) = room.chat.texts
        assert text.startswith(SCENE)
        assert "1 vote (Ann)" in text

    present(story())


def test_a_question_that_does_not_fit_below_its_scene_has_a_message_of_its_own() -> None:
    async def story() -> None:
        room = inside(400)
        message = await room.scene("So it went on, and on, and on, and on. " * 5)
        assert not message.frames[-1].choices
        assert message.text.endswith("and on.")
        assert room.chat.messages[-1].text.startswith("**What happens next?**")

    present(story())


def test_a_scene_in_several_messages_asks_in_the_last() -> None:
    async def story() -> None:
        room = inside(900)
        await room.scene("So it went on, and on, and on, and on. " * 24)
        *others, last = room.chat.messages
        assert others
        assert not any(message.frames[-1].choices for message in others)
        assert last.frames[-1].choices
        assert last.text.startswith("So it went on")

    present(story())


def test_an_old_message_loses_its_question_to_a_newer_one() -> None:
    async def story() -> None:
        room, chat = elderly()
        message = await room.scene()
        chat.old.add(message.id)
        await room.shows(changed(room.votes((ANN, 2))))
        await asyncio.sleep(2)
        newer = chat.messages[-1]
        assert message.text == SCENE
        assert not message.frames[-1].choices
        assert newer.text.startswith("**What happens next?**")
        assert "1 vote (Ann)" in newer.text
        await room.shows(changed(room.votes((ANN, 2), (BO, 2))))
        assert len(chat.messages) == 2
        assert "2 votes (Ann, Bo)" in newer.text

    present(story())


def test_a_question_that_has_moved_is_found_again_and_moves_on_when_that_is_old_too() -> None:
    async def story() -> None:
        room, chat = elderly()
        message = await room.scene()
        for votes in (((ANN, 2),), ((ANN, 1),), ((BO, 1),)):
            chat.old |= {each.id for each in chat.messages}
            await room.shows(changed(room.votes(*votes)))
            await room.restart()
            await room.presenter.settled(HERE)
        first, second, third, fourth = chat.messages
        assert first is message
        assert first.text == SCENE
        assert second.text == third.text == "*The question goes on further down.*"
        assert "1 vote (Bo)" in fourth.text

    present(story())


def test_a_message_too_old_for_any_edit_holds_nothing_up() -> None:
    async def story() -> None:
        room, chat = elderly()
        chat.stubborn = True
        message = await room.scene()
        chat.old.add(message.id)
        await room.shows(changed(room.votes((ANN, 2))))
        decided = room.votes((ANN, 1), (BO, 1))
        chat.old.add(chat.messages[-1].id)
        await room.shows(BallotDecided(decided, decided.choices[0], (), ""))
        assert message.text.startswith(SCENE)
        assert not await room.ledger.unfinished(room.store.rooms[HERE].id)

    present(story())
