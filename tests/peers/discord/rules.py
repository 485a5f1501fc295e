"""Who may do what, and the numbers Discord refuses with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from tests.peers.discord.state import (
    Channel,
    Json,
    Kind,
    Message,
    Overwrite,
    Permission,
    User,
)

HOUR = 3600.0
OLD_EDITS = 3
"""Edits a message takes when it is older than an hour; Discord keeps its own number secret."""
MOST_REACTIONS = 20
EVERYTHING = ~Permission.NOTHING


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """An answer with an error in it."""

    status: int
    code: int
    message: str
    errors: Json = field(default_factory=dict)
    retry_after: float | None = None

    @property
    def body(self) -> Json:
        body: Json = {"code": self.code, "message": self.message}
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body | ({"errors": self.errors} if self.errors else {})


def unauthorized() -> Refused:
    return Refused(401, 0, "401: Unauthorized")


def unknown_channel() -> Refused:
    return Refused(404, 10003, "Unknown Channel")


def unknown_guild() -> Refused:
    return Refused(404, 10004, "Unknown Guild")


def unknown_message() -> Refused:
    return Refused(404, 10008, "Unknown Message")


def unknown_user() -> Refused:
    return Refused(404, 10013, "Unknown User")


def unknown_emoji() -> Refused:
    return Refused(400, 10014, "Unknown Emoji")


def unknown_webhook() -> Refused:
    return Refused(404, 10015, "Unknown Webhook")


def unknown_interaction() -> Refused:
    return Refused(404, 10062, "Unknown interaction")


def unknown_command() -> Refused:
    return Refused(404, 10063, "Unknown application command")


def already_answered() -> Refused:
    return Refused(400, 40060, "Interaction has already been acknowledged.")


def expired_token() -> Refused:
    return Refused(401, 50027, "Invalid Webhook Token")


def archived_thread() -> Refused:
    return Refused(400, 50083, "Thread is archived")


def too_many_reactions() -> Refused:
    return Refused(400, 30010, "Maximum number of reactions reached (20)")


def old_message(retry_after: float) -> Refused:
    text = "Maximum number of edits to messages older than 1 hour reached. Try again later."
    return Refused(429, 30046, text, retry_after=retry_after)


def not_the_author() -> Refused:
    return Refused(403, 50005, "Cannot edit a message authored by another user")


def cannot_message_user() -> Refused:
    return Refused(403, 50007, "Cannot send messages to this user")


def wrong_channel_type() -> Refused:
    return Refused(400, 50024, "Cannot execute action on this channel type")


def has_thread_already() -> Refused:
    return Refused(400, 160004, "A thread has already been created for this message")


def too_large() -> Refused:
    return Refused(413, 40005, "Request entity too large")


def missing_access() -> Refused:
    return Refused(403, 50001, "Missing Access")


def missing_permissions() -> Refused:
    return Refused(403, 50013, "Missing Permissions")


def allowed(channel: Channel, user: User) -> Permission:
    """What somebody may do in a channel; a thread's rights are those of its parent."""
    place = channel.thread.parent if channel.thread else channel
    if place.guild is None:
        return EVERYTHING if user.bot or user == place.recipient else Permission.NOTHING
    member = place.guild.members.get(user.id)
    if member is None:
        return Permission.NOTHING
    everyone = place.guild.roles[place.guild.id]
    rights = everyone.permissions
    for role in member.roles:
        rights |= role.permissions
    if Permission.ADMINISTRATOR in rights or place.guild.owner == user:
        return EVERYTHING
    for overwrite in _overwrites(place, [everyone.id], [role.id for role in member.roles], [user.id]):
        rights = (rights & ~overwrite.deny) | overwrite.allow
    return rights if Permission.VIEW_CHANNEL in rights else Permission.NOTHING


def _overwrites(channel: Channel, *order: list[int]) -> Iterator[Overwrite]:
    """Those of everyone first, of one's roles then, one's own last."""
    return (channel.overwrites[of] for of in chain(*order) if of in channel.overwrites)


def require(channel: Channel, user: User, needed: Permission = Permission.NOTHING) -> None:
    """Refuse who can't see the channel, and who lacks a permission in it."""
    rights = allowed(channel, user)
    if Permission.VIEW_CHANNEL not in rights:
        raise missing_access()
    if needed & ~rights:
        raise missing_permissions()


def require_open(channel: Channel) -> None:
    """Refuse what an archived thread doesn't take."""
    if channel.archived:
        raise archived_thread()


def require_sending(channel: Channel, user: User, body: Json, *, with_files: bool) -> None:
    """Refuse a message its author may not send here."""
    if channel.kind is Kind.FORUM:
        raise wrong_channel_type()
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES
    if body.get("embeds"):
        needed |= Permission.EMBED_LINKS
    if with_files:
        needed |= Permission.ATTACH_FILES
    require(channel, user, needed)
    if body.get("message_reference"):
        require(channel, user, Permission.READ_MESSAGE_HISTORY)
    if channel.thread and channel.thread.locked and Permission.MANAGE_THREADS not in allowed(channel, user):
        raise archived_thread()


def require_reacting(message: Message, user: User, emoji: str) -> None:
    """Refuse a reaction: a new emoji asks for more than joining one that is there."""
    is_new = not message.reactions.get(emoji)
    require(message.channel, user, Permission.READ_MESSAGE_HISTORY)
    if is_new:
        require(message.channel, user, Permission.ADD_REACTIONS)
    require_open(message.channel)
    if emoji.isascii() and ":" not in emoji:
        raise unknown_emoji()
    if is_new and sum(bool(users) for users in message.reactions.values()) >= MOST_REACTIONS:
        raise too_many_reactions()


def require_edit(message: Message, editor: User, now: float, retry_after: float) -> None:
    """Refuse an edit: of somebody else's message, in an archived thread, of an old message once too often."""
    if message.author != editor:
        raise not_the_author()
    require_open(message.channel)
    if now - message.created > HOUR:
        if message.old_edits >= OLD_EDITS:
            raise old_message(retry_after)
        message.old_edits += 1
