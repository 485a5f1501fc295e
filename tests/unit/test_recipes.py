from dataclasses import fields

from storyforge_core.domain.runs import Draft
from storyforge_core.engine.recipes import SCENE


def test_every_stage_needs_only_what_was_given_before() -> None:
    there = {"order"}
    for stage in SCENE:
        assert set(stage.needs) <= there, stage.name
        there |= set(stage.gives)


def test_stages_name_fields_of_the_draft() -> None:
    names = {field.name for field in fields(Draft)}
    assert {name for stage in SCENE for name in (*stage.needs, *stage.gives)} <= names


def test_stages_have_names_of_their_own_and_time_limits() -> None:
    assert len({stage.name for stage in SCENE}) == len(SCENE)
    assert all(stage.seconds > 0 for stage in SCENE)


def test_what_a_scene_is_settled_with_is_given() -> None:
    given = {name for stage in SCENE for name in stage.gives}
    assert {"prose", "title", "choices", "writer"} <= given
