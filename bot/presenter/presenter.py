"""Core events to posts and edits, in every room that shows a story, on any surface.

Each room has a task of its own that presents its playthrough's events in order and remembers in the ledger how far it
got. A platform that is away, slow or gone therefore holds up its own rooms only, and never the engine.
"""

import asyncio
from collections import Counter, defaultdict

from bot.presenter.chronicle import Chronicle, EventSource
from bot.presenter.lengths import Lengths
from bot.presenter.room import Backstage, RoomShow
from bot.surface import Surface
from storyforge_core.domain.story import PlaythroughId, RoomKey
from storyforge_core.picture_ports import Gallery
from storyforge_core.show_ports import Ledger, Words

CLOSING_SECONDS = 3.0
"""How long the newest words may take to be shown when the program ends; a restart would show them anyway."""


class Presenter:
    """Shows what happens, wherever it is watched."""

    def __init__(self, store: EventSource, ledger: Ledger, words: Words, gallery: Gallery) -> None:
        self._stage = Backstage(store, ledger, words, gallery, Counter(), Lengths())
        self._shows: dict[RoomKey, RoomShow] = {}
        self._attending: defaultdict[RoomKey, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def attend(self, surface: Surface, key: RoomKey) -> None:
        """Present what the room shows from now on: call it at start, and after each command from a room.

        Nothing changes when the room is attended already and shows the same story as before.

        Raises:
            ServiceDown: the store is away.
        """
        async with self._attending[key]:  # two at a time would tell everything twice
            await self._attend(surface, key)

    def wake(self, playthrough: PlaythroughId | None) -> None:
        """Look for new events of a playthrough; of all when it is None."""
        for show in self._shows.values():
            if playthrough is None or show.room.playthrough == playthrough:
                show.wake()

    async def settled(self, key: RoomKey) -> None:
        """Return when every event so far is shown in the room and nothing is being written for it.

        Raises:
            RoomGone: the room cannot be shown anything any more.
        """
        if show := self._shows.get(key):
            await show.settled()

    async def mention(self, key: RoomKey, subject: str, text: str) -> None:
        """Say something in a room that nothing in the story tells; the same subject is mentioned there only once.

        Raises:
            RoomGone: the room cannot be shown anything any more.
        """
        if show := self._shows.get(key):
            await show.mention(subject, text)

    async def aclose(self) -> None:
        """Show the newest words if that is quick, and let go."""
        shows = list(self._shows.values())
        self._shows.clear()
        await asyncio.gather(*(show.pause(CLOSING_SECONDS) for show in shows))

    async def _attend(self, surface: Surface, key: RoomKey) -> None:
        room = await self._stage.store.room(key)
        before = self._shows.get(key)
        if before is not None and not before.over and before.room.playthrough == room.playthrough:
            return
        if before is not None:
            del self._shows[key]
            await before.close(CLOSING_SECONDS)
        if room.playthrough is None:
            return
        chronicle = Chronicle(self._stage.store, self._stage.ledger, room.id, room.playthrough)
        if before is not None or not await chronicle.begun():
            await chronicle.skip_the_past()
        self._shows[key] = RoomShow(surface, room, room.playthrough, self._stage)
