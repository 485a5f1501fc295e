"""Who gets a notification from a message: what its text mentions, as far as `allowed_mentions` lets it."""

import re

from tests.peers.discord.rules import allowed
from tests.peers.discord.state import Channel, Json, Message, Permission, User

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


def users_mentioned(channel: Channel, text: str, allowance: Json | None, reply_to: Message | None) -> list[User]:
    """The users a text reaches, and the author it replies to."""
    members = channel.guild.members if channel.guild else {}
    named = [int(found) for found in _USER.findall(text)]
    reached = [members[who].user for who in dict.fromkeys(named) if who in members and _lets(allowance, "users", who)]
    pings_author = allowance is None or allowance.get("replied_user", False)
    if reply_to is not None and pings_author and reply_to.author not in reached:
        reached.append(reply_to.author)
    return reached


def names_pinged(channel: Channel, author: User, text: str, allowance: Json | None) -> frozenset[str]:
    """The roles a text reaches, and `everyone`."""
    if channel.guild is None:
        return frozenset()
    roles = channel.guild.roles
    named = [int(found) for found in _ROLE.findall(text)]
    reached = {roles[which].name for which in named if which in roles and _lets(allowance, "roles", which)}
    to_all = allowance is None or "everyone" in allowance.get("parse", ())
    if _EVERYONE.search(text) and to_all and Permission.MENTION_EVERYONE in allowed(channel, author):
        reached.add("everyone")
    return frozenset(reached)


def _lets(allowance: Json | None, kind: str, which: int) -> bool:
    """Without `allowed_mentions` all are; else those of a kind that is parsed, and those listed."""
    if allowance is None:
        return True
    return kind in (allowance.get("parse") or ()) or which in map(int, allowance.get(kind) or ())
