"""Where a story lives: in a thread of its own where that can be had, else in the very channel it was asked for in."""

from dataclasses import dataclass, replace

import discord
import structlog

from bot.platforms.discord.link import NO_PINGS, Interaction
from bot.platforms.discord.troubles import NotHere, understood
from bot.reception import Asker
from bot.surface import SurfaceError
from bot.wording.markup import Markdown
from storyforge_core.domain.answers import one_line
from storyforge_core.domain.commands import NewStory
from storyforge_core.domain.story import RoomKey

THREAD_CHARS = 90
"""Discord takes 100."""
INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    add_reactions=True,
    attach_files=True,
)
"""What the invitation asks for, and nothing more."""
NO_THREADS = (
    "It is told right here: to give each story a thread of its own, I need the permissions Create Public Threads and "
    "Send Messages in Threads in this channel."
)
NO_THREADS_THERE = (
    "It is told right here: channels for talking have no threads, so there is room for one story at a time. In a text "
    "channel each story gets a thread of its own."
)
_VOICE = (discord.VoiceChannel, discord.StageChannel)
JUST_US = "It is told right here, between the two of us. For a story with others, ask for one in a server."

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """The room of a new story, and what its asker should know about it."""

    room: RoomKey
    note: str = ""
    thread: discord.Thread | None = None


def not_allowed(interaction: Interaction) -> str:
    """Say which permissions are missing to tell a story where something was asked; empty when none is."""
    has = interaction.app_permissions
    thread = isinstance(interaction.channel, discord.Thread)
    writing = ("send_messages_in_threads", "Send Messages in Threads") if thread else ("send_messages", "Send Messages")
    needed = (("view_channel", "View Channel"), writing, ("read_message_history", "Read Message History"))
    missing = [name for attribute, name in needed if not getattr(has, attribute)]
    if not missing or interaction.guild_id is None:
        return ""
    return f"I may not tell stories here. In the channel's settings, under Permissions, allow me: {', '.join(missing)}."


async def make_place(interaction: Interaction, asker: Asker, command: NewStory) -> Place:
    """Find the place for a new story; in a text channel that is a new thread.

    Raises:
        SurfaceError: Discord did not give it.
    """
    channel = interaction.channel
    if interaction.guild_id is None:
        return Place(asker.room, JUST_US)
    if forum := _forum(interaction):
        return await _post(forum, asker, command)
    if not isinstance(channel, discord.TextChannel):
        return Place(asker.room, NO_THREADS_THERE if isinstance(channel, _VOICE) else "")
    has = interaction.app_permissions
    if not (has.create_public_threads and has.send_messages_in_threads):
        return Place(asker.room, NO_THREADS)
    title = one_line(command.title or command.premise, THREAD_CHARS)
    announced = f"{Markdown().strong(Markdown().literal(title))} is told in the thread below. Come along!"
    with understood():
        starter = await channel.send(announced, nonce=str(interaction.id), allowed_mentions=NO_PINGS)
    try:
        with understood():
            thread = await starter.create_thread(name=title)
    except SurfaceError as error:
        await _take_back(starter)
        if isinstance(error, NotHere):
            return Place(asker.room, f"It is told right here. {error}")
        raise
    return Place(replace(asker.room, address=str(thread.id)), f"Read on in {thread.mention}.", thread)


def _forum(interaction: Interaction) -> discord.ForumChannel | None:
    """The forum in which a story gets a post of its own: where it is asked for, or around another story's post."""
    channel = interaction.channel
    if isinstance(channel, discord.ForumChannel):
        return channel
    if not isinstance(channel, discord.Thread) or channel.owner_id != interaction.client.application_id:
        return None
    forum = channel.parent
    if not isinstance(forum, discord.ForumChannel) or not forum.permissions_for(forum.guild.me).send_messages:
        return None
    return forum


async def _post(forum: discord.ForumChannel, asker: Asker, command: NewStory) -> Place:
    title = one_line(command.title or command.premise, THREAD_CHARS)
    announced = f"{Markdown().strong(Markdown().literal(title))} is told here. Come along!"
    tags = [tag for tag in forum.available_tags if not tag.moderated][:1] if forum.flags.require_tag else []
    with understood():
        made = await forum.create_thread(
            name=title, content=announced, allowed_mentions=NO_PINGS, applied_tags=tags or discord.utils.MISSING
        )
    told = f"Read on in {made.thread.mention}."
    return Place(replace(asker.room, address=str(made.thread.id)), told, made.thread)


async def _take_back(message: discord.Message) -> None:
    """Delete a message that promises a thread which there is not."""
    try:
        with understood():
            await message.delete()
    except SurfaceError as error:
        log.info("announcement not taken back", message=message.id, reason=str(error))


async def give_back(place: Place) -> None:
    """Close the thread of a story that was not begun after all.

    Raises:
        SurfaceError: Discord did not do it.
    """
    if place.thread is not None:
        with understood():
            await place.thread.edit(archived=True)
