"""The wire-level Discord in this loop, with a network in memory before it: for virtual time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import discord

from bot.platforms.discord.board import Board
from bot.platforms.discord.link import PLATFORM, Interaction, Link, aim
from bot.platforms.discord.openings import Openings
from bot.platforms.discord.surface import DiscordSurface
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import RoomKey, RunId
from tests.bench.chat.contest import Tell
from tests.bench.chat.discord_ground import Asked, clients, seen, sights, text_of
from tests.bench.chat.memory_wire import MemoryConnector
from tests.bench.chat.ours import Ours
from tests.bench.chat.speech import Scene, Speech, faithful
from tests.peers.discord.peer import PREFIX, DiscordPeer
from tests.peers.discord.server import Request
from tests.peers.discord.shapes import interaction_shape
from tests.peers.discord.world import Clock

ONE_WAY = 0.075
"""Seconds from a bot at home to Discord, or back."""
COMMAND = 2
"""The kind of interaction that a slash command is."""


class LoopClock(Clock):
    """Time as the loop has it, from today on: a message that is new here is not old for a client either."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.time() - asyncio.get_running_loop().time()

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.began + asyncio.get_running_loop().time() + self.ahead


@dataclass(slots=True)
class MemoryGround:
    """The peer and one bot that is logged in."""

    peer: DiscordPeer
    link: Link
    plain: Link
    clock: LoopClock
    clicked: dict[str, str] = field(default_factory=dict)
    """The newest interaction's token in each room."""

    async def rooms(self, many: int) -> list[RoomKey]:
        """Make channels where nobody has written yet."""
        guild = self.peer.guild("Friends")
        taken = len(guild.guild.channels)
        return [RoomKey(PLATFORM, str(guild.text(f"c{taken + n}").id), str(guild.id)) for n in range(many)]

    async def asked(self, room: RoomKey) -> list[Asked]:
        """List the requests about a channel so far."""
        places = [f"/channels/{room.address}/messages"]
        if room.address in self.clicked:
            places.append(f"/{self.clicked[room.address]}")
        return [self._asked(each) for each in self.peer.requests if any(place in each.path for place in places)]

    def click(self, room: RoomKey) -> Interaction:
        """Have somebody type a command there, and see it as the client does."""
        guild = self.peer.guild("Friends")
        channel = guild.guild.channels[int(room.address)]
        command = {"id": "1", "name": "story", "type": 1}
        asked = self.peer.world.ask(COMMAND, guild.member("Ann").user, channel, command)
        self.clicked[room.address] = asked.token
        told: Any = interaction_shape(asked, self.peer.world.bot)
        return discord.Interaction(data=told, state=self.link.client._connection)

    def _asked(self, request: Request) -> Asked:
        text = text_of(request.answer) if request.method in {"POST", "PATCH"} else None
        return Asked(request.at - self.clock.began, request.status, "" if text is None else request.answer["id"], text)


@asynccontextmanager
async def in_memory() -> AsyncGenerator[MemoryGround]:
    """Have everything in this loop."""
    peer = DiscordPeer()
    peer.world.clock = clock = LoopClock()
    async with peer:
        aim(f"http://discord.example{PREFIX}", "")
        assert peer._runner is not None
        assert peer._runner.server is not None
        async with clients(peer.token, MemoryConnector(peer._runner.server, ONE_WAY)) as (link, plain):
            yield MemoryGround(peer, link, plain, clock)


@asynccontextmanager
async def by_both_ways(ground: MemoryGround) -> AsyncGenerator[Tell]:
    """Have the product tell scenes that somebody has asked for, so that the answer's own limit counts as well."""
    board, openings = Board(ground.link), Openings(used=True)
    program = Ours(DiscordSurface(ground.link, board, openings=openings))

    async def tell(room: RoomKey, speech: Speech) -> Scene:
        run = RunId(uuid4())
        accepted: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        accepted.set_result(Accepted("", run))
        answering = asyncio.create_task(openings.answered(ground.click(room), room, accepted))
        await program.tell(room, speech, run)
        assert await answering
        asked = await ground.asked(room)
        faithful(speech, sights(asked))
        return seen(asked, speech)

    yield tell
    await program.aclose()
    board.close()
