"""`storyforge serve` as its owner starts it, on a real homeserver with real people."""

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.peers.matrix_people import Human, Seen, people
from tests.peers.synapse import PASSWORD, Session, Synapse
from tests.program import PATIENCE, Comfy, Home, Ollama, Program, numbered

Meet = Callable[[str], Awaitable[Human]]
PREMISE = "A door in the sea"
QUESTION = "What happens next?"
KEYCAP = "\N{COMBINING ENCLOSING KEYCAP}"


@pytest.fixture
def bot(homeserver: Synapse) -> Session:
    return homeserver.register("forge")


@pytest.fixture
def house(guest: Home, homeserver: Synapse, bot: Session) -> Home:
    """A home whose stories are told on Matrix, to whoever invites the bot."""
    account = {"MATRIX_HOMESERVER": homeserver.url, "MATRIX_USER_ID": bot.user, "MATRIX_PASSWORD": PASSWORD}
    lifted = {"MATRIX_ALLOWED_USERS": "@ann-*:localhost", "MATRIX_RATE_LIMIT": "none"}
    return replace(guest, settings={**guest.settings, **account, **lifted})


@contextmanager
def serving(house: Home, **settings: str) -> Iterator[Program]:
    """The program, connected."""
    with house.starts("serve", **settings) as program:
        program.prints("Matrix: invite")
        yield program


@pytest.fixture
async def meet(homeserver: Synapse) -> AsyncGenerator[Meet]:
    async with people(homeserver) as acquainted:
        yield acquainted


async def asked(human: Human, room: str) -> Seen:
    """Wait for an open question that has all its numbers under it."""

    def cards() -> list[Seen]:
        return [seen for seen in human.messages(room) if QUESTION in seen.text and has_numbers(human, room, seen)]

    await human.until(lambda: bool(cards()))
    return cards()[-1]


def pictures(human: Human, room: str) -> list[dict[str, Any]]:
    contents = [event["content"] for event in human.events[room]]
    return [content for content in contents if content.get("msgtype") == "m.image"]


def has_numbers(human: Human, room: str, card: Seen) -> bool:
    return len({each["content"]["m.relates_to"]["key"] for each in human.reactions(room, card.id)}) >= 3


async def test_friends_play_from_the_invitation_to_the_second_scene(
    house: Home, bot: Session, meet: Meet, ollama: Ollama
) -> None:
    ollama.plays(tellings=[numbered("a", 60), numbered("b", 20)], rate=50)
    with Comfy() as comfy, serving(house, COMFYUI_HOST=comfy.url) as program:
        ann, bo = await meet("ann"), await meet("bo")
        room = await ann.opens(bot.user, bo.id)
        await bo.joins(room)
        await ann.meets(room, bot.user)
        await ann.says(room, f"!story new {PREMISE}")
        card = await asked(bo, room)
        scene = await ann.reads(room, "a60.")
        await ann.until(lambda: bool(pictures(ann, room)))
        picture = pictures(ann, room)[0]
        assert picture["m.relates_to"]["event_id"] == card.thread
        painted = await ann.downloads(picture)
        assert painted.startswith(b"\x89PNG")
        assert b"prompt" not in painted, "what ComfyUI writes into its files is gone"
        assert scene.thread == card.thread
        assert scene.edits > 2
        await bo.says(room, "!story join", thread=card.thread)
        await ann.reads(room, "Bo joins")
        await bo.reacts(room, card.id, f"2{KEYCAP}")
        await ann.reads(room, "(Bo)")
        await ann.says(room, "/story vote 2", thread=card.thread)
        await ann.reads(room, "wins with 2 of 2 votes")
        await ann.reads(room, "b20.")
        await asked(ann, room)
        await ann.until(lambda: len(pictures(ann, room)) == 2)
        house.waits_for("SELECT FROM run WHERE kind = 'picture' AND status = 'done' HAVING count(*) = 2")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 0
    house.is_whole(2)


async def test_friends_play_on_through_kills(house: Home, bot: Session, meet: Meet, ollama: Ollama) -> None:
    ollama.plays(tellings=[numbered("a", 120), f" {numbered('b', 20)}", numbered("c", 20)], rate=40)
    ann, bo = await meet("ann"), await meet("bo")
    room = await ann.opens(bot.user, bo.id, sealed=True)
    await bo.joins(room)
    with serving(house, VOTE_DEADLINE="6") as program:
        await ann.meets(room, bot.user)
        await ann.says(room, f"!story new {PREMISE}")
        await ann.reads(room, "a30 ")
        program.dies()  # in mid-scene
    with serving(house, VOTE_DEADLINE="6") as program:
        card = await asked(ann, room)
        await bo.says(room, "!story join", thread=card.thread)
        await ann.reads(room, "Bo joins")
        changed = await ann.reacts(room, card.id, f"1{KEYCAP}")
        await ann.reads(room, "(Ann)")
        await ann.says(room, "!story direct keep it slow", thread=card.thread)
        program.dies()  # in mid-ballot, and in the middle of hearing that
    await ann.withdraws(room, changed)
    await ann.reacts(room, card.id, f"3{KEYCAP}")
    with serving(house, VOTE_DEADLINE="6"):
        await ann.reads(room, "wins with 1 of 1 vote")  # as the deadline finds it: Bo never votes
        await ann.reads(room, "c20.")
        await asked(ann, room)
        house.is_whole(2)
        assert house.asks("SELECT count(*) FROM change WHERE command = 'direct'") == [(1,)]
        assert house.asks("SELECT * FROM letter") == []
    told = [seen.text for seen in ann.messages(room) if "a1 " in seen.text]
    assert len(told) == 1
    assert "a30 " in told[0]
    assert "b20." in told[0]
    assert "3. " in (await ann.reads(room, "wins with 1 of 1 vote")).text.split("Decided.")[-1]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"MATRIX_PASSWORD": "wrong"}, "does not let @forge-"),
        ({"MATRIX_ACCESS_TOKEN": "wrong"}, "does not accept MATRIX_ACCESS_TOKEN"),
        ({"MATRIX_HOMESERVER": "{url}/health"}, "is no Matrix homeserver"),
        ({"MATRIX_PASSWORD": ""}, "Set MATRIX_PASSWORD, the password of @forge-"),
        ({"MATRIX_HOMESERVER": ""}, "Set MATRIX_HOMESERVER"),
    ],
)
def test_what_is_set_wrongly_ends_the_program_with_a_sentence(
    house: Home, homeserver: Synapse, wrong: dict[str, str], sentence: str
) -> None:
    given = {name: value.format(url=homeserver.url) for name, value in wrong.items()}
    with house.starts("serve", STORYTELLER="offline", **given) as program:
        assert program.process.wait(PATIENCE) == 78
        assert sentence in program.errors
        assert "wrong" not in program.errors


def test_two_programs_do_not_use_one_session(house: Home) -> None:
    with serving(house), house.starts("serve") as second:
        assert second.process.wait(PATIENCE) == 78
        assert "StoryForge is running already as @forge-" in second.errors
