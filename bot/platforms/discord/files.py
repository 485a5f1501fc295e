"""Files that people send with a command, read as text."""

import asyncio

import discord

from bot.catalog.row import Argument, Given, Row
from bot.platforms.discord.link import Interaction
from bot.platforms.discord.troubles import NotHere, understood

SECONDS = 20.0
"""How long a file may take from Discord; whoever sent it waits."""
BYTES_PER_CHARACTER = 4


def file_argument(row: Row) -> Argument | None:
    """The argument of a command that is a file."""
    return next((argument for argument in row.arguments if argument.kind == "file"), None)


async def with_file(interaction: Interaction, wanted: Argument, given: Given) -> Given:
    """Put the text of a file in the place of its id.

    Raises:
        SurfaceError: Discord does not give it, or it cannot be what is asked for.
    """
    sent = getattr(interaction.namespace, wanted.name)
    if not isinstance(sent, discord.Attachment):
        raise NotHere("Send it as a file, with the command.")
    most = wanted.limit * BYTES_PER_CHARACTER
    if sent.size > most:
        raise NotHere(f"That file has {sent.size:,} bytes; {most:,} are the most.")
    try:
        return {**given, wanted.name: (await _read(sent)).decode("utf-8-sig")}
    except UnicodeDecodeError as error:
        raise NotHere("That file is not text in UTF-8.") from error


async def _read(sent: discord.Attachment) -> bytes:
    with understood():
        try:
            async with asyncio.timeout(SECONDS):
                return await sent.read()
        except (discord.NotFound, discord.Forbidden) as error:
            raise NotHere("Discord does not give me that file. Send it once more.") from error
