"""Measuring and breaking words for the tree picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.picture.typeface import REGULAR, STRONG, typeface
from bot.picture.words import clipped, wrapped

FACE = typeface(REGULAR)


def test_widths_are_those_of_the_font() -> None:
    assert FACE.width("What the tide left behind", 24) == pytest.approx(281.148, abs=0.001)


def test_the_strong_font_is_wider() -> None:
    assert typeface(STRONG).width("tide", 20) > FACE.width("tide", 20)


@pytest.mark.parametrize("char", "aßéŁяΩ…·“”ế")
def test_latin_greek_and_cyrillic_are_in_the_font(char: str) -> None:
    assert FACE.has(char)


@pytest.mark.parametrize("char", "海한אع🙂")
def test_other_scripts_are_not_in_the_font_and_have_a_width_all_the_same(char: str) -> None:
    assert not FACE.has(char)
    assert FACE.width(char, 10) >= 7


def test_accents_on_letters_and_joiners_take_no_room() -> None:
    assert FACE.width("e\u0301\u200d", 10) == FACE.width("e", 10)


def test_lines_break_between_words() -> None:
    assert wrapped("What the tide left behind", FACE, 20, 130, 2) == ("What the tide", "left behind")


def test_a_word_too_long_for_a_line_is_broken() -> None:
    first, second = wrapped("Donaudampfschifffahrt", FACE, 20, 120, 2)
    assert first + second == "Donaudampfschifffahrt"


def test_writing_without_spaces_is_broken_anywhere() -> None:
    assert wrapped("水の上の灯籠", FACE, 20, 60, 2) == ("水の上", "の灯籠")


def test_what_is_too_much_ends_in_an_ellipsis() -> None:
    assert wrapped("one two three four five six", FACE, 20, 80, 2)[-1].endswith("…")


def test_no_text_has_no_lines() -> None:
    assert wrapped("  ", FACE, 20, 80, 2) == ()


def test_an_accent_stays_with_its_letter() -> None:
    assert clipped("e\u0301" * 9, FACE, 20, 60).removesuffix("…").endswith("\u0301")


@given(st.text(max_size=80), st.floats(60, 300), st.integers(1, 3))
def test_no_line_is_wider_than_it_may_be(text: str, width: float, most: int) -> None:
    lines = wrapped(text, FACE, 20, width, most)
    assert len(lines) <= most
    assert all(FACE.width(line, 20) <= width + 1e-6 for line in lines)


@given(st.text(st.sampled_from("ab \u0301\u200d海"), max_size=60))
def test_nothing_is_lost_while_there_are_lines_left(text: str) -> None:
    lines = wrapped(text, FACE, 20, 90, 1000)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
