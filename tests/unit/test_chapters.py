"""When chapters end, what is summed up next, and what is made of scenes without a model."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.chapters import (
    FAN,
    NEVER,
    NOTHING,
    OPEN,
    RECENT,
    SHORTEST,
    STRETCH,
    Cover,
    Digested,
    Outline,
    Past,
    abridged,
    digest_schema,
    full,
    gist_of,
    next_cover,
    plain_digest,
    read_digest,
)
from storyforge_core.domain.context import prompt_tokens
from storyforge_core.domain.recap import LINES, recap
from storyforge_core.domain.story import StoryId
from storyforge_core.domain.writing import Synopsis, ToldScene
from storyforge_core.engine.clock import SystemClock
from storyforge_core.engine.digesting import chapter_messages, digest_tokens, gists_wanted, so_far_messages
from storyforge_core.engine.prompting import SMALLEST_WINDOW

STORY = StoryId(SystemClock().new_id())


def outline(depth: int, *covers: Cover, ended: int | None = None) -> Outline:
    return Outline(STORY, depth, covers, ended)


def test_a_chapter_ends_at_four_fifths_of_its_room_and_never_where_players_end_it() -> None:
    assert full(4800, 6000)
    assert not full(4799, 6000)
    assert not full(10**9, NEVER)
    assert not full(SHORTEST // 2, 10)


def test_a_chapter_that_ended_is_summed_up_and_a_very_long_one_in_stretches() -> None:
    assert next_cover(outline(20, ended=11)) == Cover(1, 0, 11)
    assert next_cover(outline(30, Cover(1, 0, 11), ended=23)) == Cover(1, 12, 23)
    assert next_cover(outline(200, ended=150)) == Cover(1, 0, STRETCH - 1)
    assert next_cover(outline(OPEN - 1)) is None
    assert next_cover(outline(OPEN)) == Cover(1, 0, STRETCH - 1)


def test_six_summaries_become_one_and_the_last_two_chapters_stay() -> None:
    chapters = [Cover(1, first, first + 9) for first in range(0, 200, 10)]
    assert next_cover(outline(100, *chapters[: FAN + RECENT - 1])) is None
    assert next_cover(outline(100, *chapters[: FAN + RECENT])) == Cover(2, 0, 59)
    merged = [Cover(2, first, first + 59) for first in range(0, 360, 60)]
    assert next_cover(outline(400, *merged)) == Cover(3, 0, 359)


@pytest.mark.parametrize("length", [20_000, 2_000])
def test_however_long_a_path_is_it_comes_down_to_a_few_texts(length: int) -> None:
    covers: list[Cover] = []
    ends = [depth for depth in range(length) if depth % 12 == 11]
    while True:
        covered = covers[-1].last if covers else -1
        step = next_cover(outline(length, *covers, ended=next((end for end in ends if end > covered), None)))
        if step is None:
            break
        covers = [cover for cover in covers if cover.last < step.first or cover.first > step.last]
        covers = sorted([*covers, step], key=lambda cover: cover.first)
    assert len(covers) <= 30
    assert covers[0].first == 0
    assert all(after.first == before.last + 1 for before, after in pairwise(covers))


def test_a_gist_is_a_sentence_of_the_scene_about_what_it_is_about() -> None:
    prose = "It rained. Osk hid the brass key under the third step. The brass key was cold. “No,” said Maren."
    assert gist_of(prose) == "Osk hid the brass key under the third step."
    assert gist_of("No.") == "No."
    assert gist_of("") == ""
    assert len(gist_of("word " * 400)) <= 240


def test_abridged_texts_keep_their_order_and_their_length() -> None:
    texts = [f"Maren counted {number} gulls over the old harbour wall. It rained." for number in range(12)]
    short = abridged(texts, 500)
    assert len(short) <= 500
    assert short.index("counted 0") < short.index("counted 5")
    assert abridged([]) == ""


def test_an_answer_is_read_with_its_sentences_or_without() -> None:
    good = {"title": "The *mill*", "summary": "They came.\nThey stayed.", "scenes": ["One.", "Two."]}
    assert read_digest(f"Sure! {json.dumps(good)}", 2) == Digested(
        "The *mill*", "They came. They stayed.", ("One.", "Two.")
    )
    assert read_digest(json.dumps(good), 3) == Digested("The *mill*", "They came. They stayed.")
    assert isinstance(read_digest('{"title": "x"}', 0), Problem)
    assert isinstance(read_digest('{"summary": ["x"]}', 0), Problem)
    assert digest_schema(2)["required"] == ["title", "summary", "scenes"]


def test_without_a_model_scenes_speak_for_themselves() -> None:
    scenes = [ToldScene(n, f"Title {n}", "", f"Maren counted {n} gulls over the harbour wall.") for n in (1, 2)]
    digest = plain_digest(scenes)
    assert digest.title == "Title 2"
    assert digest.gists == (
        "Maren counted 1 gulls over the harbour wall.",
        "Maren counted 2 gulls over the harbour wall.",
    )


@pytest.mark.parametrize("window", [SMALLEST_WINDOW, 8192, 32_768])
@pytest.mark.parametrize("scenes", [1, 12, 48])
def test_questions_about_chapters_fit_the_window(window: int, scenes: int) -> None:
    told = [ToldScene(n, "</part> Low", "Go", "Ночь темна. " * 90) for n in range(scenes)]
    gists = gists_wanted(scenes, window)
    messages = chapter_messages(told, gists, window)
    assert prompt_tokens(messages) + digest_tokens(gists) <= window
    assert messages[0].content.count("</part>") == scenes
    merged = so_far_messages([("Low", "The tide rose. " * 60)] * 6, window)
    assert prompt_tokens(merged) + digest_tokens(0) <= window


def past(told: int, *synopses: Synopsis) -> Past:
    path = tuple(ToldScene(n + 1, f"Title {n + 1}", "", f"Gull number {n + 1} sat on the wall.") for n in range(told))
    covered = sum(synopsis.scenes for synopsis in synopses)
    first = max(told - LINES, 0)
    return Past(synopses, tuple(path[covered:first]), path[first:], first, 0, 0)


def test_a_recap_of_a_few_scenes_tells_each() -> None:
    told = recap(past(60, Synopsis(1, 1, 24, 24, "", "They came.")), 50)
    assert [scene.number for scene in told.scenes] == list(range(51, 61))
    assert told.synopses == ()
    assert told.left_out == 0
    assert told.ending == "Gull number 60 sat on the wall."


def test_a_recap_of_many_scenes_sums_up_what_it_can_and_says_what_it_leaves_out() -> None:
    parts = Synopsis(1, 1, 24, 24, "", "They came."), Synopsis(1, 25, 40, 16, "", "They stayed.")
    told = recap(past(80, *parts), 26)
    assert told.synopses == (parts[1],)
    assert [scene.number for scene in told.scenes] == list(range(57, 81))
    assert told.left_out == 16
    assert recap(past(80, *parts), 80).scenes == ()
    assert recap(past(0), 0).ending == ""


def test_a_scene_comes_down_to_what_somebody_does_rather_than_to_what_is_said() -> None:
    prose = (
        "“Where is the lantern, the lantern of the mill?” said Osk. It rained on the mill all night. "
        "At last the keeper of the mill gave Maren the lantern."
    )
    assert gist_of(prose) == "At last the keeper of the mill gave Maren the lantern."


def test_a_recap_ends_with_whole_paragraphs() -> None:
    last = ToldScene(1, "The Mill", "", "It rained.\n\n“Nothing. She stayed in,” said Osk.\n\nThen the bell rang.")
    told = recap(replace(NOTHING, path=(last,)), 0)
    assert told.ending == last.prose
    endless = replace(last, prose=f"{'It rained on and on. ' * 60}\n\n“Nothing.”\n\nThen the bell rang.")
    assert recap(replace(NOTHING, path=(endless,)), 0).ending == "“Nothing.”\n\nThen the bell rang."
