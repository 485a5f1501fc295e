"""Wrapping at the screen's width while the words still arrive, without ever taking back what is shown."""

import re
import unicodedata

_WIDE = "\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60"
"""Scripts that may break between any two characters."""
_PIECES = re.compile(rf"([^\S\n]*)(\n|[{_WIDE}]|[^\s{_WIDE}]+)")
_TAIL = re.compile(rf"[^\S\n]*[^\s{_WIDE}]*$")
_NARROW = 0x1100
"""Below it no character takes two columns."""


class Wrapper:
    """Breaks lines between words. A word is held back until it is known to be complete.

    Args:
        width: columns of the screen; None leaves lines as they are.
    """

    def __init__(self, width: int | None) -> None:
        self._width = width
        self._column = 0
        self._held = ""

    def feed(self, text: str) -> str:
        """Take more text, answer what can be shown now."""
        if self._width is None:
            return text
        text = self._held + text
        tail = _TAIL.search(text, max(0, len(text) - self._width))
        cut = tail.start() if tail else len(text)
        self._held = text[cut:]
        return self._broken(text[:cut], self._width)

    def end(self) -> str:
        """Answer what was held back; the next text begins a line."""
        rest = self._broken(self._held, self._width) if self._width else ""
        self._held, self._column = "", 0
        return rest

    def _broken(self, text: str, width: int) -> str:
        return "".join(self._placed(space, word, width) for space, word in _PIECES.findall(text))

    def _placed(self, space: str, word: str, width: int) -> str:
        if word == "\n":
            self._column = 0
            return word
        needed = columns(space) + columns(word)
        if self._column and self._column + needed > width:
            self._column = columns(word)
            return f"\n{word}"
        self._column += needed
        return space + word


def columns(text: str) -> int:
    """How many columns of a screen a text takes."""
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if ord(char) >= _NARROW and unicodedata.east_asian_width(char) in "WF" else 1
