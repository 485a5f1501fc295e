"""Which words matter, what is quoted, and how a passage is chosen."""

from uuid import uuid4

import pytest

from storyforge_core.domain.memory import (
    Found,
    Sought,
    answers,
    covers,
    fits,
    quote_from,
    sentences,
    sought,
    telling_words,
)
from storyforge_core.domain.story import SceneId
from storyforge_core.providers.offline.embedder import vector_of


def found(text: str, number: int = 1, covers: float = 1.0) -> Found:
    return Found(SceneId(uuid4()), number, "A scene", 0, text, covers, covers)


def closeness(one: str, other: str) -> float:
    first, second = vector_of(one), vector_of(other)
    assert first is not None
    assert second is not None
    return sum(a * b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who has the brass key?", ("brass", "key")),
        ("What did Osk's mother say to O'Neill?", ("osk", "mother", "say", "neill")),
        ("Where is she now?", ()),
        ("Wer hat den Schlüssel?", ("wer", "hat", "den", "schlüssel")),
        ("鍵はどこ。", ("鍵はどこ",)),
        ("key KEY Key", ("key",)),
    ],
)
def test_the_words_that_tell_what_is_asked(question: str, words: tuple[str, ...]) -> None:
    assert telling_words(question) == words


@pytest.mark.parametrize(
    ("text", "term", "known"),
    [
        ("The lamps went out.", "lamp", 1),
        ("A lamp went out.", "lamps", 1),
        ("The keys were lost.", "key", 1),
        ("The keyhole was dark.", "key", 0),
        ("The lampshade fell.", "lamp", 1),
        ("Nothing at all.", "lamp", 0),
    ],
)
def test_words_are_known_in_their_forms(text: str, term: str, known: float) -> None:
    assert covers(text, Sought((term,))) == known


def test_words_that_belong_together_are_looked_for_together() -> None:
    wanted = sought("Where are the brass keys of the mill?")
    assert wanted == Sought(("brass", "keys", "mill"), (("brass", "keys"),))
    assert fits("The mill has a brass key.", wanted) == 1
    assert fits("The mill has a key, and some brass.", wanted) == 0.75
    assert fits("Nothing.", wanted) == 0


def test_sentences_end_at_their_marks_and_lines() -> None:
    text = "He went. “Is it you?” she asked. Nobody\nA line 潮が満ちた。夜。 Dr. No"
    assert sentences(text) == (
        "He went.", "“Is it you?”", "she asked.", "Nobody", "A line 潮が満ちた。", "夜。", "Dr.", "No"
    )  # fmt: skip


def test_the_sentence_that_speaks_of_most_is_quoted() -> None:
    passage = found("It rained. Osk took the key. Osk hid the brass key. He slept.")
    assert quote_from(passage, sought("brass key")).text == "Osk hid the brass key."
    assert quote_from(found("no end"), sought("key")).text == "no end"


def test_good_answers_come_newest_first_and_weak_ones_not_at_all() -> None:
    old, new, weak = found("a", 3), found("b", 9, 0.9), found("c", 12, 0.5)
    assert answers((old, weak, new)) == (new, old)
    assert answers((found("d", covers=0.4),)) == ()
    assert answers(()) == ()


def test_the_built_in_embedder_finds_what_shares_words_or_their_forms() -> None:
    question = "Where is the brass key?"
    assert closeness(question, "The brass keys hung by the door.") > 0.4
    assert closeness(question, "The tide came in and took the boats.") < 0.1
    assert closeness("Leuchttürme", "Der Leuchtturm") > 0.1
    assert vector_of("the of and") is None
