"""A story on Discord, from the first command to the next scene, through the wire."""

from pathlib import Path

from storyforge_core.store.database import Database
from tests.discordia import PREMISE, club
from tests.game import ScriptedWriter


async def test_two_people_play_a_story_in_its_own_thread(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path) as friends, friends.program():
        seen = await friends.ann.slash(friends.general, "story new", premise=PREMISE, title="Salt")
        await seen.settled()
        assert seen.private
        assert friends.thread.shown in seen.text or f"<#{friends.thread.id}>" in seen.text
        assert friends.thread.name == "Salt"
        card = await friends.asked()
        await friends.types(friends.bo, "story join")
        voted = await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
        assert voted.private
        assert "Your vote is with 1" in voted.text
        friends.bo.react(card, "2️⃣")
        await friends.reads("Decided.")
        await friends.reads("2 · Scene after 1")
    assert sum("s1w1 " in text for text in friends.texts) == 1
