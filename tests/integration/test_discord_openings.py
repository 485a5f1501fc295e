"""Scenes on Discord that answer the click or command which began them, and grow by two limits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import discord
import pytest

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import Interaction, Link, aim
from bot.platforms.discord.openings import Openings
from bot.platforms.discord.surface import DiscordSurface
from bot.surface import Frame
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import Choice, ChoiceId, RoomKey, RunId, SceneId
from storyforge_core.store.database import Database
from tests.discordia import Club, club
from tests.game import ScriptedWriter
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.server import Request
from tests.peers.discord.state import Channel, Message

EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
SECOND_WAY = ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original")
FURTHER = ("POST", "/webhooks/{webhook_id}/{webhook_token}")
FURTHER_EDIT = ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
WORDS = 40
PROSE = " ".join(f"s2w{word}" for word in range(1, WORDS + 1)) + "."


def slow() -> ScriptedWriter:
    """Tells a scene in two seconds: two windows of the peer."""
    writer = ScriptedWriter(words=WORDS)
    writer.pace = 0.05
    return writer


def second(friends: Club) -> Message:
    """The message of the second scene."""
    return next(message for message in friends.thread.messages if "s2w1 " in message.content)


def edits(friends: Club) -> tuple[list[Request], list[Request]]:
    """The edits of the second scene, by the channel and by the interaction."""
    here = str(second(friends).id)
    return [each for each in friends.peer.asked(*EDIT) if here in each.path], friends.peer.asked(*SECOND_WAY)


async def begun(friends: Club, writer: ScriptedWriter) -> Message:
    """Ann begins a story, and its first question is asked at once."""
    pace, writer.pace = writer.pace, 0.0
    card = await friends.begins()
    writer.pace = pace
    return card


async def told(friends: Club) -> Message:
    await friends.reads("2 · Scene after 1")
    return second(friends)


def only_grew(message: Message) -> bool:
    """Tell whether no frame had fewer words than one before it."""
    lengths = [version.content.count("s2w") for version in message.history]
    return lengths == sorted(lengths)


async def test_a_scene_is_the_answer_to_the_command_that_began_it(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        seen = await friends.types(friends.ann, "story continue")
        scene = await told(friends)
        assert seen.message is scene
        assert not seen.private
        assert not seen.followups
        assert PROSE in scene.content
        assert only_grew(scene)
        assert sum("s2w1 " in text for text in friends.texts) == 1


async def test_it_grows_by_both_limits(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        await friends.types(friends.ann, "story continue")
        await told(friends)
        by_channel, by_interaction = edits(friends)
        assert by_channel
        assert by_interaction
        assert all(each.status == 200 for each in (*by_channel, *by_interaction))


async def test_the_click_that_decides_is_answered_by_the_scene(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        card = await begun(friends, writer)
        await friends.types(friends.bo, "story join")
        first = await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        assert first.private
        assert "Your vote is with 1" in first.text
        last = await (await friends.bo.click(card, "1. Choice 1 of 1")).settled()
        scene = await told(friends)
        assert last.message is scene
        assert PROSE in scene.content


async def test_what_begins_nothing_is_answered_in_private(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        await friends.begins()
        await friends.types(friends.bo, "story join")
        await friends.reads("Bo joins the story.")
        before = list(friends.texts)
        seen = await friends.types(friends.bo, "story continue")
        assert seen.private
        assert "The others have not decided yet" in seen.text
        assert friends.texts == before


async def test_a_scene_outlives_the_interaction_that_began_it(database: Database, tmp_path: Path) -> None:
    writer = slow()
    writer.gate.clear()
    async with club(database, tmp_path, writer) as friends, friends.program():
        writer.gate.set()
        await begun(friends, writer)
        writer.gate.clear()
        await friends.types(friends.ann, "story continue")
        await friends.reads("s2w10")
        friends.peer.clock.forward(16 * 60)
        writer.gate.set()
        scene = await told(friends)
        refused = [each.status for each in edits(friends)[1] if each.status != 200]
        assert refused in ([], [401])
        assert PROSE in scene.content
        assert only_grew(scene)


async def test_a_second_way_that_is_refused_once_is_not_tried_again(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        friends.peer.trouble("PATCH /webhooks/*/*/messages/@original", "storm", seconds=30, times=10)
        await friends.types(friends.ann, "story continue")
        scene = await told(friends)
        assert [each.status for each in edits(friends)[1]] == [429]
        assert PROSE in scene.content


async def test_an_answer_that_was_given_although_nobody_heard_so_is_found(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        friends.peer.trouble("POST /interactions/*/*/callback", "lost")
        seen = await friends.ann.slash(friends.thread, "story continue")
        scene = await told(friends)
        assert seen.message is scene
        assert sum("s2w1 " in text or text == "…" for text in friends.texts) == 1


async def test_an_answer_that_was_not_given_is_an_ordinary_message(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        friends.peer.trouble("POST /interactions/*/*/callback", "error", status=404, code=10062)
        asking = asyncio.create_task(friends.ann.slash(friends.thread, "story continue"))
        scene = await told(friends)
        assert PROSE in scene.content
        assert not edits(friends)[1]
        assert (await asking).failed


async def test_where_the_owner_wants_none_of_it_the_answer_is_a_sentence(database: Database, tmp_path: Path) -> None:
    writer = slow()
    async with club(database, tmp_path, writer) as friends:
        friends.interaction_edits = False
        async with friends.program():
            await begun(friends, writer)
            seen = await friends.types(friends.ann, "story continue")
            assert seen.private
            await told(friends)
            assert not edits(friends)[1]


async def test_what_does_not_fit_into_the_answer_follows_it_by_both_ways(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=500)
    writer.pace = 0.005
    async with club(database, tmp_path, writer) as friends, friends.program():
        await begun(friends, writer)
        await friends.types(friends.ann, "story continue")
        await friends.reads("2 · Scene after 1")
        await friends.reads("s2w500")
        later = next(message for message in friends.thread.messages if "s2w500" in message.content)
        assert later.asked_by is second(friends).asked_by is not None
        by_channel = [each for each in friends.peer.asked(*EDIT) if str(later.id) in each.path]
        by_interaction = friends.peer.asked(*FURTHER_EDIT)
        assert by_channel
        assert by_interaction
        assert all(each.status == 200 for each in (*by_channel, *by_interaction))
        words = [word for text in friends.texts for word in text.split() if word.startswith("s2w")]
        assert " ".join(words) == " ".join(f"s2w{word}" for word in range(1, 501)) + "."
        assert not later.pinged


CHOICE = Choice(id=ChoiceId(uuid4()), scene=SceneId(uuid4()), position=1, text="Go on")


class Listener(discord.Client):
    """Hears of interactions, and leaves them to the test."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.none())
        self.heard: asyncio.Queue[Interaction] = asyncio.Queue()

    async def on_interaction(self, interaction: Interaction) -> None:
        await self.heard.put(interaction)


@asynccontextmanager
async def listening(peer: DiscordPeer) -> AsyncGenerator[Listener]:
    aim(peer.api_base, peer.gateway_url)
    async with Listener() as client:
        running = asyncio.create_task(client.start(peer.token))
        await peer.connected()
        yield client
        running.cancel()


RUN = RunId(uuid4())
FIRST, NEXT, LAST = Frame("…", live=True, stop=RUN), Frame("And then", live=True, stop=RUN), Frame("And then. The end.")


@dataclass
class Cellar:
    """A channel where a click has begun a scene, whose first message is the answer."""

    peer: DiscordPeer
    link: Link
    channel: Channel
    room: RoomKey
    first: UUID = field(default_factory=uuid4)
    """The key of the first message, as the ledger has it."""
    next: UUID = field(default_factory=uuid4)

    def program(self) -> DiscordSurface:
        """Another one, that knows nothing of the one before."""
        return DiscordSurface(self.link, Board(self.link), openings=Openings(used=True))

    def texts(self) -> list[str]:
        return [message.content for message in self.channel.messages][1:]  # but for what was clicked


@asynccontextmanager
async def answered() -> AsyncGenerator[tuple[Cellar, DiscordSurface, str]]:
    """Also has the surface that gave the answer, and the message that this is."""
    async with DiscordPeer(window=0) as peer, listening(peer) as client:
        friends = peer.guild("Friends")
        channel = friends.text("cellar")
        link = Link()
        link.connect(client)
        cellar = Cellar(peer, link, channel, RoomKey("discord", str(channel.id), str(friends.id)))
        openings = Openings(used=True)
        surface = DiscordSurface(link, Board(link), openings=openings)
        await surface.post(cellar.room, Frame("And now?", choices=(CHOICE,)), uuid4())
        clicking = asyncio.create_task(friends.member("Ann").click(channel.messages[-1], "1. Go on"))
        asking: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        asking.set_result(Accepted("On with it.", RUN))
        answering = asyncio.create_task(openings.answered(await client.heard.get(), cellar.room, asking))
        await asyncio.sleep(0)
        posted = await surface.post(cellar.room, FIRST, cellar.first)
        assert await answering
        assert not (await clicking).failed
        yield cellar, surface, posted


async def test_a_program_killed_right_behind_its_answer_goes_on_in_that() -> None:
    async with answered() as (cellar, _, posted):
        assert await cellar.program().post(cellar.room, FIRST, cellar.first) == posted
        assert cellar.texts() == ["…"]


async def test_a_scene_told_while_no_program_ran_ends_in_the_message_that_was_its_answer() -> None:
    async with answered() as (cellar, _, posted):
        again = cellar.program()
        await again.post(cellar.room, Frame("Bo joins the story."), uuid4())
        assert await again.post(cellar.room, LAST, cellar.first) == posted


async def test_a_program_killed_right_behind_a_message_that_follows_goes_on_in_that() -> None:
    async with answered() as (cellar, surface, _):
        posted = await surface.post(cellar.room, NEXT, cellar.next)
        again = cellar.program()
        assert await again.post(cellar.room, NEXT, cellar.next) == posted
        await again.edit(cellar.room, posted, LAST)
        assert cellar.texts() == ["…", "And then. The end."]


async def test_a_message_that_follows_although_nobody_heard_so_is_found() -> None:
    async with answered() as (cellar, surface, _):
        cellar.peer.trouble("POST /webhooks/*/*", "lost")
        posted = await surface.post(cellar.room, NEXT, cellar.next)
        await surface.edit(cellar.room, posted, LAST)
        assert cellar.texts() == ["…", "And then. The end."]
        assert not cellar.peer.asked(*FURTHER_EDIT)


@pytest.mark.parametrize(("status", "code"), [(400, 0), (401, 50027), (502, 0)])
async def test_a_message_that_may_not_follow_is_an_ordinary_one(status: int, code: int) -> None:
    async with answered() as (cellar, surface, first):
        cellar.peer.trouble("POST /webhooks/*/*", "error", status=status, code=code)
        posted = await surface.post(cellar.room, NEXT, cellar.next)
        await surface.edit(cellar.room, first, Frame("Once"))
        await surface.edit(cellar.room, posted, LAST)
        assert cellar.texts() == ["Once", "And then. The end."]
        assert len(cellar.peer.asked(*EDIT)) == 2


async def test_nothing_follows_an_interaction_that_is_almost_over() -> None:
    async with answered() as (cellar, surface, first):
        await surface.edit(cellar.room, first, Frame("Once", live=True, stop=RUN))
        posted = await surface.post(cellar.room, NEXT, cellar.next)
        cellar.peer.clock.forward(16 * 60)
        await surface.edit(cellar.room, posted, Frame("And then?", live=True, stop=RUN))
        await surface.post(cellar.room, Frame("The end.", live=True, stop=RUN), uuid4())
        assert cellar.texts() == ["Once", "And then?", "The end."]
        assert len(cellar.peer.asked(*FURTHER)) == 1
