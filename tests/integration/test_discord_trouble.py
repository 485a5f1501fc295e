"""A story on Discord goes on through storms, gaps, closed doors and crowds."""

import asyncio
import threading
from pathlib import Path

import pytest
from discord.gateway import KeepAliveHandler

from storyforge_core.domain.events import BallotOpened
from storyforge_core.store.database import Database
from tests.discordia import PREMISE, Club, asks, club
from tests.game import ScriptedWriter, until
from tests.peers.discord.faults import Trouble
from tests.peers.discord.people import Human
from tests.peers.discord.state import Channel, Permission

SCENE = " ".join(f"s1w{word}" for word in range(1, 41)) + "."
EDITS = "PATCH /channels/*/messages/*"


def held_back() -> ScriptedWriter:
    """A writer that waits in the middle of a scene."""
    writer = ScriptedWriter(words=40)
    writer.gate.clear()
    return writer


async def halfway(friends: Club) -> None:
    """Begin a story, and be there when half of the first scene is told."""
    await friends.told_to()
    await friends.reads("s1w10")


@pytest.mark.parametrize(("trouble", "times"), [("storm", 7), ("flood", 6), ("wall", 3), ("lost", 2), ("cut", 2)])
async def test_the_last_frame_comes_through_every_storm(
    database: Database, tmp_path: Path, trouble: Trouble, times: int
) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await halfway(friends)
        order = friends.peer.trouble(EDITS, trouble, times=times)
        writer.gate.set()
        await friends.asked()
        await friends.until(lambda: order.times == 0 and SCENE in friends.scene.content)
        assert sum("s1w1 " in text for text in friends.texts) == 1
        assert grows([version.content for version in friends.scene.history])


async def test_a_request_given_up_in_a_flood_holds_nothing_back(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        flood = friends.peer.trouble("PUT /channels/*/messages/*/reactions/*/@me", "flood", seconds=1)
        card = await friends.begins()
        await friends.until(lambda: flood.times == 0)
        friends.peer.gateway.close(4000)  # coming back, the program begins to look at reactions anew
        await friends.until(lambda: friends.peer.gateway.resumed == 1)
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")


async def test_a_program_that_ends_while_it_comes_back_leaves_no_heartbeat(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends:
        async with friends.program():
            before = heartbeats()
            friends.peer.gateway.invalidate()  # it comes back, and waits for five seconds before it says who it is

            async def comes_back() -> bool:
                return bool(heartbeats() - before)

            await until(comes_back)
        assert not heartbeats() - before


def heartbeats() -> set[KeepAliveHandler]:
    """The threads that keep connections alive."""
    threads = (thread for thread in threading.enumerate() if isinstance(thread, KeepAliveHandler))
    return {thread for thread in threads if not thread._stop_ev.is_set()}


@pytest.mark.parametrize("how", ["drop", "reconnect", "close"])
async def test_what_happens_while_the_gateway_is_away_is_told_once(
    database: Database, tmp_path: Path, how: str
) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await halfway(friends)
        break_line(friends, how)
        writer.gate.set()
        await friends.until(lambda: friends.peer.gateway.resumed == 1)
        card = await friends.asked()
        await friends.types(friends.bo, "story join")
        break_line(friends, how)
        friends.ann.react(card, "2️⃣")
        friends.bo.react(card, "2️⃣")
        await friends.reads("wins with 2 of 2 votes")
        await friends.reads("2 · Scene after 1")
        assert friends.peer.gateway.identified == 1
        assert [sum(text.count(words) for text in friends.texts) for words in ("s1w1 ", "s2w1 ")] == [1, 1]


def break_line(friends: Club, how: str) -> None:
    match how:
        case "drop":
            friends.peer.gateway.drop()
        case "reconnect":
            friends.peer.gateway.reconnect()
        case _:
            friends.peer.gateway.close(4000)


async def test_a_session_that_is_over_begins_anew_and_nothing_is_missed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(self: object, shard: int | None, *, initial: bool = False) -> None:
        """Identify without the five seconds that Discord asks for."""

    monkeypatch.setattr("discord.Client.before_identify_hook", at_once)
    async with club(database, tmp_path) as friends, friends.program():
        card = await friends.begins()
        friends.peer.gateway.invalidate()
        friends.ann.react(card, "3️⃣")
        await friends.reads("*→ Choice 3 of 1*")
        assert friends.peer.gateway.identified == 2


@pytest.mark.parametrize("permission", [Permission.VIEW_CHANNEL, Permission.SEND_MESSAGES_IN_THREADS])
async def test_where_a_permission_was_lost_the_story_goes_on_when_it_is_back(
    database: Database, tmp_path: Path, permission: Permission
) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await halfway(friends)
        friends.server.forbid(friends.general, permission)
        writer.gate.set()
        await told(friends)
        friends.server.permit(friends.general, permission)
        card = await friends.asked()
        assert SCENE in friends.scene.content
        assert sum("s1w1 " in text for text in friends.texts) == 1
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")


async def test_what_nobody_may_embed_or_attach_is_told_without(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.server.forbid(friends.general, Permission.EMBED_LINKS | Permission.ATTACH_FILES)
        card = await friends.begins()
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")


async def test_a_locked_thread_goes_on_when_a_moderator_unlocks_it(database: Database, tmp_path: Path) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await halfway(friends)
        friends.ann.lock(friends.thread)
        writer.gate.set()
        await told(friends)
        friends.ann.unarchive(friends.thread)
        await friends.asked()
        assert SCENE in friends.scene.content


async def test_a_thread_archived_in_mid_scene_is_woken(database: Database, tmp_path: Path) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends, friends.program():
        await halfway(friends)
        friends.ann.archive(friends.thread)
        writer.gate.set()
        await friends.asked()
        assert not friends.thread.archived
        assert sum("s1w1 " in text for text in friends.texts) == 1


async def test_ten_stories_are_told_at_once(database: Database, tmp_path: Path) -> None:
    writer = ScriptedWriter(words=40)
    writer.pace = 0.02
    async with club(database, tmp_path, writer) as friends, friends.program():
        people = [friends.server.member(f"Guest {number}") for number in range(10)]
        await asyncio.gather(*(begin(friends, who) for who in people))
        threads = friends.general.threads
        assert len(threads) == 10
        await friends.until(lambda: all(any(map(asks, thread.messages)) for thread in threads))
        assert [whole(thread) for thread in threads] == [1] * 10
        assert all(
            grows([version.content for version in message.history]) for each in threads for message in each.messages
        )


async def test_where_no_more_threads_fit_the_story_is_told_in_the_channel(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.peer.trouble("POST /channels/*/messages/*/threads", "error", status=400, code=160006)
        seen = await (await friends.ann.slash(friends.general, "story new", premise=PREMISE)).settled()
        assert "It is told right here. This server has as many open threads as Discord allows." in seen.text
        await friends.until(lambda: any(map(asks, friends.general.messages)))
        assert not any("in the thread below" in message.content for message in friends.general.messages)


async def test_what_discord_refuses_is_said_to_the_asker_in_a_sentence(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        friends.peer.trouble("POST /channels/*/messages", "error", status=400, code=200000)
        seen = await (await friends.ann.slash(friends.general, "story new", premise=PREMISE)).settled()
        assert seen.private
        assert "automatic moderation" in seen.text
        assert "log" not in seen.text


async def test_a_program_that_ends_in_mid_scene_says_that_it_comes_back(database: Database, tmp_path: Path) -> None:
    writer = held_back()
    async with club(database, tmp_path, writer) as friends:
        async with friends.program():
            await halfway(friends)
        assert friends.scene.content.endswith("*⏸ I have to go for a moment. It goes on right here when I'm back.*")
        assert not friends.scene.buttons
        assert friends.peer.gateway.sessions == {}  # it has said goodbye
        async with friends.program():
            await friends.until(lambda: "⏸" not in friends.scene.content)
            writer.gate.set()
            await friends.asked()
        assert SCENE in friends.scene.content
        assert grows([version.content for version in friends.scene.history])


async def begin(friends: Club, who: Human) -> None:
    await (await who.slash(friends.general, "story new", premise=PREMISE, title=who.name)).settled()


async def told(friends: Club) -> None:
    """Wait until the story has gone on, whether anybody saw it or not."""

    async def it_asks() -> bool:
        return any(isinstance(event, BallotOpened) for event in await friends.events())

    await until(it_asks)


def whole(thread: Channel) -> int:
    """In how many messages the whole first scene stands."""
    return sum(SCENE in message.content for message in thread.messages)


def grows(frames: list[str]) -> bool:
    """Tell whether no frame shows fewer words than one before it."""
    words = [frame.count("s1w") for frame in frames]
    return words == sorted(words)
