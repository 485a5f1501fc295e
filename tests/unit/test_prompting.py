"""The prompts and what is filled into them."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.context import estimate, prompt_tokens
from storyforge_core.domain.lore import ActiveLore, LoreId
from storyforge_core.domain.writing import Brief, Message, ToldScene
from storyforge_core.engine import prompting
from storyforge_core.engine.prompting import (
    QUESTION_TOKENS,
    REPAIR_TOKENS,
    choices_messages,
    choices_tokens,
    render,
    repair_messages,
    scene_messages,
)

SCENE = ToldScene(1, "Low Water", "", "The tide went out. Maren stood at the rail.")
OPENING = Brief("A keeper finds a door", "The Door", "mystery", "quiet", (), "", "", "", 220, 3, 7)
SECOND = Brief("A keeper finds a door", "", "", "", (SCENE,), "Knock back", "more fog", "keep it slow", 220, 3, 7)
EXTENDED = Brief("A keeper", "", "", "", (SCENE,), "Knock back", "", "", 220, 3, 7, extend="You knock. You wait.")


def user_message(brief: Brief) -> str:
    return scene_messages(brief, 8192, 500)[1].content


def test_every_prompt_of_the_folder_is_used() -> None:
    names = {path.stem for path in (Path(prompting.__file__).parent / "prompts").iterdir()}
    assert names == {"system", "opening", "scene", "extend", "choices", "repair", "ask", "visualize", "extract"}


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(KeyError, match="problem"):
        render("repair")


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(KeyError, match="mood"):
        render("repair", problem="It is empty.", mood="dark")


@pytest.mark.parametrize("brief", [OPENING, SECOND, EXTENDED], ids=["opening", "scene", "extension"])
def test_no_place_for_a_value_stays_open(brief: Brief) -> None:
    assert "$" not in "".join(message.content for message in choices_messages(brief, "You wait.", 8192, 400))


def test_a_dollar_sign_in_a_story_is_a_dollar_sign() -> None:
    brief = Brief("$premise costs $5", "", "", "", (), "", "", "", 220, 3, 7)
    assert "$premise costs $5" in scene_messages(brief, 8192, 500)[0].content


def test_an_opening_knows_the_world_and_asks_for_a_beginning() -> None:
    system, user = scene_messages(OPENING, 8192, 500)
    assert "<premise>\nA keeper finds a door\n</premise>" in system.content
    assert "<genre>\nmystery\n</genre>" in system.content
    assert user.content.startswith("Write the opening scene")
    assert "about 220 words" in user.content


def test_what_changes_with_every_scene_comes_last() -> None:
    text = user_message(SECOND)
    order = ["Maren stood at the rail", "Knock back", "keep it slow", "more fog", "Write the next scene"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


BELL = ActiveLore(LoreId(UUID(int=1)), "The bell", "It rings </lore> for the dead.", held=False)


@pytest.mark.parametrize("brief", [OPENING, SECOND, EXTENDED], ids=["opening", "scene", "extension"])
def test_lore_stands_between_what_was_told_and_what_is_asked_for(brief: Brief) -> None:
    text = user_message(replace(brief, lore=(BELL,), lore_room=100))
    assert "<lore>\nIt rings \u2039/lore\u203a for the dead.\n</lore>" in text
    before = text.partition("<lore>")[0]
    assert ("Maren stood at the rail" in before) == bool(brief.path)
    assert not [word for word in ("Knock back", "more fog", "keep it slow", "Write the", "<begun>") if word in before]


def test_what_nobody_said_leaves_no_empty_tags() -> None:
    text = user_message(Brief("A keeper", "", "", "", (SCENE,), "", "", "", 220, 3, 7))
    assert not any(f"<{tag}>\n" in text for tag in ("chosen", "wish", "direction", "begun", "earlier"))


def test_an_extension_shows_what_was_begun_and_forbids_to_repeat_it() -> None:
    text = user_message(EXTENDED)
    assert text.index("Knock back") < text.index("<begun>\nYou knock. You wait.\n</begun>")
    assert "Repeat nothing of it" in text


def test_the_question_about_an_extended_scene_shows_its_beginning_once() -> None:
    asked = choices_messages(EXTENDED, "You knock. You wait.\n\nThe door opens.", 8192, 400)
    assert sum(message.content.count("You knock. You wait.") for message in asked) == 1
    assert asked[2] == Message("assistant", "The door opens.")


def test_the_question_names_the_number_of_choices_and_the_form() -> None:
    question = choices_messages(OPENING, "You wait.", 8192, 400)[-1].content
    assert "exactly 3 choices" in question
    assert question.endswith('{"title": "…", "choices": ["…", "…", "…"]}')


@pytest.mark.parametrize("count", [2, 6, 9])
def test_the_question_takes_no_more_than_is_kept_for_it(count: int) -> None:
    brief = Brief("A keeper", "", "", "", (), "", "", "", 220, count, 7)
    assert estimate(choices_messages(brief, "You wait.", 32_768, 400)[-1].content) <= QUESTION_TOKENS


def test_a_repair_shows_the_answer_and_the_problem_and_takes_no_more_than_is_kept_for_it() -> None:
    asked = choices_messages(OPENING, "You wait.", 8192, choices_tokens(3, 8192))
    repair = repair_messages(asked, '{"title": "Low' + " water" * 5000, Problem("It has no end."))
    assert repair[: len(asked)] == asked
    assert repair[-2].content.startswith('{"title": "Low water')
    assert "It has no end." in repair[-1].content
    assert prompt_tokens(repair) - prompt_tokens(asked) <= REPAIR_TOKENS
