"""Keys of lore, and how they are looked for. Pure: somebody else runs regular expressions, and limits them."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_EXPRESSION = re.compile(r"/((?:[^/\\]|\\.)+)/([gimsuvy]*)", re.DOTALL)
_SAME = str.maketrans({"\u2019": "'", "\u02bc": "'"})
"""Apostrophes: players type one, models write the other."""
_UNSPACED = (("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"))
"""Thai and Lao, Burmese, Khmer. Besides, whatever is as wide as two letters: Chinese, Japanese, Korean."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression as JavaScript writes it: `/dragons?/i`."""

    source: str
    flags: str


Finds = Callable[[Expression, str], bool]
"""Tells whether an expression is found in a text; False where it takes too long or makes no sense."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How closely a plain key is compared."""

    whole_words: bool
    """A key of one word is not found inside another word; one of several words may be, as in SillyTavern."""
    match_case: bool


def expression(key: str) -> Expression | None:
    """Read a key that is a regular expression; None for a plain one."""
    found = _EXPRESSION.fullmatch(key.strip())
    return Expression(found[1].replace("\\/", "/"), found[2]) if found else None


class Haystack:
    """A text in which keys are looked for.

    Args:
        text: may be long; it is made comparable once.
        finds: runs regular expressions.
    """

    def __init__(self, text: str, finds: Finds) -> None:
        self._text = text
        self._finds = finds
        self._exact = _comparable(text)
        self._folded = self._exact.casefold()

    def has(self, key: str, manner: Manner) -> bool:
        """Tell whether a key is in the text; an empty one never is."""
        wanted = expression(key)
        if wanted is not None:
            return self._finds(wanted, self._text)
        plain = _comparable(key)
        text, plain = (self._exact, plain) if manner.match_case else (self._folded, plain.casefold())
        if not plain or plain not in text:
            return False
        return not manner.whole_words or " " in plain or any(_whole(text, at, plain) for at in _places(text, plain))


def _comparable(text: str) -> str:
    """One form for what looks the same, and one blank for any space."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_SAME).split())


def _places(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _whole(text: str, at: int, word: str) -> bool:
    """Whether a word that stands at a place goes on neither before nor after it."""
    end = at + len(word)
    before = at > 0 and _joined(text[at - 1], text[at])
    return not before and not (end < len(text) and _joined(text[end - 1], text[end]))


def _joined(left: str, right: str) -> bool:
    return _of_a_word(left) and _of_a_word(right)


def _of_a_word(char: str) -> bool:
    """Whether words made of such characters are set apart by blanks, and this is one of them."""
    if unicodedata.east_asian_width(char) in {"W", "F"} or any(first <= char <= last for first, last in _UNSPACED):
        return False
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")
