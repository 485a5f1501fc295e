"""What the health report says of Discord: whether the bot can log in, and what it lacks where it tells stories."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import discord
from discord.errors import ConnectionClosed, LoginFailure, PrivilegedIntentsRequired

from bot.platforms.discord.client import INTENTS
from bot.platforms.discord.link import aim, hang_up
from bot.platforms.discord.service import NOT_ACCEPTED, REFUSED, Options, invitation
from storyforge_core.domain.story import RoomKey
from storyforge_core.domain.writing import Finding

NAME = "Discord"
READY_SECONDS = 20.0
"""How long the gateway may take to say that it is ready."""
LAST_SERVER_SECONDS = 0.5
"""After so long without another server all of them are there."""
NEEDED = (
    ("view_channel", "View Channel"),
    ("read_message_history", "Read Message History"),
    ("add_reactions", "Add Reactions"),
)
FILES = ("attach_files", "Attach Files")
"""discord.py takes it for missing wherever nothing can be written."""
IN_CHANNEL = ("send_messages", "Send Messages")
IN_THREAD = ("send_messages_in_threads", "Send Messages in Threads")

Place = discord.abc.GuildChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing in a room."""

    where: str
    missing: tuple[str, ...] = ()
    """Permissions by their names in Discord; none when the room itself is missing."""


async def examine(options: Options, rooms: Sequence[RoomKey] = ()) -> list[Finding]:
    """Log in, look at the servers and at the rooms with stories, and leave again."""
    aim(options.api_base, options.gateway_url)
    try:
        async with _connected(options.token) as client:
            lacks = dict.fromkeys([lack for guild in client.guilds for lack in await _lacks(guild, rooms)])
            troubled = [*_strangers(client, rooms), *map(_told, lacks)]
            return [_servers(client), *(troubled or _fine(rooms))]
    except (LoginFailure, ConnectionClosed, PrivilegedIntentsRequired) as error:
        refused = isinstance(error, PrivilegedIntentsRequired) or getattr(error, "code", 0) in {4013, 4014}
        return [Finding(NAME, "fail", REFUSED if refused else NOT_ACCEPTED)]
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        return [Finding(NAME, "fail", f"cannot be reached from here: {str(error) or 'no answer'}")]


@asynccontextmanager
async def _connected(token: str) -> AsyncIterator[discord.Client]:
    """A client that has heard of its servers.

    Raises:
        discord.DiscordException: it is not let in.
        TimeoutError: the gateway does not answer.
    """
    async with discord.AutoShardedClient(
        intents=INTENTS, chunk_guilds_at_startup=False, max_messages=None, guild_ready_timeout=LAST_SERVER_SECONDS
    ) as client:
        await client.login(token)
        connection = asyncio.ensure_future(client.connect(reconnect=False))
        ready = asyncio.ensure_future(client.wait_until_ready())
        try:
            async with asyncio.timeout(READY_SECONDS):
                await asyncio.wait({connection, ready}, return_when=asyncio.FIRST_COMPLETED)
            if connection.done():
                connection.result()
            yield client
        finally:
            for task in (ready, connection):
                task.cancel()
            await asyncio.wait({ready, connection})
            await hang_up(client)


async def _lacks(guild: discord.Guild, rooms: Sequence[RoomKey]) -> list[Lack]:
    """Look at the rooms of a server; archived threads are asked for one by one."""
    mine = [room for room in rooms if room.realm == str(guild.id)]
    found = [(room, await _place(guild, int(room.address))) for room in mine if room.address.isdecimal()]
    lacks = (_lack(guild, room, place) for room, place in found)
    return [lack for lack in lacks if lack is not None]


async def _place(guild: discord.Guild, address: int) -> Place | None:
    """Find a channel or thread; None where there is none, or none that the bot may see."""
    known = guild.get_channel_or_thread(address)
    if known is not None:
        return known
    try:
        fetched = await guild.fetch_channel(address)
    except (discord.NotFound, discord.Forbidden):
        return None
    return fetched


def _lack(guild: discord.Guild, room: RoomKey, place: Place | None) -> Lack | None:
    if place is None:
        return Lack(f"a channel of {guild.name} ({room.address})")
    has = place.permissions_for(guild.me)
    writing = IN_THREAD if isinstance(place, discord.Thread) else IN_CHANNEL
    needed = (*NEEDED, FILES if getattr(has, writing[0]) else writing)
    missing = tuple(name for attribute, name in needed if not getattr(has, attribute))
    home = place.parent if isinstance(place, discord.Thread) else place
    return Lack(f"#{home.name if home else place.name} of {guild.name}", missing) if missing else None


def _told(lack: Lack) -> Finding:
    if not lack.missing:
        gone = "holds a story, but is deleted or hidden from me. If it is hidden, allow my role View Channel there."
        return Finding(f"{NAME} room", "warn", f"{lack.where} {gone}")
    how = "Edit Channel, Permissions, my role"
    return Finding(f"{NAME} room", "warn", f"in {lack.where} allow me {', '.join(lack.missing)}: {how}")


def _servers(client: discord.Client) -> Finding:
    if not client.guilds:
        return Finding(NAME, "warn", f"nobody has invited the bot yet: {invitation(client.application_id or 0)}")
    return Finding(NAME, "ok", f"{client.user} is in {', '.join(guild.name for guild in client.guilds)}")


def _strangers(client: discord.Client, rooms: Sequence[RoomKey]) -> list[Finding]:
    """Rooms in servers that the bot has left."""
    known = {str(guild.id) for guild in client.guilds} | {""}
    lost = sum(room.realm not in known for room in rooms)
    if not lost:
        return []
    link = invitation(client.application_id or 0)
    return [Finding(f"{NAME} room", "warn", f"{lost} with stories in servers where I am no more; to be back: {link}")]


def _fine(rooms: Sequence[RoomKey]) -> list[Finding]:
    """One line for all rooms where nothing is missing."""
    if not rooms:
        return []
    return [Finding(f"{NAME} rooms", "ok", f"{len(rooms)} with stories, and I am allowed there what I need")]
