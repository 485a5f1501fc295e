"""What a command's row says: its name, its arguments and their limits, its help, who may, and what it becomes."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from storyforge_core.domain.commands import Command

PREMISE_CHARS = 2000
TITLE_CHARS = 80
STYLE_CHARS = 80
HINT_CHARS = 500
QUESTION_CHARS = 300
CHOICE_CHARS = 200
NOTE_CHARS = 500
PROSE_CHARS = 8000
NAME_CHARS = 80
"""Of a scene, a story or a player, when it is typed to find one."""
HIGHEST_NUMBER = 999
SHORT_CHARS = 30
WORDS_LISTED = 8
"""More words than these are not in the form of a command, but in what its help says besides."""

Kind = Literal[
    "text",
    "number",
    "word",
    "scene",
    "story",
    "player",
    "entity",
    "lore",
    "command",
    "file",
    "picture",
    "channel",
    "role",
    "person",
]
"""`word` is one of `Argument.words`; `scene` to `command` name what a platform may complete while it is typed; a `file`
is given as the text in it, a `picture` as what the platform has instead of its bytes; the last three are the platform's
own, by its ids, and it may have a way to pick them."""

Who = Literal["anyone", "players", "host", "managers"]
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
    """One thing a command is told. At most one of a row is neither word nor single nor named: it takes the rest."""

    name: str
    help: str
    kind: Kind = "text"
    required: bool = False
    limit: int = NAME_CHARS
    """The most characters, or the highest number."""
    words: tuple[str, ...] = ()
    named: bool = False
    """Typed as `name=value`, anywhere in the line."""
    single: bool = False
    """Typed as one word, before what takes the rest of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command. A name of two words is a member of a family, such as `fact add`."""

    name: str
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


@dataclass(frozen=True, slots=True)
class Root:
    """The word before a command where a platform has menus: Discord takes no more than 25 entries under one.

    Typed, every command can follow `/story`.
    """

    name: str
    help: str


STORY: Final = Root("story", "Tell a branching story together")
BOOK: Final = Root("storybook", "Ask the story what it knows, and write down what is true")
HOST: Final = Root("storyhost", "Look after a story and its players")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Commands that are listed together."""

    name: str
    root: Root
    rows: tuple[Row, ...]


def number(given: Given, name: str = "number") -> int | None:
    """The number that was given for an argument, if one was."""
    return int(given[name]) if given[name] else None


def shortened(text: str) -> str:
    """As much of somebody's words as it takes to recognise them."""
    return text if len(text) <= SHORT_CHARS else f"{text[: SHORT_CHARS - 1]}…"


def too_long(name: str, length: int, limit: int) -> str:
    """Say that something is too long."""
    return f"The {name} has {length:,} characters; {limit:,} are the most."


def meant(word: str, known: Iterable[str]) -> str:
    """Ask whether a known word was meant, with a blank before; empty when none is like it."""
    guess = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean “{guess[0]}”?" if guess else ""


def _usage(argument: Argument) -> str:
    listed = 0 < len(argument.words) <= WORDS_LISTED
    inside = "|".join(argument.words) if listed else argument.name
    if argument.named:
        return f"[{argument.name}=…]"
    return f"<{inside}>" if argument.required else f"[{inside}]"
