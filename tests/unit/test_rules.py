import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.rules import SETTINGS, change_rule, span
from storyforge_core.domain.story import Rules
from storyforge_core.errors import Invalid


@pytest.mark.parametrize(
    ("name", "value", "changed", "said"),
    [
        ("words", "300", Rules(words=300), "words 300"),
        ("Choices", " 4 ", Rules(choices=4), "choices 4"),
        ("quorum", "off", Rules(quorum=0), "quorum off (everybody who joined)"),
        ("deadline", "10m", Rules(deadline=600), "deadline 10 min"),
        ("deadline", "never", Rules(deadline=0), "deadline off"),
        ("tie", "HOST", Rules(tie="host"), "tie host"),
        ("write_ins", "no", Rules(write_ins=False), "write-ins off"),
    ],
)
def test_a_setting_is_changed_as_it_is_typed(name: str, value: str, changed: Rules, said: str) -> None:
    assert change_rule(Rules(), name, value) == (changed, said)


@pytest.mark.parametrize(("name", "value"), [("words", "9"), ("deadline", "5s"), ("deadline", "8d"), ("tie", "coin")])
def test_a_wrong_value_gets_a_sentence_with_an_example(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"/story settings {name}"):
        change_rule(Rules(), name, value)


def test_an_unknown_setting_gets_the_list() -> None:
    with pytest.raises(Invalid, match="words, choices"):
        change_rule(Rules(), "colour", "red")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_example_works(name: str) -> None:
    change_rule(Rules(), name, SETTINGS[name].example)


@given(st.sampled_from(sorted(SETTINGS)), st.text(max_size=20))
def test_whatever_is_typed_is_taken_or_refused_in_words(name: str, value: str) -> None:
    said = ""
    try:
        _, said = change_rule(Rules(), name, value)
    except Invalid as error:
        said = str(error)
    assert name in said


@pytest.mark.parametrize(("seconds", "said"), [(45, "45 s"), (60, "1 min"), (5400, "90 min"), (86400, "1 d")])
def test_a_span_is_said_in_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    assert span(seconds) == said
