"""From what people type or pick to a command: `/story vote 2`, `!story vote 2`, or the filled-in form of a platform."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.catalog.row import Argument, Given, Parsed, Problem, Row, shortened, too_long
from bot.catalog.table import ROOTS, begins, find

ADDRESSES = frozenset(f"{sign}{root.name}" for root in ROOTS for sign in "/!")


def parse(line: str) -> Parsed | None:
    """Read a line that is meant for the storyteller; None when it is not."""
    address, said = (*line.split(maxsplit=1), "", "")[:2]
    if _plain(address) not in ADDRESSES:
        return None
    name, rest = begins(said)
    row = find(name or "story")
    if isinstance(row, Problem):
        return row
    given = _given(row, rest)
    return given if isinstance(given, Problem) else make(row, given)


def make(row: Row, given: Given) -> Parsed:
    """Check what was given for the arguments of a command, and build it. Absent arguments count as left out."""
    checked: dict[str, str] = {}
    for argument in row.arguments:
        value = _checked(argument, given.get(argument.name, ""))
        if isinstance(value, Problem):
            return Problem(f"{value.sentence} For example: {row.example}")
        checked[argument.name] = value
    return row.build(checked)


def _checked(argument: Argument, text: str) -> str | Problem:
    value = _clean(text)
    if argument.kind == "player":
        value = value.removeprefix("@").strip()
    if not value:
        return Problem(f"The {argument.name} is missing: {argument.help}.") if argument.required else ""
    if argument.kind == "number":
        return _checked_number(argument, value)
    if argument.words and value not in argument.words:
        return Problem(f"The {argument.name} has to be {' or '.join(argument.words)}.")
    if len(value) > argument.limit:
        return Problem(too_long(argument.name, len(value), argument.limit))
    return value


def _checked_number(argument: Argument, text: str) -> str | Problem:
    digits = unicodedata.normalize("NFKC", text).removeprefix("#").rstrip(".)")
    if not digits.isdecimal() or len(digits) > len(str(argument.limit)) or not 1 <= int(digits) <= argument.limit:
        return Problem(f"The {argument.name} has to be a number such as 2, not “{shortened(text)}”.")
    return str(int(digits))


def _clean(text: str) -> str:
    """Without what no database stores and no reader sees: control characters and halves of characters."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}).strip()


def _given(row: Row, text: str) -> Given | Problem:
    """Share the words of a line out among the arguments."""
    given, text = _named([argument.name for argument in row.arguments if argument.named], text)
    in_order = [argument for argument in row.arguments if not argument.named]
    rest = next((place for place, argument in enumerate(in_order) if not _is_one_word(argument)), len(in_order))
    for argument in in_order[:rest]:
        given[argument.name], text = _first_word(argument, text)
    for argument in reversed(in_order[rest + 1 :]):
        given[argument.name], text = _last_word(argument, text)
    if rest < len(in_order):
        given[in_order[rest].name] = text
    elif text.strip():
        return Problem(f"“{row.name}” stands alone: type {row.usage}")
    return given


def _named(names: Sequence[str], text: str) -> tuple[dict[str, str], str]:
    """Take `name=value` out of a text. An apostrophe inside a word ends no quoted value and begins none."""
    if not names:
        return {}, text
    value = r"""["“„]([^"“”„]*)(?:["“”]|$)|'((?:[^']|'(?=\w))*)'(?!\w)|(\S*)"""
    pattern = re.compile(rf"(?<!\S)({'|'.join(names)})=(?:{value})", re.IGNORECASE)
    given = {found[1].lower(): found[2] or found[3] or found[4] or "" for found in pattern.finditer(text)}
    return given, pattern.sub("", text)


def _is_one_word(argument: Argument) -> bool:
    return argument.kind == "word" or argument.single


def _first_word(argument: Argument, text: str) -> tuple[str, str]:
    """Take the argument's word off the front of the text, if it stands there."""
    first, rest = (*text.split(maxsplit=1), "", "")[:2]
    word = first if argument.single else _known(first, argument.words)
    return (word, rest) if word else ("", text)


def _last_word(argument: Argument, text: str) -> tuple[str, str]:
    """Take the argument's word off the end, if something else stands before it."""
    *before, last = text.rsplit(maxsplit=1) or [""]
    word = _known(last, argument.words)
    return (word, before[0]) if word and before else ("", text)


def _known(word: str, words: Iterable[str]) -> str:
    plain = _plain(word).replace("-", "_")
    return plain if plain in words else ""


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()
