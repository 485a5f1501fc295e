"""The story as JSON, one object a line, for programs that play or watch. The README documents the lines."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from bot.platforms.terminal.screen import Screen
from storyforge_core.domain.events import Recorded, WritingQueued
from storyforge_core.domain.replies import Repeated, Reply
from storyforge_core.domain.story import PlaythroughId, Room, RoomId, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.ports import Ledger, Store, Words

GAP = 0.1
"""Seconds between two lines of words: each one is saved before it is shown, and saving costs a commit."""
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
        self._stir = asyncio.Event()
        self._telling = asyncio.Lock()

    async def attend(self, room: Room) -> None:
        """Show from now on what happens in the story of this room."""
        self._shown = None if room.playthrough is None else (room.id, room.playthrough)

    def wake(self, _: PlaythroughId | None) -> None:
        """Something may have happened."""
        self._stir.set()

    async def run(self) -> None:
        """Show what happens between the lines, for as long as it runs."""
        while True:
            await self._stir.wait()
            with suppress(ServiceDown):  # one is woken again when the database is back
                await self._catch_up()

    async def settled(self) -> None:
        """Wait until all that has happened is shown and nothing is being written."""
        while self._shown is not None:
            busy = await self._store.live_run(self._shown[1])
            await self._catch_up()
            if busy is None:
                return
            await self._stir.wait()

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

    async def _catch_up(self) -> None:
        async with self._telling:
            self._stir.clear()
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
        head = {"type": "event", "kind": event.kind, "id": recorded.id, "at": recorded.at}
        await self._put({**head, **asdict(event)})
        if isinstance(event, WritingQueued):
            await self._stream(event.run)

    async def _stream(self, run: RunId) -> None:
        shown = 0
        async with self._words.live(run) as prose:
            while await prose.changed(shown):
                text = prose.text
                await prose.save(len(text))
                await self._put({"type": "words", "run": run, "text": text[shown:]})
                shown = len(text)
                await asyncio.sleep(GAP)

    async def _put(self, line: Mapping[str, object]) -> None:
        await self._screen.line(json.dumps(line, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(value)
