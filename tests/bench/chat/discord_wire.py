"""The wire-level Discord in a process and on a core of its own: real sockets, real time."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.platforms.discord.link import PLATFORM, Link, aim
from storyforge_core.domain.story import RoomKey
from tests.bench.chat.discord_ground import Asked, clients, text_of

ROOT = Path(__file__).parents[3]
SETUP = 300.0
"""Seconds for a Discord to write everything down that happened there."""
SOMEBODY = "Ann"
GRANTED = 200
Json = dict[str, Any]


@dataclass(slots=True)
class WireGround:
    """The peer's outside and one bot that is logged in."""

    link: Link
    plain: Link
    url: str
    http: aiohttp.ClientSession
    began: float
    """What has to be taken from the peer's clock to get our loop's."""

    async def rooms(self, many: int) -> list[RoomKey]:
        """Make channels where nobody has written yet."""
        taken = len(await self._channels())
        for number in range(taken, taken + many):
            said = {"who": SOMEBODY, "do": "message", "channel": f"c{number}", "text": "Go on."}
            async with self.http.post(f"{self.url}/peer/human", json=said) as done:
                done.raise_for_status()
        made = [each["id"] for each in await self._channels() if each["name"] in _names(taken, many)]
        return [RoomKey(PLATFORM, each, "") for each in made]

    async def asked(self, room: RoomKey) -> list[Asked]:
        """List the requests about a channel so far."""
        return (await self.asked_in([room]))[0]

    async def asked_in(self, rooms: Sequence[RoomKey]) -> list[list[Asked]]:
        """List the requests about each of some channels so far."""
        state = await self._state()
        channels = {channel["id"]: channel for channels in state["guilds"].values() for channel in channels}
        return [self._asked_about(channels[room.address], state["requests"]) for room in rooms]

    def _asked_about(self, channel: Json, requests: Sequence[Json]) -> list[Asked]:
        """Read its requests; the peer does not say which message a post became, but they are in order."""
        place = f"/channels/{channel['id']}/messages"
        posted = iter([message["id"] for message in channel["messages"] if message["author"] != SOMEBODY])
        asked = []
        for request in requests:
            if request["path"].startswith(place):
                granted = request["status"] == GRANTED
                message = next(posted) if granted and request["path"] == place else request["path"].rpartition("/")[2]
                text = text_of(request["json"]) if granted else None
                asked.append(Asked(request["at"] - self.began, request["status"], message, text))
        return asked

    async def _channels(self) -> list[Json]:
        guilds: dict[str, list[Json]] = (await self._state())["guilds"]
        return [channel for channels in guilds.values() for channel in channels]

    async def _state(self) -> Json:
        async with self.http.get(f"{self.url}/peer/state") as answer:
            state: Json = await answer.json()
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
        outside = aiohttp.ClientSession(timeout=wait)
        async with clients(token, aiohttp.TCPConnector(limit=0)) as (link, plain), outside as http:
            ahead = time.time() - asyncio.get_running_loop().time()
            yield WireGround(link, plain, api.partition("/api")[0], http, ahead)
        peer.terminate()
    os.sched_setaffinity(0, cores)
