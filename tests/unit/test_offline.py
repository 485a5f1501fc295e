"""The built-in storyteller: what a player sees of it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from storyforge_core.domain.writing import Asking, Brief, Finished, Telling, ToldScene, Words
from storyforge_core.providers.offline import OfflineStoryteller
from storyforge_core.providers.offline.banks import GENRES, MOTIFS, Hook, bank
from storyforge_core.providers.offline.deed import deed
from storyforge_core.providers.offline.findings import findings_of
from storyforge_core.providers.offline.premise import parse
from storyforge_core.providers.offline.scene import scene_of
from storyforge_core.providers.offline.template import mark

LIGHTHOUSE = "A lighthouse keeper finds a door in the sea"
BANKS = (*GENRES, *MOTIFS, "general")
HOOKS = [hook for name in BANKS for hook in bank(name).hooks]


def brief(premise: str = LIGHTHOUSE, **changes: object) -> Brief:
    plain = Brief(
        premise=premise, title="", genre="", tone="", path=(), chosen="", hint="", note="", words=200, choices=3, seed=1
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests name fields freely


async def tell(asked: Brief, told: str = "") -> str:
    telling = Telling(brief=asked, messages=(), told=told, max_tokens=1000)
    return "".join([e.text async for e in OfflineStoryteller().tell(telling) if isinstance(e, Words)])


async def ask(asked: Brief, prose: str) -> tuple[str, list[str]]:
    asking = Asking(brief=asked, messages=(), prose=prose, schema={}, max_tokens=500)
    answer = json.loads(await OfflineStoryteller().ask(asking))
    return answer["title"], answer["choices"]


async def play(premise: str, votes: Sequence[int | str], **settings: object) -> list[ToldScene]:
    """Scenes of a path: each vote is the number of a choice, or a write-in."""
    path: tuple[ToldScene, ...] = ()
    chosen = ""
    for number, vote in enumerate([*votes, 1], 1):
        asked = brief(premise, **settings, path=path, chosen=chosen, seed=number)
        prose = await tell(asked)
        title, choices = await ask(asked, prose)
        path = (*path, ToldScene(number=number, title=title, choice=chosen, prose=prose))
        chosen = choices[vote - 1] if isinstance(vote, int) else vote
    return list(path)


def sentences(prose: str) -> set[str]:
    return {part.strip() for part in re.split(r"(?<=[.!?”])\s+", prose) if len(part.split()) > 4}


async def test_the_same_brief_is_told_in_the_same_words() -> None:
    assert await tell(brief()) == await tell(brief())


def test_another_process_tells_the_same_words() -> None:
    script = (
        "import sys; from storyforge_core.domain.writing import Brief;"
        "from storyforge_core.providers.offline.scene import scene_of;"
        "sys.stdout.buffer.write(scene_of(Brief(sys.argv[1], '', '', '', (), '', '', '', 200, 3, 1)).encode())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", script, LIGHTHOUSE], capture_output=True, check=True, env=environment, timeout=60
    )
    assert other.stdout.decode() == scene_of(brief())


async def test_a_stream_is_words_and_then_an_end() -> None:
    telling = Telling(brief=brief(), messages=(), told="", max_tokens=1000)
    events = [event async for event in OfflineStoryteller().tell(telling)]
    assert events[-1] == Finished("stop")
    assert all(isinstance(event, Words) and len(event.text.split()) == 1 for event in events[:-1])


async def test_the_pace_is_kept() -> None:
    telling = Telling(brief=brief(words=40), messages=(), told="", max_tokens=1000)
    begun = time.perf_counter()
    stream = OfflineStoryteller(pace=100).tell(telling)
    for _ in range(11):
        await anext(stream)
    await stream.aclose()
    assert time.perf_counter() - begun >= 0.1


async def test_told_words_are_not_told_again() -> None:
    whole = await tell(brief())
    assert await tell(brief(), told=whole[:333]) == whole[333:]


async def test_nothing_is_left_to_tell_behind_a_whole_scene() -> None:
    whole = await tell(brief())
    assert not await tell(brief(), told=whole)


async def test_behind_strange_words_the_story_goes_on() -> None:
    told = "The comet landed softly, and Hildegard"
    rest = await tell(brief(), told=told)
    assert rest.startswith("… ")
    assert told not in rest


async def test_an_extension_follows_the_scene_and_repeats_nothing() -> None:
    scene = await tell(brief())
    more = await tell(brief(extend=scene))
    assert more.startswith("\n\n")
    assert not sentences(scene) & sentences(more)


async def test_the_premise_is_in_the_opening() -> None:
    assert "a lighthouse keeper found a door in the sea" in await tell(brief())


@pytest.mark.parametrize("premise", ["Zwei Katzen erben ein Schloss", "🐙🚀💔", "قطة ترث قلعة", "猫が城を相続する"])
async def test_a_premise_in_any_language_is_quoted(premise: str) -> None:
    assert f"“{premise}" in await tell(brief(premise))


async def test_the_choice_is_really_taken() -> None:
    opening = await tell(brief())
    _, choices = await ask(brief(), opening)
    path = (ToldScene(1, "The Door", "", opening),)
    wanted = {choice: deed(choice.replace("thing", "")).text for choice in choices}
    for choice, done in wanted.items():
        assert done in await tell(brief(path=path, chosen=choice))


async def test_choices_lead_to_different_scenes() -> None:
    opening = await tell(brief())
    _, choices = await ask(brief(), opening)
    path = (ToldScene(1, "The Door", "", opening),)
    scenes = [await tell(brief(path=path, chosen=choice)) for choice in choices]
    assert not sentences(scenes[0]) <= sentences(scenes[1])
    assert len({scene.split("\n\n")[0] for scene in scenes}) == 3


async def test_a_write_in_becomes_prose() -> None:
    path = (ToldScene(1, "The Door", "", await tell(brief())),)
    assert "poured tea for the ghost" in await tell(brief(path=path, chosen="I pour tea for the ghost"))


async def test_a_hint_comes_true() -> None:
    path = (ToldScene(1, "The Door", "", await tell(brief())),)
    told = await tell(brief(path=path, chosen="Wait", hint="a storm arrives"))
    assert "a storm arrived" in told


async def test_the_directors_note_is_worked_in() -> None:
    path = (ToldScene(1, "The Door", "", await tell(brief())),)
    assert "Keep it spooky" in await tell(brief(path=path, chosen="Wait", note="keep it spooky"))


async def test_a_reroll_is_clearly_another_telling() -> None:
    opening = await tell(brief())
    again = await tell(brief(seed=2))
    assert len(sentences(opening) & sentences(again)) < len(sentences(opening)) / 2


async def test_ten_scenes_repeat_no_sentence() -> None:
    scenes = await play(LIGHTHOUSE, [1, 2, 3, 1, 2, 3, 1, 2, 3])
    heard: set[str] = set()
    for scene in scenes:
        assert not heard & sentences(scene.prose)
        heard |= sentences(scene.prose)


async def test_titles_do_not_come_twice_on_a_path() -> None:
    titles = [scene.title for scene in await play(LIGHTHOUSE, [1] * 14)]
    assert len(set(titles)) == len(titles)
    assert all(0 < len(title) <= 60 for title in titles)


async def test_the_companion_of_the_opening_stays() -> None:
    names = {known.name for known in bank("seadoor").friends}
    for scene in await play(LIGHTHOUSE, [1, 2, "Dance", 1]):
        assert len({name for name in names if re.search(rf"\b{name}\b", scene.prose)}) <= 1


async def test_a_name_in_the_premise_is_kept() -> None:
    scenes = await play("Captain Mara Voss steals a comet", [1, 2])
    assert all("Mara" in scene.prose for scene in scenes)


async def test_the_people_of_another_hand_are_met_again() -> None:
    prose = "Elara raised the lamp, and Thorne drew his blade. “Stay close,” whispered Thorne."
    asked = brief("Elara seeks the crystal heart", path=(ToldScene(1, "One", "", prose),), chosen="Wait")
    told = await tell(asked)
    assert "Elara" in told
    assert "Thorne" in told


@pytest.mark.parametrize("wanted", [2, 3, 6])
async def test_as_many_choices_as_wanted(wanted: int) -> None:
    prose = await tell(brief())
    _, choices = await ask(brief(choices=wanted), prose)
    assert len(set(choices)) == wanted
    assert all(len(choice) <= 90 for choice in choices)


async def test_prose_of_another_hand_gets_choices_about_its_things() -> None:
    prose = "Greta climbed the stairs. At the top stood the harpsichord, and beside it the lantern was still burning."
    _, choices = await ask(brief(path=(ToldScene(1, "One", "", prose),)), prose)
    assert len(choices) == 3
    assert any("lantern" in choice or "harpsichord" in choice for choice in choices)


@pytest.mark.parametrize("words", [120, 200, 320, 500])
async def test_scenes_have_about_the_wanted_length(words: int) -> None:
    for scene in await play(LIGHTHOUSE, [1, 2, 3], words=words):
        assert words * 0.65 <= len(scene.prose.split()) <= words * 1.35


async def test_a_scene_has_two_to_five_paragraphs() -> None:
    for scene in await play("A shy baker falls in love with a ghost", [1, 2, 3, 1]):
        assert 2 <= len(scene.prose.split("\n\n")) <= 5


async def test_a_scene_takes_little_time() -> None:
    path = tuple(await play(LIGHTHOUSE, [1] * 9))
    begun = time.process_time()
    for seed in range(20):
        await tell(brief(path=path, chosen="Wait", seed=seed))
    assert (time.process_time() - begun) / 20 < 0.05


@pytest.mark.parametrize(
    ("genre", "premise", "bank_name"),
    [
        ("sci-fi", "A postman is late", "space"),
        ("", "A murder in a hotel", "mystery"),
        ("horror", "A cake", "horror"),
        ("", "The dragon of the castle wakes", "fantasy"),
        ("a heist", "Two friends", "caper"),
        ("romantic comedy", "Two friends", "romance"),
    ],
)
async def test_the_genre_is_heard(genre: str, premise: str, bank_name: str) -> None:
    told = await tell(brief(premise, genre=genre))
    assert any(known.name in told for known in bank(bank_name).friends)


async def test_it_says_what_it_is_and_how_to_get_a_model() -> None:
    writer = OfflineStoryteller()
    (finding,) = await writer.check()
    assert writer.label == "built-in storyteller"
    assert finding.status == "ok"
    assert "ollama pull dolphin-mistral:7b" in finding.detail


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.beat.title)
def test_every_offered_choice_can_be_done(hook: Hook) -> None:
    for option in hook.options:
        assert deed(option.do.format(friend="Mara", thing="the key", wonder="the door")).kind == "did", option.do


@pytest.mark.parametrize("name", BANKS)
def test_where_a_choice_leads_there_is_a_hook(name: str) -> None:
    names = {hook.name for hook in bank(name).hooks}
    assert {lead for hook in bank(name).hooks for option in hook.options for lead in option.leads} <= names


def test_everything_told_can_be_known_again() -> None:
    beats = [beat for name in BANKS for kind in bank(name).beats.values() for beat in kind if kind]
    plots = [beat for name in BANKS for plot in bank(name).plots for beat in plot]
    marks = [hook.beat.mark for hook in HOOKS] + [beat.mark for beat in plots]
    assert all(len(each) > 20 for each in marks)
    assert len(set(marks)) == len(marks)
    assert beats


@pytest.mark.parametrize(
    ("words", "done"),
    [
        ("Open the door", "opened the door"),
        ("I'll take my sword and run", "took {her} sword and ran"),
        ("Ask Mara who she is", "asked Mara who she was"),
        ("Run before the mayor can", "ran before the mayor could"),
        ("Say that the tea is cold", "said that the tea was cold"),
        ("Don't trust the captain", "did not trust the captain"),
        ("Quietly leave", "quietly left"),
        ("Yodel at the moon", "yodelled at the moon"),
        ("Let's go home and lock the door behind us", "went home and locked the door behind {him}"),
        ("Knock, and wait", "knocked, and waited"),
    ],
)
def test_commands_become_deeds(words: str, done: str) -> None:
    assert deed(words).text == done


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        ("a storm arrives", "happened", "a storm arrived"),
        ("Mara opens the box", "happened", "Mara opened the box"),
        ("add a dragon", "phrase", "a dragon"),
        ("What is behind the door?", "speech", "What is behind the door?"),
        ("開門", "speech", "開門"),
    ],
)
def test_other_words_find_their_place(words: str, kind: str, text: str) -> None:
    assert (deed(words).kind, deed(words).text) == (kind, text)


@pytest.mark.parametrize(
    ("premise", "event", "thing"),
    [
        (LIGHTHOUSE, "a lighthouse keeper found a door in the sea", "door"),
        ("my dog becomes mayor", "my dog became mayor", ""),
        ("Two cats inherit a castle.", "two cats inherited a castle", "castle"),
        ("When the moon falls, a child catches it", "a child caught it when the moon fell", ""),
        ("Elara seeks the crystal heart", "Elara sought the crystal heart", "crystal heart"),
        ("I find a map", "{hero} found a map", "map"),
        ("A shy baker falls in love with a ghost", "a shy baker fell in love with a ghost", ""),
        ("Alice and Bob find a bomb", "Alice and Bob found a bomb", "bomb"),
    ],
)
def test_a_premise_is_understood(premise: str, event: str, thing: str) -> None:
    assert (parse(premise).event, parse(premise).thing) == (event, thing)


def test_a_template_is_known_by_its_longest_fixed_part() -> None:
    assert mark("{Hero} laughed at [this|that], and nobody else did.") == ", and nobody else did."


def test_a_thing_that_belongs_to_somebody_makes_its_owner_the_hero() -> None:
    assert parse("A baker's oven starts to answer back").role == "baker"
    assert parse("The twins\u2019 kite refuses to come down").role == "twins"


def test_who_has_a_look_at_something_holds_nothing() -> None:
    found = findings_of(brief(), "Osk had a look at the hinges. Maren took the oar. Osk lost the way.")
    assert [each["value"] for each in found["assertions"] if each["slot"] == "has"] == ["the oar"]  # type: ignore[attr-defined]
