"""Pictures that people send with a command: fetched from where Discord keeps them, and from nowhere else."""

import asyncio
from dataclasses import replace

import aiohttp
import discord
from discord.http import Route
from yarl import URL

from bot.catalog.row import Argument, Parsed, Row
from bot.platforms.discord.link import Interaction
from bot.platforms.discord.troubles import NotHere, understood
from storyforge_core.domain.book import EntityLook
from storyforge_core.domain.looks import MOST_LOOK_BYTES

SECONDS = 30.0
"""How long a picture may take from Discord; whoever sent it waits."""
KEPT_AT = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Discord's own places for files, by https://docs.discord.com/developers/reference#signed-attachment-cdn-urls."""
ITS_OWN = "discord.com"
NOT_GIVEN = "Discord does not give me that picture. Send it once more."


def picture_argument(row: Row) -> Argument | None:
    """The argument of a command that is a picture."""
    return next((argument for argument in row.arguments if argument.kind == "picture"), None)


async def with_picture(interaction: Interaction, wanted: Argument, asked: Parsed) -> Parsed:
    """Put the bytes of a picture into a command that came with one.

    Raises:
        SurfaceError: Discord does not give it, or it is too large.
    """
    sent = getattr(interaction.namespace, wanted.name, None)
    if not isinstance(asked, EntityLook) or not isinstance(sent, discord.Attachment):
        return asked
    return replace(asked, file="", picture=await fetched(sent))


async def fetched(sent: discord.Attachment) -> bytes:
    """Read a picture.

    Raises:
        SurfaceError: Discord does not give it, or it is too large.
    """
    if sent.size > MOST_LOOK_BYTES:
        raise NotHere(f"That picture has {sent.size:,} bytes; {MOST_LOOK_BYTES:,} are the most.")
    address = URL(sent.url)
    if not kept_by_discord(address):
        raise NotHere(NOT_GIVEN)
    with understood():
        async with (
            asyncio.timeout(SECONDS),
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004 - wherever a redirection leads, it is not looked at
                raise NotHere(NOT_GIVEN)
            return await _at_most(answer.content)


def kept_by_discord(address: URL) -> bool:
    """Tell whether an address is one where Discord keeps files; a server in its place keeps them at home."""
    if address.scheme == "https" and address.host in KEPT_AT and address.is_default_port():
        return not address.user
    base = URL(Route.BASE)
    return base.host != ITS_OWN and address.is_absolute() and address.origin() == base.origin() and not address.user


async def _at_most(content: aiohttp.StreamReader) -> bytes:
    data = bytearray()
    async for piece in content.iter_chunked(1 << 16):
        data += piece
        if len(data) > MOST_LOOK_BYTES:
            raise NotHere(f"That picture is too large; {MOST_LOOK_BYTES:,} bytes are the most.")
    return bytes(data)
