"""When a message may be edited again: the platform's budget spread evenly over its window. Pure; times in seconds.

Clock and budget are arguments. A gap is what is left of the window divided by the edits left in it, which keeps the
mean lag within a few percent of what a clairvoyant could reach, and never asks for more than the platform takes. When a
scene may end, the last edit of a window is put off until little of the window is left: even gaps would leave nothing
for the last frame in a fifth of the time, and people would wait for the end for a second.
"""

import re
from dataclasses import dataclass, replace

from bot.surface import Allowance, Pace

EARLY_SHARE = 0.1
"""A frame that ends with a sentence may go out this much of a gap earlier: that costs little and reads better."""

SHORTEST_WAIT = 0.05
"""A platform that says `slow down` without saying for how long is left alone this long at least."""

LENGTHENED = 1.1
"""A scene is expected to be this much longer than asked for: who expects too little has no edits left for the rest."""

END_WAIT = 0.45
"""Seconds for which a scene that may end has no edit left, at the most: so long may its last words have to wait."""

GROWING_SHARE = 0.9
"""Of what all rooms together may send, this much is for scenes that grow; others begin and end meanwhile."""

WORD_CHARS = 6
"""Of an English story, blanks and marks among them; other languages have longer words or signs for whole ones."""

MEASURED_FROM = 0.2
"""How long words must have come for their rate to mean something."""

FASTEST = 1000.0
"""Characters a second that a model may write of which nothing is known yet."""

UNKNOWN_AHEAD = 30.0
"""How long a scene of which nothing is known is expected to go on, where its edits have to last for all of it."""

SLOWEST = 1.0
"""Seconds between words, at the most; a model that says less may have its frames when they are due."""

LISTENED = 2.5
"""For so many beats before a frame is due it is listened when words come: at least two do."""

NEVER = 86_400.0
"""A wait that only the end of the scene cuts short."""

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
class Lasts:
    """Between which parts of what was asked for most scenes end. Some are shorter or longer, which is no harm."""

    shortest: float
    longest: float


EXPECTED = Lasts(0.7, 1.2)
"""While nobody knows the model."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of the course of a scene."""

    ahead: float | None = None
    """Seconds until it is expected to end; None while nobody knows."""
    edits: int = 0
    """Frames it has used up."""
    soonest: float = 0.0
    """Seconds until it may end."""
    latest: float = float("inf")
    """Seconds until it should have ended."""


UNKNOWN = Outlook()


@dataclass(frozen=True, slots=True)
class Progress:
    """How a scene has come along since somebody began to listen."""

    began: float = 0.0
    """When its first words were heard."""
    first: int = 0
    """How many characters those were: after a restart, or where a scene is extended, most of it may be there."""
    told: int = 0
    heard_at: float = 0.0
    frames: int = 0

    def heard(self, told: int, now: float) -> "Progress":
        """Know of more characters."""
        if not self.first:
            return replace(self, began=now, first=told, told=told, heard_at=now)
        return replace(self, told=told, heard_at=now)

    def showed(self, frames: int) -> "Progress":
        """Count frames that it has used up."""
        return replace(self, frames=self.frames + frames)

    def outlook(self, words: int, lasts: Lasts = EXPECTED) -> Outlook:
        """Expect when a scene of about so many words will end; 0 for nobody knows how many.

        What is longer than it was expected to be may end at any time: then nothing is known.
        """
        asked, lasted = words * WORD_CHARS, self.heard_at - self.began
        left = asked * LENGTHENED - self.told
        if left <= 0:
            return Outlook(None, self.frames)
        if lasted < MEASURED_FROM or self.told == self.first:
            return Outlook(None, self.frames, max(asked * lasts.shortest - self.told, 0.0) / FASTEST)
        pace = (self.told - self.first) / lasted
        soonest, latest = max(asked * lasts.shortest - self.told, 0.0), asked * lasts.longest - self.told
        return Outlook(left / pace, self.frames, soonest / pace, latest / pace)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How far apart words come: those that are the last before a frame is due need not wait for it."""

    beat: float = 0.1
    """Seconds, on average; a guess while nobody knows."""
    began: float | None = None
    """When the first words came since somebody began to listen."""
    beats: int = 0
    """How many came after them."""

    def listening(self) -> "Rhythm":
        """Begin to listen; whoever heard nothing twice does not listen for long enough."""
        return Rhythm(self.beat if self.beats else min(self.beat * 2, SLOWEST))

    def heard(self, now: float) -> "Rhythm":
        """Hear words."""
        if self.began is None:
            return Rhythm(self.beat, now)
        beats = self.beats + 1
        return Rhythm((now - self.began) / beats, self.began, beats)


@dataclass(frozen=True, slots=True)
class Due:
    """When the next frame goes out."""

    early: float
    """From here on, if the text ends with a sentence."""
    at: float
    """From here on in any case."""
    soonest: float = NEVER
    """From here on, if nothing more is expected before `at`."""

    def listens(self, rhythm: Rhythm) -> float:
        """From when on it matters when words come."""
        return min(self.early, max(self.at - rhythm.beat * LISTENED, self.soonest))

    def done(self, rhythm: Rhythm, now: float) -> bool:
        """Tell whether words that came just now are the last before it is due."""
        return now >= self.soonest and now + rhythm.beat > self.at


def together(one: Allowance, other: Allowance, pace: Pace) -> Allowance:
    """See two windows of the same kind as one, for a message that can be edited by either.

    The answer is the scarcer of what is left until the first of them counts anew, and until both have. With two there
    is enough to keep one edit for the end of the scene.
    """
    soon, late = sorted((one, other), key=lambda left: left.reset_in)
    now = soon.remaining + late.remaining
    if not now:
        return soon
    spans = (Allowance(now, soon.reset_in, kept=1), Allowance(now + pace.burst, late.reset_in, kept=1))
    return max(spans, key=lambda span: span.reset_in / (span.remaining + 1))


def first_edit(pace: Pace, left: Allowance, posted: float) -> Due:
    """Time the first edit after a message was posted; posting costs no edit."""
    at = posted + (pace.first_gap if left.remaining else max(pace.first_gap, left.reset_in))
    return Due(at, at, posted if left.remaining else at)


def first_words(pace: Pace, left: Allowance, now: float) -> Due:
    """Time the first words in a message that was posted without any: they are not waited for if they can be shown."""
    at = now if left.remaining > pace.kept else now + left.reset_in
    return Due(at, at)


def next_edit(
    pace: Pace,
    left: Allowance,
    now: float,
    streams: int,
    course: Outlook = UNKNOWN,
    meant: float | None = None,
) -> Due:
    """Time the edit after one that is just over, while `streams` messages are growing on the platform.

    The gap is counted from when that one was `meant` to go out: neither the time that it was under way nor a sentence
    that sent it off early makes a hole at the end of the window, where nothing is left to be sent. What it waited for
    other rooms counts: so the rooms find times at which they are not in each other's way.
    """
    since = now if meant is None else meant + left.waited
    free = max(left.remaining - left.kept, 0)
    window = _of_window(left.reset_in + now - since, left, course)
    share = _of_bucket(pace, left, streams, course) if left.refill else window
    gap = max(pace.min_gap, share, streams / (pace.shared * GROWING_SHARE), _of_scene(pace, course))
    at = max(since + gap, now if free else now + left.reset_in)
    spare = gap * EARLY_SHARE if free > 1 or left.refill else 0.0
    soonest = min(since + pace.min_gap, at) if free else at
    return Due(max(at - spare, since + pace.min_gap), at, soonest)


def last_edit(left: Allowance, now: float) -> float:
    """Time the last frame: at once, or as soon as the platform takes an edit again."""
    return now if left.remaining else now + left.reset_in


def _of_window(until: float, left: Allowance, course: Outlook) -> float:
    """Spread the edits of a window over it, or over what is left of the scene.

    While the scene may end, none are left for a short time only. One that is longer than expected has one left at
    least; where edits are kept for the end, they are not hurried for it.
    """
    free = max(left.remaining - left.kept, 0)
    if not free or course.soonest >= until:
        return until / (free + 1)
    spread = until if free == 1 or left.kept else min(until, course.latest)
    return max(spread / (free + 1), min(spread, until - END_WAIT) / free)


def _of_bucket(pace: Pace, left: Allowance, streams: int, course: Outlook) -> float:
    """Share what is in the bucket and what will come, above what is kept back, with all that grows besides."""
    ahead = UNKNOWN_AHEAD if course.ahead is None else course.ahead
    spare = left.remaining - pace.kept + left.refill * ahead
    until_spare = (pace.kept + 1 - left.remaining) / left.refill if left.remaining <= pace.kept else 0.0
    if spare < 1:
        return max(ahead, until_spare) * max(streams, 1)
    return max(ahead * max(streams, 1) / spare, until_spare)


def _of_scene(pace: Pace, course: Outlook) -> float:
    """Spread the frames that one scene may have; two are kept for its end: its last words, and what follows them."""
    if pace.most_edits is None:
        return 0.0
    left = pace.most_edits - course.edits - 2
    return NEVER if left < 1 else (UNKNOWN_AHEAD if course.ahead is None else course.ahead) / left


def ends_sentence(text: str) -> bool:
    """Tell whether a frame would end where a reader may pause."""
    return _SENTENCE_END.search(text, max(0, len(text) - 8)) is not None
