from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest

from storyforge_core.domain.pictures import PictureDraft
from storyforge_core.domain.runs import Draft
from storyforge_core.engine.recipes import PICTURE, SCENE
from storyforge_core.engine.stages import Stage

Recipe = Sequence[Stage[Any, Any]]
RECIPES = [pytest.param(SCENE, Draft, id="scene"), pytest.param(PICTURE, PictureDraft, id="picture")]


@pytest.mark.parametrize(("recipe", "draft"), RECIPES)
def test_every_stage_needs_only_what_was_given_before(recipe: Recipe, draft: type) -> None:
    del draft
    there = {"order"}
    for stage in recipe:
        assert set(stage.needs) <= there, stage.name
        there |= set(stage.gives)


@pytest.mark.parametrize(("recipe", "draft"), RECIPES)
def test_stages_name_fields_of_the_draft(recipe: Recipe, draft: type) -> None:
    names = {field.name for field in fields(draft)}
    assert {name for stage in recipe for name in (*stage.needs, *stage.gives)} <= names


@pytest.mark.parametrize(("recipe", "draft"), RECIPES)
def test_stages_have_names_of_their_own_and_time_limits(recipe: Recipe, draft: type) -> None:
    del draft
    assert len({stage.name for stage in recipe}) == len(recipe)
    assert all(stage.seconds > 0 for stage in recipe)


def test_what_a_scene_is_settled_with_is_given() -> None:
    given = {name for stage in SCENE for name in stage.gives}
    assert {"prose", "title", "choices", "writer"} <= given


def test_what_a_picture_is_hung_with_is_given() -> None:
    given = {name for stage in PICTURE for name in stage.gives}
    assert {"vision", "kept", "workflow"} <= given
