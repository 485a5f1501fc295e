"""The pacer in virtual time, against a bucket like a chat platform's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from bot.presenter import pacer
from bot.surface import Allowance, Pace

ONE_WAY = 0.075
PACE = Pace()
FAR = pacer.Outlook(ahead=30, soonest=20, latest=40)
"""A scene that certainly goes on for a while."""


@dataclass
class Bucket:
    """A fixed window of edits that begins with the first of them."""

    burst: int
    per: float
    began: float = float("-inf")
    edits: int = 0
    refused: int = 0

    def take(self, now: float) -> None:
        if now >= self.began + self.per:
            self.began, self.edits = now, 0
        self.edits += 1
        self.refused += self.edits > self.burst

    def left(self, now: float) -> Allowance:
        if now >= self.began + self.per:
            return Allowance(self.burst, self.per)
        return Allowance(max(self.burst - self.edits, 0), self.began + self.per - now)


@dataclass
class Outcome:
    lags: Sequence[float]
    frames: Sequence[float]
    last_lag: float
    refused: int


def play(tokens: int, rate: float, pace: Pace = PACE, streams: int = 1, *, told: bool = True) -> Outcome:
    """Stream tokens at a rate; every request takes two ways, every frame is seen after one."""
    bucket = Bucket(pace.burst, pace.per)
    end = tokens / rate
    seen = [(now + ONE_WAY, min(int(now * rate), tokens)) for now in _frames(end, pace, bucket, streams, told=told)]
    lags = [next(when for when, many in seen if many > token) - token / rate for token in range(tokens)]
    return Outcome(lags, [when for when, _ in seen], seen[-1][0] - end, bucket.refused)


def _frames(end: float, pace: Pace, bucket: Bucket, streams: int, *, told: bool) -> Iterator[float]:
    spent = pacer.UNSPENT

    def left(now: float) -> Allowance:
        return bucket.left(now) if told else pacer.allowance(spent, pace, now)

    now = 2 * ONE_WAY  # the message was posted with the first word
    yield 0.02
    due = pacer.first_edit(pace, left(now), now)
    while due.at < end:
        now = due.at
        yield now
        bucket.take(now + ONE_WAY)
        now += 2 * ONE_WAY
        spent = pacer.spend(spent, pace, now)
        due = pacer.next_edit(pace, left(now), now, streams)
    now = max(pacer.last_edit(left(max(now, end)), max(now, end)), end)
    bucket.take(now + ONE_WAY)
    yield now + 1e-6


@pytest.mark.parametrize("told", [True, False])
def test_text_is_seen_within_two_thirds_of_a_second_on_average(told: bool) -> None:  # noqa: FBT001 - a parameter
    played = play(300, 50, told=told)
    assert sum(played.lags) / len(played.lags) <= 0.65


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("tokens", "rate"), [(300, 50), (300, 20), (300, 100), (1500, 50)])
def test_the_platform_never_has_to_refuse(tokens: int, rate: float, told: bool) -> None:  # noqa: FBT001 - a parameter
    assert play(tokens, rate, told=told).refused == 0


@pytest.mark.parametrize("tokens", range(200, 400, 20))
def test_the_last_frame_comes_soon(tokens: int) -> None:
    assert play(tokens, 50).last_lag <= 0.75


def test_the_last_frame_comes_at_once_when_an_edit_is_left() -> None:
    assert pacer.last_edit(Allowance(1, 4.0), 10.0) == 10.0


def test_the_last_frame_waits_for_the_window_when_none_is_left() -> None:
    assert pacer.last_edit(Allowance(0, 4.0), 10.0) == 14.0


def test_the_first_edit_comes_after_six_tenths_of_a_second() -> None:
    assert pacer.first_edit(PACE, Allowance(5, 5.0), 10.0).at == pytest.approx(10.6)


def test_what_is_left_of_a_window_is_shared_evenly() -> None:
    assert pacer.next_edit(PACE, Allowance(3, 4.0), 10.0, 1, FAR).at == pytest.approx(11.0)


def test_the_time_a_request_takes_is_part_of_the_gap() -> None:
    assert pacer.next_edit(PACE, Allowance(3, 4.0), 10.15, 1, FAR, meant=9.85).at == pytest.approx(9.85 + 4.3 / 4)


def test_a_sentence_that_came_early_makes_no_hole_at_the_end_of_the_window() -> None:
    on_time = pacer.next_edit(PACE, Allowance(3, 3.9), 10.1, 1, meant=10.0).at
    early = pacer.next_edit(PACE, Allowance(3, 4.1), 9.9, 1, meant=10.0).at
    assert early == pytest.approx(on_time)


def test_while_a_scene_may_end_there_is_an_edit_left_until_shortly_before_the_next_ones() -> None:
    assert pacer.next_edit(PACE, Allowance(3, 5.0), 10.0, 1).at == pytest.approx(10 + 4.55 / 3)
    last = pacer.next_edit(PACE, Allowance(1, 2.0), 13.0, 1)
    assert last.early == last.at == pytest.approx(14.55)


def test_edits_are_not_saved_for_a_time_when_the_scene_should_have_ended() -> None:
    soon = pacer.Outlook(ahead=1.0, soonest=0.0, latest=1.8)
    assert pacer.next_edit(PACE, Allowance(3, 5.0), 10.0, 1, soon).at == pytest.approx(10.6)


def test_a_scene_that_goes_on_for_longer_than_it_should_has_an_edit_left() -> None:
    late = pacer.Outlook(ahead=0.1, soonest=0.0, latest=0.2)
    assert pacer.next_edit(PACE, Allowance(1, 5.0), 10.0, 1, late).at == pytest.approx(14.55)


def test_it_is_known_between_when_and_when_a_scene_should_end() -> None:
    told = pacer.Progress().heard(10, 0.0).heard(110, 1.0)
    course = told.outlook(100)  # of six characters each, a hundred of them a second
    assert course.soonest == pytest.approx((420 - 110) / 100)
    assert course.latest == pytest.approx((720 - 110) / 100)
    assert told.outlook(10) == pacer.Outlook()
    assert told.outlook(100, pacer.Lasts(0.5, 0.9)).soonest == pytest.approx((300 - 110) / 100)


def test_words_that_nothing_follows_before_the_next_frame_are_shown_at_once() -> None:
    due = pacer.next_edit(PACE, Allowance(3, 4.0), 10.0, 1, FAR)
    rhythm = pacer.Rhythm().listening().heard(10.6).heard(10.7).heard(10.8)
    assert not due.done(rhythm, 10.85)
    assert due.done(rhythm, 10.95)


def test_a_new_window_is_not_begun_before_it_is_there() -> None:
    rhythm = pacer.Rhythm().listening().heard(13.5).heard(13.9)
    due = pacer.next_edit(PACE, Allowance(0, 4.0), 10.0, 1)
    assert not due.done(rhythm, 13.9)
    assert due.listens(rhythm) >= 13.0


def test_whoever_hears_words_too_seldom_listens_for_longer() -> None:
    due = pacer.next_edit(PACE, Allowance(3, 4.0), 10.0, 1, FAR)
    rhythm = pacer.Rhythm(0.1)
    assert due.listens(rhythm.heard(10.9).listening()) < due.listens(rhythm)
    assert rhythm.heard(10.6).heard(10.8).listening().beat == pytest.approx(0.2)


def test_an_empty_bucket_is_waited_for() -> None:
    due = pacer.next_edit(PACE, Allowance(0, 4.0), 10.0, 1)
    assert due.early == due.at == pytest.approx(14.0)


def test_a_generous_platform_is_not_edited_faster_than_people_read() -> None:
    assert pacer.next_edit(PACE, Allowance(1000, 1.0), 10.0, 1).at == pytest.approx(10.35)


def test_many_streams_share_the_platform() -> None:
    assert pacer.next_edit(PACE, Allowance(5, 5.0), 10.0, 90).at == pytest.approx(10.0 + 90 / 40.5)


def test_a_sentence_may_go_out_in_the_last_tenth_of_a_gap() -> None:
    due = pacer.next_edit(PACE, Allowance(3, 4.0), 10.0, 1, FAR)
    assert due.early == pytest.approx(10.9)


def test_what_is_kept_for_the_end_is_spent_on_nothing_else() -> None:
    left = Allowance(1, 4.0, kept=1)
    assert pacer.next_edit(PACE, left, 10.0, 1).early == 14.0
    assert pacer.last_edit(left, 10.0) == 10.0


def test_of_two_ways_together_one_edit_is_kept_for_the_end() -> None:
    both = pacer.together(Allowance(1, 2.0), Allowance(2, 4.0), PACE)
    assert both == Allowance(3, 2.0, kept=1)
    assert pacer.next_edit(PACE, both, 10.0, 1, FAR).at == pytest.approx(10.0 + 2.0 / 3)


@pytest.mark.parametrize("text", ["He left.", "Really?! ", "“Go.” ", "*gone.*", "…", "走った。"])
def test_a_reader_may_pause_there(text: str) -> None:
    assert pacer.ends_sentence(text)


@pytest.mark.parametrize("text", ["", "He left", "3.5", "He left, ", "Mr. Finch went"])
def test_a_reader_may_not_pause_there(text: str) -> None:
    assert not pacer.ends_sentence(text)


def test_our_own_count_starts_anew_after_a_window() -> None:
    spent = pacer.UNSPENT
    for now in (0.0, 1.0, 2.0):
        spent = pacer.spend(spent, PACE, now)
    assert pacer.allowance(spent, PACE, 3.0) == Allowance(2, 2.0)
    assert pacer.allowance(spent, PACE, 5.0) == Allowance(5, 5.0)
