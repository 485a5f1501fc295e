"""Words broken into lines of a measured width. Pure."""

from collections.abc import Sequence
from itertools import accumulate
from unicodedata import category

from bot.picture.style import ELLIPSIS
from bot.picture.typeface import Typeface

JOINER = "\u200d"


def wrapped(text: str, face: Typeface, size: float, width: float, most: int) -> tuple[str, ...]:
    """Break between words, inside one only when it is too long by itself; what is too much ends in an ellipsis."""
    lines: list[str] = []
    rest = text.strip()
    while rest and len(lines) < most - 1:
        taken = _taken(rest, face, width / size)
        lines.append(rest[:taken].rstrip())
        rest = rest[taken:].lstrip()
    return (*lines, clipped(rest, face, size, width)) if rest else tuple(lines)


def clipped(text: str, face: Typeface, size: float, width: float) -> str:
    """Cut a line to a width."""
    if face.width(text, size) <= width:
        return text
    room = width / size - face.width(ELLIPSIS, 1)
    return text[: _whole(text, _fitting(text, face, room))].rstrip() + ELLIPSIS


def _taken(text: str, face: Typeface, ems: float) -> int:
    """How many characters go into one line."""
    fitting = _fitting(text, face, ems)
    if fitting >= len(text):
        return fitting
    space = text.rfind(" ", 0, fitting + 1)
    return space if space > 0 else max(_whole(text, fitting), 1)


def _fitting(text: str, face: Typeface, ems: float) -> int:
    return sum(reached <= ems for reached in accumulate(face.width(char, 1) for char in text))


def _whole(text: Sequence[str], end: int) -> int:
    """Move an end back to where no accent and no joined sign is torn off."""
    while 0 < end < len(text) and (_belongs(text[end]) or text[end - 1] == JOINER):
        end -= 1
    return end


def _belongs(char: str) -> bool:
    return category(char) in {"Mn", "Me", "Mc", "Sk"} or char in {JOINER, "\ufe0f"}
