"""A scene on Discord, with what can be pressed under it: its end, its question, and both after a restart."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import discord
import pytest

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import Link, aim
from bot.platforms.discord.surface import DiscordSurface
from bot.surface import Frame, MessageOld
from storyforge_core.domain.story import Choice, ChoiceId, RoomKey, SceneId
from storyforge_core.store.database import Database
from tests.discordia import Club, club
from tests.game import ScriptedWriter
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.state import Message

PROSE = " ".join(f"s1w{word}" for word in range(1, 41)) + "."
EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")
STOP = "⏹️ Stop"


def paused() -> ScriptedWriter:
    writer = ScriptedWriter(words=40)
    writer.gate.clear()
    return writer


def labels(message: Message) -> list[str]:
    return [button.get("label", "") for button in message.buttons]


async def growing(friends: Club) -> Message:
    """Ann begins a story that waits in the middle of its first scene."""
    await friends.told_to()
    await friends.reads("s1w10")
    return friends.scene


async def test_the_last_words_and_the_choices_come_in_one_edit(database: Database, tmp_path: Path) -> None:
    writer = paused()
    async with club(database, tmp_path, writer) as friends, friends.program():
        scene = await growing(friends)
        writer.gate.set()
        card = await friends.asked()
        edits = [each.json for each in friends.peer.asked(*EDIT) if each.path.endswith(str(scene.id))]
    assert card is scene
    asking = [body for body in edits if "sf:vote" in str(body["components"])]
    told = [body for body in edits if "1 · Scene after 0" in body["content"]]
    assert told == asking == edits[-1:]
    assert PROSE in edits[-1]["content"]
    assert "What happens next?" in edits[-1]["content"]


async def test_the_scene_keeps_its_words_while_votes_are_counted_below_it(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, ScriptedWriter(words=40)) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.bo, "story join")
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.until(lambda: "1 vote (Ann)" in card.content)
        assert PROSE in card.content
        await (await friends.bo.click(card, "1. Choice 1 of 1")).settled()
        await friends.until(lambda: "wins with 2 of 2 votes" in card.content)
        assert PROSE in card.content
        assert not card.buttons


async def test_a_step_back_leaves_the_scene_without_its_question(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, ScriptedWriter(words=40)) as friends, friends.program():
        first = await friends.begins()
        await (await friends.ann.click(first, "1. Choice 1 of 1")).settled()
        await friends.reads("2 · Scene after 1")
        await friends.until(lambda: "sf:vote" in str(friends.thread.messages[-1].components))
        second = friends.thread.messages[-1]
        await friends.types(friends.ann, "story undo")
        await friends.until(lambda: not second.buttons)
        assert second.content.endswith(" ".join(f"s2w{word}" for word in range(1, 41)) + ".")


async def test_a_new_program_finds_the_question_below_its_scene(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, ScriptedWriter(words=40)) as friends:
        async with friends.program():
            card = await friends.begins()
            await friends.types(friends.bo, "story join")
        async with friends.program():
            await (await friends.ann.click(card, "2. Choice 2 of 1")).settled()
            await friends.until(lambda: "1 vote (Ann)" in card.content)
            assert PROSE in card.content
            assert sum("What happens next?" in text for text in friends.texts) == 1


async def test_whoever_asked_can_stop_the_scene_by_its_button(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, paused()) as friends, friends.program():
        scene = await growing(friends)
        assert labels(scene) == [STOP]
        stopped = await (await friends.ann.click(scene, STOP)).settled()
        assert stopped.private
        assert "What was told stays" in stopped.text
        await friends.until(lambda: "Stopped here." in scene.content)
        assert STOP not in labels(scene)
        assert "s1w10" in scene.content


async def test_others_are_told_in_private_who_can_stop_it(database: Database, tmp_path: Path) -> None:
    writer = paused()
    async with club(database, tmp_path, writer) as friends, friends.program():
        scene = await growing(friends)
        refused = await (await friends.bo.click(scene, STOP)).settled()
        assert refused.private
        assert "Only the host may stop what somebody else asked for. Ask Ann." in refused.text
        writer.gate.set()
        await friends.asked()
        assert PROSE in scene.content


async def test_the_stop_button_works_in_a_program_that_did_not_make_it(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, paused()) as friends:
        async with friends.program():
            scene = await growing(friends)
        async with friends.program():
            await friends.until(lambda: labels(scene) == [STOP])
            await (await friends.ann.click(scene, STOP)).settled()
            await friends.until(lambda: "Stopped here." in scene.content)


async def test_the_button_of_a_scene_that_is_told_does_not_stop_the_next(database: Database, tmp_path: Path) -> None:
    writer = paused()
    async with club(database, tmp_path, writer) as friends, friends.program():
        scene = await growing(friends)
        old = [dict(part) for part in scene.components]
        writer.gate.set()
        card = await friends.asked()
        writer.gate.clear()
        await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        await friends.reads("s2w10")
        scene.components = old  # as somebody sees it whose Discord has not caught up
        late = await (await friends.ann.click(scene, STOP)).settled()
        assert "told already" in late.text
        writer.gate.set()
        await friends.reads("2 · Scene after 1")


CHOICE = Choice(id=ChoiceId(uuid4()), scene=SceneId(uuid4()), position=1, text="Go on")


async def test_votes_are_not_counted_in_a_message_of_an_hour() -> None:
    async with DiscordPeer(window=0) as peer, discord.Client(intents=discord.Intents.none()) as client:
        aim(peer.api_base, peer.gateway_url)
        cellar = peer.guild("Friends").text("cellar")
        room = RoomKey("discord", str(cellar.id), str(peer.guild("Friends").id))
        link = Link()
        await client.login(peer.token)
        link.connect(client)
        later = [timedelta()]
        board = Board(link)
        surface = DiscordSurface(link, board, lambda: discord.utils.utcnow() + later[-1])
        message = await surface.post(room, Frame("And now?", choices=(CHOICE,)), uuid4())
        await surface.edit(room, message, Frame("And now? 1 vote", choices=(CHOICE,)))
        later.append(timedelta(hours=1))
        asked = len(peer.asked(*EDIT))
        await surface.edit(room, message, Frame("And now? 1 vote", choices=(CHOICE,)))
        with pytest.raises(MessageOld):
            await surface.edit(room, message, Frame("And now? 2 votes", choices=(CHOICE,)))
        assert len(peer.asked(*EDIT)) == asked
        await surface.edit(room, message, Frame("Decided."))
        board.close()
        assert cellar.messages[-1].content == "Decided."
