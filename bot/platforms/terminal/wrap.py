"""Wrapping at the screen's width while the words still arrive, without ever taking back what is shown."""

import re

from bot.wording.columns import wide

_WIDE = "\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60"
"""Scripts that may break between any two characters."""
_PIECES = re.compile(rf"([^\S\n]*)(\n|[{_WIDE}]|[^\s{_WIDE}]+)")
_TAIL = re.compile(rf"[^\S\n]*[^\s{_WIDE}]*$")


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
        needed = wide(space) + wide(word)
        if self._column and self._column + needed > width:
            self._column = wide(word)
            return f"\n{word}"
        self._column += needed
        return space + word
