"""Routes for messages and reactions."""

from dataclasses import dataclass
from urllib.parse import unquote

from tests.peers.discord.calls import Call, Reply, Routes, channel_of, draft_of, message_of
from tests.peers.discord.forms import check_message
from tests.peers.discord.rules import (
    cannot_message_user,
    require,
    require_edit,
    require_open,
    require_reacting,
    require_sending,
    unknown_message,
    unknown_user,
)
from tests.peers.discord.shapes import message_shape, user_shape
from tests.peers.discord.state import Channel, Json, Message, Permission
from tests.peers.discord.world import World

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"
_REACTIONS = f"{_MESSAGE}/reactions"
_EMOJI = f"{_REACTIONS}/{{emoji_name}}"
_NONCES_KEPT = 300.0  # seconds: "the past few minutes"
_READ = Permission.READ_MESSAGE_HISTORY


@dataclass(frozen=True, slots=True)
class Messages:
    """What a bot does with messages."""

    world: World
    retry_old_edit: float = 0.05  # seconds

    def routes(self) -> Routes:
        return {
            ("POST", _MESSAGES): self.send,
            ("GET", _MESSAGES): self.list,
            ("GET", _MESSAGE): self.show,
            ("PATCH", _MESSAGE): self.edit,
            ("DELETE", _MESSAGE): self.delete,
            ("POST", f"{_MESSAGES}/bulk-delete"): self.delete_many,
            ("POST", "/channels/{channel_id}/typing"): self.type,
            ("PUT", f"{_EMOJI}/@me"): self.react,
            ("DELETE", f"{_EMOJI}/@me"): self.unreact,
            ("DELETE", f"{_EMOJI}/{{user_id}}"): self.unreact_other,
            ("DELETE", _EMOJI): self.clear_emoji,
            ("DELETE", _REACTIONS): self.clear_all,
            ("GET", _EMOJI): self.reactors,
        }

    def send(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        require_sending(channel, self.world.bot, call.body, with_files=bool(call.files))
        if channel.recipient and channel.recipient.id in self.world.closed:
            raise cannot_message_user()
        check_message(call.body, call.files)
        known = self._sent_before(channel, call.body)
        message = known or self.world.post(channel, self.world.bot, draft_of(channel, call))
        return Reply(200, message_shape(message, self.world.bot))

    def _sent_before(self, channel: Channel, body: Json) -> Message | None:
        """The message with the same nonce, if the sender asked for one only."""
        nonce = body.get("nonce")
        if not body.get("enforce_nonce") or nonce is None:
            return None
        since = self.world.clock() - _NONCES_KEPT
        mine = (message for message in channel.messages if message.author == self.world.bot)
        return next((message for message in mine if message.nonce == nonce and message.created > since), None)

    def list(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        require(channel, self.world.bot, _READ)
        before, after = int(call.query.get("before", 1 << 64)), int(call.query.get("after", 0))
        found = [message for message in channel.messages if after < message.id < before]
        limit = int(call.query.get("limit", 50))
        found = found[:limit] if "after" in call.query else found[-limit:]
        return Reply(200, [message_shape(message, self.world.bot) for message in reversed(found)])

    def show(self, call: Call) -> Reply:
        return Reply(200, message_shape(self._message(call, _READ), self.world.bot))

    def edit(self, call: Call) -> Reply:
        message = self._message(call)
        require_edit(message, self.world.bot, self.world.clock(), self.retry_old_edit)
        check_message(call.body, call.files, message)
        self.world.revise(message, draft_of(message.channel, call))
        return Reply(200, message_shape(message, self.world.bot))

    def delete(self, call: Call) -> Reply:
        message = self._message(call)
        if message.author != self.world.bot:
            require(message.channel, self.world.bot, Permission.MANAGE_MESSAGES)
        self.world.remove(message)
        return Reply()

    def delete_many(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        require(channel, self.world.bot, Permission.MANAGE_MESSAGES)
        for message_id in map(int, call.body["messages"]):
            if message_id in channel.log:
                self.world.remove(channel.log[message_id])
        return Reply()

    def type(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        require_sending(channel, self.world.bot, {}, with_files=False)
        channel.typed.append(self.world.clock())
        self.world.stir()
        return Reply()

    def react(self, call: Call) -> Reply:
        message, emoji = self._message(call), _emoji(call)
        require_reacting(message, self.world.bot, emoji)
        self.world.react(message, self.world.bot, emoji)
        return Reply()

    def unreact(self, call: Call) -> Reply:
        message = self._message(call)
        require_open(message.channel)
        self.world.unreact(message, self.world.bot, _emoji(call))
        return Reply()

    def unreact_other(self, call: Call) -> Reply:
        message = self._message(call, Permission.MANAGE_MESSAGES)
        require_open(message.channel)
        user = message.reactions.get(_emoji(call), {}).get(call.id("user_id"))
        if user is None:
            raise unknown_user()
        self.world.unreact(message, user, _emoji(call))
        return Reply()

    def clear_emoji(self, call: Call) -> Reply:
        message = self._message(call, Permission.MANAGE_MESSAGES)
        require_open(message.channel)
        self.world.clear_reactions(message, [_emoji(call)])
        return Reply()

    def clear_all(self, call: Call) -> Reply:
        message = self._message(call, Permission.MANAGE_MESSAGES)
        require_open(message.channel)
        self.world.clear_all_reactions(message)
        return Reply()

    def reactors(self, call: Call) -> Reply:
        message, emoji = self._message(call, _READ), _emoji(call)
        bursts = message.bursts.get(emoji, {})
        wanted = bursts.keys() if call.query.get("type") == "1" else message.reactions.get(emoji, {}).keys() - bursts
        after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 25))
        found = sorted(who for who in wanted if who > after)[:limit]
        return Reply(200, [user_shape(message.reactions[emoji][who]) for who in found])

    def _message(self, call: Call, needed: Permission = Permission.NOTHING) -> Message:
        channel = channel_of(self.world, call)
        require(channel, self.world.bot, needed)
        message = message_of(channel, call.id("message_id"))
        if message.deleted:
            raise unknown_message()
        return message


def _emoji(call: Call) -> str:
    return unquote(call.params["emoji_name"])
