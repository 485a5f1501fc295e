"""Where people's commands are taken in on any chat platform: who asks, from where, and what they are answered."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from storyforge_core.domain.commands import Command, Incoming, NewStory, Speaker, Surroundings, Unvote, Vote
from storyforge_core.domain.pictures import HungPicture
from storyforge_core.domain.replies import Accepted, Declined, Repeated, Reply
from storyforge_core.domain.story import Room, RoomKey
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Clock, ShownScene

BLOCKED = "Whoever runs this bot has decided that it tells no stories on this server."

log = structlog.stdlib.get_logger()


class Door(Protocol):
    """Where commands go."""

    async def handle(self, incoming: Incoming) -> Reply:
        """Do what is asked, or say in a sentence why not."""

    async def objection(self, incoming: Incoming) -> Reply | None:
        """Say why no story can begin there, before a place is made for it; None when one can."""


class Scenes(Protocol):
    """Where one learns what a message tells."""

    async def scene_in(self, key: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message of a room tells; None when it tells none."""

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        """Find the picture that hangs at a message of a room, or is one; None where none does."""


class Register(Protocol):
    """Where it is written down where the bot is."""

    async def attendance(self, platform: str, present: Collection[str], at: datetime, only: str | None = None) -> None:
        """Note in which spaces of a platform the bot is, all of them or `only` one, and that it is in no others."""


class Rooms(Register, Scenes, Protocol):
    """Where one learns which rooms show a story."""

    async def rooms(self, platform: str) -> tuple[Room, ...]:
        """List the rooms of a platform that show a story, in the order in which they became known."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody in a room."""

    room: RoomKey
    speaker: Speaker
    around: Surroundings = field(default_factory=Surroundings)


@dataclass(frozen=True, slots=True)
class Reception:
    """Passes on what people ask, and has the room shown what came of it."""

    door: Door
    peephole: Door
    """For what nobody can be told to ask less of: it does not count how often one asks."""
    clock: Clock
    attend: Callable[[RoomKey], Awaitable[None]]
    """Has a room shown what happens in its story, from now on."""
    scenes: Scenes
    blocked: frozenset[str] = frozenset()
    """Realms in which nobody is served."""

    async def ask(self, asker: Asker, command: Command, event: str) -> Reply:
        """Do what somebody asks."""
        return await self._do(self.door, asker, command, event)

    async def look(self, asker: Asker, command: Command) -> Reply:
        """Look something up for somebody who is still typing, or before a form is opened."""
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        return await self.peephole.handle(self._incoming(asker, command, str(self.clock.new_id())))

    async def objection(self, asker: Asker, command: NewStory) -> Reply | None:
        """Say why no story can begin there; None when one can."""
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        return await self.door.objection(self._incoming(asker, command, ""))

    async def begin(self, asker: Asker, command: NewStory, event: str) -> Reply:
        """Begin a story to which there was no objection; asking that was counted already."""
        return await self._do(self.peephole, asker, command, event)

    async def scene_in(self, room: RoomKey, message: str) -> ShownScene | None:
        """Find the scene that a message tells."""
        return await self.scenes.scene_in(room, message)

    async def picture_in(self, room: RoomKey, message: str) -> HungPicture | None:
        """Find the picture that hangs at a message."""
        return await self.scenes.picture_in(room, message)

    async def react(self, asker: Asker, position: int, event: str) -> None:
        """Count a reaction that is seen as it is made: also one that was taken away and made again."""
        if isinstance(await self._do(self.peephole, asker, Vote(position), event), Repeated):
            await self._do(self.peephole, asker, Vote(position), str(self.clock.new_id()))

    async def catch_up(self, asker: Asker, position: int, event: str, given: datetime | None = None) -> None:
        """Count a sign that is found: only once, and where it says when it was made, not before votes given since."""
        await self._do(self.peephole, asker, Vote(position, given), event)

    async def take_back(self, asker: Asker, given: datetime, event: str) -> bool:
        """Take back the vote that a sign stood for; False where another one counts, or the same was done before."""
        return isinstance(await self._do(self.peephole, asker, Unvote(given), event), Accepted)

    async def _do(self, door: Door, asker: Asker, command: Command, event: str) -> Reply:
        if asker.room.realm in self.blocked:
            return Declined(BLOCKED)
        reply = await door.handle(self._incoming(asker, command, event))
        try:
            await self.attend(asker.room)
        except ServiceDown as down:  # the command after this one will do it
            log.warning("room not attended", room=asker.room.address, reason=str(down))
        return reply

    def _incoming(self, asker: Asker, command: Command, event: str) -> Incoming:
        return Incoming(event, asker.room, asker.speaker, command, self.clock.now(), asker.around)
