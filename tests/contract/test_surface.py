"""What the presenter relies on, asked of every surface alike."""

import io
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import discord
import pytest

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import Link, aim
from bot.platforms.discord.surface import DiscordSurface
from bot.platforms.terminal.screen import Screen
from bot.platforms.terminal.surface import TerminalSurface
from bot.surface import File, Frame, MessageGone, Surface
from storyforge_core.domain.story import Choice, ChoiceId, RoomKey, SceneId
from tests.fakes import NOON, Chat, chat_limits
from tests.matrix_room import matrix_room
from tests.peers.discord.peer import DiscordPeer
from tests.peers.synapse import Synapse

CHOICES = tuple(
    Choice(id=ChoiceId(UUID(int=place)), scene=SceneId(UUID(int=9)), position=place, text=f"Choice {place}")
    for place in (1, 2, 3)
)


@dataclass(frozen=True)
class Subject:
    """A surface under test, and what people see on it."""

    surface: Surface
    seen: Callable[[], Awaitable[str]]
    room: RoomKey


def at_once(seen: Callable[[], str]) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        return seen()

    return look


@asynccontextmanager
async def chat(max_chars: int, **limits: str) -> AsyncGenerator[Subject]:
    surface = Chat(chat_limits(max_chars, **limits))
    yield Subject(surface, at_once(lambda: "\n".join(surface.texts)), RoomKey(surface.name, "cellar"))


@asynccontextmanager
async def on_matrix(homeserver: Synapse, *, sealed: bool) -> AsyncGenerator[Subject]:
    async with matrix_room(homeserver, sealed=sealed, thread=True) as room:
        yield Subject(room.surface, room.seen, room.key)


@asynccontextmanager
async def terminal() -> AsyncGenerator[Subject]:
    out = io.StringIO()
    surface = TerminalSurface(Screen(out, width=None, styled=False), lambda: NOON)
    yield Subject(surface, at_once(out.getvalue), RoomKey(surface.name, "main"))


@asynccontextmanager
async def on_discord() -> AsyncGenerator[Subject]:
    async with DiscordPeer(window=0) as peer:
        aim(peer.api_base, peer.gateway_url)
        friends = peer.guild("Friends")
        channel = friends.text("cellar")
        link = Link()
        board = Board(link)
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(peer.token)
            link.connect(client)
            surface = DiscordSurface(link, board)
            yield Subject(
                surface, at_once(lambda: channel.shown), RoomKey(surface.name, str(channel.id), str(friends.id))
            )
            board.close()


Setting = Callable[[], AbstractAsyncContextManager[Subject]]
MATRIX = (pytest.param(False, id="Matrix"), pytest.param(True, id="Matrix, encrypted"))
EDITABLE = (
    pytest.param(lambda: chat(100), id="chat of 100"),
    pytest.param(lambda: chat(2000), id="chat of 2000"),
    pytest.param(terminal, id="terminal"),
    pytest.param(on_discord, id="Discord"),
    *MATRIX,
)
SURFACES = (*EDITABLE, pytest.param(lambda: chat(2000, edits="none", markup="plain"), id="chat without edits"))


def setting(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Subject]:
    """Whatever the test is about; the homeserver is started only for those who need it."""
    if isinstance(request.param, bool):
        return on_matrix(request.getfixturevalue("homeserver"), sealed=request.param)
    made: Setting = request.param
    return made()


@pytest.fixture(params=SURFACES)
async def subject(request: pytest.FixtureRequest) -> AsyncGenerator[Subject]:
    async with setting(request) as made:
        yield made


@pytest.fixture(params=EDITABLE)
async def editable(request: pytest.FixtureRequest) -> AsyncGenerator[Subject]:
    async with setting(request) as made:
        yield made


async def post(subject: Subject, text: str, key: UUID | None = None) -> str:
    return await subject.surface.post(subject.room, Frame(text), key or uuid4())


async def test_what_is_posted_is_seen(subject: Subject) -> None:
    await post(subject, "The door was open.")
    assert "The door was open." in await subject.seen()


async def test_messages_are_told_apart(subject: Subject) -> None:
    assert await post(subject, "One.") != await post(subject, "Two.")


async def test_the_same_key_again_is_the_same_message(subject: Subject) -> None:
    key = uuid4()
    assert await post(subject, "Only once.", key) == await post(subject, "Only once.", key)
    assert (await subject.seen()).count("Only once.") == 1


async def test_messages_stay_in_order(subject: Subject) -> None:
    for text in ("First.", "Second.", "Third."):
        await post(subject, text)
    seen = await subject.seen()
    assert seen.index("First.") < seen.index("Second.") < seen.index("Third.")


async def test_a_message_of_the_greatest_length_is_taken(subject: Subject) -> None:
    text = "ab" * ((subject.surface.limits.max_chars or 20_000) // 2)
    await post(subject, text)
    assert text in (await subject.seen()).replace("\n", "")


async def test_a_message_grows(editable: Subject) -> None:
    message = await editable.surface.post(editable.room, Frame("The door", live=True), uuid4())
    await editable.surface.edit(editable.room, message, Frame("The door was", live=True))
    await editable.surface.edit(editable.room, message, Frame("The door was open."))
    assert (await editable.seen()).count("The door was open.") == 1
    assert (await editable.seen()).count("The door") == 1


async def test_a_message_grows_in_spite_of_another_below_it(editable: Subject) -> None:
    message = await editable.surface.post(editable.room, Frame("The door", live=True), uuid4())
    await post(editable, "Ann joined.")
    await editable.surface.edit(editable.room, message, Frame("The door was open."))
    assert "was open." in await editable.seen()


async def test_the_same_text_again_changes_nothing(editable: Subject) -> None:
    message = await editable.surface.post(editable.room, Frame("The door", live=True), uuid4())
    await editable.surface.edit(editable.room, message, Frame("The door"))
    assert (await editable.seen()).count("The door") == 1


async def test_a_message_that_is_not_there_is_gone(editable: Subject) -> None:
    with pytest.raises(MessageGone):
        await editable.surface.edit(editable.room, "no such message", Frame("Hello?"))


async def test_choices_do_not_disturb_the_text(subject: Subject) -> None:
    offered = CHOICES[: subject.surface.limits.max_choices]
    await subject.surface.post(subject.room, Frame("What happens next?", choices=offered), uuid4())
    assert "What happens next?" in await subject.seen()


async def test_a_file_is_hung_under_a_message(subject: Subject) -> None:
    message = await post(subject, "The door was open.")
    await subject.surface.attach(subject.room, message, File("door.png", b"\x89PNG", "A door in the sea."))
    assert "The door was open." in await subject.seen()


async def test_the_same_file_again_is_known_by_the_same_id(subject: Subject) -> None:
    message = await post(subject, "The door was open.")
    file = File("door.png", b"\x89PNG", "A door in the sea.")
    first = await subject.surface.attach(subject.room, message, file)
    assert await subject.surface.attach(subject.room, message, file) == first


async def test_a_file_is_taken_away_again_and_the_words_stay(subject: Subject) -> None:
    message = await post(subject, "The door was open.")
    hung = await subject.surface.attach(subject.room, message, File("door.png", b"\x89PNG", "A door in the sea."))
    await subject.surface.detach(subject.room, hung)
    assert "The door was open." in await subject.seen()


async def test_the_typing_sign_leaves_no_message(subject: Subject) -> None:
    await subject.surface.typing(subject.room)
    assert not await subject.seen()


def test_limits_leave_the_presenter_room_to_work(subject: Subject) -> None:
    limits = subject.surface.limits
    assert limits.max_chars is None or limits.max_chars >= 100
    assert limits.edits != "append" or limits.max_chars is None
    assert limits.pace.burst >= 1
    assert 0 <= limits.pace.min_gap <= limits.pace.first_gap


async def test_an_allowance_makes_sense_if_there_is_one(subject: Subject) -> None:
    left = subject.surface.allowance(subject.room)
    assert left is None or (left.remaining >= 0 and left.reset_in >= 0)


def test_a_time_is_said_in_a_line(subject: Subject) -> None:
    moment = subject.surface.moment(NOON + timedelta(minutes=5))
    assert moment.strip()
    assert "\n" not in moment
