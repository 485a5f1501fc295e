"""Where people's commands are taken in: who asks, from where, and what they are answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import discord
import structlog

from bot.platforms.discord.link import PLATFORM, Interaction
from storyforge_core.domain.commands import Command, Incoming, Speaker, Vote
from storyforge_core.domain.replies import Repeated, Reply
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Clock

log = structlog.stdlib.get_logger()


class Door(Protocol):
    """Where commands go."""

    async def handle(self, incoming: Incoming) -> Reply:
        """Do what is asked, or say in a sentence why not."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody in a room."""

    room: RoomKey
    speaker: Speaker


@dataclass(frozen=True, slots=True)
class Reception:
    """Passes on what people ask, and has the room shown what came of it."""

    door: Door
    peephole: Door
    """For what nobody can be told to ask less of: it does not count how often one asks."""
    clock: Clock
    attend: Callable[[RoomKey], Awaitable[None]]
    """Has a room shown what happens in its story, from now on."""

    async def ask(self, asker: Asker, command: Command, event: str) -> Reply:
        """Do what somebody asks."""
        return await self._do(self.door, asker, command, event)

    async def look(self, asker: Asker, command: Command) -> Reply:
        """Look something up for somebody who is still typing."""
        return await self.peephole.handle(self._incoming(asker, command, str(self.clock.new_id())))

    async def react(self, asker: Asker, position: int, event: str) -> None:
        """Count a reaction that is seen as it is made: also one that was taken away and made again."""
        if isinstance(await self._do(self.peephole, asker, Vote(position), event), Repeated):
            await self._do(self.peephole, asker, Vote(position), str(self.clock.new_id()))

    async def catch_up(self, asker: Asker, position: int, event: str) -> None:
        """Count a reaction that is found: only if it never was counted, since later votes are worth more."""
        await self._do(self.peephole, asker, Vote(position), event)

    async def _do(self, door: Door, asker: Asker, command: Command, event: str) -> Reply:
        reply = await door.handle(self._incoming(asker, command, event))
        try:
            await self.attend(asker.room)
        except ServiceDown as down:  # the command after this one will do it
            log.warning("room not attended", room=asker.room.address, reason=str(down))
        return reply

    def _incoming(self, asker: Asker, command: Command, event: str) -> Incoming:
        return Incoming(event, asker.room, asker.speaker, command, self.clock.now())


def asker_of(interaction: Interaction) -> Asker:
    """Who has typed a command or pressed a button, and where."""
    realm = str(interaction.guild_id or "")
    powers = interaction.permissions
    moderator = bool(realm) and (powers.manage_guild or powers.manage_messages)
    asking = replace(speaker(interaction.user, moderator=moderator), private=True)  # interactions are answered so
    return Asker(RoomKey(PLATFORM, str(interaction.channel_id), realm), asking)


def asker_of_message(message: discord.Message) -> Asker:
    """Who has written a message, and where."""
    author, realm = message.author, str(message.guild.id if message.guild else "")
    powers = author.guild_permissions if isinstance(author, discord.Member) else discord.Permissions.none()
    moderator = powers.manage_guild or powers.manage_messages
    return Asker(RoomKey(PLATFORM, str(message.channel.id), realm), speaker(author, moderator=moderator))


def speaker(user: discord.abc.User, *, moderator: bool) -> Speaker:
    """A person of Discord, by the name that this place knows them under."""
    return Speaker(PLATFORM, str(user.id), user.display_name, moderator=moderator)
