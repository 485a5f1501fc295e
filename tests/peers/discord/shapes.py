"""Things as Discord's API shows them."""

from datetime import UTC, datetime

from tests.peers.discord.rules import allowed
from tests.peers.discord.state import (
    Attachment,
    Channel,
    Flag,
    Guild,
    Interaction,
    Json,
    Kind,
    Member,
    Message,
    Permission,
    Role,
    ThreadLife,
    User,
)

UPLOAD_LIMIT = 10 * 1024 * 1024


def when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user_shape(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": user.name,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
        "bot": user.bot,
    }


def member_shape(member: Member) -> Json:
    return {
        "user": user_shape(member.user),
        "nick": None,
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "pending": False,
        "premium_since": None,
        "joined_at": when(member.joined),
        "roles": [str(role.id) for role in member.roles],
        "mute": False,
        "deaf": False,
    }


def role_shape(role: Role) -> Json:
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": True,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def channel_shape(channel: Channel) -> Json:
    if channel.thread is not None:
        return _thread_shape(channel, channel.thread)
    last = max(channel.log, default=None)
    common: Json = {
        "id": str(channel.id),
        "type": int(channel.kind),
        "flags": 0,
        "last_message_id": str(last) if last else None,
    }
    if channel.guild is None:
        return common | {"recipients": [user_shape(channel.recipient)] if channel.recipient else []}
    return common | {
        "guild_id": str(channel.guild.id),
        "name": channel.name,
        "position": 0,
        "parent_id": None,
        "topic": None,
        "nsfw": channel.age_restricted,
        "rate_limit_per_user": 0,
        "permission_overwrites": [
            {
                "id": str(of),
                "type": int(overwrite.of_member),
                "allow": str(int(overwrite.allow)),
                "deny": str(int(overwrite.deny)),
            }
            for of, overwrite in channel.overwrites.items()
        ],
        **({"available_tags": []} if channel.kind is Kind.FORUM else {}),
        **({"bitrate": 64_000, "user_limit": 0, "rtc_region": None} if channel.kind is Kind.VOICE else {}),
    }


def _thread_shape(channel: Channel, life: ThreadLife) -> Json:
    last = max(channel.log, default=None)
    return {
        "id": str(channel.id),
        "type": int(channel.kind),
        "flags": 0,
        "guild_id": str(channel.guild.id if channel.guild else 0),
        "parent_id": str(life.parent.id),
        "owner_id": str(life.owner.id),
        "name": channel.name,
        "last_message_id": str(last) if last else None,
        "rate_limit_per_user": 0,
        "message_count": len(channel.messages),
        "total_message_sent": len(channel.messages),
        "member_count": len(life.members),
        "thread_metadata": {
            "archived": life.archived,
            "archive_timestamp": when(life.touched),
            "auto_archive_duration": life.auto_archive,
            "locked": life.locked,
            "create_timestamp": when(life.touched),
        },
    }


def thread_member_shape(thread: Channel, user_id: int) -> Json:
    joined = when(thread.thread.touched if thread.thread else 0)
    return {"id": str(thread.id), "user_id": str(user_id), "join_timestamp": joined, "flags": 0}


def guild_shape(guild: Guild, bot: User) -> Json:
    """A server as GUILD_CREATE brings it: without the Members intent only the bot itself is listed."""
    open_threads = [thread for thread in guild.threads.values() if not thread.archived]
    return guild_facts(guild) | {
        "joined_at": when(guild.members[bot.id].joined),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_shape(guild.members[bot.id])],
        "channels": [channel_shape(channel) for channel in guild.channels.values()],
        "threads": [
            channel_shape(thread) | {"member": thread_member_shape(thread, bot.id)}
            for thread in open_threads
            if thread.thread and bot.id in thread.thread.members
        ],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_facts(guild: Guild) -> Json:
    """A server as `GET /guilds/{id}` answers it."""
    nothing = (
        *("icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id"),
        *("afk_channel_id", "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code"),
        *("rules_channel_id", "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data"),
    )
    zero = (
        *("system_channel_flags", "verification_level", "default_message_notifications", "mfa_level"),
        *("explicit_content_filter", "premium_tier", "premium_subscription_count", "nsfw_level"),
        *("max_stage_video_channel_users", "max_video_channel_users"),
    )
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner.id),
        "roles": [role_shape(role) for role in guild.roles.values()],
        "preferred_locale": "en-US",
        "region": "deprecated",
        "afk_timeout": 300,
        "max_members": 500_000,
        "features": [],
        "emojis": [],
        "stickers": [],
        "nsfw": False,
        "widget_enabled": False,
        "premium_progress_bar_enabled": False,
        **dict.fromkeys(nothing),
        **dict.fromkeys(zero, 0),
    }


def attachment_shape(attachment: Attachment) -> Json:
    url = f"https://cdn.invalid/attachments/{attachment.id}/{attachment.name}?ex=0&is=0&hm=0"
    return {
        "id": str(attachment.id),
        "filename": attachment.name,
        "description": attachment.description,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "url": url,
        "proxy_url": url,
    }


def reactions_shape(message: Message, viewer: User) -> list[Json]:
    return [
        {
            "emoji": emoji_shape(emoji),
            "count": len(users),
            "count_details": {
                "burst": len(message.bursts.get(emoji, ())),
                "normal": len(users) - len(message.bursts.get(emoji, ())),
            },
            "burst_colors": [],
            "me_burst": False,
            "me": viewer.id in users,
        }
        for emoji, users in message.reactions.items()
        if users
    ]


def emoji_shape(emoji: str) -> Json:
    name, _, custom = emoji.partition(":")
    return {"id": custom or None, "name": name}


def message_shape(message: Message, viewer: User) -> Json:
    shape: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "type": message.kind,
        "author": user_shape(message.author),
        "content": message.content,
        "timestamp": when(message.created),
        "edited_timestamp": when(message.edited) if message.edited is not None else None,
        "tts": False,
        "mention_everyone": "everyone" in message.pinged,
        "mentions": [user_shape(user) for user in message.mentioned],
        "mention_roles": [],
        "attachments": [attachment_shape(attachment) for attachment in message.attachments],
        "embeds": [{"type": "rich"} | embed for embed in message.embeds],
        "components": message.components,
        "reactions": reactions_shape(message, viewer),
        "pinned": False,
        "flags": int(message.flags),
    }
    if message.nonce is not None:
        shape["nonce"] = message.nonce
    if message.reply_to is not None:
        shape["message_reference"] = {
            "type": 0,
            "channel_id": str(message.reply_to.channel.id),
            "message_id": str(message.reply_to.id),
        }
        shape["referenced_message"] = None if message.reply_to.deleted else message_shape(message.reply_to, viewer)
    if message.asked_by is not None:
        shape |= _asked(message.asked_by, message.author)
    if Flag.HAS_THREAD in message.flags and message.channel.guild and message.id in message.channel.guild.threads:
        shape["thread"] = channel_shape(message.channel.guild.threads[message.id])
    return shape


def _asked(interaction: Interaction, bot: User) -> Json:
    metadata: Json = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "user": user_shape(interaction.user),
        "authorizing_integration_owners": _owners(interaction.channel),
    }
    if interaction.kind == 3 and interaction.message is not None:
        metadata["interacted_message_id"] = str(interaction.message.id)
    if interaction.kind == 5:
        metadata["triggering_interaction_metadata"] = metadata | {"type": 2}
    return {"interaction_metadata": metadata, "webhook_id": str(bot.id), "application_id": str(bot.id)}


def _owners(channel: Channel) -> Json:
    return {"0": str(channel.guild.id if channel.guild else 0)}


def interaction_shape(interaction: Interaction, bot: User) -> Json:
    """INTERACTION_CREATE."""
    channel = interaction.channel
    rights = allowed(channel, interaction.user)
    shape: Json = {
        "id": str(interaction.id),
        "application_id": str(bot.id),
        "type": interaction.kind,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": channel_shape(channel) | {"permissions": str(int(rights))},
        "app_permissions": str(int(allowed(channel, bot))),
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": _owners(channel),
        "context": 0 if channel.guild else 1,
        "attachment_size_limit": UPLOAD_LIMIT,
    }
    if interaction.message is not None:
        shape["message"] = message_shape(interaction.message, bot)
    if channel.guild is None:
        return shape | {"user": user_shape(interaction.user)}
    member = member_shape(channel.guild.members[interaction.user.id]) | {"permissions": str(int(rights))}
    guild = {"id": str(channel.guild.id), "locale": "en-US", "features": []}
    return shape | {"guild_id": guild["id"], "guild": guild, "guild_locale": "en-US", "member": member}


def command_shape(command: Json, command_id: int, bot: User, guild: Guild | None) -> Json:
    """A stored command: what was sent, and what Discord adds."""
    defaults: Json = {"type": 1, "description": "", "default_member_permissions": None, "nsfw": False}
    added: Json = {"id": str(command_id), "application_id": str(bot.id), "version": str(command_id)}
    sent = {name: value for name, value in command.items() if value is not None}
    return defaults | sent | added | ({"guild_id": str(guild.id)} if guild else {})


def can_see(channel: Channel, user: User) -> bool:
    return Permission.VIEW_CHANNEL in allowed(channel, user)
