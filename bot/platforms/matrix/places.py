"""Where stories live on Matrix: in a whole room, or in one thread of it."""

from dataclasses import dataclass
from typing import Self

from storyforge_core.domain.story import RoomKey

PLATFORM = "matrix"


@dataclass(frozen=True, slots=True)
class Place:
    """A room, or a thread of one by the event that it hangs on."""

    room: str
    thread: str = ""
    """The id of the event at its root; empty for the whole room."""

    @property
    def key(self) -> RoomKey:
        """How everybody else knows the place; the realm is the room, so that its threads belong together."""
        address = f"{self.room} {self.thread}" if self.thread else self.room
        return RoomKey(PLATFORM, address, self.room)

    @classmethod
    def of(cls, key: RoomKey) -> Self:
        """Read it back; neither ids of rooms nor of events hold a blank."""
        room, _, thread = key.address.partition(" ")
        return cls(room, thread)
