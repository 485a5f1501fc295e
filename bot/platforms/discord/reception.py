"""Where people's commands are taken in: who asks, from where, and what they are answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import discord
import structlog

from bot.platforms.discord.link import PLATFORM, Interaction
from storyforge_core.domain.commands import Command, Incoming, NewStory, Speaker, Surroundings, Vote
from storyforge_core.domain.replies import Declined, Repeated, Reply
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Clock, ShownScene

BLOCKED = "Whoever runs this bot has decided that it tells no stories on this server."
_WITH_AGE = (
    discord.Thread,
    discord.TextChannel,
    discord.VoiceChannel,
    discord.StageChannel,
    discord.ForumChannel,
)

log = structlog.stdlib.get_logger()


class Door(Protocol):
    """Where commands go."""

    async def handle(self, incoming: Incoming) -> Reply:
        """Do what is asked, or say in a sentence why not."""

    async def objection(self, incoming: Incoming) -> Reply | None:
        """Say why no story can begin there, before a place is made for it; None when one can."""


class Scenes(Protocol):
    """Where one learns what a message tells."""

    async def scene_in(self, key: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message of a room tells; None when it tells none."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody in a room."""

    room: RoomKey
    speaker: Speaker
    around: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Reception:
    """Passes on what people ask, and has the room shown what came of it."""

    door: Door
    peephole: Door
    """For what nobody can be told to ask less of: it does not count how often one asks."""
    clock: Clock
    attend: Callable[[RoomKey], Awaitable[None]]
    """Has a room shown what happens in its story, from now on."""
    scenes: Scenes
    blocked: frozenset[str] = frozenset()
    """Realms in which nobody is served."""

    async def ask(self, asker: Asker, command: Command, event: str) -> Reply:
        """Do what somebody asks."""
        return await self._do(self.door, asker, command, event)

    async def look(self, asker: Asker, command: Command) -> Reply:
        """Look something up for somebody who is still typing, or before a form is opened."""
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        return await self.peephole.handle(self._incoming(asker, command, str(self.clock.new_id())))

    async def objection(self, asker: Asker, command: NewStory) -> Reply | None:
        """Say why no story can begin there; None when one can."""
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        return await self.door.objection(self._incoming(asker, command, ""))

    async def begin(self, asker: Asker, command: NewStory, event: str) -> Reply:
        """Begin a story to which there was no objection; asking that was counted already."""
        return await self._do(self.peephole, asker, command, event)

    async def scene_in(self, room: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message tells."""
        return await self.scenes.scene_in(room, message)

    async def react(self, asker: Asker, position: int, event: str) -> None:
        """Count a reaction that is seen as it is made: also one that was taken away and made again."""
        if isinstance(await self._do(self.peephole, asker, Vote(position), event), Repeated):
            await self._do(self.peephole, asker, Vote(position), str(self.clock.new_id()))

    async def catch_up(self, asker: Asker, position: int, event: str) -> None:
        """Count a reaction that is found: only if it never was counted, since later votes are worth more."""
        await self._do(self.peephole, asker, Vote(position), event)

    async def _do(self, door: Door, asker: Asker, command: Command, event: str) -> Reply:
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        reply = await door.handle(self._incoming(asker, command, event))
        try:
            await self.attend(asker.room)
        except ServiceDown as down:  # the command after this one will do it
            log.warning("room not attended", room=asker.room.address, reason=str(down))
        return reply

    def _incoming(self, asker: Asker, command: Command, event: str) -> Incoming:
        return Incoming(event, asker.room, asker.speaker, command, self.clock.now(), asker.around)


def asker_of(interaction: Interaction) -> Asker:
    """Who has typed a command or pressed a button, and where."""
    realm = str(interaction.guild_id or "")
    powers = interaction.permissions if realm else discord.Permissions.none()
    asking = replace(speaker(interaction.user, powers), private=True)  # interactions are answered so
    place = RoomKey(PLATFORM, str(interaction.channel_id), realm)
    return Asker(place, asking, _surroundings(interaction.channel, place))


def asker_of_message(message: discord.Message) -> Asker:
    """Who has written a message, and where."""
    author, realm = message.author, str(message.guild.id if message.guild else "")
    powers = author.guild_permissions if isinstance(author, discord.Member) else discord.Permissions.none()
    place = RoomKey(PLATFORM, str(message.channel.id), realm)
    return Asker(place, speaker(author, powers), _surroundings(message.channel, place))


def speaker(user: discord.abc.User, powers: discord.Permissions | None = None) -> Speaker:
    """A person of Discord, by the name that this place knows them under, with what they may do there."""
    powers = powers or discord.Permissions.none()
    roles = tuple(str(role.id) for role in user.roles) if isinstance(user, discord.Member) else ()
    return Speaker(
        PLATFORM,
        str(user.id),
        user.display_name,
        moderator=powers.manage_guild or powers.manage_messages,
        manager=powers.manage_guild,
        roles=roles,
    )


def _surroundings(channel: object, place: RoomKey) -> Surroundings:
    """The channel that a place is in; a thread is as open to minors as that is."""
    outer = str(channel.parent_id) if isinstance(channel, discord.Thread) else place.address
    return Surroundings(outer, adults=isinstance(channel, _WITH_AGE) and channel.is_nsfw())
