"""Whatever players ask for, the built-in storyteller answers in clean English."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.writing import Brief, ToldScene
from storyforge_core.providers.offline.banks import GENRES, MOTIFS, Bank, bank
from storyforge_core.providers.offline.choices import choices_of, title_of
from storyforge_core.providers.offline.dice import Dice
from storyforge_core.providers.offline.scene import scene_of
from storyforge_core.providers.offline.template import render

PREMISES = (
    "A lighthouse keeper finds a door in the sea",
    "A murder on a space station",
    "A shy baker falls in love with a ghost",
    "Two cats inherit a castle",
    "my dog becomes mayor",
    "Three retired thieves rob a museum of clouds",
    "I wake up in a library and everyone has forgotten me",
    "Everyone in town wakes up with the wrong name",
    "",
)
GENRE_NAMES = ("", "fantasy", "sci-fi", "mystery", "horror", "sea adventure", "western", "romance", "comedy", "tax law")
CHOICES = ("Open the door", "I pour tea for the ghost", "To the lighthouse!", "Ask who it is", "Mara sings", "Wait")

_OWL = re.compile(r"\b[Aa] (?!uni|use|usu|eu|one\b|once\b)[aeiou]", re.IGNORECASE)
_BIRD = re.compile(r"\b[Aa]n (?!hour|honest|heir|honour)[bcdfghjklmnpqrstvwxyz]")
_TWICE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_FLAWS = re.compile(r"[{}\[\]|#]|  | [,.;:!?]|\.\.|,,|,\.|\n{3}")
_FAIR_TWICE = {"had had", "that that", "no no", "not not", "again again"}


def check(text: str) -> None:
    assert not _OWL.search(text), _OWL.search(text)
    assert not _BIRD.search(text), _BIRD.search(text)
    assert not _FLAWS.search(text), _FLAWS.search(text)
    assert not {match.group(0).lower() for match in _TWICE.finditer(text)} - _FAIR_TWICE
    assert text.count("“") == text.count("”")
    for paragraph in text.split("\n\n"):
        assert paragraph[:1] in "“…" or not paragraph[:1].islower(), paragraph
        assert paragraph[-1:] in ".!?”…", paragraph
        assert not re.search(r"(?<![.…])[.!?] [a-z]", paragraph), paragraph


def settings(premise: str, **changes: object) -> Brief:
    plain: dict[str, object] = {
        "premise": premise, "title": "", "genre": "", "tone": "", "path": (), "chosen": "", "hint": "", "note": "",
        "words": 200, "choices": 3, "seed": 1,
    }  # fmt: skip
    return Brief(**{**plain, **changes})  # type: ignore[arg-type]  # the tests name fields freely


@given(
    premise=st.sampled_from(PREMISES),
    genre=st.sampled_from(GENRE_NAMES),
    chosen=st.sampled_from(CHOICES),
    tone=st.sampled_from(("", "dark", "light-hearted", "tender", "tense")),
    seed=st.integers(0, 2**63),
    words=st.integers(80, 400),
)
def test_every_scene_is_clean_english(premise: str, genre: str, chosen: str, tone: str, seed: int, words: int) -> None:
    opening = settings(premise, genre=genre, tone=tone, seed=seed, words=words)
    prose = scene_of(opening)
    check(prose)
    path = (ToldScene(1, title_of(opening, prose), "", prose),)
    following = settings(premise, genre=genre, tone=tone, seed=seed + 1, words=words, path=path, chosen=chosen)
    more = scene_of(following)
    check(more)
    for choice in choices_of(following, more):
        assert choice[:1].isupper()
        assert not _FLAWS.search(choice)


@given(
    premise=st.text(max_size=4000),
    genre=st.text(max_size=40),
    said=st.tuples(*[st.text(max_size=300)] * 3),
    extend=st.text(max_size=300),
    seed=st.integers(-(2**70), 2**70),
)
def test_no_words_of_players_can_break_it(
    premise: str, genre: str, said: tuple[str, str, str], extend: str, seed: int
) -> None:
    chosen, hint, note = said
    opening = settings(premise, genre=genre, hint=hint, note=note, seed=seed)
    prose = scene_of(opening)
    path = (ToldScene(1, "One", "", prose),)
    asked = settings(premise, genre=genre, path=path, chosen=chosen, hint=hint, note=note, seed=seed, extend=extend)
    assert prose.strip()
    assert scene_of(asked).strip()
    title, choices = title_of(asked, prose), choices_of(asked, prose)
    assert json.loads(json.dumps([title, *choices])) == [title, *choices]
    assert len(title) <= 60
    assert len(set(choices)) == 3


@given(seed=st.integers(0, 10**9), wanted=st.integers(2, 6), premise=st.sampled_from(PREMISES))
def test_choices_are_distinct_short_and_as_many_as_wanted(seed: int, wanted: int, premise: str) -> None:
    asked = settings(premise, seed=seed, choices=wanted)
    choices = choices_of(asked, scene_of(asked))
    assert len({choice.lower() for choice in choices}) == wanted
    assert all(0 < len(choice) <= 90 for choice in choices)


def texts(each: Bank) -> list[str]:
    known = [entry.intro for group in (each.friends, each.things, each.wonders) for entry in group]
    beats = [beat.text for kind, stock in each.beats.items() for beat in stock if kind not in {"fillers", "titles"}]
    plots = [beat.text for plot in each.plots for beat in plot]
    hooks = [text for hook in each.hooks for text in (hook.beat.text, *(t for o in hook.options for t in o.then))]
    return [*known, *beats, *plots, *hooks]


ONE = {"she": "she", "her": "her", "him": "her", "hers": "hers", "herself": "herself", "was": "was", "hero": "Ione"}
MANY = {
    "she": "they", "her": "their", "him": "them", "hers": "theirs", "herself": "themselves", "was": "were",
    "hero": "the cats",
}  # fmt: skip
SHARED = {
    "name": "Ione", "role": "the keeper", "a_role": "a keeper", "friend": "Mara", "thing": "the key",
    "place": "the farm", "wonder": "the door", "matter": "the door in the sea",
}  # fmt: skip


@given(seed=st.integers(0, 10**6), person=st.sampled_from((ONE, MANY)))
def test_every_sentence_of_the_banks_is_clean(seed: int, person: dict[str, str]) -> None:
    for name in (*GENRES, *MOTIFS, "general"):
        for text in texts(bank(name)):
            check(render(text, {**SHARED, **person}, Dice(str(seed))))
