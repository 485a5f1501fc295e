"""Bots on a Discord: the unmodified discord.py client, and ways to see what came of it."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import discord
from aiohttp import BaseConnector

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import Link
from bot.platforms.discord.surface import DiscordSurface
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.contest import Tell
from tests.bench.chat.ours import CHOOSING, Ours
from tests.bench.chat.replicas import Channel, Replica
from tests.bench.chat.speech import Scene, Sight, Speech, faithful, read

TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Asked:
    """One request about a channel."""

    at: float
    """When the peer had it, by the clock of our loop."""
    status: int
    message: str
    text: str | None
    """What the message shows from then on; None where nothing of that changed."""


class Ground(Protocol):
    """A Discord with one bot that is logged in."""

    link: Link
    plain: Link
    """The same bot as others have it: nothing of ours between them and the client."""

    async def rooms(self, many: int) -> list[RoomKey]:
        """Make channels where nobody has written yet."""

    async def asked(self, room: RoomKey) -> list[Asked]:
        """List the requests about a channel so far."""


@dataclass(frozen=True, slots=True)
class PlainChannel:
    """A channel for a bot that writes messages."""

    channel: discord.PartialMessageable

    async def post(self, text: str) -> int:
        """Send a message."""
        return (await self.channel.send(text)).id

    async def edit(self, message: int, text: str) -> None:
        """Show another text in it."""
        await self.channel.get_partial_message(message).edit(content=text)

    async def fetch(self, message: int) -> None:
        """Look at it."""
        await self.channel.fetch_message(message)


@dataclass(frozen=True, slots=True)
class EmbedChannel:
    """A channel for a bot that writes embeds."""

    channel: discord.PartialMessageable

    async def post(self, text: str) -> int:
        """Send a message."""
        return (await self.channel.send(embed=discord.Embed(description=f"{text} ⚪"), silent=True)).id

    async def edit(self, message: int, text: str) -> None:
        """Show another text in it."""
        await self.channel.get_partial_message(message).edit(embed=discord.Embed(description=text))

    async def fetch(self, message: int) -> None:
        """Look at it."""
        await self.channel.fetch_message(message)


@asynccontextmanager
async def clients(token: str, connector: BaseConnector) -> AsyncGenerator[tuple[Link, Link]]:
    """Log a bot in twice: as the program does, which goes along with each request, and as others do."""
    link, plain = Link(), Link()
    nothing = discord.Intents.none()
    ours = discord.Client(intents=nothing, http_trace=link.trace(), connector=connector)
    async with ours, discord.Client(intents=nothing, connector=connector) as theirs:
        for login, bot in ((link, ours), (plain, theirs)):
            await bot.login(token)
            login.connect(bot)
        yield link, plain


def replica(ground: Ground, bot: Replica, pages: Callable[[discord.PartialMessageable], Channel]) -> Tell:
    """Have another bot's policy tell scenes."""

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await bot.answer(pages(ground.plain.channel(room)), speech.chunks())
        return seen(await ground.asked(room), speech)

    return tell


@asynccontextmanager
async def ours(ground: Ground, choosing: float = CHOOSING) -> AsyncGenerator[Ours]:
    """Have the product here."""
    board = Board(ground.link)
    program = Ours(DiscordSurface(ground.link, board), choosing)
    yield program
    await program.aclose()
    board.close()


@asynccontextmanager
async def product(ground: Ground, choosing: float = CHOOSING) -> AsyncGenerator[Tell]:
    """Have the product tell scenes; what it shows is held to be faithful, too."""
    async with ours(ground, choosing) as program:

        async def tell(room: RoomKey, speech: Speech) -> Scene:
            await program.tell(room, speech)
            asked = await ground.asked(room)
            faithful(speech, sights(asked))
            return seen(asked, speech)

        yield tell


def seen(asked: Sequence[Asked], speech: Speech) -> Scene:
    """Follow what was shown in a room."""
    return read(speech, sights(asked), len(asked), sum(each.status == TOO_MANY for each in asked))


def sights(asked: Sequence[Asked]) -> list[Sight]:
    """What readers saw."""
    return [Sight(each.at, each.message, each.text) for each in asked if each.text is not None]


def text_of(message: Any) -> str | None:
    """What a message says, in its content and its embeds; None where a body says nothing of either."""
    if not isinstance(message, dict) or not {"content", "embeds"} & message.keys():
        return None
    embeds = message.get("embeds") or []
    return f"{message.get('content') or ''}{''.join(embed.get('description', '') for embed in embeds)}"
