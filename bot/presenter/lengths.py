"""How long scenes become beside what was asked for: each model has its habits, and each language its words."""

from collections import deque

from bot.presenter.pacer import EXPECTED, WORD_CHARS, Lasts

KNOWN = 16
"""Scenes; a model may be exchanged."""
FEW = 8
"""Fewer say little about the next one."""
LONGER = 2
"""So many of those may have been longer than what is counted on; none shorter, whose end would come late."""


class Lengths:
    """Remembers the newest scenes of a program."""

    def __init__(self) -> None:
        self._parts: deque[float] = deque(maxlen=KNOWN)

    def told(self, words: int, chars: int) -> None:
        """A scene of about so many words was asked for, and has so many characters; 0 words for nobody knows."""
        if words and chars:
            self._parts.append(chars / (words * WORD_CHARS))

    @property
    def expected(self) -> Lasts:
        """Between which parts of what is asked for the next one is going to end, most likely."""
        if len(self._parts) < FEW:
            return EXPECTED
        parts = sorted(self._parts)
        return Lasts(parts[0], parts[-1 - LONGER])
