"""What exists on a Discord: people, servers, channels, messages, interactions; `world.py` changes them."""

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

Json = dict[str, Any]
MINUTE = 60.0


class Permission(IntFlag):
    """The permissions a story bot meets."""

    NOTHING = 0
    ADD_REACTIONS = 1 << 6
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


class Kind(IntEnum):
    """Types of channels."""

    TEXT = 0
    DM = 1
    VOICE = 2
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


class Flag(IntFlag):
    """Flags of messages."""

    NOTHING = 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SILENT = 1 << 12
    COMPONENTS_V2 = 1 << 15


EVERYBODY = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What a server grants to all its members until somebody changes it."""


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: int
    name: str
    bot: bool = False

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(slots=True, eq=False)
class Role:
    """A role of a server; `@everyone` has the server's id."""

    id: int
    name: str
    permissions: Permission


@dataclass(slots=True, eq=False)
class Member:
    """A user in a server."""

    user: User
    joined: float
    roles: list[Role] = field(default_factory=list)


@dataclass(slots=True)
class Overwrite:
    """What one role or member may more, or less, in one channel."""

    of_member: bool
    allow: Permission = Permission.NOTHING
    deny: Permission = Permission.NOTHING


@dataclass(slots=True, eq=False)
class Guild:
    """A server."""

    id: int
    name: str
    owner: User
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, "Channel"] = field(default_factory=dict)
    """Without threads."""
    threads: dict[int, "Channel"] = field(default_factory=dict)


@dataclass(slots=True)
class ThreadLife:
    """What only threads have."""

    owner: User
    parent: "Channel"
    touched: float
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440  # minutes
    members: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Channel:
    """A text channel, forum, direct message or thread."""

    id: int
    name: str
    kind: Kind
    guild: Guild | None = None
    thread: ThreadLife | None = None
    recipient: User | None = None
    age_restricted: bool = False
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    log: dict[int, "Message"] = field(default_factory=dict)
    """Every message that is there, those that only one person sees among them."""
    typed: list[float] = field(default_factory=list)
    """When the bot was seen typing."""
    deleted: bool = False

    @property
    def messages(self) -> list["Message"]:
        """What everybody sees, oldest first."""
        return [message for message in self.log.values() if message.seen_by is None]

    @property
    def threads(self) -> list["Channel"]:
        """The threads under this channel, oldest first."""
        every = self.guild.threads.values() if self.guild else ()
        return [thread for thread in every if thread.thread and thread.thread.parent is self]

    @property
    def archived(self) -> bool:
        return self.thread is not None and self.thread.archived

    @property
    def shown(self) -> str:
        """The channel as somebody reads it."""
        return "\n".join(f"{message.author.name}: {message.shown}" for message in self.messages)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file at a message."""

    id: int
    name: str
    description: str
    data: bytes
    content_type: str

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from some time on."""

    at: float
    content: str


@dataclass(slots=True, eq=False)
class Message:
    """A message, with everything it ever said."""

    id: int
    channel: Channel
    author: User
    created: float
    kind: int = 0
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: Flag = Flag.NOTHING
    nonce: str | int | None = None
    reply_to: "Message | None" = None
    seen_by: User | None = None
    """The only one who sees it; None: everybody."""
    asked_by: "Interaction | None" = None
    """Whose answer it is."""
    edited: float | None = None
    reactions: dict[str, dict[int, User]] = field(default_factory=dict)
    bursts: dict[str, dict[int, User]] = field(default_factory=dict)
    """Who of them has reacted in the animated way."""
    pinged: frozenset[str] = frozenset()
    """Names of all who got a notification: users, roles, `everyone`."""
    mentioned: list[User] = field(default_factory=list)
    history: list[Version] = field(default_factory=list)
    old_edits: int = 0
    """Edits made when it was older than an hour."""
    deleted: bool = False

    @property
    def buttons(self) -> list[Json]:
        """Every button, in reading order."""
        return [part for part in walk(self.components) if part["type"] == 2]

    @property
    def shown(self) -> str:
        """The message as somebody reads it."""
        texts = [self.content, *(part["content"] for part in walk(self.components) if part["type"] == 10)]
        texts += [text for embed in self.embeds for text in (embed.get("title"), embed.get("description")) if text]
        texts += [f"({file.name}: {file.description})" for file in self.attachments]
        buttons = " ".join(f"[{face(button)}]" for button in self.buttons)
        marks = " ".join(f"{emoji}{len(users)}" for emoji, users in self.reactions.items() if users)
        return "\n".join(part for part in (*texts, buttons, marks) if part)


@dataclass(slots=True, eq=False)
class Interaction:
    """What somebody did that waits for the bot's answer."""

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    data: Json
    created: float
    message: Message | None = None
    """Where the button or the modal's button was."""
    callback: int | None = None
    """The type of the bot's first answer."""
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)


def walk(components: list[Json]) -> list[Json]:
    """Every component of a tree, in reading order."""
    found: list[Json] = []
    for part in components:
        inner = [*part.get("components", ()), *(part[key] for key in ("accessory", "component") if part.get(key))]
        found += [part, *walk(inner)]
    return found


def face(button: Json) -> str:
    """What is written on a button."""
    emoji = (button.get("emoji") or {}).get("name") or ""
    return " ".join(part for part in (emoji, button.get("label") or "") if part)
