"""Scenes put into the words of a picture: whatever a model answers, and whatever a scene tells."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.context import estimate
from storyforge_core.domain.pictures import Figure, Sight, Vision
from storyforge_core.domain.visions import (
    ALT_CHARS,
    FRAMINGS,
    PARTS,
    PROMPT_CHARS,
    fallback_vision,
    read_vision,
    vision_schema,
)
from storyforge_core.engine.steps.see import ANSWER_TOKENS, question

SIGHT = Sight(
    title="The Cold Door",
    prose="“Run!” cried Maren. The tide had gone out. A green door stood in the sand, and blood ran from its handle. "
    "Nobody moved.",
    genre="mystery",
    tone="quiet",
    style="",
    avoid="",
    hint="",
    seed=7,
)
words = st.text(max_size=400)
sights = st.builds(
    Sight,
    title=words,
    prose=words,
    genre=words,
    tone=words,
    style=words,
    avoid=words,
    hint=words,
    seed=st.integers(0, 9),
    who=st.lists(st.builds(Figure, words, words), max_size=3).map(tuple),
    where=words,
)
GOOD = {name: f"the {name}" for name in PARTS} | {"framing": FRAMINGS[0], "alt": "A door."}


@settings(deadline=None)
@given(sights)
def test_every_scene_becomes_a_prompt_of_one_line(sight: Sight) -> None:
    vision = fallback_vision(sight)
    assert vision == fallback_vision(sight)
    assert 0 < len(vision.prompt) <= PROMPT_CHARS
    assert len(vision.alt) <= ALT_CHARS
    assert len(vision.prompt.splitlines()) == 1


@given(st.text(max_size=300) | st.recursive(st.none() | st.text(max_size=20), lambda inner: st.dictionaries(
    st.sampled_from([*PARTS, "framing", "alt"]), inner, max_size=7)).map(json.dumps))  # fmt: skip
def test_whatever_a_model_answers_is_a_prompt_or_a_problem(answer: str) -> None:
    found = read_vision(answer, SIGHT)
    assert isinstance(found, Problem | Vision)
    assert found.text if isinstance(found, Problem) else found.prompt


@given(st.sampled_from(sorted(GOOD)))
def test_an_answer_without_one_of_its_parts_is_told_which(name: str) -> None:
    found = read_vision(json.dumps({key: value for key, value in GOOD.items() if key != name}), SIGHT)
    assert isinstance(found, Problem)
    assert name in found.text


@settings(deadline=None)
@given(sights, st.sampled_from([4096, 8192, 32_768]))
def test_the_question_and_its_repair_fit_into_the_window(sight: Sight, window: int) -> None:
    endless = replace(sight, prose=sight.prose * 400)
    assert estimate(question(endless, window)) + 2 * ANSWER_TOKENS < window


def test_an_answer_becomes_a_prompt_in_the_order_of_what_matters() -> None:
    found = read_vision(f"Here you are: {json.dumps(GOOD)}", replace(SIGHT, style="woodcut"))
    assert isinstance(found, Vision)
    assert found.prompt == ("close-up: the who. the action. the where. the light. Style: woodcut, mystery, quiet.")


def test_without_a_model_what_is_told_is_seen_and_what_is_said_is_not() -> None:
    vision = fallback_vision(replace(SIGHT, who=(Figure("Maren", "grey braid"),), hint="from above"))
    assert vision.prompt.startswith("from above. Maren: grey braid. The Cold Door. ")
    assert "The tide had gone out" in vision.prompt
    assert "Run" not in vision.prompt


def test_what_is_left_of_a_sentence_around_speech_is_not_shown_unless_there_is_nothing_else() -> None:
    said = replace(SIGHT, prose="“All right,” she said to nobody in particular. Runa rowed out to the door.")
    assert fallback_vision(said).alt == "The Cold Door: Runa rowed out to the door."
    alone = replace(SIGHT, prose="“All right,” she said to nobody in particular.")
    assert fallback_vision(alone).alt == "The Cold Door: she said to nobody in particular."


def test_what_is_to_be_avoided_is_not_even_mentioned() -> None:
    avoided = replace(SIGHT, avoid="blood, spider")
    assert "blood" not in fallback_vision(avoided).prompt
    assert "bloodless" not in fallback_vision(replace(avoided, hint="a bloodless face")).prompt
    found = read_vision(json.dumps(GOOD | {"light": "spiders everywhere"}), avoided)
    assert isinstance(found, Vision)
    assert "spider" not in found.prompt


def test_the_schema_is_what_is_read() -> None:
    assert set(vision_schema()["required"]) == set(GOOD)  # type: ignore[call-overload]  # a list, by the schema above
