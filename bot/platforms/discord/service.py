"""Discord as a part of the program: connected for ever, and again after whatever went wrong."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import discord
import structlog
from discord.errors import ConnectionClosed, LoginFailure, PrivilegedIntentsRequired

from bot.platforms.discord.answers import Answers, mention
from bot.platforms.discord.board import Board
from bot.platforms.discord.client import StoryClient
from bot.platforms.discord.guilds import Guilds
from bot.platforms.discord.link import PLATFORM, Link, aim
from bot.platforms.discord.openings import Openings
from bot.platforms.discord.surface import LIMITS, DiscordSurface
from bot.platforms.discord.sync import CommandMemory, sync
from bot.platforms.discord.threads import INVITED
from bot.reception import Reception
from bot.serving import Backing, counted, returning
from bot.surface import RoomGone, SurfaceError
from bot.wording.voice import voice_of
from storyforge_core.domain.story import PlaythroughId, RoomKey, SceneId
from storyforge_core.errors import ServiceDown, SetupError

NOT_ACCEPTED = (
    "Discord does not accept DISCORD_TOKEN. Copy the bot's token anew: https://discord.com/developers/applications, "
    "your application, Bot, Reset Token."
)
REFUSED = (
    "Discord refuses the events that StoryForge asks for, although none of them needs approval. Look whether the bot "
    "was disabled: https://discord.com/developers/applications"
)

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the owner has decided about Discord."""

    token: str
    api_base: str = ""
    gateway_url: str = ""
    interaction_edits: bool = True
    """A scene's first message may be the answer to the click or command that began it."""
    guild: int | None = None
    memory: Path
    """The file that tells which commands Discord knows."""
    blocked: frozenset[int] = frozenset()
    """Servers where the bot is not to be."""


class Service:
    """Keeps a client connected; the stories in its rooms are presented through whichever is there."""

    def __init__(self, options: Options, backing: Backing) -> None:
        aim(options.api_base, options.gateway_url)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it tells stories, it does not talk
        self._options = options
        self._backing = backing
        self._link = Link()
        self._board = Board(self._link)
        self.openings = Openings(used=options.interaction_edits)
        self._surface = DiscordSurface(self._link, self._board, backing.clock.now, self.openings)
        self._guilds = Guilds(backing.rooms, backing.clock, options.blocked)
        blocked = frozenset(map(str, options.blocked))
        self._reception = Reception(backing.door, backing.peephole, backing.clock, self._attend, backing.rooms, blocked)
        self._answers = Answers(replace(voice_of(self._surface), mention=mention), LIMITS)
        self._welcomed = False
        self._board.open(self._reception, backing.presenter.mention)

    async def run(self) -> NoReturn:
        """Be connected for ever.

        Raises:
            SetupError: the owner has to change something first.
        """
        await returning(self._session)

    async def last_call(self, playthrough: PlaythroughId, scene: SceneId) -> None:
        """Count the votes under a question before it is decided; how long that may take is up to the caller.

        Raises:
            ServiceDown: the store is away.
        """
        await counted(PLATFORM, self._backing.rooms, self._board.count, playthrough, scene)

    async def ready(self, client: StoryClient) -> None:
        """Look where the bot is, now that Discord has told."""
        await self._guilds.look_round(client.guilds)

    async def invited(self, client: StoryClient, guild: discord.Guild) -> None:
        """Go on with a server's stories; it may also be the one that was to have the commands at once."""
        if await self._guilds.came(guild):
            await self._tell_commands(client)
            await self.reopened(guild.id)

    async def removed(self, guild: discord.Guild) -> None:
        """Note that a server's stories are shown nowhere any more."""
        await self._guilds.went(guild)

    async def reopened(self, guild: int) -> None:
        """Go on in the rooms of a server that could not be shown anything for a while."""
        for room in await self._backing.rooms.rooms(PLATFORM):
            if room.key.realm == str(guild):
                await self._attend(room.key)

    async def _session(self) -> None:
        """Be connected once, until that ends."""
        client = StoryClient(self._link, self._board, self._reception, self._answers, self)
        connected = asyncio.ensure_future(self._connected(client))
        try:
            await asyncio.wait({connected})
            _judge(connected.exception())
        except asyncio.CancelledError:
            await self._backing.presenter.aclose()  # the newest words, while there is still a connection
            raise
        finally:
            connected.cancel()
            self._link.connect(None)
            self._board.close()
            await client.close()  # where a connection is being made anew, discord.py hears of this and of no cancelling
            await asyncio.wait({connected})

    async def _connected(self, client: StoryClient) -> None:
        await client.login(self._options.token)
        self._link.connect(client)
        self._greet(client)
        await self._tell_commands(client)
        for room in await self._backing.rooms.rooms(PLATFORM):
            await self._attend(room.key)
        await client.connect(reconnect=True)

    async def _tell_commands(self, client: StoryClient) -> None:
        try:
            await sync(client.tree, self._options.guild, CommandMemory(self._options.memory))
        except RoomGone:
            log.warning("no commands yet: invite the bot to the server that DISCORD_GUILD names")

    async def _attend(self, room: RoomKey) -> None:
        await self._backing.presenter.attend(self._surface, room)

    def _greet(self, client: StoryClient) -> None:
        if not self._welcomed and client.application_id is not None:
            self._welcomed = True
            self._backing.welcome(invitation(client.application_id))


def invitation(application: int) -> str:
    """The link by which somebody invites the bot to their server."""
    return discord.utils.oauth_url(application, permissions=INVITED, scopes=("bot", "applications.commands"))


def _judge(error: BaseException | None) -> None:
    """Say whether it is worth coming back after a session that ended so.

    Raises:
        SetupError: it is not.
    """
    match error:
        case SetupError():
            raise error
        case LoginFailure() | ConnectionClosed(code=4004):
            raise SetupError(NOT_ACCEPTED) from error
        case PrivilegedIntentsRequired() | ConnectionClosed(code=4013 | 4014):
            raise SetupError(REFUSED) from error
        case None | SurfaceError() | ServiceDown() | ConnectionClosed() | discord.HTTPException() | OSError():
            log.warning("Discord is away", reason=str(error or "the connection was closed"))
        case _:  # an event that discord.py cannot read ends its loop with whatever it stumbled over
            log.error("the connection to Discord broke", exc_info=error)
