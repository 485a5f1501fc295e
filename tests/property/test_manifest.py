"""What is taken down of a prompt makes it again, and what is learned of tokens never overfills a window."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.context import prompt_tokens
from storyforge_core.domain.manifest import CAUTION, LONGEST, SHORTEST, Measure, planned_window
from storyforge_core.domain.runs import Draft, Order
from storyforge_core.domain.writing import Brief, Profile, Remembered
from storyforge_core.engine.inventory import can_be_made_again, take_down
from storyforge_core.engine.prompting import pieces, scene_messages, telling_tokens, whole_scenes
from storyforge_core.store.codec import DRAFT, dump
from tests.property.test_context import briefs, prose, short, windows

ORDER = Order(
    task="continue", parent=None, choice=None, chosen="", hint="", base=None, head=None, ballot=None, seed=1, by="Ann"
)  # fmt: skip
PROFILE = Profile("a model@abc", (("temperature", 0.8),))
remembering = st.lists(st.builds(Remembered, st.integers(-99, 0), short, prose), max_size=6).map(tuple)


@given(briefs, remembering, windows)
def test_what_is_stored_makes_the_same_prompt_byte_for_byte(
    brief: Brief, remembered: tuple[Remembered, ...], window: int
) -> None:
    brief = replace(brief, remembered=remembered)
    manifest = take_down(brief, window, PROFILE)
    stored = DRAFT.validate_json(dump(DRAFT, Draft(order=ORDER, brief=brief, manifest=manifest)))
    assert stored.brief is not None
    assert stored.manifest == manifest
    assert can_be_made_again(stored.manifest, stored.brief)
    tokens = telling_tokens(brief.words, window)
    assert scene_messages(stored.brief, window, tokens) == scene_messages(brief, window, tokens)
    assert prompt_tokens(scene_messages(brief, window, tokens)) == manifest.estimated <= window - tokens


@given(briefs, remembering, windows)
def test_what_is_remembered_changes_nothing_before_it(
    brief: Brief, remembered: tuple[Remembered, ...], window: int
) -> None:
    tokens = telling_tokens(brief.words, window)
    with_it = replace(brief, remembered=remembered)
    system, user = scene_messages(with_it, window, tokens)
    plain_system, plain = scene_messages(brief, window, tokens)
    assert system == plain_system
    end = user.content.find("<remembered>\n")
    assert user == plain if end < 0 else plain.content.startswith(user.content[:end].rstrip())
    assert whole_scenes(with_it, window, tokens) == whole_scenes(brief, window, tokens)
    listed = [piece for piece in pieces(with_it, window, tokens) if piece.name in {"scene", "newest"}]
    assert [piece.scene for piece in listed] == [scene.number for scene in brief.path[len(brief.path) - len(listed) :]]


def test_another_brief_does_not_make_the_same_prompt() -> None:
    brief = Brief("A mill", "", "", "", (), "", "", "", 220, 3, 7)
    manifest = take_down(brief, 8192, PROFILE)
    assert not can_be_made_again(manifest, replace(brief, premise="A hill"))


@given(
    st.integers(4096, 200_000),
    st.floats(SHORTEST / CAUTION, LONGEST / CAUTION),
    st.integers(0, 1000),
    st.floats(0.9, CAUTION),
)
def test_a_planned_prompt_fits_the_real_window(window: int, ratio: float, prompts: int, off: float) -> None:
    answer = min(504, window // 3)
    planned = planned_window(window, answer, Measure(prompts, ratio))
    if prompts < 3:
        assert planned == window
    else:
        assert (planned - answer) * ratio * off + answer <= window + 1
