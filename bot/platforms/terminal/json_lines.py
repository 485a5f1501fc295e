"""The story as JSON, one object a line, for programs that play or watch. The README documents the lines."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from bot.platforms.terminal.screen import Screen
from bot.presenter.chronicle import Chronicle
from storyforge_core.domain.events import Recorded, SceneTold, WritingQueued
from storyforge_core.domain.replies import Repeated, Reply, StatusShown
from storyforge_core.domain.story import PlaythroughId, Room, RoomId, RunId
from storyforge_core.errors import ServiceDown, Superseded
from storyforge_core.ports import Store
from storyforge_core.show_ports import Ledger, Words

GAP = 0.1
"""Seconds between two lines of words: each one is saved before it is shown, and saving costs a commit."""
AGAIN = 1.0
"""Seconds until one looks again unasked: who has asked in vain while the database was away may be woken by nobody."""
_AT_ONCE = 100


class JsonLines:
    """Shows events, words and replies as JSON lines."""

    def __init__(self, screen: Screen, store: Store, ledger: Ledger, words: Words) -> None:
        self._screen = screen
        self._store = store
        self._ledger = ledger
        self._words = words
        self._shown: tuple[RoomId, PlaythroughId] | None = None
        self._line = ""
        self._told = 0
        """The last event that was shown; what fails after that does not show it again."""
        self._run: RunId | None = None
        self._heard = ""
        """The words of the run that were shown."""
        self._stirs: list[asyncio.Event] = []
        self._telling = asyncio.Lock()

    async def welcome(self, status: StatusShown) -> None:
        """Show where the story stands."""
        await self.reply(status)

    async def attend(self, room: Room) -> None:
        """Show from now on what happens in the story of this room."""
        switched = self._shown is not None
        self._shown = None if room.playthrough is None else (room.id, room.playthrough)
        self._told = 0
        if room.playthrough is None:
            return
        chronicle = Chronicle(self._store, self._ledger, room.id, room.playthrough)
        if switched or not await chronicle.begun():
            await chronicle.skip_the_past()

    def wake(self, _: PlaythroughId | None) -> None:
        """Something may have happened."""
        for stir in self._stirs:
            stir.set()

    async def run(self) -> None:
        """Show what happens between the lines, for as long as it runs."""
        with self._stirred() as stir:
            while True:
                await stir.wait()
                stir.clear()
                with suppress(ServiceDown):  # one is woken again when the database is back
                    await self._catch_up()

    async def settled(self) -> None:
        """Wait until all that has happened is shown and nothing is being written, also while the database is away."""
        with self._stirred() as stir:
            while not await self._quiet():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stir.wait(), AGAIN)
                stir.clear()

    async def line(self, text: str) -> None:
        """Remember what the next replies are about."""
        self._line = text

    async def reply(self, reply: Reply) -> None:
        """Show what only the asker is told."""
        if not isinstance(reply, Repeated):
            await self._put({"type": "reply", "kind": reply.kind, "to": self._line, **asdict(reply)})

    async def note(self, text: str) -> None:
        """Show something about the program."""
        await self._put({"type": "note", "text": text})

    @contextmanager
    def _stirred(self) -> Iterator[asyncio.Event]:
        """An event of one's own, so that nobody clears it but oneself."""
        stir = asyncio.Event()
        self._stirs.append(stir)
        try:
            yield stir
        finally:
            self._stirs.remove(stir)

    async def _quiet(self) -> bool:
        """Show what has happened; tell whether that was all."""
        with suppress(ServiceDown):
            busy = self._shown and await self._store.live_run(self._shown[1])
            await self._catch_up()
            if busy:
                await self._stream(busy.id)  # its beginning may lie before what this room is shown
            return not busy
        return False

    async def _catch_up(self) -> None:
        async with self._telling:
            while self._shown is not None:
                room, playthrough = self._shown
                cursor = await self._ledger.cursor(room, playthrough)
                recorded = await self._store.events(playthrough, cursor, _AT_ONCE)
                for event in recorded:
                    await self._tell(event)
                    await self._ledger.advance(room, playthrough, event.id)
                if not recorded:
                    return

    async def _tell(self, recorded: Recorded) -> None:
        event = recorded.event
        if recorded.id > self._told:
            await self._announce(recorded)
        if isinstance(event, WritingQueued):
            await self._follow(event.run)

    async def _announce(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, SceneTold):
            await self._complete(event)
        head = {"type": "event", "kind": event.kind, "id": recorded.id, "at": recorded.at}
        await self._put({**head, **asdict(event)})
        self._told = recorded.id

    async def _stream(self, run: RunId) -> None:
        async with self._telling:
            await self._follow(run)

    async def _follow(self, run: RunId) -> None:
        """Pass words on as they come, once they are saved."""
        self._turn_to(run)
        async with self._words.live(run) as prose:
            while await prose.changed(len(self._heard)):
                text = prose.text
                try:
                    await prose.save(len(text))
                except Superseded:  # the run is over, and the rest comes with the scene; or it goes on elsewhere
                    return
                await self._hear(text)
                await asyncio.sleep(GAP)

    async def _complete(self, told: SceneTold) -> None:
        """Let the words of a run add up to its scene."""
        if told.run:
            self._turn_to(told.run)
            if told.scene.prose.startswith(self._heard):
                await self._hear(told.scene.prose)

    def _turn_to(self, run: RunId) -> None:
        if run != self._run:
            self._run, self._heard = run, ""

    async def _hear(self, text: str) -> None:
        more, self._heard = text[len(self._heard) :], text
        if more:
            await self._put({"type": "words", "run": self._run, "text": more})

    async def _put(self, line: Mapping[str, object]) -> None:
        await self._screen.line(json.dumps(line, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str | bool:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes():  # what is no text is only said to be there
            return bool(value)
        case _:
            raise TypeError(value)
