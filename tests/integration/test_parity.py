"""The same story, played the way people play it on each platform, is the same tree."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from bot.catalog.row import Row
from bot.catalog.table import GROUPS, begins, find
from bot.catalog.typed import _given
from storyforge_core.domain.events import SceneTold
from storyforge_core.domain.story import BallotId, PlaythroughId, Scene
from storyforge_core.store.database import Database
from storyforge_core.store.postgres import PostgresStore
from tests.discordia import PREMISE, Club, club
from tests.game import HOME, until
from tests.integration.test_terminal import Terminal, program
from tests.matrixia import Club as MatrixClub
from tests.matrixia import club as matrix_club
from tests.peers.synapse import Kind, Synapse

Homeservers = Callable[[Kind], Synapse]
TIME_IS_UP = "…"
Said = str | int
"""A typed command; a number is a vote, cast the way people do it there."""

SCRIPT: Sequence[tuple[str, Said]] = (
    ("Ann", "settings tie first"),
    ("Bo", "join"),
    ("Ann", 2),
    ("Bo", 1),
    ("Ann", 1),
    ("Bo", "take reroll darker"),
    ("Ann", "branch 1"),
    ("Ann", "write Knock three times"),
    ("Bo", 4),
    ("Ann", "undo"),
    ("Ann", "redo"),
    ("Bo", "direct keep it slow"),
    ("Bo", 3),
    ("Ann", TIME_IS_UP),
    ("Ann", "takes"),
    ("Ann", "go 2"),
    ("Bo", "take edit The door was never there."),
    ("Ann", "continue the tide comes in"),
    ("Ann", "storyhost title The Door in the Sea"),
)


class Stage(Protocol):
    """A platform with Ann, the host, and Bo."""

    store: PostgresStore

    async def begins(self) -> None:
        """Ann begins a story."""

    async def says(self, who: str, said: Said) -> None:
        """Somebody does something; returns when it has reached the story."""

    async def playthrough(self) -> PlaythroughId:
        """The story that was begun."""

    async def deadline(self, ballot: BallotId) -> None:
        """A ballot's time is up."""


class OnTerminal:
    """Ann at the keyboard, who speaks for Bo too."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.store = terminal.house.store

    async def begins(self) -> None:
        await self._terminal.plays(f"/story new {PREMISE}")

    async def says(self, who: str, said: Said) -> None:
        line = str(said) if isinstance(said, int) else f"/story {said.removeprefix('storyhost ')}"
        await self._terminal.plays(line if who == "Ann" else f"@{who}: {line}")

    async def playthrough(self) -> PlaythroughId:
        room = await self.store.room(HOME)
        assert room.playthrough
        return room.playthrough

    async def deadline(self, ballot: BallotId) -> None:
        await self._terminal.house.door.deadline(ballot)


class OnDiscord:
    """Ann reacts, Bo presses buttons."""

    def __init__(self, friends: Club) -> None:
        self._friends = friends
        self.store = friends.play.store

    async def begins(self) -> None:
        await self._friends.told_to()
        await self._friends.asked()

    async def says(self, who: str, said: Said) -> None:
        friends = self._friends
        human = {"Ann": friends.ann, "Bo": friends.bo}[who]
        if isinstance(said, str):
            path, options = as_slash(said)
            await friends.types(human, path, **options)
            return
        await friends.until(lambda: any(str(said) == label[:1] for label in self._labels()))
        card = await friends.asked()
        if who == "Ann":
            human.react(card, f"{said}\ufe0f\u20e3")
        else:
            label = next(label for label in self._labels() if label.startswith(f"{said}. "))
            await (await human.click(card, label)).settled()

    def _labels(self) -> list[str]:
        buttons = [button for message in self._friends.thread.messages for button in message.buttons]
        return [button.get("label", "") for button in buttons if "sf:vote" in button.get("custom_id", "")]

    async def playthrough(self) -> PlaythroughId:
        rooms = await self.store.rooms("discord")
        (playthrough,) = {room.playthrough for room in rooms if room.playthrough}
        return playthrough

    async def deadline(self, ballot: BallotId) -> None:
        await self._friends.play.forge.deadline(ballot)


class OnMatrix:
    """Ann reacts, Bo types everything; all in the story's thread."""

    def __init__(self, friends: MatrixClub) -> None:
        self._friends = friends
        self._thread = ""
        self.store = friends.play.store

    async def begins(self) -> None:
        await self._friends.meets()
        self._thread = (await self._friends.begins()).thread

    async def says(self, who: str, said: Said) -> None:
        friends = self._friends
        human = {"Ann": friends.ann, "Bo": friends.bo}[who]
        if isinstance(said, int) and who == "Ann":
            card = await friends.newest_card(self._thread)
            await human.reacts(friends.room, card.id, f"{said}\ufe0f\u20e3")
            return
        typed = f"vote {said}" if isinstance(said, int) else said.removeprefix("storyhost ")
        await human.says(friends.room, f"!story {typed}", thread=self._thread)

    async def playthrough(self) -> PlaythroughId:
        return await self._friends.playthrough(self._thread)

    async def deadline(self, ballot: BallotId) -> None:
        await self._friends.play.forge.deadline(ballot)


def as_slash(said: str) -> tuple[str, dict[str, Any]]:
    """A typed command as Discord's form for it."""
    name, rest = begins(said.removeprefix("storyhost "))
    row = find(name)
    assert isinstance(row, Row)
    root = next(group.root.name for group in GROUPS if row in group.rows)
    given = _given(row, rest)
    assert isinstance(given, dict)
    kinds = {argument.name: argument.kind for argument in row.arguments}
    options = {each: int(value) if kinds[each] == "number" else value for each, value in given.items() if value.strip()}
    return f"{root} {row.name}", {
        each: value.strip() if isinstance(value, str) else value for each, value in options.items()
    }


@asynccontextmanager
async def on_terminal(database: Database, place: Path, _: Homeservers) -> AsyncGenerator[Stage]:
    async with program(database, place) as terminal:
        yield OnTerminal(terminal)


@asynccontextmanager
async def on_discord(database: Database, place: Path, _: Homeservers) -> AsyncGenerator[Stage]:
    async with club(database, place) as friends, friends.program():
        yield OnDiscord(friends)


@asynccontextmanager
async def on_matrix(database: Database, place: Path, synapse: Homeservers) -> AsyncGenerator[Stage]:
    async with matrix_club(synapse("free"), database, place) as friends, friends.program():
        yield OnMatrix(friends)


Setting = Callable[[Database, Path, Homeservers], AbstractAsyncContextManager[Stage]]


async def play(stage: Stage) -> dict[str, object]:
    """Play the script; answer what came of it, without what only a platform knows."""
    await stage.begins()
    playthrough = await stage.playthrough()
    for who, said in SCRIPT:
        before = await trace(stage.store, playthrough)
        if said == TIME_IS_UP:
            async with stage.store.resume(playthrough) as desk:
                assert desk.situation
                assert desk.situation.ballot
                ballot = desk.situation.ballot.id
            await stage.deadline(ballot)
        else:
            await stage.says(who, said)
        await settled(stage.store, playthrough, before, said)
    return await outcome(stage.store, playthrough)


async def trace(store: PostgresStore, playthrough: PlaythroughId) -> int:
    """How much has happened."""
    return len(await store.events(playthrough, 0, 1000))


async def settled(store: PostgresStore, playthrough: PlaythroughId, before: int, said: Said) -> None:
    """Wait until something has come of it and nothing is being written."""

    async def done() -> bool:
        quiet = await store.live_run(playthrough) is None
        return quiet and (said == "takes" or await trace(store, playthrough) > before)

    await until(done)


async def outcome(store: PostgresStore, playthrough: PlaythroughId) -> dict[str, object]:
    events = [recorded.event for recorded in await store.events(playthrough, 0, 1000)]
    scenes = [event for event in events if isinstance(event, SceneTold)]
    numbers = {event.scene.id: event.scene.number for event in scenes}
    async with store.resume(playthrough) as desk:
        here = desk.situation
        assert here
        assert here.ballot
        names = {member.player: member.name for member in here.members}
        texts = {choice.id: choice.text for choice in here.ballot.choices}
        return {
            "events": [event.kind for event in events],
            "scenes": [(*shape(event.scene, numbers), event.chosen) for event in scenes],
            "title": here.story.title,
            "note": here.playthrough.note,
            "head": here.head and here.head.number,
            "members": sorted((member.name, member.state, member.host) for member in here.members),
            "asked": [choice.text for choice in here.ballot.choices],
            "votes": sorted((names[vote.player], texts[vote.choice]) for vote in here.ballot.votes),
        }


def shape(scene: Scene, numbers: dict[Any, int]) -> tuple[object, ...]:
    parent = numbers.get(scene.parent)
    return scene.number, parent, scene.depth, scene.take, scene.title, scene.prose, scene.origin


@pytest.mark.parametrize("elsewhere", [pytest.param(on_discord, id="Discord"), pytest.param(on_matrix, id="Matrix")])
async def test_the_same_script_grows_the_same_tree(
    database: Database, tmp_path: Path, synapse: Homeservers, elsewhere: Setting
) -> None:
    outcomes = []
    for setting in (on_terminal, elsewhere):
        async with setting(database, tmp_path, synapse) as stage:
            outcomes.append(await play(stage))
    assert outcomes[0] == outcomes[1]
