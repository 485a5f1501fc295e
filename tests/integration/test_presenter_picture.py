"""Pictures in a room: under the end of their scene, once whatever happens, and never in the way of the story."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from bot.presenter import sketches
from bot.surface import Allowance, File, MessageGone, RoomGone, SlowDown, SurfaceDown
from storyforge_core.domain.events import (
    Noted,
    PictureFailed,
    PictureForgotten,
    PictureQueued,
    PictureReported,
    PictureShown,
)
from storyforge_core.domain.pictures import InHand, Picture, PictureId, Vision
from storyforge_core.domain.space import Space
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


@pytest.mark.parametrize(
    ("marked", "decided", "hangs"),
    [(True, False, True), (None, True, True), (False, True, False), (None, False, False), (False, False, False)],
)
def test_a_picture_for_adults_hangs_where_adults_are_or_where_it_was_decided(
    *, marked: bool | None, decided: bool, hangs: bool
) -> None:
    async def story() -> None:
        here = Room()
        if marked is not None:
            here.chat.marks[HERE] = marked
        here.store.spaces[HERE.realm] = Space(mature=decided)
        await here.start()
        run = await told(here)
        for _ in range(2):
            await here.shows(replace(await painted(here, run), rating="mature", covered=True))
        assert [file.covered for hung in files(here) for file in hung] == [True] * hangs
        assert sum("pictures are for adults" in text for text in here.chat.texts) == (not hangs), "said once"

    present(story())


def test_hosts_are_told_alone_and_a_room_reads_of_it_only_if_none_can_be() -> None:
    async def story(*reachable: str) -> None:
        here = Room()
        here.store.hosting = ("ann", "bo")
        here.chat.reachable = set(reachable)
        await here.start()
        run = await told(here)
        event = await painted(here, run)
        report = PictureReported(event.picture.id, 3, "Cy", "my face", here.store.rooms[HERE].id, hidden=True)
        await here.shows(event, report)
        assert not any(files(here))
        await asyncio.sleep(1)
        assert [user for user, _ in here.chat.whispers] == list(reachable)
        assert all("Cy reported the picture of scene 3: my face" in text for _, text in here.chat.whispers)
        assert len(here.chat.texts) == (1 if reachable else 2)
        assert not any("Cy" in text or "face" in text for text in here.chat.texts)
        await here.restart()
        await here.presenter.settled(HERE)
        assert len(here.chat.whispers) == len(reachable), "once"
        await here.shows(event)
        (again,) = [file.name for hung in files(here) for file in hung]
        assert again.endswith("-1.png"), "platforms know a file by its name"

    for reachable in ((), ("bo",), ("ann", "bo")):
        present(story(*reachable))


def test_how_far_a_picture_is_is_told_late_seldom_and_never_beside_growing_words() -> None:
    async def story() -> None:
        here = Room(Chat(chat_limits(sketches="beside")))
        await here.start()
        run = await told(here)
        picture = RunId(uuid4())
        here.store.painting = InHand(picture, 1, run, running=False, before=2, done=0.0)
        here.gallery.previews[picture] = b"so far"
        here.happens(PictureQueued(picture))
        await asyncio.sleep(5)
        assert not here.chat.sketches, "most pictures are done by then"
        await asyncio.sleep(5)
        assert [text for _, text, _ in here.chat.sketches] == ["🎨 The picture waits for 2 others"]
        writing, speech = here.writing()
        speech.say("word")
        await asyncio.sleep(0)
        here.store.painting = replace(here.store.painting, running=True, before=0)
        await asyncio.sleep(60)
        assert len(here.chat.sketches) == 1, "words come first"
        await here.shows(here.told(writing, speech))
        for percent in range(0, 100, 2):
            here.store.painting = replace(here.store.painting, done=percent / 100)
            await asyncio.sleep(6)
        assert 2 <= len(here.chat.sketches) <= sketches.MOST
        message, text, preview = here.chat.sketches[-1]
        assert (message, preview and preview.data) == ("m0", b"so far")
        assert text.startswith("🎨 The picture is being painted: ")
        here.store.painting = None
        await asyncio.sleep(30)
        assert here.chat.sketches[-1][:2] == ("m0", "")

    present(story())


def test_where_nothing_stands_beside_a_message_it_is_told_in_one_of_its_own_that_goes_again() -> None:
    async def story() -> None:
        here = Room(Chat(chat_limits(sketches="apart")))
        await here.start()
        run = await told(here)
        event = await painted(here, run)
        here.store.painting = InHand(event.picture.run, 3, run, running=True, before=0, done=0.2)
        here.happens(PictureQueued(event.picture.run))
        await asyncio.sleep(10)
        assert here.chat.texts[-1] == "*🎨 The picture of scene 3 is being painted: 20%*"
        await here.restart()
        await asyncio.sleep(10)
        assert sum("🎨" in text for text in here.chat.texts) == 1, "once is enough"
        here.store.painting = None
        await here.shows(event)
        await asyncio.sleep(30)
        assert here.ledger.rows[here.store.rooms[HERE].id, f"sketch:{event.picture.run}", 0].final

    present(story())


def test_only_a_picture_of_the_newest_scene_has_something_to_be_pressed() -> None:
    async def story() -> None:
        here = Room(Chat(chat_limits(sketches="beside")))
        await here.start()
        first = await told(here)
        await here.shows(await painted(here, first))
        assert files(here)[-1][0].picture is not None
        second = await told(here)
        assert here.chat.sketches == [("m0", "", None)], "what stood beside the older one is gone"
        await here.shows(await painted(here, first), await painted(here, second))
        assert [hung[0].picture is not None for hung in files(here)] == [False, True]

    present(story())


class Scarce(Chat):
    """A chat with one slowly refilling budget for all rooms."""

    def allowance(self, room: RoomKey) -> Allowance | None:  # noqa: ARG002
        return Allowance(9, 5.0, refill=0.2, kept=4)


def test_nothing_is_spent_on_it_where_words_would_miss_it() -> None:
    async def story() -> None:
        here = Room(Scarce(chat_limits(sketches="apart")))
        await here.start()
        run = await told(here)
        here.store.painting = InHand(RunId(uuid4()), 3, run, running=True, before=0, done=0.2)
        here.happens(PictureQueued(here.store.painting.run))
        await asyncio.sleep(60)
        assert len(here.chat.messages) == 1

    present(story())
