"""Prose in pieces reads the same however it was cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.streams import (
    ECHO_CHARS,
    LONG_LOOP_CHARS,
    OVERLAP_CHARS,
    echo,
    first_sentence,
    is_loop,
    may_overlap,
    skip_overlap,
)
from storyforge_core.providers.prose_stream import Prose, Thoughts

WORDS = ["the", "sea", "a", "lamp", "Maren", "waits", "and", "then", "rose", "<b>", "think", "潮", "“No”,", "...", "I"]
texts = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
cuts = st.lists(st.integers(0, 400), max_size=30)


def pieces(text: str, places: list[int]) -> list[str]:
    borders = sorted({0, len(text), *(place for place in places if place < len(text))})
    return [text[start:end] for start, end in pairwise(borders)]


def shown(told: str, parts: list[str]) -> tuple[str, bool]:
    prose, out = Prose(told), ""
    for part in parts:
        out += prose.feed(part)
        if prose.looping:
            return out + prose.last_sentence(), True
    return out + prose.rest(), False


@given(texts, texts, cuts)
def test_pieces_read_like_the_whole(told: str, text: str, places: list[int]) -> None:
    in_pieces, looping = shown(told, pieces(text, places))
    if not looping:
        assert in_pieces == skip_overlap(told, text)


@given(texts, st.integers(0, 400), cuts)
def test_a_story_started_over_is_heard_once(text: str, told_chars: int, places: list[int]) -> None:
    told = text[:told_chars]
    in_pieces, looping = shown(told, pieces(text, places))
    if told and not told[-1].isspace() and len(told.strip()) >= OVERLAP_CHARS and not looping and text[0] != " ":
        assert (told + in_pieces).startswith(told)
        assert len(told + in_pieces) <= len(text)


@given(st.lists(st.tuples(texts, st.sampled_from(["think", "thinking"]), texts)), cuts)
def test_thoughts_are_taken_out_wherever_they_are_cut(parts: list[tuple[str, str, str]], places: list[int]) -> None:
    raw = "".join(f"{spoken}<{tag}>{thought}</{tag}>" for spoken, tag, thought in parts)
    thoughts = Thoughts()
    heard = "".join([thoughts.feed(piece) for piece in pieces(raw, places)]) + thoughts.rest()
    assert heard == "".join(spoken for spoken, _, _ in parts)


@given(texts, cuts)
def test_a_thought_without_end_is_never_heard(text: str, places: list[int]) -> None:
    thoughts = Thoughts()
    assert "".join([thoughts.feed(piece) for piece in pieces(f"<think>{text}", places)]) + thoughts.rest() == ""


@given(texts, texts)
def test_whatever_is_skipped_was_told(told: str, fresh: str) -> None:
    new = skip_overlap(told, fresh).lstrip()
    skipped = fresh.lstrip()[: len(fresh.lstrip()) - len(new)] if fresh.lstrip().endswith(new) else ""
    assert told.rstrip().endswith(skipped.rstrip()) or not skipped.strip()


@given(texts, texts, st.integers(0, 400))
def test_what_may_still_overlap_never_hides_a_longer_overlap(told: str, fresh: str, size: int) -> None:
    beginning = fresh[:size]
    if not may_overlap(told, beginning):
        rest = fresh[size:]
        assert skip_overlap(told, fresh) == skip_overlap(told, beginning) + rest


@pytest.mark.parametrize(
    ("told", "fresh", "new"),
    [
        ("", "\n\nYou wait.", "You wait."),
        ("You wait in the dark.", "The bell rings.", " The bell rings."),
        ("You wait in the dark.", " The bell rings.", " The bell rings."),
        ("You wait in the dark.\n\n", "\nThe bell rings.", "The bell rings."),
        ("You wait in the da", "rk.", "rk."),
        ("“Stop.”", "“No,” she says.", " “No,” she says."),
        ("You wait in the dark", "in the dark", "in the dark"),
        ("You wait there in the dark", "there in the dark until", " until"),
        ("You wait there in the dark ", " there in the dark until", "until"),
        ("No", "No answer", " answer"),
    ],
)
def test_new_words_join_what_was_told(told: str, fresh: str, new: str) -> None:
    assert skip_overlap(told, fresh) == new


def brute_echo(text: str) -> int:
    """Longest repeated end at the nearest distance, by trying every distance."""
    for distance in range(1, len(text)):
        size = 0
        while size + distance < len(text) and text[-1 - size] == text[-1 - size - distance]:
            size += 1
        if size >= ECHO_CHARS:
            return min(size, LONG_LOOP_CHARS)
    return 0


@given(st.lists(st.sampled_from(["the sea rose ", "ab", "c", "Maren knocks. "]), max_size=40).map("".join))
def test_an_echo_is_what_trying_every_distance_finds(text: str) -> None:
    assert echo(text)[0] == brute_echo(text)


@pytest.mark.parametrize("phrase", ["ha ", "The sea rose. ", "She waits, and the lamp burns on. ", "x" * 300 + ". "])
def test_a_phrase_without_end_is_a_loop(phrase: str) -> None:
    out, looping = shown("", [phrase[:5], phrase[5:]] * 400)
    assert looping
    assert len(out) < 4 * max(len(phrase), 50)


@pytest.mark.parametrize("text", ["No! " * 12, "-" * 80, "“Row, row,” they sang. " * 3, "A" * 100])
def test_emphasis_is_no_loop(text: str) -> None:
    assert shown("", pieces(f"{text} Then it was quiet.", list(range(0, 400, 3)))) == (
        f"{text} Then it was quiet.",
        False,
    )


def test_a_loop_needs_more_repetition_the_longer_its_phrase_is() -> None:
    assert not is_loop(159, 4)
    assert is_loop(160, 4)
    assert not is_loop(239, 120)
    assert is_loop(240, 120)
    assert is_loop(LONG_LOOP_CHARS, 3000)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The sea rose. It fell.", "The sea rose."),
        ("“Who knocks?” she said. Then", "“Who knocks?”"),
        ("It cost 3.50 in all. Yes.", "It cost 3.50 in all."),
        ("no end here", ""),
        ("潮が満ちた。", "潮が満ちた。"),
    ],
)
def test_the_first_sentence_ends_where_a_reader_would_stop(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence
