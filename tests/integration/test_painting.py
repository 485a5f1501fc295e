"""Pictures in a game: ordered, painted beside the writing, hung once, taken down, stopped, given up."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from bot.illustrator import Studio
from storyforge_core.domain.book import AddEntity
from storyforge_core.domain.commands import (
    Ban,
    ChangeRules,
    ContinueStory,
    Edit,
    ForgetMe,
    Join,
    NewStory,
    ShowMyData,
    Undo,
    Vote,
)
from storyforge_core.domain.events import (
    BallotOpened,
    PictureFailed,
    PictureForgotten,
    PictureQueued,
    PictureReported,
    PictureShown,
)
from storyforge_core.domain.pictures import Commission, Painted, PictureDraft, Progress, Vision
from storyforge_core.domain.picturing import ForgetPicture, Paint, ReportPicture, RestorePicture
from storyforge_core.domain.replies import Accepted, Declined, MyDataShown
from storyforge_core.domain.story import PictureMode, Playthrough, RunId
from storyforge_core.domain.writing import Finding
from storyforge_core.engine import recipes
from storyforge_core.engine.painter import Painter
from storyforge_core.errors import BrokenAnswer, PaintingFailed, ServiceDown
from storyforge_core.store.database import Database
from storyforge_core.store.postgres import PostgresStore
from storyforge_core.store.shelf import FileShelf
from tests.game import ANN, BO, Game, ScriptedWriter, game, until
from tests.world import World, some_worker

SEEN = json.dumps(
    {
        "who": "an old keeper in a yellow coat",
        "action": "holding a lamp",
        "where": "wet stone stairs",
        "light": "blue dusk",
        "framing": "wide shot",
        "alt": "A keeper holds a lamp on wet stairs.",
    }
)


class Easel:
    """Paints at once, unless the test says otherwise."""

    label = "test easel"

    def __init__(self) -> None:
        self.commissions: list[Commission] = []
        self.forgotten: list[UUID] = []
        self.troubles: list[Exception] = []
        """What the next pictures fail with."""
        self.gate = asyncio.Event()
        self.gate.set()

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        self.commissions.append(commission)
        hear(Progress(0, 0.4))
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        return Painted(f"{commission.prompt} {commission.seed}".encode(), "test")

    async def forget(self, picture: UUID) -> None:
        self.forgotten.append(picture)

    async def check(self) -> Sequence[Finding]:
        return ()

    async def aclose(self) -> None:
        """Nothing to let go of."""


@asynccontextmanager
async def painted_game(
    database: Database, mode: PictureMode = "every", visualizer: ScriptedWriter | None = None
) -> AsyncIterator[tuple[Game, Easel]]:
    easel = Easel()
    async with game(database, studio=Studio(easel, mode, 1), visualizer=visualizer) as played:
        yield played, easel


async def shown(played: Game) -> list[PictureShown]:
    return [event for event in await played.events() if isinstance(event, PictureShown)]


async def at_rest(played: Game) -> None:
    """Wait until nothing is painted any more."""

    async def idle() -> bool:
        async with played.store.resume(await played.playthrough()) as desk:
            return not await desk.live_pictures(await played.playthrough())

    await until(idle)


async def test_a_scene_gets_a_picture_without_anybody_waiting_for_it(database: Database) -> None:
    async with painted_game(database) as (played, easel):
        easel.gate.clear()
        await played.play(NewStory("The sea"))
        await until(lambda: _true(easel.commissions))
        told = [event for event in await played.events() if not isinstance(event, PictureQueued)]
        assert isinstance(told[-1], BallotOpened), "the question is there before the picture"
        await played.play(Vote(1))
        assert len(await played.scenes()) == 2, "the next scene does not wait for the picture of the first"
        easel.gate.set()
        await at_rest(played)
        assert [event.number for event in await shown(played)] == [1, 2]


async def _true(value: object) -> bool:
    return bool(value)


async def test_the_model_says_what_is_to_be_seen_in_the_storys_style(database: Database) -> None:
    writer = ScriptedWriter()
    writer.answers = [SEEN]
    async with painted_game(database, "request", writer) as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(ChangeRules("style", "woodcut"))
        await played.say(ChangeRules("workflow", "flux_basic"))
        await played.say(Paint("from above"))
        await at_rest(played)
        prompt = easel.commissions[0].prompt
        assert prompt.startswith(
            "wide shot: an old keeper in a yellow coat. holding a lamp. wet stone stairs. blue dusk"
        )
        assert "Style: woodcut" in prompt
        assert easel.commissions[0].workflow == "flux_basic"
        assert "<wish>from above</wish>" in writer.askings[0].messages[0].content
        assert (await shown(played))[0].picture.vision.alt == "A keeper holds a lamp on wet stairs."


@pytest.mark.parametrize("model", [True, False], ids=["with a model", "without"])
async def test_those_whom_a_scene_names_look_as_they_are_written_down_and_their_secrets_stay(
    database: Database, *, model: bool
) -> None:
    writer = ScriptedWriter()
    writer.answers = [SEEN]
    async with painted_game(database, "request", writer if model else None) as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(AddEntity("character", "Maren", "grey braid, yellow coat", "she drowned once"))
        await played.say(AddEntity("character", "Osk", "a red beard"))
        await played.say(AddEntity("place", "the Mill", "black boards over water", "the bell is under it"))
        await played.say(Edit("Maren waited at the mill until the tide was out."))
        await played.say(Paint())
        await at_rest(played)
        told = writer.askings[0].messages[0].content if model else easel.commissions[0].prompt
        assert "grey braid, yellow coat" in told
        assert "black boards over water" in told
        assert "red beard" not in told, "Osk is not in this scene"
        everything = told + easel.commissions[0].prompt + (await shown(played))[0].picture.vision.alt
        assert "drowned" not in everything
        assert "bell" not in everything


async def test_a_bad_answer_is_repaired_once(database: Database) -> None:
    writer = ScriptedWriter()
    writer.answers = ['{"where": "a cellar"}', SEEN]
    async with painted_game(database, "request", writer) as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(Paint())
        await at_rest(played)
        assert '"who" has to be a text' in writer.askings[1].messages[-1].content
        assert "yellow coat" in easel.commissions[0].prompt


@pytest.mark.parametrize("answers", [["nonsense", "nonsense"], [ServiceDown("away")]])
async def test_without_a_usable_answer_the_scenes_own_words_are_painted(
    database: Database, answers: list[str | Exception]
) -> None:
    writer = ScriptedWriter()
    writer.answers = answers
    async with painted_game(database, "request", writer) as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(Paint())
        await at_rest(played)
        assert "s1w1 s1w2" in easel.commissions[0].prompt
        assert len(await shown(played)) == 1


async def test_again_is_the_same_sight_with_another_seed_in_the_old_ones_place(database: Database) -> None:
    async with painted_game(database, "request") as (played, easel):
        await played.play(NewStory("The sea"))
        assert "no picture yet" in _sentence(await played.say(Paint(again=True)))
        await played.say(Paint("a lamp"))
        await at_rest(played)
        await played.say(Paint(again=True))
        await at_rest(played)
        first, second = easel.commissions
        assert first.prompt == second.prompt
        assert first.seed != second.seed
        async with played.store.resume(await played.playthrough()) as desk:
            (hanging,) = await desk.pictures((await played.scenes())[0].id)
        assert hanging.seed == second.seed


def _sentence(reply: object) -> str:
    assert isinstance(reply, Accepted | Declined)
    return reply.sentence


async def test_only_hosts_and_whoever_asked_take_a_picture_down(database: Database) -> None:
    async with painted_game(database) as (played, _):
        await played.play(NewStory("The sea"))
        await at_rest(played)
        await played.say(Join(), BO)
        assert "Only the host" in _sentence(await played.say(ForgetPicture(), BO))
        assert isinstance(await played.say(ForgetPicture(), ANN), Accepted)
        (gone,) = [event for event in await played.events() if isinstance(event, PictureForgotten)]
        assert gone.picture == (await shown(played))[0].picture.id
        assert "no picture" in _sentence(await played.say(ForgetPicture(), ANN))
        await played.say(Paint(), BO)
        await at_rest(played)
        assert isinstance(await played.say(ForgetPicture(), BO), Accepted)


async def test_a_picture_on_its_way_is_stopped_and_the_server_told(database: Database) -> None:
    async with painted_game(database, "request") as (played, easel):
        await played.play(NewStory("The sea"))
        easel.gate.clear()
        for _ in range(2):
            await played.say(Paint())
        await until(lambda: _true(easel.commissions))
        assert "not painted" in _sentence(await played.say(ForgetPicture()))
        await at_rest(played)
        assert easel.forgotten == [easel.commissions[0].id], "the other one had not been begun"
        easel.gate.set()
        assert not await shown(played)


async def test_a_server_that_is_away_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    see, paint = recipes.PICTURE
    patient = (see, type(paint)(paint.name, paint.step, paint.needs, paint.gives, paint.seconds, (0.05,) * 50))
    monkeypatch.setattr("tests.game.PICTURE", patient)
    async with painted_game(database, "request") as (played, easel):
        easel.troubles = [ServiceDown("away")] * 3
        await played.play(NewStory("The sea"))
        await played.say(Paint())
        await at_rest(played)
        assert len({commission.id for commission in easel.commissions}) == 1, "it is always the same picture"
        assert len(await shown(played)) == 1


async def test_a_worker_that_dies_with_the_picture_in_hand_costs_no_second_one(database: Database) -> None:
    easel = Easel()
    async with game(database, workers=0, studio=Studio(easel, "request", 1)) as played:
        playthrough = (await _with_a_scene(played)).id
        await played.say(Paint())
        async with played.store.resume(playthrough) as desk:
            (run,) = await desk.live_pictures(playthrough)
        first = some_worker()
        await played.store.claim_picture(run.id, first)
        kept = await played.gallery.keep(b"a picture")
        draft = replace(run.draft, vision=Vision("a door", "A door."), kept=kept, workflow="test")
        await played.store.checkpoint(run.id, first, "hang", draft)
        painter = Painter(
            played.store, easel, played.gallery, FileShelf(Path("nowhere")), None, played.forge.clock, recipes.PICTURE
        )
        for _ in range(2):
            await painter.execute(run.id, some_worker())
        assert not easel.commissions
        assert [event.picture.kept for event in await shown(played)] == [kept]


async def test_a_database_that_is_away_at_the_end_costs_no_picture(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyforge_core.engine.stages.STORE_PAUSES", ())
    async with painted_game(database, "request") as (played, easel):
        await played.play(NewStory("The sea"))
        original, fails = PostgresStore.checkpoint, [True]

        async def checkpoint(self: PostgresStore, run: RunId, worker: UUID, stage: str, draft: PictureDraft) -> None:
            if stage == "hang" and fails:
                fails.clear()
                raise ServiceDown("The story's database does not answer.")
            await original(self, run, worker, stage, draft)

        monkeypatch.setattr(PostgresStore, "checkpoint", checkpoint)
        await played.say(Paint())
        await at_rest(played)
        assert len(await shown(played)) == 1
        assert len({commission.id for commission in easel.commissions}) == 1


async def _with_a_scene(played: Game) -> Playthrough:
    """A story whose opening somebody else has told."""
    world = World(played.store)
    playthrough = await world.begin(played.room)
    await world.ask(playthrough, await world.tell(playthrough, None))
    return playthrough


async def test_who_asked_hears_why_there_is_no_picture_and_nobody_else_is_bothered(database: Database) -> None:
    async with painted_game(database) as (played, easel):
        easel.troubles = [PaintingFailed("The paint is out."), PaintingFailed("The paint is out.")]
        await played.play(NewStory("The sea"))
        await at_rest(played)
        assert not [event for event in await played.events() if isinstance(event, PictureFailed)]
        await played.say(Paint())
        await at_rest(played)
        (failed,) = [event for event in await played.events() if isinstance(event, PictureFailed)]
        assert (failed.sentence, failed.by) == ("The paint is out.", "Ann")


async def test_what_is_no_picture_is_given_up_and_not_painted_for_a_day(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with painted_game(database, "request") as (played, easel):

        async def refuse(_: bytes) -> None:
            raise BrokenAnswer("That is no picture.")

        monkeypatch.setattr(played.gallery, "keep", refuse)
        await played.play(NewStory("The sea"))
        await played.say(Paint())
        await at_rest(played)
        assert len(easel.commissions) == 1
        assert isinstance((await played.events())[-1], PictureFailed)


async def test_no_more_than_ten_wait_and_scenes_go_on_without(database: Database) -> None:
    async with painted_game(database) as (played, easel):
        easel.gate.clear()
        await played.play(NewStory("The sea"))
        for _ in range(9):
            assert isinstance(await played.say(Paint()), Accepted)
        assert "10 pictures" in _sentence(await played.say(Paint()))
        await played.play(ContinueStory())
        assert len(await played.scenes()) == 2
        assert len((await played.status()).pictures) == 10
        easel.gate.set()


async def test_the_settings_say_which_scenes_are_painted(database: Database) -> None:
    async with painted_game(database, "vote") as (played, _):
        await played.play(NewStory("The sea"))
        await played.play(Vote(1))
        await at_rest(played)
        assert [event.number for event in await shown(played)] == [2], "the vote led to it"
        await played.say(ChangeRules("pictures", "every"))
        await played.say(Edit("The door was open after all."))
        await at_rest(played)
        last = (await shown(played))[-1]
        assert (last.number, last.told_by) == (3, None)
        await played.say(ChangeRules("pictures", "off"))
        assert "goes without pictures" in _sentence(await played.say(Paint()))


async def test_where_nobody_paints_it_is_said_who_can_change_that(database: Database) -> None:
    async with game(database) as played:
        await played.play(NewStory("The sea"))
        assert "sets up ComfyUI" in _sentence(await played.say(Paint()))
        assert not (await played.status()).pictures


async def test_how_far_it_is_shows_in_the_status(database: Database) -> None:
    async with painted_game(database) as (played, easel):
        easel.gate.clear()
        await played.play(NewStory("The sea"))

        async def reported() -> bool:
            return [line.done for line in (await played.status()).pictures] == [0.4]

        await until(reported)
        easel.gate.set()


async def test_undo_leaves_pictures_where_they_are(database: Database) -> None:
    async with painted_game(database) as (played, _):
        await played.play(NewStory("The sea"))
        await played.play(Vote(1))
        await at_rest(played)
        await played.say(Undo())
        assert (await played.status()).head == (await played.scenes())[0]
        async with played.store.resume(await played.playthrough()) as desk:
            assert await desk.pictures((await played.scenes())[1].id)


async def test_whoever_asks_to_be_forgotten_leaves_no_hint_and_no_name(database: Database) -> None:
    alone = replace(BO, private=True)
    async with painted_game(database, "request") as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(Join(), BO)
        await played.say(Paint("my cat Minka"), BO)
        await at_rest(played)
        easel.gate.clear()
        for _ in range(2):
            await played.say(Paint("my cat Minka"), BO)
        await until(lambda: _true(len(easel.commissions) == 2))
        await played.say(ForgetMe(everything=True, sure=True), alone)
        easel.gate.set()
        await at_rest(played)
        (picture,) = await shown(played)
        assert picture.by == "somebody"
        db = await asyncpg.connect(database.conninfo)
        drafts = await db.fetch("SELECT status, draft::text FROM run WHERE kind = 'picture' ORDER BY status")
        await db.close()
        assert [row[0] for row in drafts] == ["done", "stopped", "stopped"]
        assert not [row for row in drafts if "Minka" in row[1] or "Bo" in row[1]]


async def test_a_banned_player_has_nothing_painted(database: Database) -> None:
    async with painted_game(database, "request") as (played, _):
        await played.play(NewStory("The sea"))
        await played.say(Join(), BO)
        await played.say(Ban("Bo"))
        assert isinstance(await played.say(Paint(), BO), Declined)


async def test_a_rating_says_what_no_picture_shows_and_goes_with_it(database: Database) -> None:
    writer = ScriptedWriter()
    writer.answers = [SEEN]
    async with painted_game(database, "request", writer) as (played, easel):
        await played.play(NewStory("The sea"))
        await played.say(ChangeRules("rating", "everyone"))
        await played.say(ChangeRules("avoid", "spiders"))
        await played.say(Paint())
        await at_rest(played)
        assert easel.commissions[0].avoid.startswith("spiders, nudity, sexual content, blood")
        assert "<audience>everyone, children too" in writer.askings[0].messages[0].content
        assert [(event.rating, event.covered) for event in await shown(played)] == [("everyone", False)]
        await played.say(ChangeRules("rating", "mature"))
        await played.say(Paint(again=True))
        await at_rest(played)
        assert "nudity" not in easel.commissions[1].avoid
        assert "sexualised minors" in easel.commissions[1].avoid
        assert [(event.rating, event.covered) for event in await shown(played)][1:] == [("mature", True)]


async def test_a_report_hides_a_picture_until_a_host_shows_it_again(database: Database) -> None:
    async with painted_game(database) as (played, _):
        await played.play(NewStory("The sea"))
        await at_rest(played)
        (before,) = await shown(played)
        await played.say(Join(), BO)
        assert "Only the host" in _sentence(await played.say(RestorePicture(), BO))
        assert "No picture of this story" in _sentence(await played.say(RestorePicture()))
        assert "gone from everywhere" in _sentence(await played.say(ReportPicture("my face"), BO))
        assert "no picture" in _sentence(await played.say(ReportPicture(), BO))
        assert "scene 1 is shown again" in _sentence(await played.say(RestorePicture()))
        assert await shown(played) == [before, before]
        assert "left it up" in _sentence(await played.say(ReportPicture(picture=before.picture.id), BO))
        told = [event for event in await played.events() if isinstance(event, PictureReported)]
        assert [(event.by, event.why, event.hidden) for event in told] == [("Bo", "my face", True), ("Bo", "", False)]
        await played.say(ForgetPicture())
        assert "No picture of this story" in _sentence(await played.say(RestorePicture()))
        data = await played.say(ShowMyData(), replace(BO, private=True))
        assert isinstance(data, MyDataShown)
        assert [said.text for said in data.data.hints] == ["my face"]
        await played.say(ForgetMe(everything=True, sure=True), replace(BO, private=True))
        told = [event for event in await played.events() if isinstance(event, PictureReported)]
        assert [(event.by, event.why) for event in told] == [("somebody", "")] * 2


async def test_what_is_pressed_at_a_picture_is_about_that_one_wherever_the_story_is_now(database: Database) -> None:
    async with painted_game(database) as (played, easel):
        await played.play(NewStory("The sea"))
        await at_rest(played)
        (first,) = await shown(played)
        await played.play(Vote(1))
        await at_rest(played)
        await played.say(Paint(again=True, picture=first.picture.id))
        await at_rest(played)
        assert easel.commissions[2].prompt == easel.commissions[0].prompt
        assert [event.number for event in await shown(played)] == [1, 2, 1]
        assert "not there any more" in _sentence(await played.say(ForgetPicture(first.picture.id)))
        newest = (await shown(played))[-1].picture.id
        assert "gone" in _sentence(await played.say(ForgetPicture(newest)))
        async with played.store.resume(await played.playthrough()) as desk:
            assert await desk.pictures((await played.scenes())[1].id), "that of the head is left alone"


async def test_a_picture_of_another_story_cannot_be_pressed(database: Database) -> None:
    async with painted_game(database) as (played, _):
        await played.play(NewStory("The sea"))
        await at_rest(played)
        (foreign,) = await shown(played)
        await played.play(NewStory("The moor"))
        await at_rest(played)
        for command in (ReportPicture(picture=foreign.picture.id), ForgetPicture(foreign.picture.id)):
            assert "not there" in _sentence(await played.say(command))


async def test_many_pictures_are_put_in_order_and_taken_out_of_the_queue(database: Database) -> None:
    async with painted_game(database, "request") as (played, easel):
        easel.gate.clear()
        await played.play(NewStory("The sea"))
        for number in range(10):
            await played.say(Paint(f"wish {number}"))
        await until(lambda: _true(easel.commissions))
        there = await played.store.in_hand(await played.playthrough())
        assert there is not None
        assert (there.number, there.running, there.before) == (1, True, 0)
        assert "not painted" in _sentence(await played.say(ForgetPicture()))
        await at_rest(played)
        assert await played.store.in_hand(await played.playthrough()) is None
        assert len(easel.commissions) == 1
        easel.gate.set()
        await played.say(Paint("the last one"))
        await at_rest(played)
        assert len(await shown(played)) == 1
