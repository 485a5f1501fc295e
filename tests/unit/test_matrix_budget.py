"""The budget of events, against Synapse's own way to count them."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.matrix.budget import ASK_AFTER, ASK_AGAIN, FLOORS, KEPT, STOCK, Bucket, Tally
from bot.platforms.matrix.link import Urgency
from bot.surface import SlowDown

START = Tally.at_start(0.0)
RESTED = 60.0
"""When everything is there that there can be."""


@dataclass
class Ratelimiter:
    """`synapse.api.ratelimiting.Ratelimiter`, for one user."""

    bucket: Bucket
    count: float = 0.0
    began: float = 0.0

    def refuses(self, now: float) -> float:
        """Count an event; answers how long to wait where it is refused, else 0."""
        performed = self.count - (now - self.began) * self.bucket.rate
        if performed < 0:
            performed, self.count, self.began = 0.0, 0.0, now
        if performed > self.bucket.burst - 1:
            return self.began + (self.count - self.bucket.burst + 1) / self.bucket.rate - now
        self.count += 1
        return 0.0


def sends(tally: Tally, urgency: Urgency, now: float) -> Tally | None:
    """What is known after an event; None when it was not sent."""
    try:
        return tally.taken(urgency, now)
    except SlowDown:
        return None


def drained(tally: Tally, now: float) -> Tally:
    while (after := sends(tally, "last", now)) is not None:
        tally = after
    return tally


requests = st.lists(
    st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 2.0), st.sampled_from(["draft", "last", "seed"])), max_size=80
)


@given(requests)
def test_a_homeserver_as_it_comes_never_has_to_refuse(gaps: list[tuple[float, float, Urgency]]) -> None:
    """Whenever events are sent, and though each takes its time to arrive."""
    server, tally, now = Ratelimiter(STOCK), START, 0.0
    for gap, under_way, urgency in gaps:
        now = min(now + gap, ASK_AFTER - 3)
        after = sends(tally, urgency, now)
        if after is not None:
            assert not server.refuses(now + under_way)
            tally = after


@given(requests)
def test_a_wait_that_was_told_is_long_enough(gaps: list[tuple[float, float, Urgency]]) -> None:
    tally, now = START, 0.0
    for gap, _, urgency in gaps:
        now = min(now + gap, ASK_AFTER - 100)
        after = sends(tally, urgency, now)
        if after is None:
            with pytest.raises(SlowDown) as slow:
                tally.taken(urgency, now)
            assert slow.value.retry_after > 0
            assert sends(tally, urgency, now + slow.value.retry_after + 1e-6) is not None
        tally = after or tally


def test_a_program_that_has_just_begun_relies_on_what_an_earlier_one_must_have_left() -> None:
    left = START.left(0.0)
    assert left is not None
    assert left.remaining < KEPT
    rested = START.left(RESTED)
    assert rested is not None
    assert rested.remaining == STOCK.burst - 1


def test_growing_scenes_leave_something_for_last_frames_and_reactions_for_answers() -> None:
    tally = START
    for urgency in ("draft", "seed", "last"):
        while (after := sends(tally, urgency, RESTED)) is not None:
            tally = after
        left = tally.left(RESTED)
        assert left is not None
        assert left.remaining == FLOORS[urgency]


def offers(tally: Tally, server: Ratelimiter | None, now: float, reactions: int = 5) -> tuple[Tally, int]:
    """Put reactions under a question, and ask where that is time; answers how often the homeserver refused."""
    refused = 0
    for _ in range(reactions):
        after = sends(tally, "seed", now)
        if after is not None:
            assert not server or not server.refuses(now)
            tally = after
        if tally.wonders(now):
            asked = tally.taken("ask", now)
            wait = server.refuses(now) if server else 0.0
            tally = asked.refused(wait, now) if wait else asked.unlimited()
            refused += wait > 0
    return tally, refused


def test_a_bot_that_is_not_limited_learns_it_when_nothing_should_be_left() -> None:
    now = ASK_AFTER + 1
    tally, _ = offers(drained(START, now), None, now)
    assert tally.left(now) is None


def test_before_it_has_run_for_a_while_it_asks_nothing() -> None:
    now = ASK_AFTER - 1
    tally = drained(START, now)
    assert not tally.wonders(now)
    assert sends(tally, "seed", now) is None


def test_a_limited_bot_is_refused_once_a_day_at_the_most() -> None:
    server, tally, now = Ratelimiter(STOCK), START, ASK_AFTER
    refused = 0
    for minute in range(100):
        now += 100.0 + minute / 7
        while sends(tally, "draft", now) is not None:
            tally = tally.taken("draft", now)
            assert not server.refuses(now)
        tally, more = offers(tally, server, now)
        refused += more
    assert refused == 1
    now += ASK_AGAIN
    assert replace(tally, events=0.0, at=now).wonders(now)


def test_after_a_refusal_it_waits_as_long_as_it_was_told() -> None:
    tally = START.refused(4.5, RESTED)
    left = tally.left(RESTED)
    assert left is not None
    assert left.remaining == 0
    assert left.reset_in == pytest.approx(4.5, abs=0.01)


@pytest.mark.parametrize("bucket", [Bucket(0.1, 10), Bucket(2.0, 20), Bucket(0.2, 5)])
def test_the_rate_is_learned_from_refusals(bucket: Bucket) -> None:
    """Of a bot that was thought to be unlimited: after some refusals it is within a quarter of the truth."""
    server, tally, now = Ratelimiter(bucket), START.unlimited(), 0.0
    for _ in range(400):
        now += 0.3
        after = sends(tally, "last", now)
        if after is not None:
            wait = server.refuses(now)
            tally = after.refused(wait, now) if wait else after
    assert tally.bucket is not None
    assert bucket.rate * 0.99 <= tally.bucket.rate <= bucket.rate * 1.25


def test_a_long_wait_says_little_about_the_rate() -> None:
    tally = START.refused(600.0, 0.0)
    assert sends(tally, "last", 590.0) is None
    left = tally.left(1000.0)
    assert left is not None
    assert left.remaining > KEPT
