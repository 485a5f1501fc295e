"""A port of its own: what came in from platforms that are asked for what is new, until it is handled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """One of the program's own accounts on a platform that is asked for what is new."""

    platform: str
    name: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that came in from a platform."""

    id: str
    """The platform's own."""
    room: str
    body: Mapping[str, Any]
    """What the platform told, in its own words."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that waits to be handled."""

    number: int
    """Its place in the order in which letters came."""
    at: datetime
    """When it came."""
    letter: Letter


class Mailbox(Protocol):
    """Keeps what came in until it is handled, for platforms where one asks for what is new since a mark."""

    async def mark(self, account: Account) -> str:
        """Read up to where everything is in the box; empty for an account that never asked."""

    async def deliver(self, account: Account, letters: Sequence[Letter], mark: str) -> None:
        """Keep letters and the mark behind them, together; a letter that is there already stays as it is."""

    async def letters(self, account: Account, after: int, limit: int) -> tuple[Kept, ...]:
        """Read the letters with a number above `after`, in order."""

    async def done(self, kept: Kept) -> None:
        """Take a letter out that was handled."""
