"""What a line typed in the terminal means."""

import re
from dataclasses import dataclass

from bot.catalog.row import HelpAsked, Parsed, Problem, Row
from bot.catalog.table import find
from bot.catalog.typed import make, parse

_FOR_ANOTHER = re.compile(r"[@\uff20]\s*([^:\uff1a@/]{1,80}?)\s*[:\uff1a]\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"#?\d{1,3}[.)]?")


@dataclass(frozen=True, slots=True)
class Quit:
    """The person at the keyboard has had enough."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something is asked; by the person at the keyboard, or by a player they speak for."""

    asked: Parsed
    speaker: str | None = None


def read_line(line: str) -> Said | Quit | None:
    """Read a line; None when it is blank."""
    words = line.strip()
    if not words:
        return None
    if words.casefold() in {"/quit", "/exit", "quit", "exit"}:
        return Quit()
    for_another = _FOR_ANOTHER.fullmatch(words)
    if for_another is None:
        return Said(_asked(words))
    name, rest = for_another.groups()
    return Said(_asked(rest), name) if rest else Said(_unheard(name))


def _asked(words: str) -> Parsed:
    """A command in any form; a number votes; other words are what the player does next."""
    if words.casefold() in {"help", "?"}:
        return HelpAsked()
    if words.startswith("@"):
        return _unheard(words[1:].split(maxsplit=1)[0] if words[1:].strip() else "player2")
    if _NUMBER.fullmatch(words):
        return _filled("vote", number=words)
    command = parse(words)
    if command is None and words.startswith("/"):
        command = parse(f"/story {words[1:]}")
    return _filled("write", choice=words) if command is None else command


def _filled(name: str, **given: str) -> Parsed:
    row = find(name)
    return make(row, given) if isinstance(row, Row) else row


def _unheard(name: str) -> Problem:
    return Problem(f"To speak for {name}, put a colon and their words after the name: @{name}: 2")
