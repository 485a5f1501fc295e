"""The connection to Discord as the rest sees it: the client of the moment, where it is, and what it may still do."""

import asyncio
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.surface import Allowance, Pace, RoomGone, SurfaceDown
from storyforge_core.domain.story import RoomKey

PLATFORM = "discord"
PACE = Pace()
NO_PINGS = discord.AllowedMentions.none()
TURNS = 48.0
"""Requests a second of all rooms together: Discord refuses a bot's fifty-first."""
GRACE = 0.05
"""Seconds that discord.py gets to end its own wait first."""
_EDITED = re.compile(r".*/channels/(\d+)/messages/\d+")

Client = discord.Client
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class _Told:
    limit: int
    remaining: int
    resets: float
    """By the clock of the event loop."""


class Link:
    """Holds the client: a new one takes the place of one that broke, and nobody else notices."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._told: dict[str, _Told] = {}
        self._turn = float("-inf")
        """When the newest request went out, or will."""

    def connect(self, client: Client | None) -> None:
        """Use another client from now on; None while there is none."""
        self._client = client

    @property
    def client(self) -> Client:
        """The client of the moment.

        Raises:
            SurfaceDown: there is none just now.
        """
        if self._client is None:
            raise SurfaceDown("Discord is not connected.")
        return self._client

    def channel(self, room: RoomKey) -> discord.PartialMessageable:
        """The channel or thread that is a room.

        Raises:
            SurfaceDown: nothing is connected.
            RoomGone: no channel has such an address.
        """
        if not room.address.isdecimal():
            raise RoomGone(f"{room.address} is no channel of Discord.")
        guild = int(room.realm) if room.realm else None
        return self.client.get_partial_messageable(int(room.address), guild_id=guild)

    async def turn(self) -> None:
        """Wait for a turn among the requests of all rooms: Discord refuses a bot that sends too many in a second."""
        now = asyncio.get_running_loop().time()
        self._turn = max(now, self._turn + 1 / TURNS)
        if self._turn > now:
            await asyncio.sleep(self._turn - now)

    def allowance(self, room: RoomKey) -> Allowance | None:
        """Say what the newest answer told about further edits in a room."""
        told = self._told.get(room.address)
        if told is None:
            return None
        now = asyncio.get_running_loop().time()
        left, queued = told.resets - now, max(self._turn - now, 0.0)
        if left > 0:
            return Allowance(told.remaining, left, queued=queued)
        return Allowance(told.limit, PACE.per, queued=queued)

    def trace(self) -> aiohttp.TraceConfig:
        """What a client needs for its answers to be listened to."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._answered)
        return config

    async def _answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        headers = answer.response.headers
        if "X-RateLimit-Global" in headers:
            self._let_go_later(float(headers.get("Retry-After", PACE.per)))
        edited = _EDITED.fullmatch(answer.url.path)
        if answer.method != "PATCH" or edited is None or "X-RateLimit-Remaining" not in headers:
            return
        resets = asyncio.get_running_loop().time() + float(headers.get("X-RateLimit-Reset-After", 0))
        limit, remaining = int(headers.get("X-RateLimit-Limit", PACE.burst)), int(headers["X-RateLimit-Remaining"])
        self._told[edited[1]] = _Told(limit, remaining, resets)

    def _let_go_later(self, seconds: float) -> None:
        """See to it that requests go on after a limit of all together.

        discord.py holds them back until the one request that was refused has waited; if that one is given up
        meanwhile, it would hold them back for ever.
        """
        client = self._client
        if client is not None:
            asyncio.get_running_loop().call_later(seconds + GRACE, client.http._global_over.set)  # noqa: SLF001


def aim(api_base: str, gateway_url: str) -> None:
    """Have discord.py talk to another server than Discord's own; these two places are where it looks for them."""
    if api_base:
        Route.BASE = api_base
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
