"""A request as the routes see it, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.peers.discord.rules import missing_access, unknown_channel, unknown_message
from tests.peers.discord.state import Attachment, Channel, Json, Message
from tests.peers.discord.world import Draft, World

NO_CONTENT = 204
CREATED = 201


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and what comes with it."""

    status: int = NO_CONTENT
    body: Json | list[Json] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    template: str
    """Its path as the official specification writes it."""
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: tuple[Attachment, ...] = ()

    def id(self, name: str) -> int:
        """A snowflake in the path; 0 is nobody's."""
        value = self.params[name]
        return int(value) if value.isdigit() else 0


Handler = Callable[[Call], Reply]
Routes = Mapping[tuple[str, str], Handler]


def channel_of(world: World, call: Call) -> Channel:
    """The channel in the path, as far as the bot is in its server."""
    channel = world.channel(call.id("channel_id"))
    if channel is None:
        raise unknown_channel()
    if channel.guild is not None and world.bot.id not in channel.guild.members:
        raise missing_access()
    return channel


def message_of(channel: Channel, message_id: int) -> Message:
    """A message that is there for everybody."""
    message = channel.log.get(message_id)
    if message is None or message.seen_by is not None:
        raise unknown_message()
    return message


def draft_of(channel: Channel, call: Call) -> Draft:
    """What a request makes of a message."""
    reference = call.body.get("message_reference")
    replied = channel.log.get(int(reference["message_id"])) if reference else None
    if reference and replied is None and reference.get("fail_if_not_exists", True):
        raise unknown_message()
    return Draft(call.body, call.files, replied)
