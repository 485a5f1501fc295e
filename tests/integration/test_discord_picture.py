"""Pictures on Discord: under the scene, with words for those who cannot see, and gone when they are taken down."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.illustrator import Studio
from storyforge_core.domain.pictures import Commission, Painted, Progress
from storyforge_core.providers.cards import CardIllustrator
from storyforge_core.store.database import Database
from tests.discordia import club
from tests.game import ScriptedWriter

EDIT = ("PATCH", "/channels/{channel_id}/messages/{message_id}")


class SlowCards(CardIllustrator):
    """Draws when it is let."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        await self.gate.wait()
        return await super().paint(commission, hear)


async def test_a_picture_hangs_under_its_scene_beside_the_question(database: Database, tmp_path: Path) -> None:
    cards = SlowCards()
    studio = Studio(cards, "every", 1)
    async with club(database, tmp_path, ScriptedWriter(words=40), studio=studio) as friends, friends.program():
        scene = await friends.begins()
        assert not scene.attachments, "nobody waits for it"
        cards.gate.set()
        await friends.until(lambda: bool(scene.attachments))
        (picture,) = scene.attachments
        assert picture.name.startswith("scene-1-")
        assert picture.name.endswith(".png")
        assert (picture.description or "").startswith("Scene after 0: s1w1 s1w2")
        assert "What happens next?" in scene.content
        await friends.types(friends.bo, "story join")
        await (await friends.ann.click(scene, "1. Choice 1 of 1")).settled()
        await friends.until(lambda: "1 vote (Ann)" in scene.content)
        assert scene.attachments, "votes are counted above it, and it stays"


async def test_what_was_painted_while_the_program_was_away_hangs_there_once_afterwards(
    database: Database, tmp_path: Path
) -> None:
    cards = SlowCards()
    studio = Studio(cards, "every", 1)
    async with club(database, tmp_path, ScriptedWriter(words=40), studio=studio) as friends:
        async with friends.program():
            scene = await friends.begins()
        cards.gate.set()
        async with friends.program():
            await friends.until(lambda: bool(scene.attachments))
        async with friends.program():
            await friends.types(friends.ann, "story join")
        hung = [call for call in friends.peer.asked(*EDIT) if "attachments" in str(call.json)]
        assert len(hung) == 1


async def test_again_takes_the_old_ones_place_and_forget_leaves_only_words(database: Database, tmp_path: Path) -> None:
    studio = Studio(CardIllustrator(), "request", 1)
    async with club(database, tmp_path, ScriptedWriter(words=40), studio=studio) as friends, friends.program():
        scene = await friends.begins()
        told = await friends.types(friends.ann, "story paint", hint="from the sea")
        assert "comes under the scene" in told.text
        await friends.until(lambda: bool(scene.attachments))
        first = scene.attachments[0].name
        await friends.types(friends.ann, "story paint", mode="again")
        await friends.until(lambda: scene.attachments[0].name != first)
        assert len(scene.attachments) == 1
        await friends.types(friends.ann, "story paint", mode="forget")
        await friends.until(lambda: not scene.attachments)
        assert "s1w40." in scene.content
