"""Listening: one connection of its own, outside the pool, for everything that any process tells."""

from collections.abc import AsyncGenerator
from uuid import UUID

from storyforge_core.domain.story import PlaythroughId, RunId
from storyforge_core.ports import EventsWaiting, Resync, Signal, WordsWaiting
from storyforge_core.store.address import DatabaseUrl
from storyforge_core.store.dedicated import Dedicated, open_patiently
from storyforge_core.store.jobs_sql import CHANNEL

MOST_WAITING = 1000
"""A listener that is further behind has to look at everything anyway."""


async def signals(url: DatabaseUrl) -> AsyncGenerator[Signal, None]:
    """Listen: `Resync` first, then whatever happens in any process, for ever; reconnects by itself."""
    while True:
        connection = await open_patiently(url, f"LISTEN {CHANNEL}")
        try:
            heard = _Heard(connection)
            await connection.db.add_listener(CHANNEL, heard.note)
            yield Resync()
            while await connection.lasts():
                for signal in heard.take():
                    yield signal
        finally:
            connection.db.terminate()


class _Heard:
    """Signals that nobody has taken yet; the same one twice counts once."""

    def __init__(self, connection: Dedicated) -> None:
        self._woken = connection.woken
        self._waiting: dict[Signal, None] = {}

    def note(self, _db: object, _pid: int, _channel: str, payload: object) -> None:
        signal = _signal(str(payload))
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            signal = Resync()
        self._waiting[signal] = None
        self._woken.set()

    def take(self) -> tuple[Signal, ...]:
        taken = tuple(self._waiting)
        self._waiting.clear()
        self._woken.clear()
        return taken


def _signal(payload: str) -> Signal:
    kind, _, about = payload.partition(":")
    match kind:
        case "events":
            return EventsWaiting(PlaythroughId(UUID(about)))
        case "words":
            return WordsWaiting(RunId(UUID(about)))
        case _:  # a newer program on the same database has more to tell
            return Resync()
