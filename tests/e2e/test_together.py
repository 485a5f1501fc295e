"""Many people at the same story at the same time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from storyforge_core.domain.commands import (
    BranchFrom,
    CloseBallot,
    Command,
    ContinueStory,
    Direct,
    Extend,
    Join,
    NewStory,
    Redo,
    Reroll,
    SetTitle,
    ShowMap,
    ShowStories,
    Speaker,
    Undo,
    Vote,
    WriteIn,
)
from storyforge_core.domain.events import BallotDecided
from storyforge_core.domain.replies import Accepted, MapShown
from storyforge_core.store.database import Database
from tests.game import HOME, game
from tests.program import Home, Ollama, Program, numbered

PLAY = ("play", "--json", "--as", "Ann")
SECOND = ("play", "--json", "--as", "Ben", "--room", "second")
NEW = "/story new A lighthouse keeper finds a door in the sea"


def events(program: Program) -> list[str]:
    """What a room was told, in order, words apart."""
    return [str(line["id"]) for line in program.lines if line["type"] == "event"]


def test_two_rooms_on_one_story_show_the_same(guest: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[numbered("a", 40), numbered("b", 60), numbered("c", 40)], rate=60)
    with guest.starts(*PLAY) as first:
        first.says(NEW)
        first.shows("ballot_opened")
        with guest.starts(*SECOND) as second:
            second.says("/story stories 1", "/story join")
            second.shows("ballot_changed")
            before = len(second.words)
            first.says("/story vote 1")
            second.says("/story vote 2")
            second.shows("ballot_decided")
            second.shows("ballot_opened")
            first.shows("ballot_opened")
            assert second.words[before:] == numbered("b", 60)
            assert first.words.endswith(numbered("b", 60))
            first.says("/story branch")
            second.shows("head_set")
            assert first.shows("head_set")["scene"]["number"] == 1
            first.says("/story close 3")
            assert first.shows("scene_told")["scene"] == second.shows("scene_told")["scene"]
            second.shows("ballot_opened")
            first.shows("ballot_opened")
            assert events(first)[-8:] == events(second)[-8:]
            assert len(set(events(first))) == len(events(first))


def test_twenty_players_vote_within_a_second(guest: Home, ollama: Ollama) -> None:
    ollama.plays(tellings=[numbered("a", 40), numbered("b", 40)])
    players = [f"p{number}" for number in range(1, 21)]
    with guest.starts(*PLAY) as program:
        program.says(NEW)
        program.shows("ballot_opened")
        program.says(*(f"@{player}: /story join" for player in players))
        for player in players:
            program.shows("accepted", to=f"@{player}: /story join")
        program.says(*(f"@{player}: /story vote {2 if number % 3 else 3}" for number, player in enumerate(players)))
        program.says("/story vote 1")
        decided = program.shows("ballot_decided")
        assert decided["winner"]["position"] == 2
        assert len(decided["ballot"]["votes"]) == 21
        assert program.shows("scene_told")["scene"]["number"] == 2
        guest.is_whole(2)


async def test_twenty_votes_at_the_same_moment_decide_once(database: Database) -> None:
    async with game(database) as played:
        await played.play(NewStory("x"))
        players = [Speaker(HOME.platform, f"p{number}", f"P{number}") for number in range(20)]
        await asyncio.gather(*(played.say(Join(), player) for player in players))
        votes = [Vote(2 if number % 3 else 3) for number in range(20)]
        replies = await asyncio.gather(*(played.say(*vote) for vote in zip(votes, players, strict=True)))
        assert all(isinstance(reply, Accepted) for reply in replies)
        await played.play(Vote(1))
        decided = [event for event in await played.events() if isinstance(event, BallotDecided)]
        assert [(len(event.ballot.votes), event.winner.position) for event in decided] == [(21, 2)]
        assert len(await played.scenes()) == 2


COMMANDS: Sequence[Command] = (
    Vote(1),
    Vote(2),
    WriteIn("I swim to the door"),
    CloseBallot(1),
    Reroll(),
    Extend(),
    Undo(),
    Redo(),
    BranchFrom(),
    ContinueStory(),
    SetTitle("The Door"),
    Direct("slower"),
    Vote(3),
    Undo(),
    WriteIn("I wait"),
    ShowMap(),
)


async def test_sixteen_commands_at_once_from_two_rooms_leave_a_sound_tree(database: Database) -> None:
    async with game(database) as played:
        await played.play(NewStory("x"))
        elsewhere = replace(played, room=replace(played.room, address="elsewhere"))
        assert isinstance(await elsewhere.say(ShowStories("1")), Accepted)
        rooms = (played, elsewhere)
        for _ in range(3):
            await asyncio.gather(*(rooms[at % 2].say(command) for at, command in enumerate(COMMANDS)))
            await played.quiet()
        shown = await played.say(ShowMap())
        assert isinstance(shown, MapShown)
        numbers = sorted(node.number for node in shown.nodes)
        assert numbers == list(range(1, len(numbers) + 1))
        takes = Counter((node.parent, node.choice, node.take) for node in shown.nodes)
        assert set(takes.values()) == {1}
        assert len(await played.scenes()) == len(numbers)
