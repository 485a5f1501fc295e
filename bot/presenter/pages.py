"""A long, growing text as messages: each valid by itself, and none of them changes once the next has begun. Pure."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from bot.presenter.healing import HEAVY, RESERVE, Healed, Then, heal
from bot.surface import Limits
from bot.wording.markup import ZERO_WIDTH, neutral

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019\u00bb)*_]*\s")
_BREAKS = ((_PARAGRAPH, 0.5), (_SENTENCE, 0.6), (re.compile(r"\s"), 0.1))
"""Where a message may end, the best first, and how full it has to be then: behind a paragraph, a sentence, a word."""
_HEAD_SHARE = 3
_HEAD_CHARS = 240
_LONGEST_CLUSTER = 64
"""No real character is made of more code points; what goes on longer is cut."""
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_REGIONS = range(0x1F1E6, 0x1F200)
_HANGUL_ENDS = range(0x1160, 0x1200)
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Page:
    """One message's part of a text."""

    end: int
    """How much of the text this page and those before it show."""
    text: str


@dataclass(frozen=True, slots=True)
class Laid:
    """A text as messages, and what of it need not be done again when it has grown."""

    pages: tuple[Page, ...] = ()
    firm: int = 0
    """So many of them do not change any more."""
    of: str = ""
    """The text that these show."""
    carried: tuple[str, ...] = ()
    """The marks that are open behind it."""


NOTHING_LAID = Laid()


@dataclass(frozen=True, slots=True)
class _Cut:
    end: int
    then: Then


def head_room(limits: Limits) -> int:
    """How many characters of its first message a scene may use for what stands above it."""
    return _HEAD_CHARS if limits.max_chars is None else min(_HEAD_CHARS, limits.max_chars // _HEAD_SHARE)


def finished(text: str, limits: Limits, head: int = 0) -> tuple[Page, ...]:
    """Split a clean text into messages; `head` characters of the first one are kept free.

    Breaks and blanks at a cut belong to neither message. A text without words has no pages.
    """
    return _paged(text, limits, head, "end", NOTHING_LAID).pages


def growing(text: str, limits: Limits, head: int = 0, before: Laid = NOTHING_LAID) -> Laid:
    """Split a text that goes on: all pages but the last are the same for every longer text.

    Where the text was split `before`, while it was shorter, only what has changed is done.
    """
    return _paged(text, limits, head, "more", before if text.startswith(before.of) else NOTHING_LAID)


def _paged(text: str, limits: Limits, head: int, then: Then, before: Laid) -> Laid:
    pages = list(before.pages[: before.firm])
    carried, start = before.carried, len(before.of)
    firm, last, open_there = before.firm, start, carried
    while start < len(text):
        firm, last, open_there = len(pages), start, carried
        cut = _cut(text, start, limits, head if not pages else 0, then)
        healed = _dressed(text[start : cut.end].strip(), carried, cut.then, limits)
        carried = healed.carried
        if healed.text:
            pages.append(Page(cut.end, healed.text))
        start = cut.end
    return Laid(tuple(pages), firm, text[:last], open_there)


def _dressed(part: str, carried: tuple[str, ...], then: Then, limits: Limits) -> Healed:
    if not part:
        return Healed("", () if then == "end" else carried)
    return Healed(part, ()) if limits.markup == "plain" else heal(neutral(part), carried, then)


def _cut(text: str, start: int, limits: Limits, head: int, then: Then) -> _Cut:
    if limits.most is None:
        return _Cut(len(text), then)
    width = max(_width(text, start, limits, limits.most - limits.room(head)), 1)
    if len(text) - start <= width:
        return _Cut(len(text), then)
    for pattern, share in _BREAKS:
        places = [found.end() for found in pattern.finditer(text, start + int(width * share), start + width)]
        if place := next((place for place in reversed(places) if _is_boundary(text, place)), 0):
            return _Cut(place, "end" if pattern is _PARAGRAPH else "more")
    return _Cut(_hard_cut(text, start, start + width), "more")


def _width(text: str, start: int, limits: Limits, room: int) -> int:
    """How many characters fit for certain, whatever has to be escaped or closed among them."""
    if limits.markup == "plain":
        return _fitting(text, start, room, limits.size)
    doubled = limits.size(ZERO_WIDTH)
    return _fitting(
        text,
        start,
        room - limits.room(RESERVE),
        lambda part: limits.size(part) + doubled * len(HEAVY.findall(part)),
    )


def _fitting(text: str, start: int, room: int, size: Callable[[str], int]) -> int:
    """How many characters from a place on have at most this size together; each has one of 1 at least."""
    longest = min(len(text) - start, max(room, 0))
    if size(text[start : start + longest]) <= room:
        return longest
    return bisect_right(range(longest), room, key=lambda many: size(text[start : start + many])) - 1


def _hard_cut(text: str, start: int, end: int) -> int:
    lowest = max(start + 1, end - _LONGEST_CLUSTER)
    return next((place for place in range(end, lowest - 1, -1) if _is_boundary(text, place)), end)


def _is_boundary(text: str, place: int) -> bool:
    """Tell whether a text may be cut here without breaking a character that is made of several code points."""
    if not 0 < place < len(text):
        return True
    before, after = text[place - 1], text[place]
    if _JOINER in {before, after} or unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf"}:
        return False
    if ord(after) in _SKIN_TONES or ord(after) in _HANGUL_ENDS:
        return False
    if ord(after) in _REGIONS:  # flags are pairs of letters
        before_it = takewhile(lambda char: ord(char) in _REGIONS, reversed(text[max(0, place - 64) : place]))
        return sum(1 for _ in before_it) % 2 == 0
    return True
