"""The model of a model by which planning is measured, and the judge of what it says."""

import pytest

from storyforge_core.domain.writing import Message
from tests.bench.forgetful import FAR, GONE, NEAR, Forgetful, Held

KEY = Held("the brass key", "is with", "Osk", ("Maren", "Ione"))
TASK = "Write the next scene. If there is a <plan>, the scene follows it."
LONG = "It rained. " * 400


@pytest.mark.parametrize(
    ("prose", "wrong"),
    [
        ("It rained. the brass key is with Maren.", True),
        ("It rained. The brass key is with Osk. Maren slept.", False),
        ("Maren wants the brass key, but it is with Osk.", False),
        ("Maren slept.", False),
    ],
)
def test_a_contradiction_is_a_sentence_about_it_that_says_otherwise(prose: str, wrong: bool) -> None:  # noqa: FBT001
    assert KEY.contradicted(prose) == wrong


@pytest.mark.parametrize(
    ("prompt", "slips", "of_notes"),
    [
        (f"{LONG}{TASK}", GONE, GONE),
        (f"the brass key is with Osk. {LONG}{TASK}", FAR, FAR),
        (f"{LONG}the brass key is with Osk.\n{TASK}", NEAR, FAR),
        (f"{LONG}<plan>\nMust not happen: Not this: the brass key is with Osk.\n</plan>\n{TASK}", NEAR, NEAR),
    ],
)
def test_how_often_it_slips_depends_on_where_it_has_read_what_holds(prompt: str, slips: float, of_notes: float) -> None:
    read = (Message("user", prompt),)
    assert Forgetful((KEY,), 1)._slips(KEY, read) == slips
    assert Forgetful((KEY,), 1, notes=True)._slips(KEY, read) == of_notes
