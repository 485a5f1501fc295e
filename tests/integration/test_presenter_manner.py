"""How scenes appear in a room, as its space and the room itself want it."""

import asyncio

import pytest

from storyforge_core.domain.space import Manner, Space
from storyforge_core.domain.story import RoomKey
from tests.stage import HEADING, HERE, Room, present

FIRST, SECOND = "The door was open. Nobody was there.", "Then the lamp went out."


async def tell(room: Room) -> None:
    """A scene of two paragraphs, word by word."""
    run, speech = room.writing()
    for word in f"{FIRST}\n\n{SECOND}".split(" "):
        speech.say(f"{word} ")
        await asyncio.sleep(0.5)
    await room.shows(room.told(run, speech))


def frames(decided: Manner, asked: Manner) -> list[str]:
    """All that the scene's message showed, one after the other."""
    room = Room()

    async def story() -> None:
        room.store.spaces[HERE.realm] = Space(stream=decided)
        room.chat.manners[HERE] = asked
        await room.start()
        await tell(room)

    present(story())
    (message,) = room.chat.messages
    assert room.chat.typed
    return [frame.text for frame in message.frames]


@pytest.mark.parametrize(("decided", "asked"), [("paragraphs", "live"), ("live", "paragraphs")])
def test_scenes_appear_by_whole_paragraphs_where_that_is_wanted(decided: Manner, asked: Manner) -> None:
    *growing, last = frames(decided, asked)
    assert {text.partition("\n\n")[2] for text in growing} == {"", FIRST}
    assert last == f"{HEADING}\n\n{FIRST}\n\n{SECOND}"


@pytest.mark.parametrize(("decided", "asked"), [("off", "live"), ("paragraphs", "off")])
def test_scenes_appear_when_they_are_finished_where_that_is_wanted(decided: Manner, asked: Manner) -> None:
    assert frames(decided, asked) == [f"{HEADING}\n\n{FIRST}\n\n{SECOND}"]


def test_scenes_appear_word_by_word_otherwise() -> None:
    assert len(frames("live", "live")) > len(FIRST.split(" "))


def test_what_another_server_has_decided_counts_there_only() -> None:
    room = Room()

    async def story() -> None:
        room.store.spaces["elsewhere"] = Space(stream="off")
        room.store.bind(RoomKey("chat", "attic", "elsewhere"), room.playthrough)
        await room.start()
        await room.presenter.attend(room.chat, RoomKey("chat", "attic", "elsewhere"))
        await tell(room)
        await room.presenter.settled(RoomKey("chat", "attic", "elsewhere"))

    present(story())
    by_realm = {message.room.realm: len(message.frames) for message in room.chat.messages}
    assert by_realm["elsewhere"] == 1
    assert by_realm[""] > 2


def test_a_program_that_ends_says_nothing_where_scenes_appear_when_they_are_finished() -> None:
    room = Room()

    async def story() -> None:
        room.chat.manners[HERE] = "off"
        await room.start()
        _, speech = room.writing()
        speech.say("The door was open. ")
        await asyncio.sleep(5)
        await room.presenter.aclose()

    present(story())
    assert not room.chat.texts
