"""Pictures in a thread of Discord: what can be pressed beside them, how far they are, and who may see them."""

from pathlib import Path

import pytest

from bot.illustrator import Studio
from bot.presenter import sketches
from storyforge_core.domain.story import RoomKey, Rules
from storyforge_core.store.database import Database
from tests.discordia import Club, club
from tests.game import ScriptedWriter
from tests.integration.test_painting import Easel
from tests.peers.discord.state import Message

AGAIN, KEEP, REMOVE, REPORT = "🔁 Paint again", "📌 Keep the look", "🗑️ Remove", "🚩 Report"
TOOLS = [AGAIN, KEEP, REMOVE, REPORT]


def studio(easel: Easel) -> Studio:
    return Studio(easel, "every", 1)


def tools(message: Message) -> list[str]:
    return [label for button in message.buttons if (label := button.get("label", "")) in TOOLS]


async def hangs(friends: Club) -> Message:
    """Wait for the question of the first scene with its picture."""
    card = await friends.asked()
    await friends.until(lambda: bool(card.attachments))
    return card


async def test_a_picture_has_its_own_row_below_the_votes_and_both_survive_a_restart(
    database: Database, tmp_path: Path
) -> None:
    easel = Easel()
    async with club(database, tmp_path, ScriptedWriter(words=40), studio=studio(easel)) as friends:
        async with friends.program():
            await friends.told_to()
            card = await hangs(friends)
            assert tools(card) == TOOLS
            assert [row["components"][0]["label"] for row in card.components] == ["1. Choice 1 of 1", AGAIN]
        async with friends.program():
            await friends.types(friends.bo, "story join")
            await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
            await friends.until(lambda: "1 vote (Ann)" in card.content)
            assert tools(card) == TOOLS, "a tally of another program leaves them there"
            easel.gate.clear()
            seen = await (await friends.bo.click(card, AGAIN)).settled()
            assert "being painted" in seen.text
            easel.gate.set()
            first = card.attachments[0].name
            await friends.until(lambda: [each.name for each in card.attachments] not in ([], [first]))
            await (await friends.bo.click(card, "1. Choice 1 of 1")).settled()
            await friends.until(lambda: not card.buttons)
            assert card.attachments, "the question is decided, its picture stays"


async def test_a_report_hides_a_picture_tells_the_host_alone_and_can_be_taken_back(
    database: Database, tmp_path: Path
) -> None:
    playing = club(database, tmp_path, ScriptedWriter(words=40), studio=studio(Easel()))
    async with playing as friends, friends.program() as service:
        await friends.told_to()
        card = await hangs(friends)
        assert "Only the host" in (await (await friends.bo.click(card, REMOVE)).settled()).text
        form = await friends.bo.click(card, REPORT)
        seen = await (await friends.bo.modal_submit(form, why="It shows @everyone my *face*")).settled()
        assert "gone from everywhere" in seen.text
        await friends.until(lambda: not card.attachments)
        assert not tools(card)
        assert card.buttons, "votes go on"
        await friends.until(lambda: bool(friends.ann.direct.messages))
        whisper = friends.ann.direct.messages[-1].content
        assert whisper.startswith("Bo reported the picture of scene 1: It shows @\u200beveryone my \\*face\\*")
        assert "/story paint restore" in whisper
        assert not any("reported" in text for text in friends.texts), "nobody else reads of it"
        denied = await friends.types(friends.bo, "story paint", mode="restore")
        assert "Only the host" in denied.text
        await friends.types(friends.ann, "story paint", mode="restore")
        await friends.until(lambda: bool(card.attachments))
        assert tools(card) == TOOLS
        await service._backing.presenter.settled(RoomKey("discord", str(friends.thread.id), str(friends.server.id)))
        again = await friends.bo.menu(card, "Report this picture")
        seen = await (await friends.bo.modal_submit(again)).settled()
        assert "left it up" in seen.text
        await friends.until(lambda: len(friends.ann.direct.messages) > 1)
        assert card.attachments, "a host has decided"


async def test_pictures_for_adults_hang_covered_and_only_where_adults_are(database: Database, tmp_path: Path) -> None:
    rules = Rules(rating="mature")
    async with club(database, tmp_path, ScriptedWriter(words=40), rules, studio(Easel())) as friends, friends.program():
        await friends.told_to()
        card = await friends.asked()
        await friends.reads("pictures are for adults")
        assert not card.attachments
        friends.server.age_restrict(friends.general)
        await friends.types(friends.ann, "story paint", mode="again")
        await friends.until(lambda: bool(card.attachments))
        assert card.attachments[0].name.startswith("SPOILER_")


async def test_how_far_a_picture_is_stands_beside_its_scene_until_it_hangs(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATIENCE", "LOOK_AGAIN", "LOOK_LATER"):
        monkeypatch.setattr(sketches, name, 0.1)
    easel = Easel()
    easel.gate.clear()
    async with club(database, tmp_path, ScriptedWriter(words=40), studio=studio(easel)) as friends, friends.program():
        await friends.told_to()
        card = await friends.asked()
        await friends.until(lambda: card.buttons[-1].get("label", "") == "🎨 The picture is being painted: 40%")
        assert card.buttons[-1]["disabled"]
        assert "1. Choice 1 of 1" in str(card.components)
        await friends.types(friends.ann, "story paint", mode="forget")
        await friends.until(lambda: "🎨" not in str(card.components))
        assert "1. Choice 1 of 1" in str(card.components)
