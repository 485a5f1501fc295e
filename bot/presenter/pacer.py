"""When a message may be edited again: the platform's budget spread evenly over its window. Pure; times in seconds.

Clock and budget are arguments. A gap is what is left of the window divided by the edits left in it, which keeps the
mean lag within a few percent of what a clairvoyant could reach, and never asks for more than the platform takes.
"""

import re
from dataclasses import dataclass

from bot.surface import Allowance, Pace

EARLY_SHARE = 0.2
"""A frame that ends with a sentence may go out this much of a gap earlier: it costs nothing and reads better."""

SHORTEST_WAIT = 0.05
"""A platform that says `slow down` without saying for how long is left alone this long at least."""

_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019\u00bb)*_]*\s*$")


@dataclass(frozen=True, slots=True)
class Spent:
    """Edits counted by ourselves, for platforms that do not tell: a window begins with its first edit."""

    window_began: float
    edits: int


UNSPENT = Spent(float("-inf"), 0)


def spend(spent: Spent, pace: Pace, now: float) -> Spent:
    """Count one more edit."""
    if now >= spent.window_began + pace.per:
        return Spent(now, 1)
    return Spent(spent.window_began, spent.edits + 1)


def allowance(spent: Spent, pace: Pace, now: float) -> Allowance:
    """Say how many edits are left, by our own count."""
    if now >= spent.window_began + pace.per:
        return Allowance(pace.burst, pace.per)
    return Allowance(max(pace.burst - spent.edits, 0), spent.window_began + pace.per - now)


@dataclass(frozen=True, slots=True)
class Due:
    """When the next frame goes out."""

    early: float
    """From here on, if the text ends with a sentence."""
    at: float
    """From here on in any case."""


def first_edit(pace: Pace, left: Allowance, posted: float) -> Due:
    """Time the first edit after a message was posted; posting costs no edit."""
    at = posted + (pace.first_gap if left.remaining else max(pace.first_gap, left.reset_in))
    return Due(at, at)


def next_edit(pace: Pace, left: Allowance, edited: float, streams: int) -> Due:
    """Time the edit after one that was made just now, while `streams` messages are growing on the platform."""
    gap = max(pace.min_gap, left.reset_in / (left.remaining + 1), streams / pace.shared)
    spare = 0.0 if left.remaining == 0 else gap * EARLY_SHARE
    return Due(max(edited + gap - spare, edited + pace.min_gap), edited + gap)


def last_edit(left: Allowance, now: float) -> float:
    """Time the last frame: at once, or as soon as the platform takes an edit again."""
    return now if left.remaining else now + left.reset_in


def ends_sentence(text: str) -> bool:
    """Tell whether a frame would end where a reader may pause."""
    return _SENTENCE_END.search(text, max(0, len(text) - 8)) is not None
