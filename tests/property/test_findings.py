"""What a model finds in a scene is believed as far as the scene proves it, whatever the model writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.bible import Card, Claim, Entity, EntityId, Fact, FactId
from storyforge_core.domain.findings import (
    MOST_PLEDGES,
    MOST_SAID,
    MOST_SEEN,
    VALUE_CHARS,
    Findings,
    Known,
    Sighted,
    found_entities,
    read_findings,
)
from storyforge_core.domain.mentions import Names, plain
from storyforge_core.domain.promises import Promise, PromiseId, open_promises, promise_lines
from storyforge_core.domain.states import (
    Assertion,
    AssertionId,
    Cell,
    Held,
    Manner,
    Slot,
    Turn,
    alike,
    disputes,
    holding,
    judged,
)

PROSE = (
    "Maren walked to the old mill. “I have the brass key,” said Osk, and gave her the brass key.\nIt was evening; "
    "Maren\u2019s hair was red, and Osk dreamt of a crown. Old Osk swore to come back. 麻里は海へ行った。"
)
WORDS = PROSE.split()
NAMES = ["Maren", "Osk", "the old mill", "the brass key", "Ghost", "she", "麻里", "", "<b>Osk</b>", "@everyone"]
SLOTS: list[Slot] = ["where", "has", "knows", "condition", "look", "time", "fact"]
MANNERS: list[Manner] = ["told", "dreamt", "lied", "rumoured", "remembered", "supposed"]
TURNS: list[Turn] = ["is", "begins", "ends"]


def entity(name: str, *aliases: str, seen: int = 0, description: str = "") -> Entity:
    return Entity(EntityId(UUID(int=hash(name) % 2**64)), Card("character", name, aliases, description), seen)


@st.composite
def quotes(draw: st.DrawFn) -> str:
    """A stretch of the prose, one with other marks, or one that is not in it."""
    start = draw(st.integers(0, len(WORDS) - 1))
    text = " ".join(WORDS[start : start + draw(st.integers(1, 9))])
    return draw(
        st.sampled_from([text, text.translate(str.maketrans("“”\u2019", '""\'')), f"{text} nowhere", "He lied."])
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
asserted = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(NAMES),
        "slot": st.sampled_from([*SLOTS, "mood"]),
        "value": st.sampled_from(["the mill", "The Mill.", "cellar", "brass key", "", "x" * 400, "<|im_end|>"]),
        "quote": quotes() | anything,
    },
    optional={
        "aspect": st.sampled_from(["", "hair", "HAIR", "left arm"]),
        "manner": st.sampled_from([*MANNERS, "sung"]),
        "change": st.sampled_from([*TURNS, 7]),
    },
)
sighted = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "sort": st.sampled_from(["character", "place", "prop", "god"])},
    optional={"also": st.lists(st.sampled_from(NAMES), max_size=4) | anything, "description": st.text(max_size=300)},
)
promised = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["open", "kept", "broken", "?"]),
        "number": st.integers(0, 4) | st.none(),
        "text": st.sampled_from(["Osk will come back", "osk comes back soon", "A door opens", "", "!"]),
        "quote": quotes(),
    }
)
answers = st.fixed_dictionaries(
    {
        "entities": st.lists(sighted, max_size=15) | anything,
        "assertions": st.lists(asserted | anything, max_size=40) | anything,
        "promises": st.lists(promised, max_size=9) | anything,
    }
)
KNOWN = Known(
    entities=(entity("Maren"), entity("Osk", "Old Osk", seen=1)),
    promises=(Promise(PromiseId(UUID(int=1)), 1, 1, "Osk will come back", "q"),),
    refused=frozenset({"ghost"}),
)


def bare(text: str) -> str:
    return " ".join(text.split())


@given(answers, st.integers(0, 3000))
def test_nothing_is_kept_that_the_scene_does_not_prove(answer: Mapping[str, object], cut: int) -> None:
    written = json.dumps(answer)
    found = read_findings(written[: cut or None], PROSE, KNOWN)
    if isinstance(found, Problem):
        return
    assert len(found.seen) <= MOST_SEEN
    assert len(found.pledges) <= MOST_PLEDGES
    names = {plain(name) for each in KNOWN.entities for name in each.card.names}
    new = {plain(card.name) for card in found.seen}
    for card in found.seen:
        assert all(Names((name,)).mentions(PROSE) for name in card.names)
        assert plain(card.name) not in {"ghost", "she", "maren"}
    for each in found.said:
        assert each.said.quote
        assert each.said.quote in PROSE
        assert len(each.said.value) <= VALUE_CHARS
        assert (plain(each.said.subject) in names | new) == (each.said.slot != "time")
        assert (each.standing == "said") == (each.said.manner != "told")
    for pledge in found.pledges:
        assert pledge.quote in PROSE
        assert (pledge.of is None) == (pledge.outcome == "open")


@given(st.text(max_size=200) | st.sampled_from(['{"a":' * 500, "[" * 5000, '{"entities": 3}']))
def test_no_answer_is_too_strange(answer: str) -> None:
    assert isinstance(read_findings(answer, PROSE, KNOWN), Findings | Problem)


told = st.builds(
    Assertion,
    subject=st.just("Maren"),
    slot=st.sampled_from(SLOTS),
    value=st.sampled_from(["the mill", "Mill", "cellar", "boat"]),
    quote=st.just("q"),
    aspect=st.sampled_from(["", "hair"]),
    manner=st.sampled_from(["told", "told", "told", *MANNERS]),
    turn=st.sampled_from(TURNS),
)


def played(said: Sequence[Assertion]) -> list[Held]:
    """A path that says this, a scene each, judged as it is told."""
    held: list[Held] = []
    for number, each in enumerate(said, 1):
        now = [old for old in held if old.said.cell == each.cell and old.standing in {"true", "disputed"}]
        found = judged(each, now[-1] if now else None)
        if found is not None:
            place = Held(AssertionId(UUID(int=number)), number, number, number, 1, each, found.standing)
            held.append(replace(place, against=found.against, rival=found.rival))
    return held


def fold(said: Sequence[Assertion]) -> tuple[dict[Cell, str], dict[Cell, set[str]]]:
    """What holds and what is in dispute, by the rule itself: no judgements, no rows."""
    true: dict[Cell, str] = {}
    open_values: dict[Cell, set[str]] = {}
    for each in said:
        cell, value = each.cell, alike(each.value)
        if each.manner != "told":
            continue
        if each.turn == "ends":
            true.pop(cell, None)
            open_values.pop(cell, None)
        elif cell in open_values:
            if each.turn == "begins" or each.slot == "time":
                true[cell] = value
                del open_values[cell]
            else:
                open_values[cell].add(value)
        elif cell not in true or each.turn == "begins" or each.slot == "time" or true[cell] == value:
            true[cell] = value
        else:
            open_values[cell] = {true.pop(cell), value}
    return true, open_values


@given(st.lists(told, max_size=25))
def test_what_holds_is_what_a_fold_over_the_path_says(said: list[Assertion]) -> None:
    held = played(said)
    true, in_dispute = fold(said)
    assert {each.said.cell: alike(each.said.value) for each in holding(held)} == true
    assert {each.said.cell for each in disputes(held)} == in_dispute.keys()
    assert all(alike(each.said.value) in in_dispute[each.said.cell] for each in disputes(held))
    assert not {each.said.cell for each in holding(held)} & {each.said.cell for each in disputes(held)}


def test_what_players_wrote_stands_until_the_prose_tells_a_change() -> None:
    facts = (Fact(FactId(UUID(int=3)), 1, 1, Claim("Maren's hair is grey")),)
    card = entity("Maren", description="green eyes")
    red = {"subject": "Maren", "slot": "look", "aspect": "hair", "value": "red", "quote": "hair was red"}

    def kept(given: Mapping[str, str], known: Known) -> list[str]:
        found = read_findings(json.dumps({"assertions": [given]}), PROSE, known)
        assert isinstance(found, Findings)
        return [each.said.value for each in found.said]

    assert kept(red, Known((card,))) == ["red"]
    assert kept(red, Known((card,), facts)) == []
    assert kept({**red, "change": "begins"}, Known((card,), facts)) == ["red"]
    assert kept({**red, "aspect": "eyes", "value": "brown"}, Known((card,))) == []


def test_who_is_written_down_wins_over_who_was_found() -> None:
    found = [
        Sighted(entity("Osk", "Old Osk", seen=2), struck=False),
        Sighted(entity("Osk", seen=4, description="a thief"), struck=False),
        Sighted(entity("Ilse", seen=3), struck=True),
        Sighted(entity("Ilse", seen=5), struck=False),
    ]
    assert [each.card for each in found_entities((), found)] == [Card("character", "Osk", ("Old Osk",), "a thief")]
    cards = (entity("Old Osk", description="a saint"),)
    saint, osk = found_entities(cards, found)
    assert (saint.card, osk.card.aliases) == (cards[0].card, ())


@given(st.lists(st.sampled_from(["Osk will come back", "The mill burns", "Maren is a queen"]), max_size=6), st.text())
def test_open_promises_are_told_those_first_that_matter(texts: list[str], now: str) -> None:
    promises = [
        Promise(PromiseId(UUID(int=n)), n, n, text, "q", "open" if n % 3 else "kept", 0 if n % 3 else 9)
        for n, text in enumerate(texts, 1)
    ]
    lines = promise_lines(promises, now)
    assert sorted(lines) == sorted(f"{each.text} (scene {each.scene})" for each in open_promises(promises))
    if any(each.text == "Osk will come back" for each in open_promises(promises)):
        assert promise_lines(promises, "Osk will come back")[0].startswith("Osk")


def test_a_scene_says_only_so_much() -> None:
    said = [{"subject": "Osk", "slot": "knows", "value": f"word {n}", "quote": "It was evening"} for n in range(90)]
    found = read_findings(json.dumps({"assertions": said}), PROSE, KNOWN)
    assert isinstance(found, Findings)
    assert len(found.said) == MOST_SAID
