"""Pictures under messages of Discord: with words for who does not see them, and no larger than the server takes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from io import BytesIO
from uuid import uuid4

import discord
import pytest
from PIL import Image

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import Link, aim
from bot.platforms.discord.surface import DiscordSurface
from bot.surface import File, Frame, SurfaceError
from storyforge_core.domain.story import RoomKey
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.shapes import UPLOAD_LIMIT
from tests.peers.discord.state import Attachment, Message

ALT = "A keeper before a door in the sea."


@dataclass(frozen=True)
class Hall:
    """A scene in a channel, to hang pictures under."""

    surface: DiscordSurface
    room: RoomKey
    id: str
    message: Message

    async def hang(self, name: str, data: bytes, alt: str = ALT) -> Attachment:
        """Hang a file under the scene; answers what people see there, which is that alone."""
        await self.surface.attach(self.room, self.id, File(name, data, alt))
        (hangs,) = self.message.attachments
        return hangs


@pytest.fixture
async def hall() -> AsyncGenerator[Hall]:
    async with DiscordPeer(window=0) as peer, discord.Client(intents=discord.Intents.none()) as client:
        aim(peer.api_base, peer.gateway_url)
        cellar = peer.guild("Friends").text("cellar")
        link = Link()
        await client.login(peer.token)
        link.connect(client)
        board = Board(link)
        surface = DiscordSurface(link, board)
        room = RoomKey("discord", str(cellar.id), str(peer.guild("Friends").id))
        told = await surface.post(room, Frame("The door was open."), uuid4())
        yield Hall(surface, room, told, cellar.messages[-1])
        board.close()
        assert not peer.violations


async def test_a_picture_hangs_under_its_scene_with_words_and_stays_while_that_is_edited(hall: Hall) -> None:
    small = painted(40, 30)
    assert await hall.hang("door.png", small) == hall.message.attachments[0]
    assert (hall.message.attachments[0].data, hall.message.attachments[0].description) == (small, ALT)
    await hall.surface.edit(hall.room, hall.id, Frame("The door was open. A light."))
    assert hall.message.content == "The door was open. A light."
    assert [each.data for each in hall.message.attachments] == [small]


async def test_another_picture_takes_the_place_of_the_first(hall: Hall) -> None:
    await hall.hang("door.png", painted(40, 30))
    assert (await hall.hang("light.png", painted(50, 30))).name == "light.png"


async def test_a_picture_too_large_for_the_server_is_made_smaller(hall: Hall) -> None:
    large = painted(2000, 1900)
    assert len(large) > UPLOAD_LIMIT
    hangs = await hall.hang("door.png", large)
    assert (hangs.name, hangs.description) == ("door.webp", ALT)
    with Image.open(BytesIO(hangs.data)) as shown:
        assert shown.format == "WEBP"
        assert shown.size == (2000, 1900)  # that was enough


async def test_words_for_a_picture_are_cut_where_discord_takes_no_more(hall: Hall) -> None:
    assert len((await hall.hang("door.png", painted(40, 30), "A door. " * 200)).description) == 1024


async def test_what_cannot_be_made_smaller_is_refused_in_a_sentence(hall: Hall) -> None:
    with pytest.raises(SurfaceError, match="too large for Discord"):
        await hall.hang("voice.ogg", bytes(UPLOAD_LIMIT + 1))
    assert hall.message.attachments == []


def painted(width: int, height: int) -> bytes:
    """A picture that nobody has packed well."""
    out = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "PNG", compress_level=0)
    return out.getvalue()
