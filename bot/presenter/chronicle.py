"""The events of a playthrough as one room is shown them: each once and in order, and what was told before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from bot.wording.asking import Asked, asked
from storyforge_core.domain.events import BallotChanged, BallotOpened, Event, Recorded, StoryBegan, StoryOpened
from storyforge_core.domain.pictures import HungPicture, InHand
from storyforge_core.domain.runs import Run
from storyforge_core.domain.space import Space
from storyforge_core.domain.story import BallotId, PlaythroughId, Room, RoomId, RoomKey
from storyforge_core.show_ports import Ledger

BATCH = 200
LOOK_BACK = 2000
"""How many event ids back a question of before the restart is looked up; the ids of all stories count together."""


class EventSource(Protocol):
    """What a presenter needs of the store."""

    async def events(self, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
        """Read events in order."""

    async def room(self, key: RoomKey) -> Room:
        """Find a room, or make it known."""

    async def space(self, key: RoomKey) -> Space:
        """Read what was decided for the space that a room is in."""

    async def live_run(self, playthrough: PlaythroughId) -> Run | None:
        """Find what is being written or queued."""

    async def picture_in(self, key: RoomKey, message: str) -> HungPicture | None:
        """Find the picture that hangs at a message of a room, or is one; None where none does."""

    async def in_hand(self, playthrough: PlaythroughId) -> InHand | None:
        """Find the picture of a playthrough that is painted now or next; None when none is wanted."""

    async def hosts(self, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:
        """List the accounts on a platform of those who host a playthrough."""


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What one room has been, and is yet to be, told of a playthrough. All of it raises `ServiceDown`."""

    store: EventSource
    ledger: Ledger
    room: RoomId
    playthrough: PlaythroughId

    async def begun(self) -> bool:
        """Tell whether the room was shown any of it before."""
        return bool(await self.ledger.cursor(self.room, self.playthrough))

    async def news(self) -> AsyncIterator[tuple[Recorded, tuple[Recorded, ...]]]:
        """Read what the room has not been shown yet: each event, with those that are known to follow it."""
        cursor = await self.ledger.cursor(self.room, self.playthrough)
        while events := await self.store.events(self.playthrough, cursor, BATCH):
            for place, recorded in enumerate(events):
                yield recorded, events[place + 1 :]
            cursor = events[-1].id

    async def shown(self, event: int) -> None:
        """Remember that the room was shown everything up to an event."""
        await self.ledger.advance(self.room, self.playthrough, event)

    async def skip_the_past(self) -> None:
        """Begin with the event that brought the story into the room: what was told elsewhere is not told again."""
        opened = 0
        async for recorded, _ in self.news():
            if self._brings_it_here(recorded.event):
                opened = recorded.id
        if opened:
            await self.shown(opened - 1)

    def _brings_it_here(self, event: Event) -> bool:
        return isinstance(event, StoryBegan) or (isinstance(event, StoryOpened) and event.room in {None, self.room})

    async def event(self, event: int) -> Event | None:
        """Read an event by its id; None when this playthrough has none of that id."""
        found = await self.store.events(self.playthrough, event - 1, 1)
        return found[0].event if found and found[0].id == event else None

    async def last_asked(self, ballot: BallotId) -> Asked | None:
        """Find how a ballot stood last, by the newest events."""
        found = None
        after = max(await self.ledger.cursor(self.room, self.playthrough) - LOOK_BACK, 0)
        while events := await self.store.events(self.playthrough, after, BATCH):
            for recorded in events:
                event = recorded.event
                if isinstance(event, BallotOpened | BallotChanged) and event.ballot.id == ballot:
                    found = asked(event)
            after = events[-1].id
        return found
