"""One graphics card for words and pictures: words first, whoever dies lets go, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import furnish
from storyforge_core.domain.commands import NewStory
from storyforge_core.domain.pictures import Commission, Painted, Progress, Size
from storyforge_core.domain.turns import MOST_TIMES, MOST_WAIT, NEARLY, goes_on
from storyforge_core.engine import sharing
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.sharing import Sharing
from storyforge_core.errors import ServiceDown
from storyforge_core.providers.offline import OfflineEmbedder, OfflineStoryteller
from storyforge_core.settings import Settings
from storyforge_core.store.card import PostgresCard
from storyforge_core.store.database import Database
from tests.fakes import in_virtual_time
from tests.game import ScriptedWriter, game, until

COMMISSION = Commission(id=uuid4(), prompt="a door", avoid="", seed=1, size=Size(64, 64))


class Card:
    """A card in memory."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.told = False
        """A scene is told."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        async with self.lock:
            yield

    async def wanted(self) -> bool:
        return self.told

    async def painted_on(self) -> bool:
        return self.lock.locked()


class Painter:
    """Paints evenly, for so many seconds."""

    label = "slow brush"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begun: list[float] = []
        self.forgotten: list[UUID] = []

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        self.begun.append(_now())
        for step in range(100):
            hear(Progress(0, step / 100))
            await asyncio.sleep(self.seconds / 100)
        return Painted(b"done", commission.workflow)

    async def forget(self, picture: UUID) -> None:
        self.forgotten.append(picture)

    async def check(self) -> tuple[()]:
        return ()

    async def aclose(self) -> None:
        """Nothing to let go of."""


def _now() -> float:
    return asyncio.get_running_loop().time()


@given(st.floats(0, 3600), st.floats(0, 1), st.integers(0, MOST_TIMES - 1))
def test_a_picture_keeps_the_card_only_as_long_as_a_scene_may_wait(before: float, done: float, times: int) -> None:
    if goes_on(before, done, times):
        assert done > 0
        assert before / done - before <= NEARLY + 1e-6 < MOST_WAIT
    assert goes_on(before, done, MOST_TIMES), "it is put aside only so often"


@pytest.mark.parametrize(("begins", "waits", "times"), [(55, 5, 1), (20, 1, 2), (0.1, 1, 2)])
def test_a_scene_waits_for_the_end_of_a_picture_or_not_at_all(begins: float, waits: float, times: int) -> None:
    async def story() -> None:
        card, brush = Card(), Painter(60)
        freed: list[str] = []

        async def rest(whose: str) -> None:
            freed.append(whose)

        ours = Sharing(card, (lambda: rest("words"),), (lambda: rest("pictures"),))
        painting = asyncio.ensure_future(ours.painted(brush, COMMISSION, lambda _: None))
        await asyncio.sleep(begins)
        card.told = True
        asked = _now()
        await ours.words()
        assert _now() - asked <= waits + 2 * sharing.LOOK_AGAIN
        await asyncio.sleep(100)
        card.told = False
        assert (await painting).data == b"done"
        assert len(brush.begun) == times
        assert len(brush.forgotten) == times - 1
        assert freed[0] == "words", "the language model lets go before a picture"
        assert "pictures" in freed

    in_virtual_time(story())


def test_a_picture_is_put_aside_some_times_and_then_words_come_beside_it_in_time() -> None:
    async def story() -> None:
        card, brush = Card(), Painter(600)
        ours = Sharing(card)
        painting = asyncio.ensure_future(ours.painted(brush, COMMISSION, lambda _: None))
        for _ in range(MOST_TIMES + 4):
            await asyncio.sleep(60)
            card.told, asked = True, _now()
            await ours.words()
            assert _now() - asked <= MOST_WAIT + sharing.LOOK_AGAIN
            await asyncio.sleep(20)
            card.told = False
        await painting
        assert len(brush.begun) == MOST_TIMES + 1

    in_virtual_time(story())


def test_memory_stays_where_there_is_enough_for_both_and_nobody_waits_for_who_does_not_answer() -> None:
    async def story(*, roomy: bool) -> int:
        asked = 0

        async def rest() -> None:
            nonlocal asked
            asked += 1
            raise ServiceDown("away")

        async def enough() -> bool:
            return roomy

        ours = Sharing(Card(), (rest,), (rest,), enough)
        await ours.words()
        await ours.painted(Painter(1), COMMISSION, lambda _: None)
        return asked

    assert in_virtual_time(story(roomy=True)) == 0
    assert in_virtual_time(story(roomy=False)) == 2


async def test_one_paints_at_a_time_on_all_machines_and_who_is_gone_paints_no_more(database: Database) -> None:
    here, there = PostgresCard(database), PostgresCard(database)
    assert not await there.painted_on()
    async with here.held():
        assert await there.painted_on()
        waiting = asyncio.ensure_future(_held(there))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    await waiting

    async def free() -> bool:
        return not await here.painted_on()

    await until(free)


async def _held(card: PostgresCard) -> None:
    async with card.held():
        return


async def test_the_card_is_wanted_while_a_scene_is_told_and_before_a_vote_is_decided(database: Database) -> None:
    writer = ScriptedWriter()
    writer.gate.clear()
    async with game(database, writer) as play:
        card = PostgresCard(database)
        assert not await card.wanted()
        await play.say(NewStory("The sea"))
        await until(card.wanted)
        await asyncio.sleep(0.2)
        assert await card.wanted(), "its worker lives"
        writer.gate.set()

        async def at_rest() -> bool:
            return not await card.wanted()

        await until(at_rest)
        db = await asyncpg.connect(database.conninfo)
        await db.execute("UPDATE ballot SET deadline = now() + interval '10 seconds'")
        assert await card.wanted(), "the next scene is about to be told"
        await db.execute("UPDATE ballot SET deadline = now() - interval '10 seconds'")
        assert not await card.wanted(), "nobody has voted in time"
        await db.close()


def test_the_settings_say_whether_a_card_is_shared(tmp_path: Path, database: Database) -> None:
    settings = Settings(data_dir=tmp_path, comfyui_host="localhost:8188", ollama_host="127.0.0.1:11434")
    assert settings.shares_card
    assert not replace_settings(settings, one_gpu="no").shares_card
    assert not replace_settings(settings, storyteller="offline").shares_card
    assert not replace_settings(settings, comfyui_host="10.0.0.5:8188").shares_card
    assert replace_settings(settings, comfyui_host="10.0.0.5:8188", one_gpu="yes").shares_card
    assert not replace_settings(settings, comfyui_host="").shares_card
    house = furnish(settings, database, Cast.alone(OfflineStoryteller()), OfflineEmbedder())
    assert house.worker.on_picture is None


def replace_settings(settings: Settings, **changes: str) -> Settings:
    return Settings(**{**settings.model_dump(), **changes})
