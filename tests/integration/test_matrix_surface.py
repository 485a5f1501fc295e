"""What people in rooms of a real homeserver are shown, and what stays in the room's history."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from bot.platforms.matrix import paper
from bot.platforms.matrix.budget import STOCK, Budget
from bot.platforms.matrix.link import Link, Urgency
from bot.platforms.matrix.paper import LIVE
from bot.platforms.matrix.places import Place
from bot.platforms.matrix.surface import LIVE_MESSAGING, MatrixSurface
from bot.platforms.matrix.wire import API
from bot.platforms.matrix.withdrawals import UNFINISHED, Withdrawals
from bot.presenter.presenter import Presenter
from bot.questions import keycap
from bot.surface import File, Frame, SlowDown, SurfaceDown
from storyforge_core.domain.events import SceneTold, WritingQueued
from storyforge_core.domain.story import RunId
from tests.bench.chat.ours import Ours
from tests.bench.chat.speech import Speech, words_in
from tests.fakes import NOON, Events, Gallery, Ledger, Speeches
from tests.matrix_room import Asked, MatrixRoom, matrix_room, rested
from tests.peers.synapse import Kind, Synapse
from tests.stage import STORY, scene

SECRETS = ("the lamp", "the lamp went out", "the lamp went out **again**")


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
async def room(homeserver: Synapse, request: pytest.FixtureRequest) -> AsyncGenerator[MatrixRoom]:
    async with matrix_room(homeserver, sealed=request.param, thread=True) as made:
        yield made


async def test_a_scene_grows_in_small_notices_and_ends_as_a_message(room: MatrixRoom) -> None:
    first, second, last = SECRETS
    message = await room.post(first, live=True)
    await room.edit(message, second, live=True)
    await room.edit(message, last)
    seen = await room.read(message, "again")
    assert seen.content == {
        "msgtype": "m.text",
        "body": "the lamp went out again",
        "format": "org.matrix.custom.html",
        "formatted_body": "the lamp went out <strong>again</strong>",
        "m.mentions": {},
    }
    posted, growing, final = (event["content"] for event in room.events)
    assert posted == {
        "msgtype": "m.notice",
        "body": "the lamp",
        "m.mentions": {},
        LIVE: {},
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": room.root,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": room.root},
        },
    }
    assert "formatted_body" not in growing["m.new_content"]
    assert LIVE in growing
    assert LIVE not in final
    assert growing["m.mentions"] == final["m.mentions"] == {}
    assert all(event["sealed"] == room.sealed for event in room.events)


@pytest.mark.parametrize("letters", ["word ", "語", "😀"])
async def test_a_scene_too_long_for_an_event_is_told_whole_in_several(room: MatrixRoom, letters: str) -> None:
    """Also while it grows: its words come in four portions."""
    prose = letters * (30_000 // len(letters.encode()))
    store, speeches = Events(), Speeches()
    store.bind(room.key, STORY)
    presenter = Presenter(store, Ledger(), speeches, Gallery())
    run = RunId(uuid4())
    store.tell(STORY, WritingQueued(run, "open", "", "Ann", 0, 500))
    await presenter.attend(room.surface, room.key)
    speech = speeches.of(run)
    portion = len(prose) // 4 + 1
    for start in range(0, len(prose), portion):
        speech.say(prose[start : start + portion])
        await asyncio.sleep(0.3)
    speech.end()
    store.tell(STORY, SceneTold(run, scene(prose), ""))
    presenter.wake(STORY)
    await presenter.settled(room.key)
    await presenter.aclose()
    heading, _, told = (await room.seen()).partition("\n")
    assert heading == "1 · The cold door"
    assert "".join(told.split()) == "".join(prose.split())
    kinds = [event["content"]["m.relates_to"]["rel_type"] for event in room.events]
    assert kinds.count("m.thread") > 1
    assert kinds.count("m.replace") > 1


async def test_a_picture_that_is_taken_down_is_gone_and_its_scene_is_not(room: MatrixRoom) -> None:
    message = await room.post("The door was open.")
    hung = await room.surface.attach(room.key, message, File("door.png", b"no picture", "A door in the sea."))
    assert "A door in the sea." in await room.seen()
    await room.surface.detach(room.key, hung)
    await room.surface.detach(room.key, hung)  # its answer might have been lost
    left = await room.ann.asks("GET", f"{API}/rooms/{room.id}/event/{hung}")
    assert left["content"] == {}
    assert "The door was open." in await room.seen()


async def test_a_picture_comes_as_an_answer_with_a_small_form_and_a_caption(room: MatrixRoom) -> None:
    picture = BytesIO()
    Image.radial_gradient("L").resize((1200, 900)).convert("RGB").save(picture, "PNG")
    message = await room.post("The door was open.")
    file = File("door.png", picture.getvalue(), "A door in the sea. @room")
    hung = await room.surface.attach(room.key, message, file)
    assert await room.surface.attach(room.key, message, file) == hung  # its answer might have been lost
    await room.seen()
    (image,) = [event["content"] for event in room.events if event["content"]["msgtype"] == "m.image"]
    assert await room.ann.downloads(image) == picture.getvalue()
    assert image["filename"] == "door.png"
    assert image["body"].replace("\u200b", "") == "A door in the sea. @room" != image["body"]
    assert image["m.relates_to"]["m.in_reply_to"] == {"event_id": message}
    assert image["m.relates_to"]["event_id"] == room.root
    info = image["info"]
    assert (info["w"], info["h"], info["size"], info["mimetype"]) == (1200, 900, len(picture.getvalue()), "image/png")
    assert len(info["xyz.amorgan.blurhash"]) == 28
    form = "file" if room.sealed else "url"
    small = await room.ann.downloads({form: info[f"thumbnail_{form}"]})
    assert Image.open(BytesIO(small)).size == (800, 600) == (info["thumbnail_info"]["w"], info["thumbnail_info"]["h"])


async def test_what_is_no_picture_comes_as_a_file(room: MatrixRoom) -> None:
    message = await room.post("What I know about you:")
    await room.surface.attach(room.key, message, File("mydata.json", b"{}", "Everything"))
    await room.seen()
    sent = room.events[-1]["content"]
    assert await room.ann.downloads(sent) == b"{}"
    assert (sent["msgtype"], sent["filename"]) == ("m.file", "mydata.json")
    assert sent["info"] == {"size": 2, "mimetype": "application/json"}


@pytest.mark.parametrize("kind", ["free", "stock"])
async def test_what_somebody_takes_back_is_gone_with_all_its_drafts(
    synapse: Callable[[Kind], Synapse], kind: Kind
) -> None:
    """The second homeserver does not take edits back along with their message, so that is done one by one."""
    async with matrix_room(synapse(kind), limited=kind == "stock") as room:
        message = await told(room)
        assert "the lamp" in await room.history()
        await room.ann.withdraws(room.id, message)
        await room.surface.withdrawn(room.id, message)
        await room.withdrawals.settled()
        await room.forgets("the lamp")


async def test_a_killed_program_goes_on_to_take_drafts_back(synapse: Callable[[Kind], Synapse]) -> None:
    async with matrix_room(synapse("stock"), limited=True) as room:
        message = await told(room)
        await room.ann.withdraws(room.id, message)
        await room.surface.withdrawn(room.id, message)
        room.withdrawals.close()
        assert "the lamp" in await room.history()
        after_a_restart = Withdrawals(room.link)
        await after_a_restart.resume()
        await after_a_restart.settled()
        assert "the lamp" not in await room.history()
        notes = f"{API}/user/{room.bot.id}/account_data/{UNFINISHED}"
        assert await room.link.call("GET", notes) == {}


async def told(room: MatrixRoom) -> str:
    """Have a scene told in three frames; answers its message."""
    first, second, last = SECRETS
    message = await room.post(first, live=True)
    await room.edit(message, second, live=True)
    await room.edit(message, last)
    return message


async def test_a_scene_that_is_taken_back_while_it_grows_does_not_come_back(homeserver: Synapse) -> None:
    async with matrix_room(homeserver) as room:
        message = await room.post(SECRETS[0], live=True)
        await room.ann.withdraws(room.id, message)
        await room.surface.withdrawn(room.id, message)
        await room.edit(message, SECRETS[1], live=True)
        after_a_restart = MatrixSurface(room.link, room.budget, Asked(), room.withdrawals, lambda: NOON)
        await after_a_restart.edit(room.key, message, Frame(SECRETS[2]))
        await room.withdrawals.settled()
        await room.forgets("the lamp")


async def test_a_message_that_an_earlier_program_left_half_said_is_made_whole(room: MatrixRoom) -> None:
    """It was killed between sending and writing down that it had: the same key again, with other words."""
    key = uuid4()
    before = await room.surface.post(room.key, Frame("The door", live=True), key)
    await asyncio.sleep(0.3)
    after = await room.surface.post(room.key, Frame("The door was open."), key)
    assert before == after
    assert await room.seen() == "The door was open."


class LossyLink(Link):
    """A connection that breaks off after the next event was sent."""

    breaks = False

    async def send(self, room: str, kind: str, content: Mapping[str, Any], tx: str, urgency: Urgency) -> str:
        sent = await super().send(room, kind, content, tx, urgency)
        if self.breaks:
            self.breaks = False
            raise SurfaceDown("The homeserver cannot be reached.")
        return sent


async def test_what_is_sent_again_is_the_same_event(room: MatrixRoom) -> None:
    link = LossyLink(room.budget)
    link.connect(room.bot.client)
    surface = MatrixSurface(link, room.budget, Asked(), room.withdrawals, lambda: NOON)
    key, frame = uuid4(), Frame("The door")
    grows = Frame("The door", live=True)  # what is whole is edited at once if it was there before
    message = await insist(link, lambda: surface.post(room.key, grows, key))
    await insist(link, lambda: surface.edit(room.key, message, Frame("The door was open.")))
    await surface.edit(room.key, message, frame)  # said before, and yet another edit
    await room.seen()
    assert [event["content"]["m.relates_to"]["rel_type"] for event in room.events] == [
        "m.thread",
        "m.replace",
        "m.replace",
    ]
    assert await room.seen() == "The door"


async def insist(link: LossyLink, request: Callable[[], Any]) -> Any:
    """Ask twice, since the first answer is lost."""
    link.breaks = True
    with pytest.raises(SurfaceDown):
        await request()
    return await request()


async def test_what_somebody_else_takes_back_is_their_own_business(homeserver: Synapse) -> None:
    async with matrix_room(homeserver) as room:
        message = await room.ann.says(room.id, "the lamp")
        edit = paper.rewritten(Frame("the lamp!"), message)
        await room.ann.sends(room.id, paper.MESSAGE, edit)
        await room.ann.withdraws(room.id, message)
        await room.surface.withdrawn(room.id, message)
        await room.withdrawals.settled()
        assert "the lamp!" in await room.history()


class Refused(Budget):
    """A budget that counts how often the homeserver refused an event."""

    times = 0

    def refused(self, retry_after: float) -> None:
        self.times += 1
        super().refused(retry_after)


async def test_a_long_scene_and_its_question_keep_within_a_homeservers_limit(
    synapse: Callable[[Kind], Synapse],
) -> None:
    """At the limit that Synapse comes with nothing is refused, and all of it is shown."""
    async with matrix_room(synapse("stock"), limited=True) as room:
        budget = Refused(rested())
        link = Link(budget)
        link.connect(room.bot.client)
        asked = Asked()
        ours = Ours(MatrixSurface(link, budget, asked, room.withdrawals, lambda: NOON))
        speech = Speech(tokens=1000, rate=20.0, asked=1000)  # fifty seconds
        await ours.tell(room.key, speech)
        (card,) = (message for message, choices in asked.cards.items() if choices)
        for number in (1, 2, 3):
            await seed(link, room.id, card, keycap(number))
        await ours.aclose()
        assert words_in(await room.seen()) == list(range(1000))
        assert budget.times == 0
        assert len(room.ann.reactions(room.id, card)) == 3
        assert 10 <= len(room.events) <= 30


@pytest.mark.parametrize("exempt", [True, False])
async def test_the_bot_finds_out_whether_it_is_limited_and_leaves_no_trace_of_it(
    synapse: Callable[[Kind], Synapse],
    exempt: bool,  # noqa: FBT001 - a parameter
) -> None:
    server = synapse("stock")
    async with matrix_room(server) as room:
        if exempt:
            await asyncio.to_thread(server.exempt, room.bot.id)
        message = await room.post("What happens next?")
        await room.link.react(room.id, message, keycap(1), "first")
        budget = Refused(replace(rested(), events=1.0, ask_from=0.0))
        link = Link(budget)
        link.connect(room.bot.client)
        with suppress(SlowDown):
            for _ in range(STOCK.burst):
                await room.post("This and that.")
        await link.react(room.id, message, keycap(1), "first")  # the same event, which costs nothing
        assert budget.unlimited == exempt
        assert await link.exempt() == exempt
        assert budget.times == (not exempt)
        await room.seen()
        assert len(room.ann.reactions(room.id, message)) == 1


async def test_what_was_found_out_is_known_after_a_restart_until_it_turns_out_otherwise(
    synapse: Callable[[Kind], Synapse],
) -> None:
    async with matrix_room(synapse("stock")) as room:
        await room.link._know(unlimited=True)
        budget = Budget()
        link = Link(budget)
        link.connect(room.bot.client)
        await link.recall()
        assert budget.unlimited
        content = paper.written(Frame("This and that."), Place.of(room.key))
        with suppress(SlowDown):
            for number in range(STOCK.burst + 2):
                await link.send(room.id, paper.MESSAGE, content, str(number), "last")
        assert budget.left() is not None
        assert not await link.exempt()


async def seed(link: Link, room: str, card: str, key: str) -> None:
    """Offer a reaction as soon as the budget has something for it."""
    while True:
        try:
            await link.react(room, card, key, key)
        except SlowDown as slow:
            await asyncio.sleep(slow.retry_after)
        else:
            return


async def test_a_room_can_ask_for_whole_paragraphs(homeserver: Synapse) -> None:
    async with matrix_room(homeserver) as room:
        assert await room.surface.manner(room.key) == "live"
        path = f"{API}/rooms/{room.id}/state/{LIVE_MESSAGING}/"
        await room.ann.asks("PUT", path, {"enabled": False})
        assert await room.surface.manner(room.key) == "paragraphs"


async def test_times_are_said_for_readers_in_any_zone(homeserver: Synapse) -> None:
    async with matrix_room(homeserver) as room:
        assert room.surface.moment(NOON + timedelta(minutes=5)) == f"in 5 minutes ({NOON:%H}:05 UTC)"
        assert room.surface.moment(NOON + timedelta(days=2)).startswith("in 2 days (")


async def test_a_bare_file_name_stands_for_words_about_it(homeserver: Synapse) -> None:
    async with matrix_room(homeserver) as room:
        await room.surface.attach(room.key, await room.post("Here:"), File("story.md", b"# Salt", ""))
        assert "story.md" in await room.seen()
        assert room.events[-1]["content"]["m.mentions"] == {}
