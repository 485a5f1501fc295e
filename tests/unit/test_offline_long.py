"""What the built-in storyteller makes of long stories, and of scenes that others have written."""

from dataclasses import replace

from storyforge_core.domain.writing import Brief, ToldScene
from storyforge_core.providers.offline.choices import choices_of, title_of
from storyforge_core.providers.offline.outline import plan_of
from storyforge_core.providers.offline.scene import scene_of

LANTERN = Brief("A brass lantern is carried about", "", "", "", (), "", "", "", 130, 3, 3)


def long_story(scenes: int) -> list[ToldScene]:
    """Its first choice is always taken."""
    brief, told = LANTERN, list[ToldScene]()
    for number in range(1, scenes + 1):
        prose = scene_of(brief)
        told.append(ToldScene(number, title_of(brief, prose), brief.chosen, prose))
        brief = replace(brief, path=tuple(told), chosen=choices_of(brief, prose)[0], seed=number)
    return told


def test_a_lifeless_thing_is_what_a_premise_is_about_and_not_who() -> None:
    prose = scene_of(LANTERN)
    assert "a brass lantern by trade" not in prose
    assert "brass lantern was carried about" in prose


def test_what_is_asked_again_was_asked_long_ago() -> None:
    ends = [scene.prose.rsplit("\n\n", 1)[-1] for scene in long_story(24)]
    first = {end: at for at, end in reversed(list(enumerate(ends)))}
    again = [at - first[end] for at, end in enumerate(ends) if first[end] != at]
    assert again
    assert min(again) > 5


def test_a_choice_of_a_scene_that_a_player_wrote_anew_has_its_consequence() -> None:
    edited = ToldScene(2, "By Ann", "", "The lantern stood in the mill. It rained.")
    prose = scene_of(replace(LANTERN, path=(edited,), chosen="Go to the place in the photograph"))
    assert "Nothing had changed but the trees." in prose
    assert "found the photograph" not in prose


def test_more_of_a_scene_heeds_what_was_wished_for() -> None:
    told = ToldScene(1, "Mill", "", "It rained.")
    prose = scene_of(
        replace(LANTERN, path=(told,), extend="The mill stood still.", hint="somebody sings of the harbour")
    )
    assert "sang of the harbour" in prose


def test_a_plan_is_of_the_scene_that_follows_it() -> None:
    plan = plan_of(LANTERN)
    prose = scene_of(LANTERN)
    beats = plan["beats"]
    assert isinstance(beats, list)
    assert prose.startswith(beats[0])
