"""The one place where anything on the Discord changes, and from where all that changes is told."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from tests.peers.discord.mentions import names_pinged, users_mentioned
from tests.peers.discord.shapes import (
    channel_shape,
    emoji_shape,
    guild_shape,
    interaction_shape,
    member_shape,
    message_shape,
    thread_member_shape,
)
from tests.peers.discord.state import (
    EVERYBODY,
    Attachment,
    Channel,
    Flag,
    Guild,
    Interaction,
    Json,
    Kind,
    Member,
    Message,
    Role,
    ThreadLife,
    User,
    Version,
    walk,
)

T = TypeVar("T")
_EPOCH = 1_420_070_400_000  # Discord's, in ms
_EDITABLE = Flag.SUPPRESS_EMBEDS | Flag.COMPONENTS_V2


class Clock:
    """Real time that a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass(frozen=True, slots=True)
class Event:
    """Something the gateway tells."""

    name: str
    data: Json
    channel: Channel | None = None
    """Where it happened: who can't see it isn't told."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message is to be made of."""

    body: Json
    files: tuple[Attachment, ...] = ()
    """Uploaded ones, in order of their index."""
    reply_to: Message | None = None


@dataclass(slots=True)
class World:
    """All there is."""

    clock: Clock = field(default_factory=Clock)
    guilds: dict[int, Guild] = field(default_factory=dict)
    """Also those that the bot had to leave."""
    direct: dict[int, Channel] = field(default_factory=dict)
    """Direct messages with the bot, by the user."""
    closed: set[int] = field(default_factory=set)
    """Users who take no direct messages."""
    commands: dict[int | None, list[Json]] = field(default_factory=dict)
    """Registered ones by server; None: everywhere."""
    interactions: dict[str, Interaction] = field(default_factory=dict)
    """By token."""
    uploads: dict[int, Attachment] = field(default_factory=dict)
    """Files that people have sent with a command."""
    cdn: str = "https://cdn.invalid"
    """Where those lie."""
    bot: User = field(init=False)
    tell: Callable[[Event], None] = field(default=lambda _: None)
    _numbers: "count[int]" = field(default_factory=count)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.bot = User(self.new_id(), "StoryForge", bot=True)

    def new_id(self) -> int:
        """A snowflake of now."""
        return (int(self.clock() * 1000) - _EPOCH) << 22 | next(self._numbers) & 0x3FFFFF

    def happened(self, name: str, data: Json, channel: Channel | None = None) -> None:
        """Tell the gateway and everybody who waits for something to change."""
        self.tell(Event(name, data, channel))
        self.stir()

    def stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, it_is_so: Callable[[], bool], within: float) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: it never was.
        """
        async with asyncio.timeout(within):
            while not it_is_so():
                await self._changed.wait()

    # people and places

    def add_guild(self, name: str) -> Guild:
        owner = User(self.new_id(), f"Owner of {name}")
        guild = Guild(self.new_id(), name, owner)
        guild.roles[guild.id] = Role(guild.id, "@everyone", EVERYBODY)
        for user in (owner, self.bot):
            guild.members[user.id] = Member(user, self.clock())
        self.guilds[guild.id] = guild
        self._came_to(guild)
        return guild

    @property
    def joined(self) -> list[Guild]:
        """The servers where the bot is."""
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def leave_guild(self, guild: Guild) -> None:
        """The bot goes, or is removed."""
        guild.members.pop(self.bot.id, None)
        self.happened("GUILD_DELETE", {"id": str(guild.id)})

    def join_guild(self, guild: Guild) -> None:
        """The bot is invited again."""
        guild.members[self.bot.id] = Member(self.bot, self.clock())
        self._came_to(guild)

    def _came_to(self, guild: Guild) -> None:
        """Tell of a new server; one that was only away for a while is told of with `unavailable`."""
        shape = guild_shape(guild, self.bot)
        del shape["unavailable"]
        self.happened("GUILD_CREATE", shape)

    def add_member(self, guild: Guild, name: str, *, bot: bool = False) -> User:
        user = self.known(name) or User(self.new_id(), name, bot)
        guild.members[user.id] = Member(user, self.clock())
        joined = member_shape(guild.members[user.id]) | {"guild_id": str(guild.id)}
        self.happened("GUILD_MEMBER_ADD", joined)
        return user

    def known(self, name: str) -> User | None:
        """A person who is a member somewhere."""
        everyone = (member.user for guild in self.guilds.values() for member in guild.members.values())
        return next((user for user in everyone if user.name == name), None)

    def add_channel(self, guild: Guild, name: str, kind: Kind) -> Channel:
        channel = Channel(self.new_id(), name, kind, guild)
        guild.channels[channel.id] = channel
        self.happened("CHANNEL_CREATE", channel_shape(channel), channel)
        return channel

    def direct_with(self, user: User) -> Channel:
        if user.id not in self.direct:
            self.direct[user.id] = Channel(self.new_id(), user.name, Kind.DM, recipient=user)
        return self.direct[user.id]

    def channel(self, channel_id: int) -> Channel | None:
        for guild in self.guilds.values():
            found = guild.channels.get(channel_id) or guild.threads.get(channel_id)
            if found is not None:
                return found
        return next((channel for channel in self.direct.values() if channel.id == channel_id), None)

    # messages

    def post(self, channel: Channel, author: User, draft: Draft, asked_by: Interaction | None = None) -> Message:
        """Put a message into a channel."""
        self._wake(channel)
        message = Message(self.new_id(), channel, author, self.clock(), asked_by=asked_by, reply_to=draft.reply_to)
        message.kind = 19 if draft.reply_to else 20 if asked_by else 0
        message.flags = Flag(draft.body.get("flags") or 0)
        message.nonce = draft.body.get("nonce")
        if asked_by is not None and Flag.EPHEMERAL in message.flags:
            message.seen_by = asked_by.user
        self._fill(message, draft)
        self._notify(message, draft.body.get("allowed_mentions"))
        channel.log[message.id] = message
        self._tell(message, "MESSAGE_CREATE")
        return message

    def revise(self, message: Message, draft: Draft) -> None:
        """Change a message; its placeholder, if it was one, is over."""
        flags = draft.body.get("flags")
        if flags is not None:
            message.flags = (message.flags & ~_EDITABLE) | (Flag(flags) & _EDITABLE)
        message.flags &= ~Flag.LOADING
        self._fill(message, draft)
        message.edited = self.clock()
        self._tell(message, "MESSAGE_UPDATE")

    def remove(self, message: Message) -> None:
        """Delete a message."""
        message.deleted = True
        message.channel.log.pop(message.id, None)
        if message.seen_by is None:
            self._happened_to(message, "MESSAGE_DELETE", {})
        self.stir()

    def _fill(self, message: Message, draft: Draft) -> None:
        body = draft.body
        message.content = _or(body.get("content", message.content), "")
        message.embeds = _or(body.get("embeds", message.embeds), [])
        if "components" in body:
            message.components = _numbered(body["components"] or [])
        message.attachments = _attached(message.attachments, body.get("attachments"), draft.files)
        if not message.history or message.history[-1].content != message.content:
            message.history.append(Version(self.clock(), message.content))

    def _notify(self, message: Message, allowance: Json | None) -> None:
        text = message.content + "".join(part["content"] for part in walk(message.components) if part["type"] == 10)
        message.mentioned = users_mentioned(message.channel, text, allowance, message.reply_to)
        reached = names_pinged(message.channel, message.author, text, allowance)
        message.pinged = reached | {user.name for user in message.mentioned if user != message.author}

    def _tell(self, message: Message, event: str) -> None:
        if message.seen_by is None and Flag.LOADING not in message.flags:
            self._happened_to(message, event, message_shape(message, self.bot) | self._author(message))
        self.stir()

    def _author(self, message: Message) -> Json:
        guild = message.channel.guild
        if guild is None or message.author.id not in guild.members:
            return {}
        member = member_shape(guild.members[message.author.id])
        return {"member": {key: value for key, value in member.items() if key != "user"}}

    def _happened_to(self, message: Message, event: str, data: Json) -> None:
        place = {"channel_id": str(message.channel.id)} | _guild_of(message.channel)
        self.happened(event, {"id": str(message.id), **place, **data}, message.channel)

    # reactions

    def react(self, message: Message, user: User, emoji: str, more: Json | None = None) -> None:
        """Add a reaction; `more` is what the event tells beside it."""
        users = message.reactions.setdefault(emoji, {})
        if user.id not in users or more:
            users[user.id] = user
            if more and more["burst"]:
                message.bursts.setdefault(emoji, {})[user.id] = user
            self._reaction(message, user, emoji, "MESSAGE_REACTION_ADD", more or {})

    def unreact(self, message: Message, user: User, emoji: str) -> None:
        message.bursts.get(emoji, {}).pop(user.id, None)
        if message.reactions.get(emoji, {}).pop(user.id, None):
            self._reaction(message, user, emoji, "MESSAGE_REACTION_REMOVE", {})

    def clear_reactions(self, message: Message, emojis: Iterable[str]) -> None:
        for emoji in list(emojis):
            message.reactions.pop(emoji, None)
            message.bursts.pop(emoji, None)
            self._on(message, "MESSAGE_REACTION_REMOVE_EMOJI", {"emoji": emoji_shape(emoji)})

    def clear_all_reactions(self, message: Message) -> None:
        message.reactions.clear()
        message.bursts.clear()
        self._on(message, "MESSAGE_REACTION_REMOVE_ALL", {})

    def _reaction(self, message: Message, user: User, emoji: str, event: str, more: Json) -> None:
        data: Json = {"user_id": str(user.id), "emoji": emoji_shape(emoji), "burst": False, "type": 0}
        if event == "MESSAGE_REACTION_ADD":
            data["message_author_id"] = str(message.author.id)
            if message.channel.guild and user.id in message.channel.guild.members:
                data["member"] = member_shape(message.channel.guild.members[user.id])
        self._on(message, event, data | more)

    def _on(self, message: Message, event: str, data: Json) -> None:
        place = {"message_id": str(message.id), "channel_id": str(message.channel.id)}
        self.happened(event, place | _guild_of(message.channel) | data, message.channel)

    # threads

    def open_thread(self, parent: Channel, owner: User, name: str, under: Message | None, body: Json) -> Channel:
        """Make a thread, under a message or by itself."""
        assert parent.guild is not None
        life = ThreadLife(owner, parent, self.clock(), auto_archive=body.get("auto_archive_duration") or 1440)
        life.members.add(owner.id)
        kind = Kind(body.get("type") or Kind.PUBLIC_THREAD)
        thread = Channel(under.id if under else self.new_id(), name, kind, parent.guild, life)
        parent.guild.threads[thread.id] = thread
        joined = {"member": thread_member_shape(thread, self.bot.id)} if owner == self.bot else {}
        self.happened("THREAD_CREATE", channel_shape(thread) | joined | {"newly_created": True}, thread)
        if under is not None:
            under.flags |= Flag.HAS_THREAD
            self._tell(under, "MESSAGE_UPDATE")
        return thread

    def alter_thread(self, thread: Channel, body: Json) -> None:
        """Rename, archive, lock, or the reverse."""
        assert thread.thread is not None
        life = thread.thread
        thread.name = body.get("name", thread.name)
        life.archived = body.get("archived", life.archived)
        life.locked = body.get("locked", life.locked)
        life.auto_archive = body.get("auto_archive_duration", life.auto_archive)
        life.touched = self.clock()
        self.happened("THREAD_UPDATE", channel_shape(thread), thread)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or thread with all that is in it."""
        assert channel.guild is not None
        shape, is_thread = channel_shape(channel), channel.thread is not None
        (channel.guild.threads if is_thread else channel.guild.channels).pop(channel.id)
        channel.deleted = True
        for message in channel.log.values():
            message.deleted = True
        for thread in channel.threads:
            self.delete_channel(thread)
        self.happened("THREAD_DELETE" if is_thread else "CHANNEL_DELETE", shape, channel)

    def _wake(self, channel: Channel) -> None:
        if channel.archived:
            self.alter_thread(channel, {"archived": False})

    # interactions

    def ask(self, kind: int, user: User, channel: Channel, data: Json, message: Message | None = None) -> Interaction:
        """Something a person does that waits for an answer."""
        number = self.new_id()
        asked = Interaction(number, f"token-{number}", kind, user, channel, data, self.clock(), message)
        self.interactions[asked.token] = asked
        self.happened("INTERACTION_CREATE", interaction_shape(asked, self.bot))
        return asked


def _guild_of(channel: Channel) -> Json:
    return {"guild_id": str(channel.guild.id)} if channel.guild else {}


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


def _numbered(components: list[Json]) -> list[Json]:
    """Components as Discord gives them back: each has a number."""
    for number, part in enumerate(walk(components), 1):
        part.setdefault("id", number)
    return components


def _attached(old: list[Attachment], listed: list[Json] | None, files: tuple[Attachment, ...]) -> list[Attachment]:
    """What is attached after a request; those it lists stay, and none that it leaves out."""
    if listed is None:
        return [*old, *files]
    by_id = {attachment.id: attachment for attachment in old}
    kept = [(by_id[int(entry["id"])], entry) for entry in listed if int(entry["id"]) in by_id]
    return [*(replace(file, description=entry.get("description", file.description)) for file, entry in kept), *files]
