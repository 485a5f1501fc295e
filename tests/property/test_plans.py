"""Plans of scenes: whatever a model answers, and whatever a story holds."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.bible import HIDDEN, open_part
from storyforge_core.domain.context import estimate, prompt_tokens
from storyforge_core.domain.plans import (
    AVOID_CHARS,
    BEAT_CHARS,
    MOST_AVOIDED,
    MOST_BEATS,
    MOST_NAMES,
    NAME_CHARS,
    ScenePlan,
    plan_schema,
    read_plan,
)
from storyforge_core.domain.writing import Brief, Profile
from storyforge_core.engine.inventory import take_down
from storyforge_core.engine.prompting import (
    PLAN_TOKENS,
    material,
    repair_messages,
    scene_messages,
    telling_tokens,
    whole_scenes,
)
from storyforge_core.engine.steps.outline import PLAN_ANSWER_TOKENS, plan_messages
from tests.property.test_context import briefs, prose, short, windows

lines = st.lists(short, max_size=5).map(tuple)
noted = st.builds(
    lambda brief, known, state, promises: replace(brief, known=known, state=state, promises=promises, planned=True),
    briefs, lines, lines, lines,
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["who", "beats", "avoid"]), inner),
    max_leaves=12,
)
PROFILE = Profile("a model")


def tokens_of(brief: Brief, window: int) -> int:
    return telling_tokens(brief.words, window)


@given(st.text(max_size=300) | json_values.map(json.dumps), lines)
def test_whatever_is_answered_becomes_a_plan_of_lines_or_a_problem(answer: str, promises: tuple[str, ...]) -> None:
    plan = read_plan(answer, promises)
    if isinstance(plan, Problem):
        assert plan.text
        return
    assert 0 < len(plan.beats) <= MOST_BEATS
    assert len(plan.who) <= MOST_NAMES
    assert len(plan.avoid) <= MOST_AVOIDED
    assert plan.promise in {"", *promises}
    assert all(line.strip() == line and len(line.splitlines()) == 1 for line in plan.lines)


@given(st.lists(st.text(max_size=300), max_size=9), st.lists(st.text(max_size=300), max_size=9))
def test_of_what_is_too_long_the_beginning_is_taken(beats: list[str], avoid: list[str]) -> None:
    plan = read_plan(json.dumps({"beats": ["She knocks.", *beats], "who": beats, "avoid": avoid}), ())
    assert isinstance(plan, ScenePlan)
    assert plan.beats[0] == "She knocks."
    assert all(map(len, plan.lines))
    for texts, chars in ((plan.beats, BEAT_CHARS), (plan.who, NAME_CHARS), (plan.avoid, AVOID_CHARS)):
        assert all(len(text) <= chars for text in texts)


def test_the_longest_plan_has_room_in_a_prompt() -> None:
    full = ScenePlan(
        ("b" * BEAT_CHARS,) * MOST_BEATS, ("n" * NAME_CHARS,) * MOST_NAMES, "", ("a" * AVOID_CHARS,) * MOST_AVOIDED
    )
    assert estimate("<plan>\n" + "\n".join(full.lines) + "\n</plan>\n\n") <= PLAN_TOKENS


def test_a_promise_moves_only_if_the_story_made_it() -> None:
    answer = json.dumps({"beats": ["She knocks."], "who": [], "avoid": [], "promise": "Osk will come back"})
    kept, invented = read_plan(answer, ("Osk will come back",)), read_plan(answer, ("Ione will sing",))
    assert isinstance(kept, ScenePlan)
    assert isinstance(invented, ScenePlan)
    assert (kept.promise, invented.promise) == ("Osk will come back", "")
    assert kept.lines[-1] == "Promise that moves: Osk will come back"
    assert plan_schema(("A",))["properties"]["promise"]["enum"] == ["", "A"]  # type: ignore[index]  # it is JSON


@settings(max_examples=40)
@given(noted, prose, windows)
def test_the_question_and_its_repair_are_never_over_the_window(brief: Brief, said: str, window: int) -> None:
    asked = plan_messages(brief, window, tokens_of(brief, window))
    repair = repair_messages(asked, said, Problem('"beats" has to be a list of texts: what happens, in order.'))
    assert prompt_tokens(repair) + PLAN_ANSWER_TOKENS <= window


@settings(max_examples=40)
@given(noted, windows)
def test_the_scenes_prompt_begins_with_what_the_planner_has_read(brief: Brief, window: int) -> None:
    tokens = tokens_of(brief, window)
    asked = plan_messages(brief, window, tokens)
    told = scene_messages(replace(brief, plan=("Who acts: Maren", "1. She knocks.")), window, tokens)
    assert asked[0] == told[0]
    read, _, _ = material(brief, window, tokens)[1].partition("<direction>\n")
    read, _, _ = read.partition("<wish>\n")
    assert asked[1].content.startswith(read)
    assert told[1].content.startswith(read)


@settings(max_examples=40)
@given(noted, windows)
def test_a_plan_changes_nothing_before_it_whether_one_was_made_or_not(brief: Brief, window: int) -> None:
    tokens = tokens_of(brief, window)
    without, with_one = brief, replace(brief, plan=("1. She knocks.",))
    assert whole_scenes(without, window, tokens) == whole_scenes(with_one, window, tokens)
    planned = take_down(with_one, window, PROFILE)
    plain = take_down(without, window, PROFILE)
    assert tuple(piece for piece in planned.pieces if piece.name != "plan") == plain.pieces


def test_the_planner_is_told_no_secret() -> None:
    known = ("Maren (character): keeps the mill " + HIDDEN + " she drowned once", "Osk has the key (scene 3)")
    brief = Brief("A mill", "", "", "", (), "", "", "", 100, 3, 7, known=known, planned=True)
    asked = plan_messages(brief, 8192, 300)[1].content
    assert "keeps the mill" in asked
    assert "Osk has the key" in asked
    assert "drowned" not in asked
    assert "drowned" in scene_messages(brief, 8192, 300)[1].content
    assert open_part("Osk has the key") == "Osk has the key"
