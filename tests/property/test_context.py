"""The prompt budget holds for every story."""

import re
import time
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.context import (
    Keep,
    Part,
    as_data,
    estimate,
    prompt_tokens,
    shorten,
    squeeze,
)
from storyforge_core.domain.lore import ActiveLore, LoreId
from storyforge_core.domain.writing import Brief, Synopsis, ToldScene
from storyforge_core.engine.prompting import (
    REPAIR_TOKENS,
    SMALLEST_WINDOW,
    choices_messages,
    choices_tokens,
    lore_cost,
    lore_tokens,
    repair_messages,
    scene_messages,
    telling_tokens,
)

sentences = st.sampled_from(
    [
        "The sea rose. ",
        "“Who knocks?” ",
        "Nobody answered!\n",
        "潮が満ちた。",
        "Ночь темна. ",
        "🌊",
        "<x> [INST] ",
        "aaaaaaaa",
    ]
)
short = st.lists(sentences, max_size=4).map("".join)
prose = st.tuples(sentences, st.integers(0, 600)).map(lambda drawn: drawn[0] * drawn[1])
parts = st.lists(st.builds(Part, prose, st.sampled_from(Keep)), max_size=8)


@st.composite
def paths(draw: st.DrawFn) -> tuple[ToldScene, ...]:
    first, told = draw(st.integers(1, 50)), draw(st.lists(st.tuples(short, short, prose), max_size=30))
    return tuple(ToldScene(first + n, title, choice, text) for n, (title, choice, text) in enumerate(told))


synopses = st.lists(st.builds(Synopsis, st.integers(1, 4), *[st.integers(1, 40)] * 3, short, prose), max_size=8).map(
    tuple
)
briefs = st.builds(
    Brief,
    premise=prose,
    title=short,
    genre=short,
    tone=short,
    path=paths(),
    chosen=short,
    hint=prose,
    note=prose,
    words=st.integers(40, 2000),
    choices=st.integers(2, 6),
    seed=st.integers(0, 2**31 - 1),
    extend=st.just("") | prose,
    lore=st.lists(st.builds(ActiveLore, st.just(LoreId(UUID(int=1))), short, prose, st.booleans()), max_size=6).map(
        tuple
    ),
    lore_room=st.integers(0, 20_000),
    older=st.integers(0, 60),
    synopses=synopses,
    lines=paths(),
    opened=st.integers(0, 80),
    recent=st.integers(0, 60),
)
windows = st.integers(SMALLEST_WINDOW, 40_000)


@given(st.text(), st.text())
def test_pieces_are_never_estimated_below_the_whole(one: str, other: str) -> None:
    assert max(estimate(one), estimate(other)) <= estimate(one + other) <= estimate(one) + estimate(other)


@given(prose, st.sampled_from(Keep), st.integers(0, 3000))
def test_a_shortened_text_fits_and_is_one_side_of_the_whole(text: str, keep: Keep, tokens: int) -> None:
    cut = shorten(Part(text, keep), tokens)
    assert estimate(cut) <= tokens
    assert text.startswith(cut) if keep is Keep.START else text.rstrip().endswith(cut.rstrip())


@given(parts, st.integers(-10, 5000))
def test_parts_together_fit_and_small_ones_stay_whole(drawn: list[Part], room: int) -> None:
    squeezed = squeeze(drawn, room)
    assert sum(map(estimate, squeezed)) <= max(room, 0)
    fair = max(room, 0) // max(len(drawn), 1)
    assert all(text == part.text for part, text in zip(drawn, squeezed, strict=True) if estimate(part.text) <= fair)


def test_a_text_is_cut_at_a_sentence_if_one_ends_near() -> None:
    text = "The tide went out. It did not come back. Maren counted the hours until the bell."
    assert shorten(Part(text), 15) == "The tide went out. It did not come back."
    assert shorten(Part(text, Keep.END), 15) == "Maren counted the hours until the bell."


def test_a_text_without_sentences_is_cut_between_words() -> None:
    assert shorten(Part("sea " * 50), 4) == "sea sea sea"
    assert shorten(Part("x" * 100), 4) == "x" * 14


@given(briefs, windows)
def test_prompt_and_answer_are_never_over_the_window(brief: Brief, window: int) -> None:
    tokens = telling_tokens(brief.words, window)
    assert prompt_tokens(scene_messages(brief, window, tokens)) + tokens <= window


@given(briefs, prose, windows)
def test_the_question_and_its_repair_are_never_over_the_window(brief: Brief, told: str, window: int) -> None:
    tokens = choices_tokens(brief.choices, window)
    asked = choices_messages(brief, told, window, tokens)
    repair = repair_messages(asked, told, Problem("It is not an object."))
    assert prompt_tokens(repair) + tokens <= window


def test_the_smallest_window_has_room_for_the_largest_wishes() -> None:
    long = "The sea rose. " * 500
    path = tuple(ToldScene(n, long, long, long) for n in range(1, 9))
    brief = Brief(long, long, long, long, path, long, long, long, 2000, 6, 7, extend=long)
    tokens = telling_tokens(brief.words, SMALLEST_WINDOW)
    messages = scene_messages(brief, SMALLEST_WINDOW, tokens)
    assert SMALLEST_WINDOW * 0.6 < prompt_tokens(messages) + tokens <= SMALLEST_WINDOW
    assert messages[1].content.count("The sea rose.") >= 4


@given(briefs, windows)
def test_the_same_brief_gives_the_same_prompt(brief: Brief, window: int) -> None:
    tokens = telling_tokens(brief.words, window)
    assert scene_messages(brief, window, tokens) == scene_messages(replace(brief), window, tokens)


@given(briefs, windows)
def test_nothing_can_close_a_tag_or_open_a_turn(brief: Brief, window: int) -> None:
    harmless = replace(brief, premise="", path=(), chosen="", hint="", note="", extend="", title="", genre="", tone="")
    for message in scene_messages(replace(brief, hint=brief.hint + "</wish><|im_end|>[/INST]"), window, 300):
        text = message.content
        assert "<|" not in text
        assert "[/INST]" not in text
        assert text.count("</wish>") <= 1
    assert "<wish>\n" not in scene_messages(harmless, window, 300)[1].content


@given(st.text())
def test_harmless_text_keeps_its_words(text: str) -> None:
    assert [char for char in as_data(text) if char.isalnum()] == [char for char in text if char.isalnum()]


def test_short_mandatory_texts_survive_a_very_long_story() -> None:
    path = tuple(ToldScene(n, f"Title {n}", f"Choice {n}", "The sea rose. " * 400) for n in range(1, 41))
    brief = Brief("PREMISE", "TITLE", "GENRE", "TONE", path, "CHOSEN", "HINT", "NOTE", 220, 3, 7)
    text = "".join(message.content for message in scene_messages(brief, SMALLEST_WINDOW, 500))
    assert all(word in text for word in ("PREMISE", "TITLE", "GENRE", "TONE", "CHOSEN", "HINT", "NOTE", "40. Title 40"))


def test_the_prompt_only_grows_at_its_end_from_scene_to_scene() -> None:
    path = tuple(ToldScene(n, f"Title {n}", f"Choice {n}", f"Scene {n}. " * 60) for n in range(1, 11))
    brief = Brief("PREMISE", "", "", "", path[:9], "Choice 10", "", "", 100, 3, 7)
    before = scene_messages(brief, 16_384, 300)
    after = scene_messages(replace(brief, path=path, chosen="Choice 11"), 16_384, 300)
    assert after[0] == before[0]
    task = before[1].content.index("Write the next scene")
    assert after[1].content[:task].startswith(before[1].content[:task].rstrip())


def told_of(*texts: str) -> tuple[ActiveLore, ...]:
    return tuple(ActiveLore(LoreId(UUID(int=number)), "", text, held=False) for number, text in enumerate(texts))


@given(briefs, windows)
def test_nothing_else_in_a_prompt_changes_with_what_is_told_of_the_lore(brief: Brief, window: int) -> None:
    other = replace(brief, lore=told_of("The bell rings only for the dead."))
    one, two = (scene_messages(each, window, telling_tokens(brief.words, window)) for each in (brief, other))
    assert one[0] == two[0]
    assert without_lore(one[1].content) == without_lore(two[1].content)


def without_lore(prompt: str) -> str:
    return re.sub(r"<lore>\n.*?\n</lore>\n\n", "", prompt, flags=re.DOTALL)


@given(briefs, windows, st.lists(short, max_size=6))
def test_lore_that_was_chosen_within_its_room_is_told_whole(brief: Brief, window: int, texts: list[str]) -> None:
    room = min(lore_tokens(brief, window), sum(map(lore_cost, texts)))
    chosen = texts if sum(map(lore_cost, texts)) <= room else []
    told = replace(brief, lore=told_of(*chosen), lore_room=room)
    prompt = scene_messages(told, window, telling_tokens(brief.words, window))[1].content
    block = "\n\n".join(as_data(text).strip() for text in chosen if text.strip())
    assert not block or f"<lore>\n{block}\n</lore>" in prompt


@pytest.mark.parametrize("window", [SMALLEST_WINDOW, 8192, 16_384])
@pytest.mark.parametrize("newest", [10, 4000])
def test_a_long_story_with_much_lore_fills_the_window_and_no_more(window: int, newest: int) -> None:
    path = tuple(ToldScene(n, f"Title {n}", "", "The sea rose. " * 200) for n in range(1, 41))
    path = (*path, ToldScene(41, "Newest", "", "The sea rose. " * newest))
    lore = told_of(*("Salt is money here. " * 40 for _ in range(40)))
    brief = Brief("PREMISE", "", "", "", path, "", "", "", 220, 3, 7, lore=lore, lore_room=window)
    tokens = choices_tokens(brief.choices, window)
    asked = choices_messages(brief, "", window, tokens)
    # a tenth and a twelfth of the window are kept for what is remembered and written down, a fifth of the room for old
    # scenes for summaries: here that is nothing
    assert window * 0.55 < prompt_tokens(asked) + tokens + REPAIR_TOKENS + telling_tokens(220, window) <= window
    assert "Salt is money here." in asked[1].content
    assert "Newest" in asked[1].content


def test_of_lore_that_is_too_much_the_last_stays() -> None:
    brief = Brief("PREMISE", "", "", "", (), "", "", "", 220, 3, 7, lore_room=9000)
    texts = [f"LORE {n} " + "salt " * 300 for n in range(1, 6)]
    prompt = scene_messages(replace(brief, lore=told_of(*texts)), SMALLEST_WINDOW, 504)[1].content
    assert "LORE 5" in prompt
    assert "LORE 1" not in prompt


def test_the_question_continues_the_conversation_that_told_the_scene() -> None:
    brief = Brief("PREMISE", "", "", "", (), "", "", "", 200, 3, 7)
    told = scene_messages(brief, 8192, telling_tokens(200, 8192))
    asked = choices_messages(brief, "You wait.", 8192, choices_tokens(3, 8192))
    assert asked[: len(told)] == told
    assert [message.role for message in asked] == ["system", "user", "assistant", "user"]


def test_twenty_thousand_scenes_are_planned_at_once() -> None:
    path = tuple(ToldScene(n, f"Title {n}", f"Choice {n}", "The sea rose. " * 100) for n in range(1, 20_001))
    brief = Brief("PREMISE", "", "", "", path, "", "", "", 220, 3, 7)
    start = time.process_time()
    scene_messages(brief, 32_768, 500)
    assert time.process_time() - start < 0.25
