"""What Matrix's clients are given of a text: nothing lost, nothing that acts, never too large an event."""

import json
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.matrix.paper import LIMITS, rewritten
from bot.platforms.matrix.rendering import rendered
from bot.platforms.matrix.sizes import ENVELOPE, MAX_CHARS, ROOM, size
from bot.presenter.healing import heal
from bot.presenter.pages import finished
from bot.surface import Frame
from bot.wording.markup import ZERO_WIDTH, Markdown, clean, neutral

MARKS = ["*", "**", "***", "_", "__", "`", "```", "~~", "||", "\\", "](", "5*3", "snake_case", "# ", "> ", "- ", "1. "]
BLANKS = ["\n", "\n\n", " ", ". ", "\t", "  \n", "    "]
ACTIVE = ["@room", "<@12>", "[x](https://a.b)", "<b>", "&#64;room", "&lt;b&gt;", "<img src=x>", "@bo:example.org"]
WORDS = ["The keeper", "door", "a", "👩‍👩‍👧", "é", "語", '"', "&", "<", ">", *MARKS, *BLANKS, *ACTIVE]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=60).map("".join).map(clean)
_TAG = re.compile(r"</?([a-z0-9]+)([^>]*)>")
_HARMLESS = {
    "p",
    "br",
    "strong",
    "em",
    "u",
    "del",
    "code",
    "pre",
    "blockquote",
    "span",
    *(f"h{n}" for n in range(1, 7)),
}


def letters(text: str) -> str:
    """What is left of a text when marks and blanks are taken away."""
    return re.sub(rf"[\s\\*_~|`#>{ZERO_WIDTH}]", "", text)


def shown(text: str) -> str:
    """What clients show of the HTML, or of the plain words where there is none."""
    both = rendered(text)
    return unescape(_TAG.sub("", both.html)) if both.html else both.plain


@given(TEXTS)
def test_no_letter_is_lost_in_html(text: str) -> None:
    assert letters(shown(heal(neutral(text), (), "end").text)) == letters(text)


@given(TEXTS.filter(lambda text: "||" not in text))
def test_no_letter_is_lost_for_whoever_reads_no_html(text: str) -> None:
    assert letters(rendered(heal(neutral(text), (), "end").text).plain) == letters(text)


@given(TEXTS)
def test_html_holds_only_tags_that_do_nothing(text: str) -> None:
    for tag, attributes in _TAG.findall(rendered(text).html):
        assert tag in _HARMLESS
        assert not attributes or (tag, attributes) == ("span", ' data-mx-spoiler=""')


@given(TEXTS)
def test_nobody_is_called_by_what_a_model_writes(text: str) -> None:
    both = rendered(heal(neutral(text), (), "end").text)
    for form in (both.plain, both.html):
        assert "@room" not in form
        assert "@bo" not in form


@given(TEXTS)
def test_words_of_others_are_shown_as_they_were_written(text: str) -> None:
    plain = rendered(Markdown().literal(text)).plain.replace(ZERO_WIDTH, "")
    assert "".join(plain.split()) == "".join(text.split())


@given(TEXTS)
def test_a_text_is_no_larger_than_was_counted(text: str) -> None:
    healed = heal(neutral(text), (), "end").text
    event = rewritten(Frame(healed), "$" + "x" * 43)
    assert len(json.dumps(event)) <= size(healed) + ENVELOPE


@given(TEXTS, TEXTS)
def test_sizes_add_up(one: str, other: str) -> None:
    assert size(one + other) <= size(one) + size(other)


@pytest.mark.parametrize("letter", ["a", "é", "語", "😀", "“", "*", '"', "\n", "&"])
def test_a_text_of_the_greatest_length_fits_whatever_it_is_made_of(letter: str) -> None:
    assert size(letter * MAX_CHARS) <= ROOM


@pytest.mark.parametrize("piece", ["a ", "語", "😀", "> a\n\n", "**b** ", "||c|| ", "# d\n\n", "@room "])
def test_every_message_of_a_long_text_fits_into_an_encrypted_event(piece: str) -> None:
    text = piece * (30_000 // len(piece))
    pages = finished(text, LIMITS, 200)
    assert len(pages) > 1
    for page in pages:
        event = len(json.dumps(rewritten(Frame(page.text), "$" + "x" * 43)))
        assert event * 4 / 3 + 1024 <= 60_000
    assert letters("".join(shown(page.text) for page in pages)) == letters(text)
