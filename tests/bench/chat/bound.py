"""The least mean lag that a limit leaves to anybody, even to somebody who knew from the start when each scene ends.

Five edits fit into a window that begins with the first of them, by the platform's clock; messages cost none. Words
wait from one frame to the next, and the least waiting is where these gaps are as even as the windows let them be: each
window but the last takes five seconds at least, and what is before the first edit and behind the last window's first
one is divided among five gaps more. How many windows there are, and in which of them the messages come, is tried out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.platforms.discord.surface import LIMITS
from bot.presenter.pages import finished
from tests.bench.chat.speech import Speech

STEPS = 60
"""Halvings; a double has no more digits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a platform takes, and how far away it is."""

    burst: int = 5
    per: float = 5.0
    way: float = 0.0
    """Seconds until a frame is seen."""


def least(rule: Rule, speeches: Sequence[Speech]) -> float:
    """The mean lag of all tokens of all speeches in seconds, at the least."""
    waited = sum(waiting(rule, each.tokens, each.rate, _messages(each)) for each in speeches)
    return rule.way + waited / sum(each.tokens for each in speeches)


def waiting(rule: Rule, tokens: int, rate: float, messages: int = 1) -> float:
    """How long all tokens of a scene wait together at the least; the first is shown at once, by the first message."""
    after, window = tokens - 1, rule.per * rate
    most = int(after // window) + 1
    return min(
        _evenly(rule, after, window, extra) / rate
        for windows in range(most)
        for last in range(messages)
        for others in _divided(messages - 1 - last, windows)
        for extra in [(last, *others)]
    )


def _messages(speech: Speech) -> int:
    return len(finished(speech.text, LIMITS))


def _divided(things: int, places: int, most: int | None = None) -> Iterator[tuple[int, ...]]:
    """All ways to put so many things into so many places that are alike."""
    if places == 0:
        if things == 0:
            yield ()
        return
    for first in range(min(things, things if most is None else most) + 1):
        for rest in _divided(things - first, places - 1, first):
            yield (first, *rest)


def _evenly(rule: Rule, tokens: int, window: float, extra: Sequence[int]) -> float:
    """The least waiting, counted in tokens, with so many messages in the last window and in each of the others."""
    gaps = [rule.burst + more for more in extra]

    def sizes(gap: float) -> list[float]:
        return [gaps[0] * gap, *(max(many * gap, window) for many in gaps[1:])]

    low, high = 0.0, float(tokens)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(sizes(middle)) < tokens else (low, middle)
    each = (size / many for size, many in zip(sizes(low), gaps, strict=True))
    return sum(many * max(gap * (gap - 1) / 2, 0.0) for gap, many in zip(each, gaps, strict=True))
