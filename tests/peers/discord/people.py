"""What people do on the Discord, and what they see."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.peers.discord.gestures import component_of, modal_data, option_tree, slash_data
from tests.peers.discord.rules import allowed, require_open, require_reacting
from tests.peers.discord.shapes import channel_shape, message_shape, role_shape
from tests.peers.discord.state import (
    Attachment,
    Channel,
    Flag,
    Guild,
    Interaction,
    Json,
    Kind,
    Message,
    Overwrite,
    Permission,
    Role,
    User,
)
from tests.peers.discord.world import Draft, World

PATIENCE = 3.0
"""Seconds after which Discord shows "The application did not respond"."""
_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5
_MESSAGE_COMMAND = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody sees of the bot's answer to them; it goes on changing while the bot goes on."""

    world: World
    asked: Interaction

    @property
    def failed(self) -> bool:
        """Whether Discord says that the application did not respond."""
        return self.asked.callback is None

    @property
    def message(self) -> Message | None:
        """The answer, or for a button the message it changed."""
        return self.asked.original

    @property
    def text(self) -> str:
        """The answer as it is read, empty while the bot is thinking."""
        return self.message.shown if self.message else ""

    @property
    def private(self) -> bool:
        return self.message is not None and Flag.EPHEMERAL in self.message.flags

    @property
    def thinking(self) -> bool:
        return self.message is not None and Flag.LOADING in self.message.flags

    @property
    def followups(self) -> list[Message]:
        return self.asked.followups

    @property
    def modal(self) -> Json | None:
        """The form that opened."""
        return self.asked.modal

    async def settled(self, within: float = 10.0) -> "Seen":
        """Wait until the bot has stopped thinking."""
        await self.world.until(lambda: not self.thinking and not self.failed, within)
        return self


@dataclass(frozen=True, slots=True)
class Human:
    """Somebody with a Discord account.

    What Discord refuses them raises `Refused`, as commands and buttons in an archived thread do; what its client
    doesn't even offer, such as a button that is greyed out, fails as an assertion.
    """

    world: World
    user: User

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def direct(self) -> Channel:
        """Their direct messages with the bot."""
        return self.world.direct_with(self.user)

    async def slash(self, channel: Channel, command: str, /, **options: object) -> Seen:
        """Type a slash command like `story new` and wait for the first answer."""
        data = slash_data(self._commands(channel), command, options, self.world.cdn)
        return await self._ask(_COMMAND, channel, data)

    def file(self, name: str, data: bytes) -> Attachment:
        """Choose a file for an option of a slash command."""
        file = Attachment(self.world.new_id(), name, "", data, "application/octet-stream")
        self.world.uploads[file.id] = file
        return file

    async def menu(self, message: Message, command: str) -> Seen:
        """Choose a command from a message's context menu."""
        known = [each for each in self._commands(message.channel) if each["type"] == _MESSAGE_COMMAND]
        found = next(each for each in known if each["name"] == command)
        data: Json = {"id": found["id"], "name": command, "type": _MESSAGE_COMMAND, "target_id": str(message.id)}
        data["resolved"] = {"messages": {str(message.id): message_shape(message, self.world.bot)}}
        return await self._ask(_COMMAND, message.channel, data)

    async def autocomplete(self, channel: Channel, command: str, option: str, typed: str, /) -> list[Json]:
        """Type into an option; what is offered is a list of `{"name": …, "value": …}`."""
        data = option_tree(self._commands(channel), command, {option: typed}, focused=option)
        seen = await self._ask(_AUTOCOMPLETE, channel, data)
        return seen.asked.choices or []

    async def click(self, message: Message, which: str) -> Seen:
        """Click a button, by its custom id or what is written on it."""
        self._must_see(message)
        button = component_of(message, which)
        data: Json = {"component_type": button["type"], "custom_id": button["custom_id"], "id": button["id"]}
        return await self._ask(_COMPONENT, message.channel, data, message)

    async def choose(self, message: Message, custom_id: str, *values: str) -> Seen:
        """Choose from a select menu."""
        self._must_see(message)
        menu = component_of(message, custom_id)
        data: Json = {"component_type": menu["type"], "custom_id": custom_id, "values": list(values)}
        return await self._ask(_COMPONENT, message.channel, data, message)

    async def modal_submit(self, opened: Seen, /, **values: str) -> Seen:
        """Fill the form that opened, by custom id, and send it."""
        assert opened.modal is not None, "no form is open"
        data = modal_data(opened.modal, values)
        return await self._ask(_MODAL, opened.asked.channel, data, opened.asked.message)

    def message(self, channel: Channel, text: str) -> Message:
        """Write into a channel."""
        return self._write(channel, text, None)

    def reply(self, message: Message, text: str, *, ping: bool = True) -> Message:
        """Reply to a message, with or without a ping to its author."""
        return self._write(message.channel, text, message, {"parse": ["users"], "replied_user": ping})

    def react(self, message: Message, emoji: str) -> None:
        require_reacting(message, self.user, emoji)
        self.world.react(message, self.user, emoji)

    def super_react(self, message: Message, emoji: str) -> None:
        """React with the animated kind that some pay for."""
        require_reacting(message, self.user, emoji)
        self.world.react(message, self.user, emoji, {"burst": True, "type": 1})

    def clear_reactions(self, message: Message) -> None:
        """Take away everybody's reactions, as a moderator."""
        self.world.clear_all_reactions(message)

    def unreact(self, message: Message, emoji: str) -> None:
        self.world.unreact(message, self.user, emoji)

    def edit(self, message: Message, text: str) -> None:
        """Change one's own message."""
        assert message.author == self.user, f"this is not {self.name}'s message"
        self.world.revise(message, Draft({"content": text}))

    def close_direct(self) -> None:
        """Take no more direct messages."""
        self.world.closed.add(self.user.id)

    def open_thread(self, channel: Channel, name: str) -> Channel:
        return self.world.open_thread(channel, self.user, name, None, {})

    def delete(self, message: Message) -> None:
        """Delete a message, as its author or a moderator."""
        self.world.remove(message)

    def archive(self, thread: Channel) -> None:
        self.world.alter_thread(thread, {"archived": True})

    def lock(self, thread: Channel) -> None:
        """Archive a thread so that only moderators can open it again."""
        self.world.alter_thread(thread, {"archived": True, "locked": True})

    def unarchive(self, thread: Channel) -> None:
        self.world.alter_thread(thread, {"archived": False, "locked": False})

    def remove(self, channel: Channel) -> None:
        """Delete a channel or thread."""
        self.world.delete_channel(channel)

    def sees(self, channel: Channel) -> str:
        """A channel as this person reads it, with what only they see."""
        mine = [message for message in channel.log.values() if message.seen_by in {None, self.user}]
        return "\n".join(f"{message.author.name}: {message.shown}" for message in mine)

    def _write(self, channel: Channel, text: str, reply_to: Message | None, allowance: Json | None = None) -> Message:
        body = {"content": text, "allowed_mentions": allowance}
        return self.world.post(channel, self.user, Draft(body, reply_to=reply_to))

    async def _ask(self, kind: int, channel: Channel, data: Json, message: Message | None = None) -> Seen:
        require_open(channel)
        asked = self.world.ask(kind, self.user, channel, data, message)
        with suppress(TimeoutError):  # then the person sees that the application did not respond
            await self.world.until(asked.answered.is_set, PATIENCE)
        return Seen(self.world, asked)

    def _commands(self, channel: Channel) -> list[Json]:
        """Those that the client offers this person here: the server's own before everybody's."""
        local = self.world.commands.get(channel.guild.id, []) if channel.guild else []
        context, rights = int(channel.guild is None), allowed(channel, self.user)
        return [
            command
            for command in (*local, *self.world.commands.get(None, []))
            if context in (command.get("contexts") or (0, 1))
            and not Permission(int(command["default_member_permissions"] or 0)) & ~rights
        ]

    def _must_see(self, message: Message) -> None:
        assert not message.deleted, "the message is gone"
        assert message.seen_by in {None, self.user}, f"{self.name} can't see this message"


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and what its owner does with it."""

    world: World
    guild: Guild

    @property
    def id(self) -> int:
        return self.guild.id

    def text(self, name: str) -> Channel:
        """The text channel of this name, made when it is first asked for."""
        return self._channel(name, Kind.TEXT)

    def forum(self, name: str) -> Channel:
        return self._channel(name, Kind.FORUM)

    def voice(self, name: str) -> Channel:
        """A channel for talking, which has a chat of its own."""
        return self._channel(name, Kind.VOICE)

    def member(self, name: str) -> Human:
        """The member of this name, who joins when first asked for."""
        members = (member.user for member in self.guild.members.values())
        user = next((user for user in members if user.name == name), None)
        return Human(self.world, user or self.world.add_member(self.guild, name))

    def robot(self, name: str) -> Human:
        """Another bot, which writes and reacts like a person."""
        return Human(self.world, self.world.add_member(self.guild, name, bot=True))

    def promote(self, human: Human, permissions: Permission) -> None:
        """Give somebody a role with permissions."""
        role = Role(self.world.new_id(), f"{human.name}'s role", permissions)
        self.guild.roles[role.id] = role
        self.guild.members[human.user.id].roles.append(role)
        self.world.happened("GUILD_ROLE_CREATE", {"guild_id": str(self.id), "role": role_shape(role)})

    def thread(self, name: str) -> Channel:
        """The thread of this name."""
        return next(thread for thread in self.guild.threads.values() if thread.name == name)

    def forbid(self, channel: Channel, permissions: Permission) -> None:
        """Take permissions from the bot in a channel."""
        overwrite = channel.overwrites.setdefault(self.world.bot.id, Overwrite(of_member=True))
        overwrite.deny |= permissions
        overwrite.allow &= ~permissions
        self._changed(channel)

    def permit(self, channel: Channel, permissions: Permission) -> None:
        """Give permissions to the bot in a channel."""
        overwrite = channel.overwrites.setdefault(self.world.bot.id, Overwrite(of_member=True))
        overwrite.allow |= permissions
        overwrite.deny &= ~permissions
        self._changed(channel)

    def may(self, channel: Channel) -> Permission:
        """What the bot may do in a channel."""
        return allowed(channel, self.world.bot)

    def age_restrict(self, channel: Channel) -> None:
        channel.age_restricted = True
        self._changed(channel)

    def kick_bot(self) -> None:
        self.world.leave_guild(self.guild)

    def invite_bot(self) -> None:
        """Ask the bot in again."""
        self.world.join_guild(self.guild)

    def channels(self) -> Sequence[Channel]:
        """All channels and threads."""
        return [*self.guild.channels.values(), *self.guild.threads.values()]

    def _channel(self, name: str, kind: Kind) -> Channel:
        found = (channel for channel in self.guild.channels.values() if channel.name == name)
        return next(found, None) or self.world.add_channel(self.guild, name, kind)

    def _changed(self, channel: Channel) -> None:
        self.world.happened("CHANNEL_UPDATE", channel_shape(channel), channel)
