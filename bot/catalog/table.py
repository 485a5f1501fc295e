"""THE table of commands: names, arguments, limits, help, who may, and how each becomes a command of the core.

Slash commands, typed lines (`bot/catalog/typed.py`), `/story help` and the table in the README are derived from it.
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from storyforge_core.domain import commands
from storyforge_core.domain.commands import Command
from storyforge_core.domain.story import Rules

PREMISE_CHARS = 2000
TITLE_CHARS = 80
STYLE_CHARS = 80
HINT_CHARS = 500
CHOICE_CHARS = 200
NOTE_CHARS = 500
PROSE_CHARS = 8000
NAME_CHARS = 80
"""Of a scene, a story or a player, when it is typed to find one."""
HIGHEST_NUMBER = 999
SHORT_CHARS = 30

Kind = Literal["text", "number", "word", "scene", "story", "player", "command"]
"""`word` is one of `Argument.words`; the last four name something that a platform may complete while it is typed."""

Who = Literal["anyone", "players", "host"]
Given = Mapping[str, str]
"""Every argument of a row by name, checked; empty when it was left out."""


@dataclass(frozen=True, slots=True)
class HelpAsked:
    """Somebody wants to know how: about one command, or about all."""

    command: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What was typed makes no command; the sentence says what would."""

    sentence: str


Parsed = Command | HelpAsked | Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One thing a command is told. At most one of a row is neither a word nor named: it takes the rest of the line."""

    name: str
    help: str
    kind: Kind = "text"
    required: bool = False
    limit: int = NAME_CHARS
    """The most characters, or the highest number."""
    words: tuple[str, ...] = ()
    named: bool = False
    """Typed as `name=value`, anywhere in the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command."""

    name: str
    group: str
    help: str
    more: str
    example: str
    build: Callable[[Given], Parsed]
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()
    who: Who = "players"

    @property
    def usage(self) -> str:
        """The form of the command, such as `/story vote <number>`."""
        return " ".join(("/story", self.name, *map(_usage, self.arguments)))


def find(name: str) -> Row | Problem:
    """Find a command by its name or an alias; otherwise say which one may be meant."""
    wanted = unicodedata.normalize("NFKC", name).casefold()
    by_name = {known: row for row in ROWS for known in (row.name, *row.aliases)}
    if wanted in by_name:
        return by_name[wanted]
    return Problem(f"There is no command “{shortened(name)}”.{_meant(wanted, by_name)} /story help lists them all.")


def shortened(text: str) -> str:
    """As much of somebody's words as it takes to recognise them."""
    return text if len(text) <= SHORT_CHARS else f"{text[: SHORT_CHARS - 1]}…"


def too_long(name: str, length: int, limit: int) -> str:
    """Say that something is too long."""
    return f"The {name} has {length:,} characters; {limit:,} are the most."


def _usage(argument: Argument) -> str:
    inside = "|".join(argument.words) or argument.name
    if argument.named:
        return f"[{argument.name}=…]"
    return f"<{inside}>" if argument.required else f"[{inside}]"


def _meant(word: str, known: Iterable[str]) -> str:
    guess = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean “{guess[0]}”?" if guess else ""


def _number(given: Given, name: str) -> int | None:
    return int(given[name]) if given[name] else None


def _take(given: Given) -> Parsed:
    mode, text = given["mode"], given["text"]
    if mode == "edit":
        return commands.Edit(text) if text else Problem("Say the scene's new words after “edit”: /story take edit It …")
    if len(text) > HINT_CHARS:
        return Problem(too_long("hint", len(text), HINT_CHARS))
    return commands.Extend(text) if mode == "extend" else commands.Reroll(text)


def _settings(given: Given) -> Parsed:
    name, value = given["name"], given["value"]
    if value and not name:
        word = value.split()[0]
        guess = _meant(word.casefold(), _RULES)
        return Problem(f"There is no setting “{shortened(word)}”.{guess} The settings are {', '.join(_RULES)}.")
    return commands.ChangeRules(name, value)


_RULES: Final = tuple(field.name for field in fields(Rules))
_TAKES: Final = ("reroll", "extend", "edit")

_PLAY, _MOVE, _LOOK, _STEER, _PEOPLE = "Play", "Move about", "Look", "Steer", "People"

ROWS: Final = (
    Row(
        name="new",
        group=_PLAY,
        help="Begin a story here",
        more="Say in a sentence or two what it is about. Put options of several words in quotes.",
        example='/story new A lighthouse keeper finds a door in the sea title="The Door" genre=mystery',
        arguments=(
            Argument(name="premise", help="what the story is about", required=True, limit=PREMISE_CHARS),
            Argument(name="title", help="what it is called", limit=TITLE_CHARS, named=True),
            Argument(name="genre", help="such as mystery or fairy-tale", limit=STYLE_CHARS, named=True),
            Argument(name="tone", help="such as calm, dark or funny", limit=STYLE_CHARS, named=True),
        ),
        aliases=("begin", "start"),
        who="anyone",
        build=lambda given: commands.NewStory(**given),
    ),
    Row(
        name="continue",
        group=_PLAY,
        help="Have the next scene written",
        more="The choice that leads is taken; without votes the story goes on freely.",
        example="/story continue the light goes out",
        arguments=(Argument(name="hint", help="what should happen in it", limit=HINT_CHARS),),
        aliases=("next",),
        build=lambda given: commands.ContinueStory(given["hint"]),
    ),
    Row(
        name="vote",
        group=_PLAY,
        help="Vote for a choice by its number",
        more="Vote again to change your mind: your newest vote counts.",
        example="/story vote 2",
        arguments=(
            Argument(name="number", help="that of the choice", kind="number", required=True, limit=HIGHEST_NUMBER),
        ),
        aliases=("choose",),
        build=lambda given: commands.Vote(int(given["number"])),
    ),
    Row(
        name="write",
        group=_PLAY,
        help="Add a choice of your own and vote for it",
        more="The others can vote for it too.",
        example="/story write Knock three times and wait",
        arguments=(Argument(name="choice", help="what should be done", required=True, limit=CHOICE_CHARS),),
        build=lambda given: commands.WriteIn(given["choice"]),
    ),
    Row(
        name="close",
        group=_PLAY,
        help="Decide the vote now",
        more="The choice that leads wins; with a number that choice does, whatever the votes say.",
        example="/story close",
        arguments=(Argument(name="number", help="the choice to take", kind="number", limit=HIGHEST_NUMBER),),
        aliases=("decide",),
        who="host",
        build=lambda given: commands.CloseBallot(_number(given, "number")),
    ),
    Row(
        name="stop",
        group=_PLAY,
        help="Stop what is being written",
        more="What has been told so far stays.",
        example="/story stop",
        build=lambda _: commands.Stop(),
    ),
    Row(
        name="branch",
        group=_MOVE,
        help="Go back to a scene and ask its question again",
        more="Another choice grows a new branch; nothing is removed. Without a scene: the one before.",
        example="/story branch 3",
        arguments=(Argument(name="scene", help="its number or title", kind="scene"),),
        aliases=("back",),
        build=lambda given: commands.BranchFrom(given["scene"]),
    ),
    Row(
        name="take",
        group=_MOVE,
        help="Have this scene told again, made longer, or replaced by your words",
        more="It becomes another take; the ones before are kept, see /story takes.",
        example="/story take extend what was behind the door",
        arguments=(
            Argument(name="mode", help="reroll unless you say extend or edit", kind="word", words=_TAKES),
            Argument(name="text", help="a hint, or for edit the new words of the scene", limit=PROSE_CHARS),
        ),
        aliases=("reroll",),
        build=_take,
    ),
    Row(
        name="takes",
        group=_MOVE,
        help="List the takes of this scene, or move to one of them",
        more="Takes are numbered in the order in which they were told.",
        example="/story takes 1",
        arguments=(Argument(name="number", help="the take to move to", kind="number", limit=HIGHEST_NUMBER),),
        build=lambda given: commands.ShowTakes(_number(given, "number")),
    ),
    Row(
        name="undo",
        group=_MOVE,
        help="Take back the last step",
        more="Scenes stay in the tree: only where you stand, titles, notes and settings change back.",
        example="/story undo",
        build=lambda _: commands.Undo(),
    ),
    Row(
        name="redo",
        group=_MOVE,
        help="Do again what was taken back",
        more="As long as nothing new was done since.",
        example="/story redo",
        build=lambda _: commands.Redo(),
    ),
    Row(
        name="go",
        group=_MOVE,
        help="Go to any scene of the story",
        more="Numbers and titles stand over the scenes and on the map.",
        example="/story go 4",
        arguments=(Argument(name="scene", help="its number or title", kind="scene", required=True),),
        aliases=("goto",),
        build=lambda given: commands.GoTo(given["scene"]),
    ),
    Row(
        name="path",
        group=_LOOK,
        help="Read the story so far",
        more="From the opening to where you stand.",
        example="/story path",
        aliases=("read",),
        who="anyone",
        build=lambda _: commands.ShowPath(),
    ),
    Row(
        name="map",
        group=_LOOK,
        help="See the whole tree",
        more="With every branch and take, where you stand, and the open vote.",
        example="/story map",
        aliases=("tree",),
        who="anyone",
        build=lambda _: commands.ShowMap(),
    ),
    Row(
        name="story",
        group=_LOOK,
        help="See where the story stands",
        more="The scene, the open vote, who plays, and what is being written.",
        example="/story story",
        aliases=("status",),
        who="anyone",
        build=lambda _: commands.ShowStatus(),
    ),
    Row(
        name="stories",
        group=_LOOK,
        help="List the stories, or open one of them here",
        more="Open one by its number in the list or by its title.",
        example="/story stories 2",
        arguments=(Argument(name="story", help="its number or title", kind="story"),),
        aliases=("list", "open"),
        who="anyone",
        build=lambda given: commands.ShowStories(given["story"]),
    ),
    Row(
        name="direct",
        group=_STEER,
        help="Leave a director's note that steers the next scenes",
        more="It holds until you change it; without words it is cleared.",
        example="/story direct slower, and let the sea be kind",
        arguments=(Argument(name="note", help="what the storyteller should keep in mind", limit=NOTE_CHARS),),
        build=lambda given: commands.Direct(given["note"]),
    ),
    Row(
        name="title",
        group=_STEER,
        help="Give the story another title",
        more="Undo brings the old one back.",
        example="/story title The Door in the Sea",
        arguments=(Argument(name="title", help="the new title", required=True, limit=TITLE_CHARS),),
        who="host",
        build=lambda given: commands.SetTitle(given["title"]),
    ),
    Row(
        name="settings",
        group=_STEER,
        help="See the settings, or change one",
        more=f"There are {', '.join(_RULES)}.",
        example="/story settings words 150",
        arguments=(
            Argument(name="name", help="the setting", kind="word", words=_RULES),
            Argument(name="value", help="what it should be"),
        ),
        who="host",
        build=_settings,
    ),
    Row(
        name="delete",
        group=_STEER,
        help="Take the story off the list",
        more="Repeat its title to confirm. Undo brings it back.",
        example="/story delete The Door in the Sea",
        arguments=(Argument(name="title", help="the story's title, to be sure", limit=TITLE_CHARS),),
        who="host",
        build=lambda given: commands.DeleteStory(given["title"]),
    ),
    Row(
        name="join",
        group=_PEOPLE,
        help="Take part: votes wait for you",
        more="Voting makes you join as well.",
        example="/story join",
        who="anyone",
        build=lambda _: commands.Join(),
    ),
    Row(
        name="leave",
        group=_PEOPLE,
        help="Stop taking part: votes no longer wait for you",
        more="Join again whenever you like.",
        example="/story leave",
        build=lambda _: commands.Leave(),
    ),
    Row(
        name="ban",
        group=_PEOPLE,
        help="Shut a player out of the story",
        more="With off at the end they may come back.",
        example="/story ban Ann off",
        arguments=(
            Argument(name="player", help="their name", kind="player", required=True),
            Argument(name="off", help="lets them in again", kind="word", words=("off",)),
        ),
        who="host",
        build=lambda given: commands.Ban(given["player"], lift=bool(given["off"])),
    ),
    Row(
        name="help",
        group=_PEOPLE,
        help="Learn how to play",
        more="With a command's name it tells all about that one.",
        example="/story help vote",
        arguments=(Argument(name="command", help="the command", kind="command"),),
        who="anyone",
        build=lambda given: HelpAsked(given["command"]),
    ),
)
