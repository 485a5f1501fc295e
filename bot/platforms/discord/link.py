"""The connection to Discord as the rest sees it: the client of the moment, where it is, and what it may still do."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Self

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from yarl import URL

from bot.platforms.discord.turns import Turns
from bot.platforms.discord.ways import Ways
from bot.surface import Allowance, Pace, RoomGone, SurfaceDown
from storyforge_core.domain.story import RoomKey

PLATFORM = "discord"
PACE = Pace()
NO_PINGS = discord.AllowedMentions.none()
MARKED = (discord.Thread, discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)
"""What may be marked as a place for adults."""
TOO_MANY = 429
GRACE = 0.05
"""Seconds that discord.py gets to end its own wait first."""
_EDITED = re.compile(r".*/channels/(\d+)/messages/(\d+)")
_UNCOUNTED = re.compile(r"/(interactions|webhooks)/")
"""Answers to people have limits of their own only."""

log = structlog.stdlib.get_logger()

Client = discord.Client
Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer of Discord's told about one of its limits."""

    limit: int
    remaining: int
    resets: float
    """By the clock of the event loop: a request that leaves then finds the limit whole again."""
    bucket: str = ""
    """How Discord calls the limit; empty where it does not say."""

    @classmethod
    def of(cls, headers: Mapping[str, str], saved: float = 0.0) -> Self | None:
        """Read it, as `saved` says how much sooner it ends than the answer tells; None where nothing is told."""
        if "X-RateLimit-Remaining" not in headers:
            return None
        resets = _now() + float(headers.get("X-RateLimit-Reset-After", 0)) - saved
        limit, remaining = int(headers.get("X-RateLimit-Limit", PACE.burst)), int(headers["X-RateLimit-Remaining"])
        return cls(limit, remaining, resets, headers.get("X-RateLimit-Bucket", ""))

    def left(self) -> Allowance:
        """Say what is left of it now."""
        left = self.resets - _now()
        return Allowance(self.remaining, left) if left > 0 else Allowance(self.limit, PACE.per)


class Link:
    """Holds the client: a new one takes the place of one that broke, and nobody else notices."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._told: dict[str, Told] = {}
        self._unheard: dict[int, asyncio.Event] = {}
        """The messages that are being edited; set as soon as Discord has done it."""
        self._lingering: dict[asyncio.Future[object], str] = {}
        """Edits that are done, with their rooms: discord.py waits in them for the next window."""
        self._turns = Turns()
        self._ways = Ways()
        self._waited: dict[str, float] = {}
        """How long the newest edit in each room waited for that."""

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

    def most_bytes(self, room: RoomKey) -> int:
        """How large a file may be in a room; servers that pay for it take larger ones."""
        guild = self.client.get_guild(int(room.realm)) if room.realm else None
        return guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    def adults(self, room: RoomKey) -> bool:
        """Tell whether a room is marked as one for adults; one that is not known is not."""
        place = self.client.get_channel(int(room.address)) if room.address.isdecimal() else None
        return isinstance(place, MARKED) and place.is_nsfw()

    def allowance(self, room: RoomKey) -> Allowance | None:
        """Say what the newest answer told about further edits in a room."""
        told = self._told.get(room.address)
        return replace(told.left(), waited=self._waited.get(room.address, 0.0)) if told else None

    async def edited(self, room: RoomKey, message: int, edit: Awaitable[object]) -> None:
        """Have a message edited, and return when it is.

        discord.py returns from the last edit that a limit takes only when there is room for the next, seconds later;
        whoever waits for that cannot go another way meanwhile.
        """
        self._count_anew(room)
        editing = asyncio.ensure_future(edit)
        heard = asyncio.ensure_future(self._unheard.setdefault(message, asyncio.Event()).wait())
        try:
            await asyncio.wait({editing, heard}, return_when=asyncio.FIRST_COMPLETED)
            if editing.done():
                await editing
                return
            self._lingering[editing] = room.address
            editing.add_done_callback(self._over)
        except asyncio.CancelledError:
            editing.cancel()
            raise
        finally:
            heard.cancel()
            self._unheard.pop(message, None)

    def _count_anew(self, room: RoomKey) -> None:
        """Have discord.py know that a window is over, if it is: by itself it would wait for as long as both ways."""
        told = self._told.get(room.address)
        if told is None or not told.bucket or told.resets > _now():
            return
        for edit in [edit for edit, where in self._lingering.items() if where == room.address]:
            edit.cancel()
        self.client.http.get_ratelimit(f"{told.bucket}:{room.address}").reset()  # type: ignore[no-untyped-call]

    def _over(self, edit: asyncio.Future[object]) -> None:
        self._lingering.pop(edit, None)
        if not edit.cancelled() and (error := edit.exception()) is not None:
            log.info("edit ended badly after it was done", reason=str(error))

    def trace(self) -> aiohttp.TraceConfig:
        """What a client needs for its answers to be listened to."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._leaves)
        config.on_request_headers_sent.append(self._left)
        config.on_request_end.append(self._answered)
        return config

    async def _leaves(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestStartParams
    ) -> None:
        """Have a request wait for its turn among those of all rooms, whatever it is about."""
        if _UNCOUNTED.search(request.url.path):
            return
        wait = self._turns.take()
        if request.method == "PATCH" and (edited := _EDITED.fullmatch(request.url.path)):
            self._waited[edited[1]] = wait
        await self._turns.wait(wait)

    async def _left(
        self, _session: aiohttp.ClientSession, context: SimpleNamespace, _request: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        context.left = _now()  # it has its turn and its connection

    async def _answered(
        self, _session: aiohttp.ClientSession, context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        headers = answer.response.headers
        self._ways.took(_now() - context.left)
        if "X-RateLimit-Global" in headers:
            self._let_go_later(float(headers.get("Retry-After", PACE.per)))
        edited = _EDITED.fullmatch(answer.url.path)
        if answer.method != "PATCH" or edited is None:
            return
        if answer.response.status == TOO_MANY:
            self._ways.mistrust()
        told = Told.of(headers, self._ways.saved)
        if told is None:
            return
        self._told[edited[1]] = told
        if answer.response.ok and not told.remaining and (waiting := self._unheard.get(int(edited[2]))):
            waiting.set()

    def _let_go_later(self, seconds: float) -> None:
        """See to it that requests go on after a limit of all together.

        discord.py holds them back until the one request that was refused has waited; if that one is given up
        meanwhile, it would hold them back for ever.
        """
        client = self._client
        if client is not None:
            asyncio.get_running_loop().call_later(seconds + GRACE, client.http._global_over.set)  # noqa: SLF001


def _now() -> float:
    return asyncio.get_running_loop().time()


async def hang_up(client: Client) -> None:
    """Close the connections that a closed client still keeps alive: discord.py forgets one that was just being made.

    Forgotten, its thread goes on for a minute, and stumbles over an event loop that is no more.
    """
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and thread.ws._connection is client._connection:  # noqa: SLF001
            await thread.ws.close(code=1000)


def aim(api_base: str, gateway_url: str) -> None:
    """Have discord.py talk to another server than Discord's own; these two places are where it looks for them."""
    if api_base:
        Route.BASE = api_base
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
