"""Routes for servers, channels, threads and people."""

from dataclasses import dataclass

from tests.peers.discord.calls import CREATED, Call, Reply, Routes, channel_of, message_of
from tests.peers.discord.forms import check_message, form_error
from tests.peers.discord.gateway import Gateway
from tests.peers.discord.rules import (
    allowed,
    archived_thread,
    has_thread_already,
    missing_access,
    missing_permissions,
    require,
    unknown_channel,
    unknown_guild,
    unknown_user,
    wrong_channel_type,
)
from tests.peers.discord.shapes import (
    channel_shape,
    guild_facts,
    member_shape,
    message_shape,
    thread_member_shape,
    user_shape,
    when,
)
from tests.peers.discord.state import Channel, Flag, Guild, Json, Kind, Message, Permission
from tests.peers.discord.world import Draft, World

_CHANNEL = "/channels/{channel_id}"
_MEMBERS = f"{_CHANNEL}/thread-members"
_GUILD = "/guilds/{guild_id}"
_DURATIONS = {60, 1440, 4320, 10080}


@dataclass(frozen=True, slots=True)
class Places:
    """What a bot asks about places, and does with threads."""

    world: World
    line: Gateway

    def routes(self) -> Routes:
        return {
            ("GET", "/gateway"): self.gateway,
            ("GET", "/gateway/bot"): self.gateway_bot,
            ("GET", "/users/@me"): self.me,
            ("GET", "/users/@me/guilds"): self.my_guilds,
            ("DELETE", "/users/@me/guilds/{guild_id}"): self.leave,
            ("POST", "/users/@me/channels"): self.direct,
            ("GET", "/users/{user_id}"): self.user,
            ("GET", "/oauth2/applications/@me"): self.application,
            ("GET", "/applications/@me"): self.application,
            ("GET", _GUILD): self.guild,
            ("GET", f"{_GUILD}/channels"): self.guild_channels,
            ("GET", f"{_GUILD}/threads/active"): self.active_threads,
            ("GET", f"{_GUILD}/members/{{user_id}}"): self.member,
            ("GET", _CHANNEL): self.show,
            ("PATCH", _CHANNEL): self.alter,
            ("DELETE", _CHANNEL): self.delete,
            ("POST", f"{_CHANNEL}/threads"): self.open_thread,
            ("POST", f"{_CHANNEL}/messages/{{message_id}}/threads"): self.open_under,
            ("GET", f"{_CHANNEL}/threads/archived/public"): self.archived,
            ("GET", _MEMBERS): self.thread_members,
            ("PUT", f"{_MEMBERS}/@me"): self.join,
            ("DELETE", f"{_MEMBERS}/@me"): self.part,
            ("PUT", f"{_MEMBERS}/{{user_id}}"): self.join,
            ("DELETE", f"{_MEMBERS}/{{user_id}}"): self.part,
        }

    def gateway(self, _: Call) -> Reply:
        return Reply(200, {"url": self.line.url})

    def gateway_bot(self, _: Call) -> Reply:
        starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return Reply(200, {"url": self.line.url, "shards": 1, "session_start_limit": starts})

    def me(self, _: Call) -> Reply:
        private = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
        return Reply(200, user_shape(self.world.bot) | private)

    def application(self, _: Call) -> Reply:
        owner = self.world.bot
        nothing = ("icon", "interactions_endpoint_url", "role_connections_verification_url", "team")
        counts = ("guild_count", "user_install_count", "user_authorization_count")
        return Reply(
            200,
            {
                "id": str(owner.id),
                "name": owner.name,
                "description": "",
                "type": None,
                "verify_key": "0" * 64,
                "flags": 0,
                "flags_new": "0",
                "redirect_uris": [],
                "explicit_content_filter": 0,
                "eligible_oauth2_scopes": [],
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": user_shape(owner),
                **dict.fromkeys(nothing),
                **{f"approximate_{count}": len(self.world.guilds) for count in counts},
            },
        )

    def my_guilds(self, _: Call) -> Reply:
        shapes: list[Json] = [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": str(int(guild.roles[guild.id].permissions)),
                "features": [],
            }
            for guild in self.world.joined
        ]
        return Reply(200, shapes)

    def leave(self, call: Call) -> Reply:
        self.world.leave_guild(self._guild(call))
        return Reply()

    def direct(self, call: Call) -> Reply:
        people = (
            member.user
            for guild in self.world.joined
            for member in guild.members.values()
            if member.user.id == int(call.body["recipient_id"])
        )
        user = next(people, None)
        if user is None:
            raise unknown_user()
        return Reply(200, channel_shape(self.world.direct_with(user)))

    def user(self, call: Call) -> Reply:
        for guild in self.world.joined:
            if call.id("user_id") in guild.members:
                return Reply(200, user_shape(guild.members[call.id("user_id")].user))
        raise unknown_user()

    def guild(self, call: Call) -> Reply:
        return Reply(200, guild_facts(self._guild(call)))

    def guild_channels(self, call: Call) -> Reply:
        return Reply(200, [channel_shape(channel) for channel in self._guild(call).channels.values()])

    def active_threads(self, call: Call) -> Reply:
        return self._threads([thread for thread in self._guild(call).threads.values() if not thread.archived])

    def member(self, call: Call) -> Reply:
        member = self._guild(call).members.get(call.id("user_id"))
        if member is None:
            raise unknown_user()
        return Reply(200, member_shape(member))

    def show(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        require(channel, self.world.bot)
        return Reply(200, channel_shape(channel))

    def alter(self, call: Call) -> Reply:
        thread = channel_of(self.world, call)
        if thread.thread is None:
            raise wrong_channel_type()
        require(thread, self.world.bot, Permission.SEND_MESSAGES_IN_THREADS)
        manages = Permission.MANAGE_THREADS in allowed(thread, self.world.bot)
        if not manages and ("locked" in call.body or thread.thread.locked):
            raise missing_permissions()
        if not manages and thread.thread.owner != self.world.bot and call.body != {"archived": False}:
            raise missing_permissions()
        if thread.archived and call.body.get("archived", True):
            raise archived_thread()
        _check_thread(call.body, call.body.get("name", thread.name))
        self.world.alter_thread(thread, call.body)
        return Reply(200, channel_shape(thread))

    def delete(self, call: Call) -> Reply:
        channel = channel_of(self.world, call)
        needed = Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS
        require(channel, self.world.bot, needed)
        self.world.delete_channel(channel)
        return Reply(200, channel_shape(channel))

    def open_thread(self, call: Call) -> Reply:
        parent = channel_of(self.world, call)
        if parent.kind is Kind.FORUM:
            return self._open_post(parent, call)
        return self._open(parent, call, None)

    def open_under(self, call: Call) -> Reply:
        parent = channel_of(self.world, call)
        message = message_of(parent, call.id("message_id"))
        if Flag.HAS_THREAD in message.flags:
            raise has_thread_already()
        return self._open(parent, call, message)

    def _open(self, parent: Channel, call: Call, under: Message | None) -> Reply:
        if parent.thread is not None or parent.guild is None:
            raise wrong_channel_type()
        private = call.body.get("type") == Kind.PRIVATE_THREAD
        needed = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
        require(parent, self.world.bot, needed)
        _check_thread(call.body, call.body["name"])
        thread = self.world.open_thread(parent, self.world.bot, call.body["name"], under, call.body)
        return Reply(CREATED, self._mine(thread))

    def _open_post(self, forum: Channel, call: Call) -> Reply:
        """A thread in a forum comes with its first message, which bears the same number."""
        require(forum, self.world.bot, Permission.SEND_MESSAGES)
        _check_thread(call.body, call.body["name"])
        check_message(call.body["message"], call.files)
        thread = self.world.open_thread(forum, self.world.bot, call.body["name"], None, call.body)
        message = self.world.post(thread, self.world.bot, Draft(call.body["message"], call.files))
        return Reply(CREATED, self._mine(thread) | {"message": message_shape(message, self.world.bot)})

    def _mine(self, thread: Channel) -> Json:
        return channel_shape(thread) | {"member": thread_member_shape(thread, self.world.bot.id)}

    def archived(self, call: Call) -> Reply:
        parent = channel_of(self.world, call)
        require(parent, self.world.bot, Permission.READ_MESSAGE_HISTORY)
        return self._threads([thread for thread in parent.threads if thread.archived])

    def _threads(self, threads: list[Channel]) -> Reply:
        shapes = [channel_shape(thread) for thread in threads]
        members = [thread_member_shape(thread, self.world.bot.id) for thread in threads]
        return Reply(200, {"threads": shapes, "members": members, "has_more": False})

    def thread_members(self, call: Call) -> Reply:
        thread = self._thread(call)
        life = thread.thread
        return Reply(200, [thread_member_shape(thread, user_id) for user_id in life.members] if life else [])

    def join(self, call: Call) -> Reply:
        thread, user_id = self._thread(call), call.id("user_id") if "user_id" in call.params else self.world.bot.id
        require(thread, self.world.bot, Permission.SEND_MESSAGES_IN_THREADS)
        if thread.thread is None or thread.archived:
            raise archived_thread()
        thread.thread.members.add(user_id)
        self._members_changed(thread, {"added_members": [thread_member_shape(thread, user_id)]})
        return Reply()

    def part(self, call: Call) -> Reply:
        thread, user_id = self._thread(call), call.id("user_id") if "user_id" in call.params else self.world.bot.id
        if thread.thread is not None:
            thread.thread.members.discard(user_id)
        self._members_changed(thread, {"removed_member_ids": [str(user_id)]})
        return Reply()

    def _members_changed(self, thread: Channel, change: Json) -> None:
        guild_id = str(thread.guild.id if thread.guild else 0)
        count = len(thread.thread.members) if thread.thread else 0
        data = {"id": str(thread.id), "guild_id": guild_id, "member_count": count, "at": when(self.world.clock())}
        self.world.happened("THREAD_MEMBERS_UPDATE", data | change, thread)

    def _thread(self, call: Call) -> Channel:
        channel = channel_of(self.world, call)
        if channel.thread is None:
            raise unknown_channel()
        return channel

    def _guild(self, call: Call) -> Guild:
        guild = self.world.guilds.get(call.id("guild_id"))
        if guild is None:
            raise unknown_guild()
        if guild not in self.world.joined:
            raise missing_access()
        return guild


def _check_thread(body: Json, name: str) -> None:
    """Refuse a thread's name or life span that Discord would not take."""
    if not 1 <= len(name) <= 100:
        raise form_error([("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")])
    if body.get("auto_archive_duration", 1440) not in _DURATIONS:
        raise form_error([("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {_DURATIONS}.")])
