"""How what happens is brought to the person at the terminal: the two ways, as prose and as JSON, look alike here."""

from typing import Protocol

from storyforge_core.domain.replies import Reply, StatusShown
from storyforge_core.domain.story import Room


class Show(Protocol):
    """What the loop that reads lines needs of an output."""

    async def welcome(self, status: StatusShown) -> None:
        """Show where the story stands, to somebody who comes back to it."""

    async def attend(self, room: Room) -> None:
        """Show from now on what happens in the story of this room."""

    async def settled(self) -> None:
        """Wait until all that has happened is shown and nothing is being written."""

    async def line(self, text: str) -> None:
        """A line was read; what follows is about it."""

    async def reply(self, reply: Reply) -> None:
        """Show what only the asker is told."""

    async def note(self, text: str) -> None:
        """Show something about the program rather than the story."""
