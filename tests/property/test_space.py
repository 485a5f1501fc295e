"""What those who manage a server decide, and what follows for the others."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from storyforge_core.domain.commands import ChangeSpace, Speaker, Surroundings
from storyforge_core.domain.rules import SETTINGS
from storyforge_core.domain.space import (
    MOST_CHANNELS,
    Space,
    begin_with,
    change_space,
    objection_to_place,
    objection_to_start,
    require_unblocked,
)
from storyforge_core.domain.story import Rules
from storyforge_core.errors import Invalid, NotAllowed

ids = st.sampled_from(["1", "2", "3", "4"])
spaces = st.builds(
    Space,
    channels=st.lists(ids, max_size=3, unique=True).map(tuple),
    starters=st.sampled_from(["everyone", "managers", "role"]),
    role=ids,
    adults=st.booleans(),
    defaults=st.lists(
        st.tuples(st.sampled_from([*SETTINGS, "gone"]), st.sampled_from(["3", "off", "host", "300", "x"])), max_size=4
    ).map(tuple),
    blocked=st.lists(ids, max_size=3, unique=True).map(tuple),
)
speakers = st.builds(
    Speaker,
    platform=st.just("test"),
    user=ids,
    name=st.just("Ann"),
    manager=st.booleans(),
    roles=st.lists(ids, max_size=2).map(tuple),
)
places = st.builds(Surroundings, channel=ids, adults=st.booleans())
changes = st.builds(
    ChangeSpace,
    what=st.sampled_from(["channel", "starters", "adults", "default", "block", "stream"]),
    value=st.one_of(
        ids, st.sampled_from(["on", "off", "everyone", "managers", "quorum 3", "words owner", "paragraphs", ""])
    ),
    lift=st.booleans(),
)


def blocked(space: Space, speaker: Speaker) -> bool:
    try:
        require_unblocked(space, speaker)
    except NotAllowed:
        return True
    return False


@given(spaces, speakers, places)
def test_a_story_begins_exactly_where_and_by_whom_it_may(space: Space, speaker: Speaker, around: Surroundings) -> None:
    there = (not space.channels or around.channel in space.channels) and (around.adults or not space.adults)
    may = {"everyone": True, "managers": False, "role": space.role in speaker.roles}[space.starters]
    assert (objection_to_start(space, speaker, around) is None) == (there and (may or speaker.manager))


@given(spaces, speakers, places)
def test_who_manages_a_place_is_held_to_its_channels_like_everybody(
    space: Space, speaker: Speaker, around: Surroundings
) -> None:
    elsewhere = objection_to_place(space, around)
    if elsewhere is not None:
        assert objection_to_start(space, speaker, around) == elsewhere


@given(spaces, speakers)
def test_only_those_are_blocked_who_are_listed_and_do_not_manage(space: Space, speaker: Speaker) -> None:
    assert blocked(space, speaker) == (speaker.user in space.blocked and not speaker.manager)


@given(spaces, changes)
def test_a_change_does_what_it_says_and_nothing_else(space: Space, change: ChangeSpace) -> None:
    try:
        changed, said = change_space(space, change)
    except Invalid:
        reject()
    assert said.endswith(".")
    match change.what:
        case "channel":
            assert (change.value in changed.channels) != change.lift
            assert {*changed.channels} ^ {*space.channels} <= {change.value}
        case "block":
            assert (change.value in changed.blocked) != change.lift
            assert {*changed.blocked} ^ {*space.blocked} <= {change.value}
        case "adults":
            assert changed.adults == (change.value in {"on", "1"})
        case _:
            pass
    touched = {"channel": "channels", "starters": "starters", "adults": "adults", "default": "defaults"}
    for field in ("channels", "starters", "adults", "defaults", "blocked"):
        if field != touched.get(change.what, "blocked"):
            assert getattr(changed, field) == getattr(space, field)


@given(spaces)
def test_new_stories_begin_with_the_last_of_each_setting_that_still_makes_sense(space: Space) -> None:
    begun = begin_with(space, Rules())
    quorums = [
        {"off": 0, "3": 3, "300": 300}[value]
        for name, value in space.defaults
        if name == "quorum" and value in {"off", "3", "300"}
    ]
    assert begun.quorum == (quorums[-1] if quorums else Rules().quorum)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (ChangeSpace("channel", ""), "/story setup channel"),
        (ChangeSpace("starters", ""), "/story setup starters"),
        (ChangeSpace("adults", "maybe"), "/story setup adults on"),
        (ChangeSpace("default", "mood 3"), "There are: words"),
        (ChangeSpace("default", "quorum many"), "quorum” takes"),
    ],
)
def test_what_cannot_be_decided_is_answered_with_what_can(change: ChangeSpace, hint: str) -> None:
    with pytest.raises(Invalid, match=hint):
        change_space(Space(), change)


def test_a_list_has_an_end() -> None:
    full = Space(channels=tuple(map(str, range(MOST_CHANNELS))))
    with pytest.raises(Invalid, match="50 on that list"):
        change_space(full, ChangeSpace("channel", "x"))


def test_a_default_is_replaced_and_taken_back() -> None:
    three, _ = change_space(Space(), ChangeSpace("default", "quorum 3"))
    four, _ = change_space(three, ChangeSpace("default", "quorum 4"))
    none, _ = change_space(four, ChangeSpace("default", "quorum"))
    assert begin_with(three, Rules()).quorum == 3
    assert begin_with(four, Rules()).quorum == 4
    assert none == Space()
