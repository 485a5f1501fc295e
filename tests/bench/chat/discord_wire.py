"""The wire-level Discord in a process and on a core of its own: real sockets, real time."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.platforms.discord.link import PLATFORM, Link, aim
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.discord_ground import Asked, client, text_of

ROOT = Path(__file__).parents[3]
SETUP = 300.0
"""Seconds for a Discord to write everything down that happened there."""


@dataclass(slots=True)
class WireGround:
    """The peer's outside and one bot that is logged in."""

    link: Link
    url: str
    http: aiohttp.ClientSession
    began: float
    """What has to be taken from the peer's clock to get our loop's."""

    async def rooms(self, many: int) -> list[RoomKey]:
        """Make channels where nobody has written yet."""
        taken = len(await self._channels())
        for number in range(taken, taken + many):
            said = {"who": "Ann", "do": "message", "channel": f"c{number}", "text": "Go on."}
            async with self.http.post(f"{self.url}/peer/human", json=said) as done:
                done.raise_for_status()
        made = [each["id"] for each in await self._channels() if each["name"] in _names(taken, many)]
        return [RoomKey(PLATFORM, each, "") for each in made]

    async def asked(self, room: RoomKey) -> list[Asked]:
        """List the requests about a channel so far."""
        seen = (await self._state())["requests"]
        return [self._asked(each) for each in seen if f"/channels/{room.address}/messages" in each["path"]]

    def _asked(self, request: dict[str, Any]) -> Asked:
        text = text_of(request["json"]) if request["status"] in {200, 201} else None
        place = request["path"].partition("/messages")[2] or str(request["at"])
        return Asked(request["at"] - self.began, request["status"], place, text)

    async def _channels(self) -> list[dict[str, Any]]:
        guilds: dict[str, list[dict[str, Any]]] = (await self._state())["guilds"]
        return [channel for channels in guilds.values() for channel in channels]

    async def _state(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/peer/state") as answer:
            state: dict[str, Any] = await answer.json()
            return state


def _names(first: int, many: int) -> set[str]:
    return {f"c{number}" for number in range(first, first + many)}


@asynccontextmanager
async def on_the_wire() -> AsyncGenerator[WireGround]:
    """Run the peer on the last core, and everything of ours on the first."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    command = [sys.executable, "-m", "tests.peers.discord"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as peer:  # noqa: ASYNC220
        os.sched_setaffinity(0, {min(cores)})
        assert peer.stdout
        api, gateway, token = (await asyncio.to_thread(peer.stdout.readline)).split()
        aim(api, gateway)
        wait = aiohttp.ClientTimeout(SETUP)
        async with client(token, aiohttp.TCPConnector(limit=0)) as link, aiohttp.ClientSession(timeout=wait) as http:
            yield WireGround(link, api.partition("/api")[0], http, time.time() - asyncio.get_running_loop().time())
        peer.terminate()
    os.sched_setaffinity(0, cores)
