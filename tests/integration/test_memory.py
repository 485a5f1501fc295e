"""What a story remembers, from the scene that is told to the answer of a question: on its own path only."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from storyforge_core.domain.book import Ask, Search
from storyforge_core.domain.commands import BranchFrom, ContinueStory, DeleteStory, Edit, NewStory
from storyforge_core.domain.memory import EMBEDDING_SIZE, Cue, Purpose, Sought, Vector
from storyforge_core.domain.replies import AnswerShown, Declined, SearchShown
from storyforge_core.domain.story import RoomKey
from storyforge_core.engine.clock import SystemClock
from storyforge_core.engine.prompting import scene_messages
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.store.database import Database, connect
from storyforge_core.store.postgres import PostgresStore
from tests.game import Game, ScriptedWriter, game, until

LONG = "The rain went on and the road went on. " * 80


class Reader(OfflineEmbedder):
    """The built-in embedder under another name, away or refusing when told to."""

    def __init__(self, name: str = "reader@1") -> None:
        self.name = name
        self.read: list[str] = []
        self.trouble: Exception | None = None

    async def model(self) -> str:
        return self.name

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vector | None, ...]:
        if self.trouble is not None:
            raise self.trouble
        self.read += texts
        return await super().embed(texts, purpose)


@pytest.fixture
async def played(database: Database) -> AsyncIterator[Game]:
    async with game(database) as opened:
        yield opened


async def begun(played: Game, prose: str) -> None:
    """A story whose opening says this."""
    await played.play(NewStory("A mill at night"))
    await played.say(Edit(prose))


async def on(played: Game, prose: str) -> None:
    """The next scene says this."""
    await played.play(ContinueStory())
    await played.say(Edit(prose))


async def findable(played: Game) -> None:
    """Wait until every scene can be found by its words."""

    async def cut() -> bool:
        return not await played.store.uncut(1)

    await until(cut)


async def asked(played: Game, question: str) -> AnswerShown:
    await findable(played)
    reply = await played.say(Ask(question))
    assert isinstance(reply, AnswerShown)
    return reply


async def searched(played: Game, words: str) -> SearchShown:
    await findable(played)
    reply = await played.say(Search(words))
    assert isinstance(reply, SearchShown)
    return reply


async def remembered(database: Database, passages: int) -> None:
    """Wait until so many passages were read by an embedder."""
    db = await connect(database.url)

    async def read() -> bool:
        return bool(await db.fetchval("SELECT count(embedding_model) FROM passage") >= passages)

    await until(read)
    await db.close()


async def test_the_story_answers_word_for_word_and_names_the_scene(played: Game) -> None:
    await begun(played, "The mill stood still. Osk hid the brass key under the third step. Nobody saw it.")
    await on(played, "It rained.")
    await on(played, "It rained on.")
    answer = await asked(played, "Where is the brass key?")
    assert [quote.text for quote in answer.quotes] == ["Osk hid the brass key under the third step."]
    assert answer.quotes[0].number == 2


async def test_what_is_told_on_another_branch_is_not_known(played: Game) -> None:
    await begun(played, "The mill stood still.")
    await on(played, "Osk drowned the brass key in the millpond.")
    await played.say(BranchFrom())
    assert (await asked(played, "Where is the brass key?")).quotes == ()
    await on(played, "Osk gave the brass key to Maren.")
    answer = await asked(played, "Where is the brass key?")
    assert [quote.text for quote in answer.quotes] == ["Osk gave the brass key to Maren."]
    assert [hit.quote.text for hit in (await searched(played, "brass key")).hits] == [answer.quotes[0].text]


async def test_of_a_fact_that_changed_the_newest_is_said_first(played: Game) -> None:
    await begun(played, "The brass key lies under the third step.")
    await on(played, "It rained all day, and nobody came.")
    await on(played, "The brass key lies in the well now.")
    await on(played, "It rained all night.")
    texts = [quote.text for quote in (await asked(played, "Where does the brass key lie?")).quotes]
    assert texts[0] == "The brass key lies in the well now."


async def test_what_the_story_does_not_say_is_not_guessed(played: Game) -> None:
    await begun(played, "The mill stood still. Osk hid the brass key under the third step.")
    assert (await asked(played, "Who murdered the duchess?")).quotes == ()
    assert (await asked(played, "?")).quotes == ()


async def test_a_model_answers_only_what_it_can_prove(played: Game) -> None:
    await begun(played, "The mill stood still. Osk hid the brass key under the third step.")
    proved = '{"known": true, "answer": "Under a step.", "quotes": [{"scene": 9, "quote": "under the third step"}]}'
    invented = '{"known": true, "answer": "Maren has it.", "quotes": [{"scene": 2, "quote": "Maren took the key"}]}'
    unknown = '{"known": false, "answer": "", "quotes": []}'
    played.writer.answers = [proved, invented, unknown]
    answer = await asked(played, "Where is the brass key?")
    assert (answer.text, answer.quotes[0].text, answer.quotes[0].number) == ("Under a step.", "under the third step", 2)
    answer = await asked(played, "Where is the brass key?")
    assert (answer.text, answer.quotes[0].text) == ("", "Osk hid the brass key under the third step.")
    assert (await asked(played, "Where is the brass key?")).quotes == ()


async def test_while_a_scene_is_written_the_model_is_not_kept_from_it(played: Game) -> None:
    await begun(played, "Osk hid the brass key under the third step.")
    played.writer.gate.clear()
    await played.say(ContinueStory())
    questions = len(played.writer.askings)
    assert (await asked(played, "Where is the brass key?")).quotes
    assert len(played.writer.askings) == questions
    played.writer.gate.set()
    await played.quiet()


async def test_one_question_at_a_time_is_put_to_the_model(played: Game) -> None:
    await begun(played, "Osk hid the brass key under the third step.")
    await findable(played)
    played.writer.hold = asyncio.Event()
    before = len(played.writer.askings)
    asks = [asyncio.create_task(asked(played, "Where is the brass key?")) for _ in range(4)]

    async def others_answered() -> bool:
        return sum(ask.done() for ask in asks) == 3

    await until(others_answered)
    played.writer.hold.set()
    answers = await asyncio.gather(*asks)
    assert all(answer.quotes for answer in answers)
    assert len(played.writer.askings) - before == 1


async def test_nothing_told_can_be_asked_nothing(played: Game) -> None:
    assert isinstance(await played.say(Ask("Who has the key?")), Declined)
    assert (await searched(played, "key")).hits == ()


async def test_old_scenes_come_back_into_the_prompt_when_they_matter(database: Database) -> None:
    async with game(database, ScriptedWriter()) as played:
        await begun(played, "Osk hid the brass key under the third step.")
        for _ in range(10):
            await on(played, LONG)
        await remembered(database, 2)
        await played.play(ContinueStory("She looks for the brass key"))
        told = played.writer.tellings[-1]
        assert [each.text for each in told.brief.remembered][:1] == ["Osk hid the brass key under the third step."]
        prompt = told.messages[-1].content
        late = prompt.index("<remembered>\n2. ")
        assert prompt.rindex("</scene>") < late < prompt.index("Write the next scene")
        without = replace(told.brief, remembered=())
        plain = scene_messages(without, played.writer.window, told.max_tokens)[-1].content
        assert plain.startswith(prompt[:late])


async def test_a_search_finds_the_stories_of_its_place_only(played: Game) -> None:
    here = replace(played, room=RoomKey("chat", "one", "server"))
    there = replace(played, room=RoomKey("chat", "two", "server"))
    abroad = replace(played, room=RoomKey("chat", "three", "elsewhere"))
    await begun(here, "A heron stood in the millpond.")
    await begun(there, "The heron had a ring on its leg.")
    await begun(abroad, "Three herons flew over.")
    found = await searched(here, "herons")
    assert {hit.quote.text for hit in found.hits} == {
        "A heron stood in the millpond.", "The heron had a ring on its leg."
    }  # fmt: skip
    assert len({hit.story for hit in found.hits}) == 2
    direct = [replace(played, room=RoomKey("chat", name)) for name in ("ann", "bo")]
    await begun(direct[0], "A heron of Ann's own.")
    await begun(direct[1], "It rained.")
    assert (await searched(direct[1], "heron")).hits == ()
    await there.say(DeleteStory("A mill at night"))
    assert len((await searched(here, "herons")).hits) == 1


async def test_another_embedder_reads_everything_anew_and_both_are_findable_meanwhile(database: Database) -> None:
    first, second = Reader("reader@1"), Reader("reader@2")
    async with game(database, embedder=first) as played:
        await begun(played, "Osk hid the brass key under the third step.")
        await remembered(database, 2)
    async with game(database, embedder=second) as played:

        async def reread() -> bool:
            progress = await played.store.progress("reader@2")
            return progress.passages == progress.read == 2

        await until(reread)
        assert (await asked(played, "Where is the brass key?")).quotes
        assert (await played.store.progress("reader@1")).read == 0


@pytest.mark.parametrize("trouble", [ServiceDown("away"), ModelMissing("not there")])
async def test_without_an_embedder_words_find_and_scenes_are_written(database: Database, trouble: Exception) -> None:
    reader = Reader()
    reader.trouble = trouble
    async with game(database, embedder=reader) as played:
        await begun(played, "Osk hid the brass key under the third step.")
        await on(played, "It rained.")

        async def cut() -> bool:
            return (await played.store.progress("")).passages >= 4

        await until(cut)
        assert (await asked(played, "Where is the brass key?")).quotes
        assert len(await played.scenes()) == 4


async def test_scenes_of_before_are_read_at_the_next_start(database: Database) -> None:
    async with game(database) as played:
        await begun(played, "Osk hid the brass key under the third step.")
        await remembered(database, 2)
    db = await connect(database.url)
    await db.execute("DELETE FROM passage")
    async with game(database) as played:
        await remembered(database, 2)
        ends = "SELECT max(start + passage.length) FROM passage JOIN scene ON scene.id = scene_id GROUP BY number"
        lengths = [len(scene.prose) for scene in await played.scenes()]
        assert [row[0] for row in await db.fetch(f"{ends} ORDER BY number")] == lengths
    await db.close()


async def test_a_long_scene_is_found_by_what_stands_at_its_end(played: Game) -> None:
    await begun(played, f"{LONG}Under the last milestone lay a silver spoon.")
    await on(played, "It rained.")
    (quote,) = (await asked(played, "Where is the silver spoon?")).quotes
    assert quote.text == "Under the last milestone lay a silver spoon."


@pytest.mark.parametrize("postgres_major", [18, 16])
async def test_whatever_is_typed_can_be_looked_for(database: Database) -> None:
    store = PostgresStore(database, SystemClock())
    vector = (0.0,) * (EMBEDDING_SIZE - 1) + (1.0,)
    for term in ("o'neill", "\\", "a:*b", "'", "&|!", "鍵", "naïve", "x" * 400, "\ud800"):
        assert await store.search(RoomKey("chat", "here"), Cue(Sought((term,), ((term, term),)), vector, "m"), 5) == ()
