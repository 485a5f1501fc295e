import asyncio
import io
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.compose import House, alongside, furnish
from bot.platforms.terminal.json_lines import JsonLines
from bot.platforms.terminal.keyboard import PROMPT
from bot.platforms.terminal.loop import Play
from bot.platforms.terminal.prose import Prose
from bot.platforms.terminal.screen import Screen
from bot.platforms.terminal.seat import Seat
from bot.platforms.terminal.show import Show
from bot.platforms.terminal.surface import TerminalSurface
from bot.presenter.presenter import Presenter
from storyforge_core.domain.commands import Incoming, Vote
from storyforge_core.domain.replies import Accepted
from storyforge_core.domain.story import RoomKey
from storyforge_core.engine.cast import Cast
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from tests.game import ScriptedWriter

ANN = Seat("Ann", RoomKey("terminal", "main", "here"))
BO = Seat("Bo", RoomKey("terminal", "second", "here"))


class Script:
    """Lines as if from a pipe, shown as they come; a function among them is called between two lines."""

    typed = False

    def __init__(self, screen: Screen, *lines: str | Callable[[], object]) -> None:
        self._screen = screen
        self._lines = list(lines)

    async def next(self) -> str | None:
        while self._lines:
            line = self._lines.pop(0)
            if isinstance(line, str):
                await self._screen.say(PROMPT + line)
                return line
            answer = line()
            if asyncio.iscoroutine(answer):
                await answer
        return None


class Terminal:
    """The whole program behind a terminal, without the terminal."""

    def __init__(self, house: House, writer: ScriptedWriter) -> None:
        self.house = house
        self.writer = writer

    async def plays(self, *lines: str | Callable[[], object], seat: Seat = ANN) -> str:
        """Play lines as prose; answer what the screen shows."""
        out = io.StringIO()
        screen = Screen(out, width=None, styled=False)
        surface = TerminalSurface(screen, lambda: datetime.now(UTC))
        presenter = Presenter(self.house.store, self.house.ledger, self.house.bus, self.house.gallery)
        self.house.bus.on_events(presenter.wake)
        await self._play(seat, Prose(screen, surface, presenter), Script(screen, *lines))
        await presenter.aclose()
        return out.getvalue()

    async def plays_json(self, *lines: str, seat: Seat = ANN) -> list[dict[str, Any]]:
        """Play lines as JSON; answer the objects."""
        out = io.StringIO()
        show = JsonLines(Screen(out, width=None, styled=False), self.house.store, self.house.ledger, self.house.bus)
        self.house.bus.on_events(show.wake)
        async with alongside(show.run()):
            await self._play(seat, show, Script(Screen(io.StringIO(), width=None, styled=False), *lines))
        return [json.loads(line) for line in out.getvalue().splitlines()]

    async def _play(self, seat: Seat, show: Show, lines: Script) -> None:
        async with asyncio.timeout(30):
            await Play(seat, self.house.door, self.house.store, show, lines, self.house.clock).run()


@asynccontextmanager
async def program(database: Database, directory: Path) -> AsyncGenerator[Terminal]:
    writer = ScriptedWriter()
    house = furnish(Settings(data_dir=directory), database, Cast.alone(writer), OfflineEmbedder())
    async with alongside(house.bus.listen(), house.worker.work()):
        yield Terminal(house, writer)


@pytest.fixture
async def terminal(database: Database, tmp_path: Path) -> AsyncGenerator[Terminal]:
    async with program(database, tmp_path) as running:
        yield running


def in_order(shown: str, *texts: str) -> bool:
    """Tell whether texts appear one after the other."""
    place = 0
    for text in texts:
        place = shown.find(text, place) + 1
        assert place, f"{text!r} is missing or out of order in {shown}"
    return True


async def test_a_bare_number_votes_and_alone_that_decides(terminal: Terminal) -> None:
    shown = await terminal.plays("/story new The sea", "2")
    assert in_order(
        shown, "> /story new The sea", "s1w1 s1w2", "What happens next?", "> 2", "s2w1 s2w2", "What happens"
    )


async def test_bare_words_are_what_the_player_does_next(terminal: Terminal) -> None:
    shown = await terminal.plays("/story new The sea", "Sing to the fish")
    assert in_order(shown, "> Sing to the fish", "→ Sing to the fish", "s2w1")


async def test_bare_words_without_a_story_say_how_to_begin_one(terminal: Terminal) -> None:
    assert "/story new" in (await terminal.plays("Sing to the fish")).split("\n\n")[1]


async def test_one_person_plays_a_group(terminal: Terminal) -> None:
    shown = await terminal.plays("/story new The sea", "@Bo: /story join", "1", "@Bo: 2", "/story close 2")
    assert in_order(shown, "> 1\n", "Waiting for Bo", "> @Bo: 2", "tie", "s2w1")


async def test_somebody_spoken_for_has_no_power_over_the_room(terminal: Terminal) -> None:
    shown = await terminal.plays("/story new The sea", "@Bo: /story settings words 100")
    assert in_order(shown, "> @Bo: /story settings words 100", "Only the host may")


async def test_a_line_waits_for_the_work_of_the_line_before(terminal: Terminal) -> None:
    terminal.writer.pace = 0.02
    shown = await terminal.plays("/story new The sea", "/story path")
    assert in_order(shown, "s1w20.", "What happens next?", "> /story path", "s1w1")


async def test_what_is_nonsense_is_answered_and_the_play_goes_on(terminal: Terminal) -> None:
    shown = await terminal.plays("/story vot 1", "/story vote", "", "/story help vote", "/story stories")
    assert in_order(shown, "Did you mean “vote”?", "missing", "/story vote <number>", "There are no stories here yet")


async def test_the_next_sitting_goes_on_where_the_last_one_ended(terminal: Terminal) -> None:
    await terminal.plays("/story new The sea", "1")
    shown = await terminal.plays("3")
    assert in_order(shown, "Welcome back", "s2w20.", "The sea", "What happens next?", "> 3", "s3w1")
    assert "s1w1" not in shown


async def test_what_was_written_while_nobody_watched_is_shown_at_the_next_sitting(terminal: Terminal) -> None:
    await terminal.plays("/story new The sea")
    vote = Incoming("elsewhere", ANN.room, ANN.speaker(None), Vote(1), terminal.house.clock.now())
    assert isinstance(await terminal.house.door.handle(vote), Accepted)
    assert in_order(await terminal.plays(), "Welcome back", "s2w1", "What happens next?")


async def test_a_sentence_that_only_says_yes_is_left_out_where_the_effect_is_seen(terminal: Terminal) -> None:
    shown = await terminal.plays("/story new The sea", "/story title Salt", "/story title Salt")
    first, second = shown.split("> /story title Salt\n")[1:]
    assert first.count("Salt") == 1
    assert "It is called “Salt” already." in second


async def test_two_rooms_watch_the_same_story(terminal: Terminal) -> None:
    await terminal.plays("/story new The sea")
    shown = await terminal.plays("/story stories", "/story stories 1", "2", "@Ann: 2", seat=BO)
    assert in_order(shown, "1. The sea", "is open here", "What happens next?", "Waiting for Ann", "s2w1")
    assert in_order(await terminal.plays(), "Welcome back", "s2w1")


async def test_a_storyteller_that_breaks_off_is_a_sentence_and_the_play_goes_on(terminal: Terminal) -> None:
    terminal.writer.fail_after = [0, 0, 0]
    shown = await terminal.plays("/story new The sea", "/story continue")
    assert in_order(shown, "The storyteller broke off.", "> /story continue", "s1w1")


# --- JSON ---


def kinds(shown: Sequence[dict[str, Any]]) -> list[str]:
    return [line.get("kind", line["type"]) for line in shown]


async def test_every_event_and_reply_is_one_json_line(terminal: Terminal) -> None:
    shown = await terminal.plays_json("/story new The sea", "1")
    events = [line for line in shown if line["type"] == "event"]
    began = ["story_began", "writing_queued", "scene_told", "ballot_opened"]
    assert kinds(events) == [*began, "ballot_changed", "ballot_decided", *began[1:]]
    assert sorted(line["id"] for line in events) == [line["id"] for line in events]
    assert [line["to"] for line in shown if line["type"] == "reply"] == ["/story new The sea", "1"]


async def test_the_words_of_a_run_add_up_to_its_scene(terminal: Terminal) -> None:
    terminal.writer.pace = 0.02
    shown = await terminal.plays_json("/story new The sea", "1")
    words = [line for line in shown if line["type"] == "words"]
    for told in (line for line in shown if line.get("kind") == "scene_told"):
        pieces = [line["text"] for line in words if line["run"] == told["run"]]
        assert "".join(pieces) == told["scene"]["prose"]
        assert len(pieces) > 1


async def test_nonsense_is_a_declined_reply_and_help_a_note(terminal: Terminal) -> None:
    shown = await terminal.plays_json("/story vot 1", "/story help")
    assert [line["type"] for line in shown] == ["reply", "note"]
    assert shown[0]["kind"] == "declined"
    assert shown[0]["to"] == "/story vot 1"
    assert "/story" in shown[1]["text"]


async def test_the_next_json_sitting_begins_with_where_the_story_stands(terminal: Terminal) -> None:
    await terminal.plays_json("/story new The sea")
    shown = await terminal.plays_json()
    assert kinds(shown) == ["status_shown"]
    assert shown[0]["ballot"]["choices"][0]["position"] == 1


async def test_a_story_opened_in_another_room_is_not_told_again_from_its_beginning(terminal: Terminal) -> None:
    await terminal.plays_json("/story new The sea")
    shown = await terminal.plays_json("/story stories 1", seat=BO)
    assert kinds(shown)[0:2] == ["accepted", "story_opened"]
    assert "scene_told" not in kinds(shown)
