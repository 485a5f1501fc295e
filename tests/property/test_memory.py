"""What is remembered belongs to its path, on random trees; and what a model claims has to stand in the story."""

import json
import random
from collections.abc import AsyncGenerator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.inquiry import Answered, exact, read_answer
from storyforge_core.domain.memory import EMBEDDING_SIZE, PASSAGE_CHARS, Cue, passages, sentences, sought
from storyforge_core.domain.story import RoomKey, Scene
from storyforge_core.domain.writing import Remembered
from storyforge_core.providers.offline.embedder import vector_of
from storyforge_core.store.database import Database, connect
from storyforge_core.store.statement import Db
from tests.property.test_tree import ORACLE, Shape, grow, shapes
from tests.world import HOME, World, open_world

MODEL = "built-in"
texts = st.text() | st.lists(
    st.sampled_from(["The sea rose. ", "潮が満ちた。", "“No!” ", "aaaa", "\n\n", "🌊"]), max_size=900
).map("".join)


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


@pytest.fixture
async def db(database: Database) -> AsyncGenerator[Db]:
    connection = await connect(database.url)
    yield connection
    await connection.close()


def cue(words: str) -> Cue:
    return Cue(sought(words), vector_of(words), MODEL)


async def read(world: World, scenes: list[Scene]) -> None:
    """Have every scene read."""
    for scene in scenes:
        await world.store.keep_passages(scene.id, passages(scene.prose))
        unread = await world.store.unread(MODEL, 99, scene.id)
        await world.store.keep_reading(MODEL, unread, [vector_of(each.text) for each in unread])


@given(shape=shapes, skip=st.integers(0, 3), where=st.integers(0, 29))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_nothing_of_a_sibling_branch_is_ever_remembered(
    world: World, db: Db, shape: Shape, skip: int, where: int
) -> None:
    playthrough, scenes = await grow(world, shape)
    await read(world, scenes)
    end = scenes[where % len(scenes)]
    truth = [row["id"] for row in await db.fetch(ORACLE, end.id)]
    found = await world.store.recall(end.id, skip, cue("the sea held its breath"), 1000)
    assert sorted(each.scene for each in found) == sorted(truth[: max(len(truth) - skip, 0)])
    await db.execute("UPDATE playthrough SET head_id = $1 WHERE id = $2", end.id, playthrough.id)
    searched = await world.store.search(RoomKey(HOME.platform, HOME.address), cue("the sea held its breath"), 1000)
    here = {each.scene for each in searched} & {scene.id for scene in scenes}
    assert here <= set(truth)


@given(texts)
def test_passages_are_the_prose_and_none_is_long(prose: str) -> None:
    cut = passages(prose)
    assert "".join(passage.text for passage in cut) == prose
    assert all(len(passage.text) <= PASSAGE_CHARS for passage in cut)
    assert all(prose[passage.start :].startswith(passage.text) for passage in cut)
    assert [passage.part for passage in cut] == list(range(len(cut)))


@given(texts)
def test_sentences_lose_no_letter(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(texts)
def test_a_vector_has_its_size_and_is_the_same_every_time(text: str) -> None:
    vector = vector_of(text)
    if vector is not None:
        assert len(vector) == EMBEDDING_SIZE
        assert abs(sum(number * number for number in vector) - 1) < 1e-6
    assert vector == vector_of(text)


sources = st.lists(st.builds(Remembered, st.integers(1, 99), st.text(max_size=9), texts), min_size=1, max_size=4)


@given(sources, st.data())
def test_no_quote_is_shown_that_does_not_stand_in_the_story(
    given_sources: list[Remembered], data: st.DataObject
) -> None:
    honest = st.sampled_from(given_sources).map(lambda source: source.text[: random.Random(1).randint(1, 60)])
    quote = st.fixed_dictionaries({"scene": st.integers() | st.text(), "quote": honest | st.text() | st.integers()})
    said = data.draw(
        st.fixed_dictionaries({"known": st.booleans() | st.text(), "answer": st.text() | st.none()})
        .flatmap(lambda head: (st.lists(quote, max_size=4) | st.text()).map(lambda quotes: {**head, "quotes": quotes}))
    )  # fmt: skip
    found = read_answer(json.dumps(said), given_sources)
    if isinstance(found, Answered):
        told = {source.number: source.text for source in given_sources}
        assert all(any(quote.text in source.text for source in given_sources) for quote in found.quotes)
        assert all(quote.number in told for quote in found.quotes)
        assert bool(found.quotes) == (said["known"] is True)


@given(st.text())
def test_an_answer_that_is_no_json_is_a_problem_and_no_failure(said: str) -> None:
    assert isinstance(read_answer(said, [Remembered(1, "", "The sea rose.")]), Problem | Answered)


def test_a_quote_may_differ_in_its_marks_and_blanks_only() -> None:
    told = "He said: “Wait for me —\nhere, under the bell.” And went."
    assert exact('"Wait for me -  here, under', told) == "“Wait for me —\nhere, under"
    assert exact("Wait for her", told) == ""
    assert exact("bell", told) == ""
