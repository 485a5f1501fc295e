"""How many columns a text takes on a screen with letters of one width. Pure."""

import unicodedata
from itertools import accumulate

_NO_WIDTH = {"Mn", "Me", "Cf"}


def wide(text: str) -> int:
    """Count columns: two for the letters of East Asia and for emoji, none for accents and joiners."""
    return sum(map(_columns, text))


def fitted(text: str, columns: int, more: str) -> str:
    """Cut a line to at most so many columns; `more` (one column) ends one that was cut."""
    if wide(text) <= columns:
        return text
    if columns <= 0:
        return ""
    kept = sum(width < columns for width in accumulate(map(_columns, text)))
    return text[:kept].rstrip() + more


def _columns(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
