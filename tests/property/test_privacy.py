"""A person is taken out of what is stored, and everything else stays as it was."""

import json
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.events import BallotChanged, BallotOpened, Event, HeadSet, Noted, StoryBegan, WritingQueued
from storyforge_core.domain.privacy import REMOVED, SOMEBODY, Erasure, Json
from storyforge_core.domain.story import Member, PlayerId
from storyforge_core.store.codec import EVENT, dump

ANN = PlayerId(UUID(int=1))
erasure = Erasure(frozenset({str(ANN)}), frozenset({"Ann", "Annabel (she)"}))
names = st.sampled_from(["Ann", "Annabel (she)", "Bo", "Joann"])
members = st.one_of(
    st.builds(Member, player=st.just(ANN), name=st.sampled_from(["Ann", "Annabel (she)"]), state=st.just("joined")),
    st.builds(
        Member, player=st.just(PlayerId(UUID(int=2))), name=st.sampled_from(["Bo", "Joann"]), state=st.just("left")
    ),
)
events = st.one_of(
    st.builds(StoryBegan, by=names),
    st.builds(HeadSet, by=names, scene=st.none()),
    st.builds(WritingQueued, by=names),
    st.builds(BallotChanged, by=names, members=st.lists(members, max_size=3).map(tuple)),
    st.builds(BallotOpened, members=st.lists(members, max_size=3).map(tuple)),
    st.builds(Noted, sentence=st.builds("{} calls the story “Joann's door” now.".format, names)),
)


def who(value: Json) -> set[object]:
    """Everybody whom an event names, wherever it does."""
    if isinstance(value, dict):
        here = {value["by"]} if value.get("by") else set()
        return here.union(
            {value["name"]} if "player" in value and "name" in value else set(), *map(who, value.values())
        )
    return set().union(*map(who, value)) if isinstance(value, list) else set()


def without_names(value: Json) -> Json:
    """The same with nobody's name in it."""
    if isinstance(value, dict):
        return {key: without_names(part) for key, part in value.items() if key not in {"by", "name", "sentence"}}
    return [without_names(part) for part in value] if isinstance(value, list) else value


@given(events)
def test_an_event_names_a_forgotten_person_no_more_and_everybody_else_still(event: Event) -> None:
    stored = json.loads(dump(EVENT, event))
    erased = erasure.applied(stored)
    by_id = {name for name in who(stored) if name not in erasure.names}
    assert not who(erased) & erasure.names
    assert who(erased) - {SOMEBODY} <= by_id
    assert without_names(erased) == without_names(stored)
    EVENT.validate_python(erased, strict=False)


@given(events)
def test_forgetting_twice_is_forgetting_once(event: Event) -> None:
    once = erasure.applied(json.loads(dump(EVENT, event)))
    assert erasure.applied(once) == once


@given(names)
def test_a_sentence_loses_the_name_and_keeps_words_that_contain_it(name: str) -> None:
    stored = {"kind": "noted", "sentence": f"{name} asks Joann, of Annapolis, for Annabel (she)."}
    erased = erasure.applied(stored)
    first = SOMEBODY if name in erasure.names else name
    assert erased == {"kind": "noted", "sentence": f"{first} asks Joann, of Annapolis, for {SOMEBODY}."}


def test_words_go_only_where_they_are_meant_to() -> None:
    words = Erasure(frozenset({str(ANN)}), frozenset(), frozenset({"7"}), frozenset({"be kind"}), hints=True)
    ours: Json = {"id": "7", "position": 4, "text": "Knock"}
    theirs: Json = {"id": "8", "position": 5, "text": "Knock"}
    assert words.applied([ours, theirs]) == [{**ours, "text": REMOVED}, theirs]  # type: ignore[dict-item]
    note = {"kind": "note_set", "before": "be kind", "after": "be cruel"}
    assert words.applied(note) == {"kind": "note_set", "before": "", "after": "be cruel"}
    draft = {"order": {"asker": str(ANN), "hint": "fog"}, "brief": {"premise": "", "hint": "fog", "note": "be kind"}}
    assert words.applied(draft) == {
        "order": {"asker": str(ANN), "hint": ""},
        "brief": {"premise": "", "hint": "", "note": ""},
    }
