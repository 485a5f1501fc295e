"""How long scenes become beside what was asked for is learned from those that were told."""

from bot.presenter.lengths import FEW, KNOWN, Lengths
from bot.presenter.pacer import EXPECTED, WORD_CHARS


def learned(*parts: float) -> Lengths:
    lengths = Lengths()
    for part in parts:
        lengths.told(100, round(100 * WORD_CHARS * part))
    return lengths


def test_a_few_scenes_say_nothing_about_the_next_one() -> None:
    assert learned(*[2.0] * (FEW - 1)).expected == EXPECTED
    assert learned(*[2.0] * FEW).expected != EXPECTED


def test_none_was_shorter_than_what_is_counted_on_and_few_were_longer() -> None:
    lasts = learned(0.8, 0.9, 0.9, 1.0, 1.0, 1.0, 1.1, 1.2, 3.0).expected
    assert (lasts.shortest, lasts.longest) == (0.8, 1.1)


def test_what_was_told_long_ago_is_forgotten() -> None:
    assert learned(*[2.0] * KNOWN, *[1.0] * KNOWN).expected.longest == 1.0


def test_a_scene_of_which_nobody_knows_what_was_asked_for_teaches_nothing() -> None:
    lengths = Lengths()
    for _ in range(FEW):
        lengths.told(0, 100)
    assert lengths.expected == EXPECTED
