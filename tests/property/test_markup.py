"""Whatever a model or a player writes: nothing is lost, nothing grows too long, nothing half-open is shown."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.presenter.healing import heal
from bot.presenter.pages import NOTHING_LAID, finished, growing
from bot.surface import Limits
from bot.wording.markup import ZERO_WIDTH, Markdown, Plain, clean, line, neutral

MARKS = ["*", "**", "***", "_", "__", "`", "```", "~~", "||", "\\", "](", "5*3", "snake_case"]
BLANKS = ["\n", "\n\n", " ", ". ", "\t"]
ACTIVE = ["@everyone", "<@12>", "[x](https://a.b)", "\u202e"]
WORDS = ["The keeper", "door", "a", "👩‍👩‍👧", "é", "🇩🇪", "שלום", *MARKS, *BLANKS, *ACTIVE]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=60).map("".join)
CAPS = st.integers(60, 300)


def limits(cap: int, markup: str = "markdown") -> Limits:
    return Limits(max_chars=cap, edits="rewrite", markup="plain" if markup == "plain" else "markdown")


def visible(text: str) -> str:
    """What is left when marks, escapes and blanks are taken away."""
    return re.sub(rf"[\s\\*_~|`{ZERO_WIDTH}]", "", text)


@given(TEXTS, CAPS)
def test_every_message_fits(text: str, cap: int) -> None:
    assert all(len(page.text) <= cap for page in finished(clean(text), limits(cap)))


@given(TEXTS, CAPS)
def test_the_first_message_leaves_room_for_its_heading(text: str, cap: int) -> None:
    pages = finished(clean(text), limits(cap), cap // 3)
    assert not pages or len(pages[0].text) <= cap - cap // 3


@given(TEXTS, CAPS)
def test_no_word_is_lost_or_doubled(text: str, cap: int) -> None:
    shown = "".join(page.text for page in finished(clean(text), limits(cap)))
    assert visible(shown) == visible(clean(text))


@given(TEXTS, CAPS)
def test_plain_messages_joined_are_the_text_but_for_blanks_at_the_cuts(text: str, cap: int) -> None:
    whole = clean(text)
    pages = finished(whole, limits(cap, "plain"))
    starts = [0, *(page.end for page in pages)]
    for start, page in zip(starts, pages, strict=False):
        assert whole[start : page.end].strip() == page.text
    assert not whole[starts[-1] :].strip()


@given(TEXTS, CAPS, st.data())
def test_a_finished_message_never_changes_while_the_text_grows(text: str, cap: int, data: st.DataObject) -> None:
    whole = clean(text)
    part = whole[: data.draw(st.integers(0, len(whole)))]
    early, late = growing(part, limits(cap), 20).pages, growing(whole, limits(cap), 20).pages
    assert early[:-1] == late[: max(len(early) - 1, 0)]


@given(TEXTS, CAPS, st.lists(st.integers(0, 4000), max_size=6))
def test_a_growing_text_goes_on_from_its_last_finished_message(text: str, cap: int, steps: list[int]) -> None:
    whole, laid = clean(text), NOTHING_LAID
    for upto in sorted(min(step, len(whole)) for step in steps):
        laid = growing(whole[:upto], limits(cap), 20, laid)
        assert laid == growing(whole[:upto], limits(cap), 20)
    assert growing(whole, limits(cap), 20, laid) == growing(whole, limits(cap), 20)


@given(TEXTS, TEXTS, CAPS)
def test_another_text_is_laid_out_anew(before: str, text: str, cap: int) -> None:
    laid = growing(clean(before), limits(cap), 20)
    assert growing(clean(text), limits(cap), 20, laid).pages == growing(clean(text), limits(cap), 20).pages


@given(TEXTS)
def test_a_healed_text_has_nothing_left_to_heal(text: str) -> None:
    for then in ("more", "end"):
        healed = heal(clean(text), (), then).text
        assert heal(healed, (), "end").text == healed


@given(TEXTS)
def test_cleaning_goes_character_by_character(text: str) -> None:
    assert "".join(clean(char) for char in text) == clean(text)


@given(TEXTS)
def test_made_safe_once_is_made_safe(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)
    assert clean(clean(text)) == clean(text)


@given(TEXTS)
def test_words_of_others_look_as_they_were_written(text: str) -> None:
    unescaped = re.sub(r"\\([\\*_~|`\[\]<>#])", r"\1", Markdown().literal(text).replace(ZERO_WIDTH, ""))
    assert unescaped == Plain().literal(text)


@given(st.text(), st.integers(1, 80))
def test_a_line_is_short_and_has_no_control_characters(text: str, limit: int) -> None:
    shown = line(text, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in shown)
