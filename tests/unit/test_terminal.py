import asyncio
import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.row import HelpAsked, Problem
from bot.platforms.terminal.keyboard import Pipe
from bot.platforms.terminal.line import Quit, Said, read_line
from bot.platforms.terminal.screen import Screen, ScreenClosed, Tone, open_screen
from bot.platforms.terminal.seat import Seat, taken
from bot.platforms.terminal.surface import TerminalSurface
from bot.platforms.terminal.wrap import Wrapper
from bot.surface import Frame, MessageGone, RoomGone
from bot.wording.columns import wide
from storyforge_core.domain import commands
from storyforge_core.domain.events import Event
from storyforge_core.domain.replies import Repeated, Reply
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import SetupError

ROOM = RoomKey("terminal", "main")


# --- What a line means ---


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", None),
        ("  \t ", None),
        ("2", Said(commands.Vote(2))),
        (" #2. ", Said(commands.Vote(2))),
        ("/story vote 2", Said(commands.Vote(2))),
        ("/vote 2", Said(commands.Vote(2))),
        ("!story undo", Said(commands.Undo())),
        ("/stories", Said(commands.ShowStories())),
        ("open the door", Said(commands.WriteIn("open the door"))),
        ("2 knocks, then silence", Said(commands.WriteIn("2 knocks, then silence"))),
        ("@player2: /story vote 2", Said(commands.Vote(2), "player2")),
        ("@Ann Lee: 2", Said(commands.Vote(2), "Ann Lee")),
        ("@Ann : run: now", Said(commands.WriteIn("run: now"), "Ann")),
        ("\uff20\u827e\uff1a\u5f00\u95e8", Said(commands.WriteIn("\u5f00\u95e8"), "\u827e")),
        ("help", Said(HelpAsked())),
        ("/help vote", Said(HelpAsked("vote"))),
        ("/quit", Quit()),
        ("QUIT", Quit()),
    ],
)
def test_a_line_means_what_a_person_would_think(line: str, said: Said | Quit | None) -> None:
    assert read_line(line) == said


@pytest.mark.parametrize("line", ["@player2 2", "@player2:", "@", "@a: @b: 2", "/xyzzy", "/story vote x", "@a: /quit"])
def test_a_line_that_cannot_be_meant_is_answered(line: str) -> None:
    said = read_line(line)
    assert isinstance(said, Said)
    assert isinstance(said.asked, Problem)


def test_words_without_a_colon_after_a_name_are_not_taken_for_a_choice() -> None:
    said = read_line("@player2 vote 2")
    assert isinstance(said, Said)
    assert said.asked == Problem("To speak for player2, put a colon and their words after the name: @player2: 2")


@given(st.text())
def test_every_line_is_understood_or_answered(line: str) -> None:
    read_line(line)


# --- Wrapping ---


def wrapped(pieces: list[str], width: int | None) -> str:
    wrapper = Wrapper(width)
    return "".join([*(wrapper.feed(piece) for piece in pieces), wrapper.end()])


def test_a_line_breaks_between_words() -> None:
    assert wrapped(["The quick brown fox"], 10) == "The quick\nbrown fox"


def test_a_word_that_arrives_in_pieces_is_not_broken() -> None:
    assert wrapped(["The quick br", "own", " fox"], 10) == "The quick\nbrown fox"


def test_a_word_longer_than_the_screen_is_shown_all_the_same() -> None:
    assert wrapped(["a ", "b" * 25, " c"], 10).replace("\n", "").replace(" ", "") == f"a{'b' * 25}c"


def test_paragraphs_and_indents_stay() -> None:
    assert wrapped(["One.\n\nTwo:\n  - three"], 20) == "One.\n\nTwo:\n  - three"


def test_scripts_without_spaces_break_at_the_screens_edge() -> None:
    assert wrapped(["\u6d77" * 7], 10) == "\u6d77" * 5 + "\n" + "\u6d77" * 2


def test_without_a_width_words_are_shown_as_they_come() -> None:
    assert Wrapper(None).feed("half a wo") == "half a wo"


pieces = st.lists(st.text(st.sampled_from("abc \n\u6d77"), max_size=12), max_size=12)


@given(pieces, st.integers(13, 30))
def test_wrapping_is_the_same_however_the_words_arrive(parts: list[str], width: int) -> None:
    assert wrapped(parts, width) == wrapped(["".join(parts)], width)


@given(st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=8), min_size=1), st.integers(8, 40))
def test_no_line_is_wider_than_the_screen_and_no_word_is_lost(words: list[str], width: int) -> None:
    shown = wrapped([f"{word} " for word in words], width)
    assert max(wide(line.rstrip()) for line in shown.split("\n")) <= width
    assert shown.split() == words


# --- The screen ---


async def test_blocks_have_an_empty_line_between_them() -> None:
    out = io.StringIO()
    screen = Screen(out, width=None, styled=False)
    await screen.say("One.")
    block = await screen.begin("Tw")
    await screen.grow(block, "o.")
    await screen.end(block)
    await screen.say("Three.")
    assert out.getvalue() == "One.\n\nTwo.\n\nThree.\n"


async def test_a_block_that_another_one_came_after_goes_on_below() -> None:
    out = io.StringIO()
    screen = Screen(out, width=None, styled=False)
    block = await screen.begin("One")
    await screen.say("Two.")
    await screen.end(await screen.grow(block, " and a half."))
    assert out.getvalue() == "One\n\nTwo.\n\nand a half.\n"


async def test_what_is_typed_stands_below_what_is_shown_meanwhile() -> None:
    out = io.StringIO()
    screen = Screen(out, width=None, styled=True)
    screen.ask(lambda: "> ope")
    await screen.say("News.")
    assert out.getvalue() == "\r\x1b[KNews.\n\n> ope"


async def test_colours_are_shown_only_where_they_are_understood() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    await Screen(plain, width=None, styled=False).say("hint", Tone.ASIDE)
    await Screen(coloured, width=None, styled=True).say("hint", Tone.ASIDE)
    assert plain.getvalue() == "hint\n"
    assert coloured.getvalue() == "\x1b[2mhint\x1b[0m\n"


async def test_nothing_anybody_wrote_moves_the_cursor() -> None:
    out = io.StringIO()
    await Screen(out, width=None, styled=True).say("a\x1b[2Jb\rc\x9b1md")
    assert out.getvalue() == "a[2Jbc1md\n"


async def test_a_screen_nobody_reads_is_reported() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    out = os.fdopen(writer, "w")
    with pytest.raises(ScreenClosed):
        await Screen(out, width=None, styled=False).say("hello")
    with suppress(BrokenPipeError):
        out.close()


def test_a_pipe_gets_lines_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert open_screen(io.StringIO()).width is None


# --- The surface ---


def surface(out: io.StringIO) -> TerminalSurface:
    return TerminalSurface(Screen(out, width=None, styled=False), lambda: datetime(2026, 1, 1, 12, tzinfo=UTC))


async def test_a_message_grows_in_place() -> None:
    out = io.StringIO()
    terminal = surface(out)
    message = await terminal.post(ROOM, Frame("Once", live=True), uuid4())
    await terminal.edit(ROOM, message, Frame("Once upon", live=True))
    await terminal.edit(ROOM, message, Frame("Once upon a time."))
    assert out.getvalue() == "Once upon a time.\n"


async def test_the_same_message_is_shown_once() -> None:
    out = io.StringIO()
    terminal = surface(out)
    key = uuid4()
    assert await terminal.post(ROOM, Frame("Once."), key) == await terminal.post(ROOM, Frame("Once."), key)
    assert out.getvalue() == "Once.\n"


async def test_a_message_of_another_sitting_is_gone() -> None:
    with pytest.raises(MessageGone):
        await surface(io.StringIO()).edit(ROOM, str(UUID(int=1)), Frame("more"))


async def test_a_closed_screen_is_a_room_that_is_gone() -> None:
    out = io.StringIO()
    out.close()
    with pytest.raises(RoomGone):
        await surface(out).post(ROOM, Frame("hello"), uuid4())


# --- Lines ---


@pytest.fixture
def pipe() -> Iterator[tuple[Pipe, int]]:
    reader, writer = os.pipe()
    yield Pipe(reader), writer
    os.close(reader)


async def test_lines_of_a_pipe_come_one_by_one_until_it_ends(pipe: tuple[Pipe, int]) -> None:
    lines, writer = pipe
    os.write(writer, b"\xef\xbb\xbfone\r\ntw\xffo\n\nlast")
    os.close(writer)
    assert [await lines.next() for _ in range(6)] == ["one", "tw\ufffdo", "", "last", None, None]


async def test_waiting_for_a_line_holds_nobody_up(pipe: tuple[Pipe, int]) -> None:
    lines, writer = pipe
    waiting = asyncio.ensure_future(lines.next())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    os.write(writer, b"here\n")
    assert await waiting == "here"
    os.close(writer)


# --- The seat ---


def test_only_the_person_at_the_keyboard_has_power_over_the_room() -> None:
    seat = Seat("Ann", ROOM)
    assert seat.speaker(None) == commands.Speaker("terminal", "ann", "Ann", moderator=True, private=True)
    assert seat.speaker("ANN").moderator
    assert not seat.speaker("player2").moderator


def test_two_windows_do_not_share_a_room(tmp_path: Path) -> None:
    with taken("Ann", "main", tmp_path):
        with pytest.raises(SetupError, match="--room"), taken("Bo", "main", tmp_path):
            pass
        with taken("Bo", "second", tmp_path) as seat:
            assert seat.room == RoomKey("terminal", "second", "here")
    with taken("Bo", "main", tmp_path):
        pass


# --- What programs read ---


@pytest.mark.parametrize("kind", [*get_args(Event), *(reply for reply in get_args(Reply) if reply is not Repeated)])
def test_the_readme_names_every_json_line_with_its_fields(kind: type[Event | Reply]) -> None:
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text("utf-8").split())
    defaults = {field.name: field.default for field in fields(kind)}
    names = ", ".join(f"`{name}`" for name in defaults if name != "kind")
    assert re.search(rf"`{defaults['kind']}`( and `\w+`)? \({names}\)", readme)
