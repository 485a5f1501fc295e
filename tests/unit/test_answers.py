"""Choices out of what models really answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.answers import (
    CHOICE_CHARS,
    TITLE_CHARS,
    Choices,
    Problem,
    choices_schema,
    fallback_choices,
    one_line,
    read_choices,
    without_numbering,
)
from storyforge_core.domain.writing import Brief

BRIEF = Brief("A keeper finds a door", "The Door", "", "", (), "", "", "", 200, 3, seed=7)
GOOD = {"title": "Low Water", "choices": ["Knock back", "Open the door", "Run"]}
READ = Choices("Low Water", ("Knock back", "Open the door", "Run"))


def answer(title: object = "Low Water", choices: object = ("Knock back", "Open the door", "Run")) -> str:
    return json.dumps({"title": title, "choices": choices})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Sure! Here are your choices:\n{json.dumps(GOOD)}\nEnjoy {{the story}}!",
        f'{{"note": 1}} {json.dumps(GOOD)}',
        f"{{not json}} {json.dumps(GOOD)}",
        json.dumps({"answer": GOOD}),
    ],
    ids=["bare", "fenced", "with talk around", "after another object", "after braces", "wrapped"],
)
def test_the_object_is_found_whatever_stands_around_it(text: str) -> None:
    assert read_choices(text, 3) == READ


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! What about a door?",
        json.dumps(GOOD)[:-5],
        "[]",
        '"choices"',
        answer(title=""),
        answer(title=None),
        answer(title=["Low", "Water"]),
        answer(choices="Knock back"),
        answer(choices=[1, 2, 3]),
        answer(choices=[["Knock"], ["Open"], ["Run"]]),
        answer(choices=[]),
        answer(choices=["Knock back", "Open the door"]),
        answer(choices=["Knock back", "knock  BACK.", "Run"]),
        answer(choices=["Knock back", " \u200b\n", "Run"]),
        "{" * 30_000,
        '{"choices":[' * 5_000,
        '{"a":' * 5_000,
    ],
)
def test_an_unusable_answer_is_a_problem_that_says_what_is_wrong(text: str) -> None:
    found = read_choices(text, 3)
    assert isinstance(found, Problem)
    assert found.text.endswith(".")


def test_a_problem_counts_what_is_missing() -> None:
    found = read_choices(answer(choices=["Knock back", "Knock back!", "Run"]), 3)
    assert found == Problem('"choices" has 2 different usable texts, but 3 are needed.')


def test_more_choices_than_needed_are_left_out() -> None:
    assert read_choices(answer(), 2) == Choices("Low Water", ("Knock back", "Open the door"))


@pytest.mark.parametrize(
    ("option", "bare"),
    [
        ("1. Knock back", "Knock back"),
        ("2) Knock back", "Knock back"),
        ("(3) Knock back", "Knock back"),
        ("a) Knock back", "Knock back"),
        ("- Knock back", "Knock back"),
        ("• Knock back", "Knock back"),
        ('"Knock back"', "Knock back"),
        ("“Knock back”", "Knock back"),
        ("3 knocks, then wait", "3 knocks, then wait"),
        ("A door is no reason to run", "A door is no reason to run"),
        ('Say "no" and mean "yes"', 'Say "no" and mean "yes"'),
        ('"No," says Maren, "never"', '"No," says Maren, "never"'),
    ],
)
def test_numbering_and_quotes_around_an_option_go(option: str, bare: str) -> None:
    assert without_numbering(option) == bare


def test_control_and_direction_marks_go_and_words_of_all_scripts_stay() -> None:
    assert one_line("Kn\x00ock\u202e back\u200b\r\n now\x1b", 90) == "Knock back now"
    assert one_line("می\u200cروم 👩\u200d🚒", 90) == "می\u200cروم 👩\u200d🚒"


def test_a_long_line_is_cut_between_words() -> None:
    assert one_line("Knock back three times", 15) == "Knock back…"
    assert one_line("Knock back three times", 17) == "Knock back three…"
    assert one_line("Knockbackthreetimes", 10) == "Knockback…"


@given(st.text(), st.integers(1, 200))
def test_a_line_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line == line.strip()
    assert "\n" not in line


@given(st.text(), st.integers(1, 9))
def test_no_answer_breaks_the_reader(text: str, count: int) -> None:
    assert isinstance(read_choices(text, count), Problem)


@given(st.text(), st.lists(st.text()), st.integers(1, 6))
def test_what_is_read_is_short_distinct_and_as_many_as_asked(title: str, options: list[str], count: int) -> None:
    found = read_choices(answer(title, options), count)
    if isinstance(found, Choices):
        assert 0 < len(found.title) <= TITLE_CHARS
        assert len(found.options) == count
        assert all(0 < len(option) <= CHOICE_CHARS for option in found.options)
        assert len({option.casefold() for option in found.options}) == count


@given(st.text(), st.text(), st.integers(1, 30), st.integers())
def test_fallback_choices_are_as_good_as_read_ones(prose: str, chosen: str, count: int, seed: int) -> None:
    brief = Brief("premise", "", "", "", (), chosen, "", "", 200, count, seed)
    found = fallback_choices(prose, brief)
    assert read_choices(answer(found.title, found.options), count) == found


def test_fallback_choices_speak_of_the_people_in_the_scene() -> None:
    prose = "You hear the bell. Then Maren comes up the stair with Old Tom behind her, and Maren is pale."
    assert any("Maren" in option for option in fallback_choices(prose, BRIEF).options)


def test_fallback_choices_stay_the_same_for_the_same_scene_and_change_with_the_seed() -> None:
    others = {fallback_choices("You wait.", Brief("", "", "", "", (), "", "", "", 200, 3, seed)) for seed in range(5)}
    assert fallback_choices("You wait.", BRIEF) == fallback_choices("You wait.", BRIEF)
    assert len(others) == 5


def test_the_schema_bounds_every_text_and_the_number_of_choices() -> None:
    assert choices_schema(4) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": TITLE_CHARS},
            "choices": {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": CHOICE_CHARS},
                "minItems": 4,
                "maxItems": 4,
            },
        },
        "required": ["title", "choices"],
        "additionalProperties": False,
    }
