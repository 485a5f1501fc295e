"""Pictures in a room: under the end of their scene, once whatever happens, and never in the way of the story."""

import asyncio
from uuid import uuid4

from bot.surface import File, MessageGone, RoomGone, SlowDown, SurfaceDown
from storyforge_core.domain.events import Noted, PictureFailed, PictureForgotten, PictureShown
from storyforge_core.domain.pictures import Picture, PictureId, Vision
from storyforge_core.domain.story import RoomKey, RunId, SceneId
from tests.fakes import NOON, Chat, chat_limits
from tests.stage import HERE, Room, present

PNG = b"\x89PNG picture"


async def painted(here: Room, run: RunId | None = None, data: bytes = PNG) -> PictureShown:
    """A picture of the scene that a run told."""
    picture = Picture(
        id=PictureId(uuid4()),
        scene=SceneId(uuid4()),
        run=RunId(uuid4()),
        kept=await here.gallery.keep(data),
        vision=Vision("a door", "A green door in the sea."),
        seed=1,
        workflow="test",
        asker=None,
        created_at=NOON,
    )
    return PictureShown(picture, run, 3, "The *cold* door", "Ann")


async def told(here: Room, words: int = 20) -> RunId:
    """A scene that stands in the room."""
    run, speech = here.writing()
    speech.say("word " * words)
    await here.shows(here.told(run, speech))
    return run


def files(here: Room) -> list[list[File]]:
    return [message.files for message in here.chat.messages]


def test_it_hangs_under_the_last_message_of_a_long_scene() -> None:
    async def story() -> None:
        here = Room(Chat(chat_limits(200)))
        await here.start()
        run = await told(here, 100)
        await here.shows(await painted(here, run))
        assert len(here.chat.messages) > 2
        assert [len(hung) for hung in files(here)] == [0] * (len(here.chat.messages) - 1) + [1]
        (file,) = files(here)[-1]
        assert (file.alt, file.data) == ("A green door in the sea.", PNG)
        assert file.name.startswith("scene-3-")

    present(story())


def test_it_hangs_once_however_often_the_program_is_killed() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        await here.shows(await painted(here, run))
        files(here)[-1].clear()  # to see whether it is hung again
        for _ in range(2):
            await here.restart()
            await here.presenter.settled(HERE)
        assert not files(here)[-1]

    present(story())


def test_a_scene_that_somebody_wrote_has_its_picture_in_a_message_of_its_own() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        await here.shows(await painted(here))
        (message,) = here.chat.messages
        assert message.text == r"**3 · The \*cold\* door**"
        assert len(message.files) == 1

    present(story())


def test_a_scene_that_was_deleted_has_its_picture_in_a_message_of_its_own() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        here.chat.messages[-1].gone = True
        await here.shows(await painted(here, run))
        assert [len(hung) for hung in files(here)] == [0, 1]

    present(story())


def test_a_slow_or_absent_platform_gets_it_later() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        here.chat.failures.extend([SlowDown("", 7.0), SurfaceDown("away"), SurfaceDown("away")])
        await here.shows(await painted(here, run))
        assert len(files(here)[-1]) == 1

    present(story())


def test_a_platform_that_refuses_it_goes_without_and_the_story_goes_on() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        here.chat.failures.append(RoomGone("Files are not allowed here."))
        await here.shows(await painted(here, run), Noted("Ann calls the story Fog now."))
        assert here.chat.texts[-1] == "Ann calls the story Fog now."
        assert not any(files(here))

    present(story())


def test_a_file_that_is_not_there_any_more_is_left_out() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        event = await painted(here, run)
        here.gallery.files.clear()
        await here.shows(event, Noted("On."))
        assert here.chat.texts[-1] == "On."
        assert not any(files(here))

    present(story())


def test_it_is_made_to_fit_what_the_platform_takes() -> None:
    async def story() -> None:
        here = Room(Chat(chat_limits(max_file=4)))
        await here.start()
        run = await told(here)
        await here.shows(await painted(here, run))
        assert len(files(here)[-1][0].data) == 4

    present(story())


def test_what_is_taken_down_is_gone_also_after_a_restart() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        event = await painted(here, run)
        await here.shows(event)
        await here.restart()
        await here.shows(PictureForgotten(event.picture.id, "Ann"))
        assert not any(files(here))
        await here.shows(PictureForgotten(event.picture.id, "Ann"))

    present(story())


def test_what_cannot_be_taken_down_any_more_troubles_nobody() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        event = await painted(here, run)
        await here.shows(event)
        here.chat.failures.append(MessageGone("It is not there."))
        await here.shows(PictureForgotten(event.picture.id, "Ann"), Noted("On."))
        assert here.chat.texts[-1] == "On."

    present(story())


def test_whoever_asked_reads_why_there_is_none() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        await here.shows(PictureFailed(RunId(uuid4()), "The paint is *out*.", "@everyone"))
        assert here.chat.texts == ["No picture for @\u200beveryone. The paint is \\*out\\*."]

    present(story())


def test_a_room_that_came_later_has_it_in_a_message_of_its_own() -> None:
    async def story() -> None:
        here = Room()
        await here.start()
        run = await told(here)
        there = RoomKey("chat", "attic")
        here.store.bind(there, here.playthrough)
        await here.ledger.advance(here.store.rooms[there].id, here.playthrough, len(here.store.told))
        await here.presenter.attend(here.chat, there)
        here.happens(await painted(here, run))
        await asyncio.gather(here.presenter.settled(HERE), here.presenter.settled(there))
        hung = [message.room for message in here.chat.messages if message.files]
        assert sorted(room.address for room in hung) == ["attic", "cellar"]

    present(story())
