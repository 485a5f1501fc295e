"""The wire-level Discord in this loop, with a network in memory before it: for virtual time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.platforms.discord.link import PLATFORM, Link, aim
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.discord_ground import Asked, client, text_of
from tests.bench.chat.memory_wire import MemoryConnector
from tests.peers.discord.peer import PREFIX, DiscordPeer
from tests.peers.discord.server import Request
from tests.peers.discord.world import Clock

ONE_WAY = 0.075
"""Seconds from a bot at home to Discord, or back."""


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
    clock: LoopClock

    async def rooms(self, many: int) -> list[RoomKey]:
        """Make channels where nobody has written yet."""
        guild = self.peer.guild("Friends")
        taken = len(guild.guild.channels)
        return [RoomKey(PLATFORM, str(guild.text(f"c{taken + n}").id), str(guild.id)) for n in range(many)]

    async def asked(self, room: RoomKey) -> list[Asked]:
        """List the requests about a channel so far."""
        return [self._asked(each) for each in self.peer.requests if f"/channels/{room.address}/messages" in each.path]

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
        async with client(peer.token, MemoryConnector(peer._runner.server, ONE_WAY)) as link:
            yield MemoryGround(peer, link, clock)
