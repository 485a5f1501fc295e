"""How keys are found in a text, in many scripts, and that no expression holds a story up."""

import time

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.lore_keys import Expression, Haystack, Manner, expression
from storyforge_core.engine.patterns import SECONDS_TOGETHER, Patience, flawed

WHOLE, PART, EXACT = Manner(True, False), Manner(False, False), Manner(True, True)


def has(text: str, key: str, manner: Manner = WHOLE) -> bool:
    return Haystack(text, Patience().finds).has(key, manner)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("The Bell rings.", "bell"),
        ("bell", "bell"),
        ("“Bell!”", "bell"),
        ("the red\ndragons", "red dragon"),
        ("O\u2019Neil waits", "o'neil"),
        ("Cafe\u0301 closed", "caf\u00e9"),
        ("STRASSE", "straße"),
        ("聖剣を抜いた", "剣"),
        ("한국의 종이", "종"),
        ("ประตูเปิด", "ประตู"),
        ("ночная Башня", "башня"),
        ("agent #7 fled", "#7"),
        ("a bellbell bell", "bell"),
        ("two dragons", "/dragons?/"),
        ("Two DRAGONS", "/two dragons$/i"),
        ("a/b", "/a\\/b/"),
        ("x\nend", "/^end/m"),
    ],
)
def test_a_key_is_found(text: str, key: str) -> None:
    assert has(text, key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("bellows", "bell"),
        ("doorbell", "bell"),
        ("bell_tower", "bell"),
        ("Türen", "tür"),
        ("राम\u093e", "राम"),
        ("bell", ""),
        ("bell", "  "),
        ("two dragons", "/DRAGONS/"),
        ("anything", "/(/"),
        ("a/b/c", "/x/y/"),
    ],
)
def test_a_key_is_not_found(text: str, key: str) -> None:
    assert not has(text, key)


def test_words_may_be_found_inside_words_and_letters_may_matter() -> None:
    assert has("doorbell", "bell", PART)
    assert has("Bell", "Bell", EXACT)
    assert not has("bell", "Bell", EXACT)


def test_what_stands_between_slashes_is_an_expression() -> None:
    assert expression(" /bells?/gi ") == Expression("bells?", "gi")
    assert expression("/a\\/b/") == Expression("a/b", "")
    for plain in ("bell", "/bell", "and/or", "/a/b/", "//", "/bell/x"):
        assert expression(plain) is None


@given(st.text(max_size=60), st.text(max_size=6), st.booleans(), st.booleans())
def test_a_whole_word_is_a_part_and_an_exact_one_is_any(text: str, key: str, whole: bool, case: bool) -> None:  # noqa: FBT001
    found = has(text, key, Manner(whole, case))
    assert not found or has(text, key, PART)
    assert has(f"{text} {key} {text}", key, Manner(whole, case)) == (bool(key.split()) and not is_expression(key))


def is_expression(key: str) -> bool:
    return expression(key) is not None


@given(st.text(alphabet="()[]{}|*+?.^$\\/ab01,-<>=!:#&pPLk", max_size=30), st.text(max_size=40))
def test_no_expression_makes_trouble(source: str, text: str) -> None:
    wanted = Expression(source, "i")
    found = Patience().finds(wanted, text)
    assert not (found and flawed(wanted))


SLOW = Expression("(?:a|aa)+$", "")


def test_a_slow_expression_is_given_up_and_said_to_the_owner() -> None:
    with structlog.testing.capture_logs() as logs:
        assert not Patience().finds(SLOW, "a" * 60 + "!")
    assert [line["expression"] for line in logs] == [SLOW.source]


def test_slow_expressions_take_only_so_long_together() -> None:
    patience, begun = Patience(), time.thread_time()
    with structlog.testing.capture_logs():
        for _ in range(100):
            patience.finds(SLOW, "a" * 60 + "!")
    assert time.thread_time() - begun < SECONDS_TOGETHER + 0.5
    assert not patience.finds(Expression("a", ""), "a")
