"""Codes that carry something from one room or account to another: short, good once, and not for long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from storyforge_core.domain.story import PlayerId, PlaythroughId

LIFETIME = timedelta(minutes=15)

TicketKind = Literal["room", "person"]
"""What a code is for: to show a story in another room, or to be the same person with another account."""

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Those of Crockford's base 32: none is taken for another."""
_LENGTH = 8
_ALIKE = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a code stands for."""

    code: str
    kind: TicketKind
    player: PlayerId
    """Who asked for it."""
    playthrough: PlaythroughId | None
    """What the other room will show; None for a person."""
    expires_at: datetime


def code_of(randomness: UUID) -> str:
    """Make a code of the last 40 bits of an id, which are random in every UUIDv7."""
    value = randomness.int
    return "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))


def written(code: str) -> str:
    """Write a code the way it is read out."""
    return f"{code[:4]}-{code[4:]}"


def read(text: str) -> str | None:
    """Read a code as people type it; None when it cannot be one."""
    code = "".join(text.split()).replace("-", "").upper().translate(_ALIKE)
    return code if len(code) == _LENGTH and set(code) <= set(_DIGITS) else None
