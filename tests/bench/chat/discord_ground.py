"""A Discord for bots to write on: the unmodified discord.py client, and the wire-level peer at the other end.

In virtual time both are in one loop, with a network in memory between them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
from aiohttp import BaseConnector

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import PLATFORM, Link, aim
from bot.platforms.discord.surface import DiscordSurface
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.contest import Tell
from tests.bench.chat.memory_wire import MemoryConnector
from tests.bench.chat.ours import Ours
from tests.bench.chat.replicas import Channel, Replica
from tests.bench.chat.speech import Scene, Sight, Speech, faithful, read
from tests.peers.discord.peer import PREFIX, DiscordPeer
from tests.peers.discord.server import Request
from tests.peers.discord.world import Clock

ONE_WAY = 0.075
"""Seconds from a bot at home to Discord, or back."""
TODAY = 1_790_000_000.0
TOO_MANY = 429


class LoopClock(Clock):
    """Time as the loop has it, on some day."""

    def __call__(self) -> float:
        """Seconds since 1970."""
        return TODAY + asyncio.get_running_loop().time() + self.ahead


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


@dataclass(frozen=True, slots=True)
class Ground:
    """The peer and one bot that is logged in."""

    peer: DiscordPeer
    client: discord.Client
    link: Link

    def rooms(self, many: int) -> list[RoomKey]:
        """Channels where nobody has written yet."""
        guild = self.peer.guild("Friends")
        taken = len(guild.guild.channels)
        return [RoomKey(PLATFORM, str(guild.text(f"c{taken + n}").id), str(guild.id)) for n in range(many)]

    def requests_in(self, room: RoomKey) -> list[Request]:
        """What was asked about a channel."""
        return [each for each in self.peer.requests if f"/channels/{room.address}/messages" in each.path]


def sights(requests: Sequence[Request]) -> list[Sight]:
    """What readers saw of the requests that were granted."""
    return [
        Sight(each.at - TODAY, each.answer["id"], _text(each.answer))
        for each in requests
        if each.method in {"POST", "PATCH"} and isinstance(each.answer, dict) and "content" in each.answer
    ]


def refused(requests: Sequence[Request]) -> int:
    """How many there were too many of."""
    return sum(each.status == TOO_MANY for each in requests)


def _text(message: dict[str, list[dict[str, str]]]) -> str:
    return f"{message['content']}{''.join(embed.get('description', '') for embed in message['embeds'])}"


@asynccontextmanager
async def in_memory() -> AsyncGenerator[Ground]:
    """Everything in this loop, for virtual time."""
    peer = DiscordPeer()
    peer.world.clock = LoopClock()
    async with peer:
        aim(f"http://discord.example{PREFIX}", "")
        assert peer._runner is not None
        assert peer._runner.server is not None
        async with client(peer.token, MemoryConnector(peer._runner.server, ONE_WAY)) as (logged_in, link):
            yield Ground(peer, logged_in, link)


@asynccontextmanager
async def client(token: str, connector: BaseConnector) -> AsyncGenerator[tuple[discord.Client, Link]]:
    """Log a bot in; the product's answers are listened to, as in the program."""
    link = Link()
    nothing = discord.Intents.none()
    async with discord.Client(intents=nothing, http_trace=link.trace(), connector=connector) as bot:
        await bot.login(token)
        link.connect(bot)
        yield bot, link


def replica(ground: Ground, bot: Replica, pages: Callable[[discord.PartialMessageable], Channel]) -> Tell:
    """Have another bot's policy tell scenes."""

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await bot.answer(pages(ground.link.channel(room)), speech.chunks())
        return seen(ground, room, speech)

    return tell


@asynccontextmanager
async def product(ground: Ground, choosing: float = 0.0) -> AsyncGenerator[Tell]:
    """Have the product tell scenes; what it shows is held to be faithful, too."""
    board = Board(ground.link)
    ours = Ours(DiscordSurface(ground.link, board), choosing)

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        await ours.tell(room, speech)
        faithful(speech, sights(ground.requests_in(room)))
        return seen(ground, room, speech)

    yield tell
    await ours.aclose()
    board.close()


def seen(ground: Ground, room: RoomKey, speech: Speech) -> Scene:
    """Follow what was shown in a room."""
    requests = ground.requests_in(room)
    return read(speech, sights(requests), len(requests), refused(requests))
