"""Pictures in rooms of a real homeserver: signs under them, reports, and pictures for adults."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from bot.illustrator import Studio
from storyforge_core.domain.pictures import Commission, Painted, Progress
from storyforge_core.store.database import Database
from tests.game import ScriptedWriter
from tests.integration.test_painting import Easel
from tests.matrixia import Club, club
from tests.peers.matrix_people import Human
from tests.peers.synapse import Synapse

SPOILER = "page.codeberg.everypizza.msc4193.spoiler"


class Brush(Easel):
    """Paints real pictures, each in another colour."""

    async def paint(self, commission: Commission, hear: Callable[[Progress], None]) -> Painted:
        await super().paint(commission, hear)
        out = io.BytesIO()
        Image.new("RGB", (96, 64), f"#{commission.seed % 0xFFFFFF:06x}").save(out, "PNG")
        return Painted(out.getvalue(), "test")


def pictures(human: Human, room: str) -> list[dict[str, Any]]:
    """The pictures of a room that were not taken back, the newest last."""
    events = human.events[room]
    gone = {event.get("redacts") or event["content"].get("redacts") for event in events}
    return [
        event
        for event in events
        if event["content"].get("msgtype") in {"m.image", "m.file"} and event["event_id"] not in gone
    ]


async def hangs(friends: Club, but: str = "") -> dict[str, Any]:
    """Wait for a picture, another than one that is known; answers the newest."""
    await friends.ann.until(
        lambda: [each["event_id"] for each in pictures(friends.ann, friends.room)] not in ([], [but])
    )
    return pictures(friends.ann, friends.room)[-1]


async def test_signs_under_a_picture_are_commands_and_a_report_hides_it_until_the_host_decides(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    studio = Studio(Brush(), "every", 1)
    async with club(homeserver, database, tmp_path, ScriptedWriter(words=40), studio=studio) as friends:
        ann, bo = friends.ann, friends.bo
        async with friends.program():
            room = await friends.meets()
            card = await friends.begins()
            first = await hangs(friends)
            assert first["content"]["msgtype"] == "m.image"
            await ann.reads(room, "React to a picture with 🔁")
            await ann.until(lambda: len(ann.reactions(room, first["event_id"])) == 4)
            await bo.reacts(room, first["event_id"], "🗑️")
            await ann.reads(room, "Only the host, or whoever asked for the picture")
            await bo.reacts(room, first["event_id"], "🔁")
            second = await hangs(friends, first["event_id"])
            await ann.until(lambda: len(pictures(ann, room)) == 1, 20)
        async with friends.program():  # another program knows them too
            await bo.says(room, "!story paint report it shows my face", thread=card.thread)
            await ann.until(lambda: not pictures(ann, room))
            await bo.reads(room, "gone from everywhere")
            await ann.until(lambda: bool(ann.client.invited_rooms))
            (alone,) = ann.client.invited_rooms
            await ann.joins(alone)
            told = await ann.reads(alone, "Bo reported the picture of scene 1: it shows my face")
            assert "!story paint restore" in told.text
            await ann.says(room, "!story paint restore", thread=card.thread)
            third = await hangs(friends)
            assert third["event_id"] != second["event_id"]
            await bo.reacts(room, third["event_id"], "🚩")
            await ann.reads(alone, "It stays, since a host has shown it again before.")
            assert pictures(ann, room) == [third]


async def test_pictures_for_adults_come_where_a_rooms_managers_say_so_as_files_to_be_opened(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    studio = Studio(Brush(), "request", 1)
    playing = club(homeserver, database, tmp_path, ScriptedWriter(words=40), studio=studio)
    async with playing as friends, friends.program():
        room = await friends.meets()
        card = await friends.begins()
        await friends.ann.says(room, "!story settings rating mature", thread=card.thread)
        await friends.ann.says(room, "!story paint", thread=card.thread)
        await friends.ann.reads(room, "pictures are for adults")
        assert not pictures(friends.ann, room)
        await friends.bo.says(room, "!story setup mature on")
        await friends.ann.says(room, "!story setup mature on")
        await friends.ann.reads(room, "Pictures for adults are shown here")
        await friends.ann.says(room, "!story paint again", thread=card.thread)
        shown = (await hangs(friends))["content"]
        assert shown["msgtype"] == "m.file", "clients that know no covered pictures would show it"
        assert shown[SPOILER] is True
        assert (await friends.ann.downloads(shown)).startswith(b"\x89PNG")
