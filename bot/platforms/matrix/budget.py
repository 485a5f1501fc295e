"""How many events the homeserver takes of the bot, in all rooms together, counted here before it would refuse one.

Synapse counts all that a user sends in whatever room (`rc_message`): messages, edits, reactions, redactions, state. It
is taken to allow what it allows as it comes, until it says less, or turns out to refuse nothing. That can only be asked
when there should be nothing left, and is asked with a reaction that is there already: a homeserver without a limit
answers that it is there, one with a limit that it is too early, and neither counts it. Nobody waits for that, and it is
done some time after the start, and at most once a day.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

from bot.platforms.matrix.link import Urgency
from bot.surface import Allowance, SlowDown

KEPT = 4
"""Events that growing scenes leave by their own timing: a last frame, its card, and two reactions under it."""
FLOORS: Mapping[str, int] = MappingProxyType({"last": 0, "later": 1, "seed": 1, "draft": 2})
"""Events that have to be left for others when an event is sent."""
MARGIN = 0.5
"""Of an event: ours and the homeserver's clock may be so far apart, by requests that take their time."""
CERTAINTY = 0.4
"""With fewer events left than this, a homeserver that would take another one allows more than was thought."""
ASK_AFTER = 300.0
"""Seconds; whoever has just begun is to see nothing refused."""
ASK_AGAIN = 86_400.0
SLOWEST, FASTEST = 0.05, 100.0
"""Events a second that a refusal is taken to speak of; a longer wait has other reasons than the rate."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: it is full at first and refills steadily."""

    rate: float
    """Events a second that come back."""
    burst: int
    """Events it holds."""


STOCK = Bucket(rate=0.2, burst=10)
"""Of a Synapse whose owner has set nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of the limit, and of what is left, at some time. Pure; times in seconds."""

    bucket: Bucket | None
    """None when the bot is not limited."""
    events: float
    """What was left then; below 0 when more was sent than there should have been."""
    at: float
    ask_from: float
    """From then on the homeserver may be asked whether it has a limit."""
    exact_at: float | None = None
    """When there was exactly one event, by what the homeserver said when it refused one."""
    since: int = 0
    """Events that it took since then."""

    @classmethod
    def at_start(cls, now: float) -> Self:
        """Begin to count; a program that ran until just now may have left no more than what is kept."""
        return cls(STOCK, float(KEPT), now, now + ASK_AFTER)

    def left(self, now: float) -> Allowance | None:
        """Say what is left, all that is kept among it; None when there is no limit."""
        if self.bucket is None:
            return None
        events = self._refilled(self.bucket, now) - MARGIN
        remaining = max(int(events), 0)
        return Allowance(remaining, (remaining + 1 - events) / self.bucket.rate, self.bucket.rate)

    def taken(self, urgency: Urgency, now: float) -> Self:
        """Count an event that is about to be sent.

        Raises:
            SlowDown: it would be refused, or what is left is kept for what is more urgent.
        """
        if self.bucket is None:
            return self
        events = self._refilled(self.bucket, now)
        needed = self._needed(urgency, now)
        if events < needed:
            raise SlowDown("The homeserver takes no more events just now.", (needed - events) / self.bucket.rate)
        return replace(self, events=events - 1, at=now, since=self.since + 1)

    def wonders(self, now: float) -> bool:
        """Tell whether this is a time to ask, by an event that ought to be refused, whether there is a limit."""
        return self.bucket is not None and now >= self.ask_from and self._refilled(self.bucket, now) < CERTAINTY

    def unlimited(self) -> Self:
        """Know that the homeserver refuses nothing, until it does."""
        return replace(self, bucket=None, exact_at=None)

    def refused(self, retry_after: float, now: float) -> Self:
        """Believe the homeserver that it takes the next event in `retry_after` seconds, and none before."""
        before = self.bucket or Bucket(FASTEST, STOCK.burst)
        bucket = replace(before, rate=min(max(self._rate(before, retry_after, now), SLOWEST), FASTEST))
        known = self._refilled(before, now) + 1 if self.bucket else float(bucket.burst)
        events = min(known, 1 + MARGIN - retry_after * bucket.rate)
        return type(self)(bucket, events, now, now + ASK_AGAIN, exact_at=now + retry_after)

    def _needed(self, urgency: Urgency, now: float) -> float:
        """How much has to be there for an event of that kind."""
        if urgency == "ask":
            return float("-inf")
        if urgency == "seed" and now >= self.ask_from:
            return 1.0  # down to nothing, so that there is something to be learned
        return FLOORS[urgency] + 1 + MARGIN

    def _rate(self, bucket: Bucket, retry_after: float, now: float) -> float:
        """Work out how fast events come back.

        Between two refusals as many came back as were taken, unless the bucket was full meanwhile. From the first one
        it is only known that one event at most is waited for.
        """
        taken = self.since - 1  # the one that was refused was counted
        if self.exact_at is not None and 0 < taken < bucket.burst:
            return taken / max(now + retry_after - self.exact_at, 1 / FASTEST)
        return min(bucket.rate, 1 / max(retry_after, 1 / FASTEST))

    def _refilled(self, bucket: Bucket, now: float) -> float:
        return min(self.events + (now - self.at) * bucket.rate, float(bucket.burst))


class Budget:
    """The tally of the moment, by the clock of the event loop."""

    def __init__(self, tally: Tally | None = None) -> None:
        self._tally = tally or Tally.at_start(_now())

    def left(self) -> Allowance | None:
        """Say what is left; None when the bot is not limited."""
        return self._tally.left(_now())

    def take(self, urgency: Urgency) -> None:
        """Count an event that is about to be sent.

        Raises:
            SlowDown: see `Tally.taken`.
        """
        self._tally = self._tally.taken(urgency, _now())

    def wonders(self) -> bool:
        """Tell whether this is a time to ask whether there is a limit, see `Tally`."""
        return self._tally.wonders(_now())

    @property
    def unlimited(self) -> bool:
        """The homeserver is known to refuse nothing."""
        return self._tally.bucket is None

    def lift(self) -> None:
        """Know that the homeserver refuses nothing."""
        self._tally = self._tally.unlimited()

    def refused(self, retry_after: float) -> None:
        """Know that the homeserver refused an event, and takes the next in so many seconds."""
        self._tally = self._tally.refused(retry_after, _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
