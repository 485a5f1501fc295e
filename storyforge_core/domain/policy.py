"""Who may do what, and how often. Pure: the time comes in as an argument."""

from collections.abc import Sequence
from dataclasses import dataclass

from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.story import Member, PlayerId
from storyforge_core.errors import NotAllowed, TooFast


def member_of(members: Sequence[Member], player: PlayerId) -> Member | None:
    """Find a player's place; None when they have never taken part."""
    return next((member for member in members if member.player == player), None)


def is_host(members: Sequence[Member], player: PlayerId, speaker: Speaker) -> bool:
    """Tell whether a player has a host's rights: as a host, or by the platform's power over the room."""
    member = member_of(members, player)
    return speaker.moderator or (member is not None and member.host and member.state != "banned")


def require_welcome(members: Sequence[Member], player: PlayerId, speaker: Speaker) -> None:
    """Refuse a banned player.

    Raises:
        NotAllowed: banned.
    """
    member = member_of(members, player)
    if member is not None and member.state == "banned" and not speaker.moderator:
        msg = "You cannot take part in this story: its host has shut you out."
        raise NotAllowed(msg)


def require_host(members: Sequence[Member], player: PlayerId, speaker: Speaker, deed: str) -> None:
    """Refuse everybody but hosts; `deed` completes “Only the host may …”.

    Raises:
        NotAllowed: not a host.
    """
    if is_host(members, player, speaker):
        return
    hosts = ", ".join(member.name for member in members if member.host) or "a moderator"
    msg = f"Only the host may {deed}. Ask {hosts}."
    raise NotAllowed(msg)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `level` requests were still welcome at time `at` (seconds on any steady clock)."""

    level: float
    at: float


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests a minute are welcome; as many may come at once."""

    per_minute: int


def admit(bucket: Bucket | None, rate: Rate, now: float) -> Bucket:
    """Take one request out of a bucket; None stands for a full one.

    Raises:
        TooFast: empty; `retry_after` says for how long.
    """
    per_second = rate.per_minute / 60
    level = rate.per_minute if bucket is None else min(rate.per_minute, bucket.level + (now - bucket.at) * per_second)
    if level < 1:
        wait = (1 - level) / per_second
        msg = f"That was a lot at once. Try again in {max(1, round(wait))} s."
        raise TooFast(msg, wait)
    return Bucket(level - 1, now)
