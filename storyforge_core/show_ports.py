"""What showing stories needs from the outside world; see `ports` for everything else."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from storyforge_core.domain.story import PlaythroughId, RoomId, RunId


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a room and how far it got."""

    id: UUID
    """Also the key by which a platform recognises a message that is sent again."""
    room: RoomId
    subject: str
    """What it shows: `run:…`, `ballot:…` or `event:…`."""
    part: int
    """Counts from 0 when a text needs several messages."""
    message: str | None
    """The platform's id; None while it is not known to have arrived."""
    shown: int
    """Characters of the whole text that this message and those before it show."""
    final: bool


class Ledger(Protocol):
    """What was shown where, so that a restart shows nothing twice and leaves nothing half-shown."""

    async def cursor(self, room: RoomId, playthrough: PlaythroughId) -> int:
        """Read the id of the last event that a room has been shown of a playthrough; 0 for none."""

    async def advance(self, room: RoomId, playthrough: PlaythroughId, event: int) -> None:
        """Remember that events up to this one are shown."""

    async def deliveries(self, room: RoomId, subject: str) -> tuple[Delivery, ...]:
        """Read the messages about a subject, by part."""

    async def unfinished(self, room: RoomId) -> tuple[Delivery, ...]:
        """Read the messages whose last frame was not shown."""

    async def open(self, room: RoomId, subject: str, part: int) -> Delivery:
        """Announce a message before it is sent; the same one again answers the same id."""

    async def mark(self, delivery: Delivery) -> None:
        """Save how far a message got."""


class LiveWords(Protocol):
    """The growing prose of one run."""

    @property
    def text(self) -> str:
        """Everything told so far."""

    async def changed(self, beyond: int) -> bool:
        """Wait until there are more than `beyond` characters; False when the run is over without them."""

    async def complete(self) -> None:
        """Wait until there will be no more, even if the run goes on; where another process writes, until it is over."""

    async def save(self, upto: int) -> None:
        """Return when the first `upto` characters survive a kill of the program."""


class Words(Protocol):
    """Where the words of a run can be followed while it is written, in this process or another."""

    def live(self, run: RunId) -> AbstractAsyncContextManager[LiveWords]:
        """Follow a run from its first word on; a run that is over changes no more."""
