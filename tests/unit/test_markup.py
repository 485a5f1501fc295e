"""How words of others are made safe, and how half a text is made whole."""

import pytest

from bot.presenter.healing import heal
from bot.presenter.pages import finished, growing
from bot.surface import Limits
from bot.wording.markup import ZERO_WIDTH, Markdown, Plain, clean, isolated, line, neutral

HEBREW = "\u05e9\u05dc\u05d5\u05dd"
MARKDOWN = Limits(max_chars=100, edits="rewrite", markup="markdown")
PLAIN = Limits(max_chars=40, edits="rewrite", markup="plain")


@pytest.mark.parametrize(
    "ping",
    [
        "@everyone",
        "@here",
        "@room",
        "<@123>",
        "<@!123>",
        "<@&123>",
        "<#123>",
        "</story:1>",
        "@bo:example.org",
        "[free gold](https://example.org)",
        "[gold][1]",
        "[1]: https://example.org",
        "https://matrix.to/#/@bo:example.org",
        "matrix:u/bo:example.org",
        "<b>",
    ],
)
def test_what_a_chat_acts_upon_is_broken_invisibly(ping: str) -> None:
    safe = neutral(ping)
    assert safe != ping
    assert safe.replace(ZERO_WIDTH, "") == ping


@pytest.mark.parametrize("text", ["a < b", "5 @ noon", "[so it goes]", "https://example.org/#top", "a@ b"])
def test_what_no_chat_acts_upon_stays(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("line\r\nline", "line\nline"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("a\u2066b\u2069c", "abc"),
        ("half \ud83d", "half "),
        ("one\u2028two", "one\ntwo"),
        (f"👩‍👩‍👧 {HEBREW}", f"👩‍👩‍👧 {HEBREW}"),
    ],
)
def test_what_cannot_be_seen_but_acts_is_taken_out(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_line_is_cut_between_words() -> None:
    assert line("The keeper\nof the lamp", 14) == "The keeper of…"


def test_a_tower_of_accents_loses_its_upper_floors() -> None:
    assert line("Z" + "\u0353" * 30, 80) == "Z" + "\u0353" * 2


def test_a_name_from_right_to_left_is_isolated() -> None:
    assert isolated(HEBREW) == f"\u2068{HEBREW}\u2069"
    assert isolated("Ann") == "Ann"


def test_words_of_others_run_no_markup() -> None:
    assert Markdown().literal("**a** _b_ `c`") == r"\*\*a\*\* \_b\_ \`c\`"
    assert Plain().literal("**a**") == "**a**"


def test_nobody_can_end_a_block() -> None:
    block = Markdown().block("a ``` @everyone")
    assert block.count("```") == 2
    assert "@everyone" not in block


@pytest.mark.parametrize(
    ("half", "whole"),
    [
        ("He said *no", "He said *no*"),
        ("He said **no", "He said **no**"),
        ("He said *", "He said "),
        ("**a *b", "**a *b***"),
        ("say `x = 1", "say `x = 1`"),
        ("```\ncode", "```\ncode\n```"),
        ("||secret", "||secret||"),
        ("~~gone", "~~gone~~"),
        ("***both", "***both***"),
        ("_so", "_so_"),
        ("snake_case and 5*3", "snake_case and 5\\*3"),
        ("2 * 3 * 4", "2 \\* 3 \\* 4"),
        ("one *two\n\nthree", "one \\*two\n\nthree"),
        ("**done** *", "**done** "),
        ("back\\", "back\\\\"),
        ("`a` and *b", "`a` and *b*"),
        ("`*` stays", "`*` stays"),
    ],
)
def test_half_a_text_is_made_whole(half: str, whole: str) -> None:
    assert heal(half, (), "more").text == whole


def test_marks_without_a_partner_are_shown_as_they_are_at_the_end() -> None:
    assert heal("one *two", (), "end").text == "one \\*two"


def test_what_was_closed_at_a_cut_is_opened_again() -> None:
    first = heal("**one two", (), "more")
    assert first.text == "**one two**"
    assert heal("three** four", first.carried, "end").text == "**three** four"


def test_a_mark_that_was_never_closed_is_not_opened_again_for_nothing() -> None:
    assert heal("three four", ("**",), "end").text == "three four"


def test_a_fence_goes_on_in_the_next_message() -> None:
    assert heal("line\n```\nafter", ("```",), "end").text == "```\nline\n```\nafter"


def test_messages_end_behind_a_paragraph_if_they_can() -> None:
    text = "a" * 25 + "\n\n" + "b" * 30
    assert [page.text for page in finished(text, PLAIN)] == ["a" * 25, "b" * 30]


def test_messages_end_behind_a_sentence_before_they_end_behind_a_word() -> None:
    text = "The door was open. Nobody came in. And so it stayed."
    assert [page.text for page in finished(text, PLAIN)] == ["The door was open. Nobody came in.", "And so it stayed."]


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧", "🇩🇪", "e\u0301", "👍🏽", "\u1112\u1161\u11ab"])
def test_no_message_ends_inside_a_character(cluster: str) -> None:
    pages = finished(cluster * 60, PLAIN)
    assert len(pages) > 1
    assert all(len(page.text) % len(cluster) == 0 for page in pages)


def test_a_screen_without_end_takes_everything_at_once() -> None:
    limits = Limits(max_chars=None, edits="append", markup="plain")
    assert len(growing("word " * 5000, limits).pages) == 1


def test_an_empty_text_has_no_messages() -> None:
    assert finished("  \n\n ", MARKDOWN) == ()
