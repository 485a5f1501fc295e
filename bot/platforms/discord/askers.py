"""Who has asked for something on Discord, from where, and with what powers."""

from dataclasses import replace

import discord

from bot.platforms.discord.link import MARKED, PLATFORM, Interaction
from bot.reception import Asker
from storyforge_core.domain.commands import Speaker, Surroundings
from storyforge_core.domain.story import RoomKey


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
    return Surroundings(outer, adults=isinstance(channel, MARKED) and channel.is_nsfw())
