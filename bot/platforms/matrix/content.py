"""Reading what others sent: every field may be missing, or be something else than it should. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

THREAD, EDIT, ANNOTATION, REFERENCE = "m.thread", "m.replace", "m.annotation", "m.reference"
_LATEST = 253_402_300_799_000
"""The last moment that a date can tell, in the milliseconds of Unix time in which events are dated."""

Json = Mapping[str, Any]


def text(source: Json, name: str) -> str:
    """Read words; empty where there are none."""
    value = source.get(name)
    return value if isinstance(value, str) else ""


def inner(source: Json, *names: str) -> Json:
    """Read an object inside of others; empty where there is none."""
    for name in names:
        value = source.get(name)
        if not isinstance(value, Mapping):
            return {}
        source = value
    return source


def listed(source: Json, name: str) -> tuple[str, ...]:
    """Read a list of words; what is none is left out."""
    value = source.get(name)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def number(source: Json, name: str, otherwise: int) -> int:
    """Read a whole number."""
    value = source.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def dated(event: Json) -> datetime:
    """Read when an event was sent, as its sender's homeserver says."""
    return datetime.fromtimestamp(min(max(number(event, "origin_server_ts", 0), 0), _LATEST) / 1000, UTC)


def relation(content: Json) -> Json:
    """Read how an event relates to another."""
    return inner(content, "m.relates_to")


def thread_of(content: Json) -> str:
    """The root of the thread that a message is in; empty in the main timeline."""
    related = relation(content)
    return text(related, "event_id") if text(related, "rel_type") == THREAD else ""


def answered(content: Json) -> str:
    """The message that a message replies to; empty where it only seems to, for clients without threads."""
    related = relation(content)
    if text(related, "rel_type") == THREAD and related.get("is_falling_back") is not False:
        return ""
    return text(inner(related, "m.in_reply_to"), "event_id")
