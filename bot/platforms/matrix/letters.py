"""What comes in from a homeserver, as letters: each one event in Matrix's own words, decrypted where that was possible.

Of rooms that the bot is in, these are the events that people send; of others, that it was invited, or that it is out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.platforms.matrix.sealing import SEALED_KIND
from storyforge_core.mailbox import Letter

Event = Mapping[str, Any]
MEMBER = "m.room.member"
INVITE_STATE = "invite_state"
"""In the letter of an invitation: the events by which the room introduces itself."""
KINDS = frozenset(
    {
        SEALED_KIND,
        "m.room.message",
        "m.reaction",
        "m.room.redaction",
        MEMBER,
        "m.room.encryption",
        "m.room.tombstone",
        "m.poll.response",
        "org.matrix.msc3381.poll.response",
    }
)


def letters(room: str, events: Iterable[Event], me: str) -> list[Letter]:
    """The events of a room that matter, but for the bot's own and those that were taken back."""
    return [Letter(str(event["event_id"]), room, event) for event in events if _matters(event, me)]


def invitation(room: str, state: Iterable[Event], me: str) -> Letter | None:
    """The letter that says who invites the bot; it has the room's introduction with it."""
    known = list(state)
    mine = next((event for event in known if is_membership(event, me, "invite")), None)
    return None if mine is None else Letter(f"invite {room}", room, {**mine, INVITE_STATE: known})


def farewell(room: str, events: Iterable[Event], me: str) -> Letter | None:
    """The letter that says that the bot is out of a room, by its own will or another's."""
    left = [event for event in events if is_membership(event, me, "leave") or is_membership(event, me, "ban")]
    return Letter(str(left[-1]["event_id"]), room, left[-1]) if left else None


def is_membership(event: Event, user: str, membership: str) -> bool:
    """Tell whether an event makes somebody a member of that kind."""
    return (
        event.get("type") == MEMBER
        and event.get("state_key") == user
        and event.get("content", {}).get("membership") == membership
    )


def _matters(event: Event, me: str) -> bool:
    return (
        event.get("type") in KINDS
        and event.get("sender") != me
        and isinstance(event.get("event_id"), str)
        and "redacted_because" not in (event.get("unsigned") or {})
    )
