"""Who hears what: the words of runs as they grow and the wake-up calls of playthroughs, from any process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import assert_never

from storyforge_core.domain.runs import LIVE
from storyforge_core.domain.story import PlaythroughId, RunId
from storyforge_core.errors import ServiceDown, Superseded
from storyforge_core.ports import Chunk, EventsWaiting, Resync, Signal, Store, WordsWaiting

SAVE_EVERY = 0.25
"""Seconds between saves while words arrive. Commits that notify take a lock of the whole database: 2 to 4 a second
for each run are plenty, since no chat shows more frames than that."""

Keep = Callable[[Chunk], Awaitable[None]]
"""Saves a stretch of words for good."""


class Feed:
    """The growing words of one run; grown by a writer in this process, or by what other processes saved."""

    def __init__(self) -> None:
        self._text = ""
        self._saved = 0
        self._next = 0
        self._over = False
        self._complete = asyncio.Event()
        self._stir = asyncio.Event()
        self._saving = asyncio.Lock()
        self._keep: Keep | None = None

    @property
    def text(self) -> str:
        """Everything told so far."""
        return self._text

    @property
    def last_saved(self) -> int:
        """The `seq` of the newest saved stretch; -1 before the first."""
        return self._next - 1

    @property
    def local(self) -> bool:
        """A writer of this process grows it."""
        return self._keep is not None

    def write_with(self, keep: Keep) -> None:
        """Make it grow by `append` from now on."""
        self._keep = keep

    def append(self, text: str) -> None:
        """Add words; listeners hear of them at once, other processes after the next save."""
        self._text += text
        self._wake()

    def take_over(self, chunks: tuple[Chunk, ...]) -> None:
        """Add stretches that were saved elsewhere, in order; known ones are skipped."""
        for chunk in chunks:
            if chunk.seq == self._next:
                self._text += chunk.text
                self._saved = len(self._text)
                self._next += 1
        self._wake()

    def conclude(self) -> None:
        """All words are there; the run goes on with other things."""
        self._complete.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._over = True
        self._complete.set()
        self._wake()

    async def changed(self, beyond: int) -> bool:
        """Wait until there are more than `beyond` characters; False when the run ended before."""
        while len(self._text) <= beyond and not self._over:
            await self._stir.wait()
        return len(self._text) > beyond

    async def complete(self) -> None:
        """Wait until all words are there."""
        await self._complete.wait()

    async def save(self, upto: int) -> None:
        """Return once the first `upto` characters would survive the death of this process."""
        if self._keep is None or self._saved >= upto:
            return
        async with self._saving:
            if self._saved >= upto:
                return
            text = self._text
            await self._keep(Chunk(self._next, text[self._saved :]))
            self._saved = len(text)
            self._next += 1

    async def keep_saving(self) -> None:
        """Save at a calm pace for as long as it runs; a database that is away is waited for."""
        while True:
            await self.changed(self._saved)
            with suppress(ServiceDown):
                await self.save(len(self._text))
            await asyncio.sleep(SAVE_EVERY)

    def _wake(self) -> None:
        self._stir.set()
        self._stir.clear()


class Bus:
    """The one listener of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[RunId, Feed] = {}
        self._users: dict[RunId, int] = {}
        self._listeners: list[Callable[[PlaythroughId | None], None]] = []

    def on_events(self, listener: Callable[[PlaythroughId | None], None]) -> None:
        """Have a function called when a playthrough has new events; with None when any may have."""
        self._listeners.append(listener)

    async def listen(self) -> None:
        """Pass on what the store signals, for as long as it runs."""
        async for signal in self._store.signals():
            with suppress(ServiceDown):  # the store signals `Resync` when it is back
                await self._dispatch(signal)

    @asynccontextmanager
    async def live(self, run: RunId) -> AsyncIterator[Feed]:
        """Watch the words of a run, wherever it is written."""
        async with self._feed(run) as feed:
            if not feed.local:
                await self._refresh(run, feed)
            yield feed

    @asynccontextmanager
    async def writing(self, run: RunId, keep: Keep) -> AsyncIterator[Feed]:
        """Grow the words of a run here, on from what was told before."""
        async with self._feed(run) as feed:
            feed.take_over(await self._store.chunks(run, feed.last_saved))
            feed.write_with(keep)
            saving = asyncio.create_task(feed.keep_saving(), name=f"save words of {run}")
            try:
                yield feed
            finally:
                saving.cancel()
                with suppress(asyncio.CancelledError, Superseded):
                    await saving
                feed.end()

    @asynccontextmanager
    async def _feed(self, run: RunId) -> AsyncIterator[Feed]:
        """Share one feed among all who watch or write a run."""
        feed = self._feeds.setdefault(run, Feed())
        self._users[run] = self._users.get(run, 0) + 1
        try:
            yield feed
        finally:
            self._users[run] -= 1
            if not self._users[run]:
                del self._users[run], self._feeds[run]

    async def _dispatch(self, signal: Signal) -> None:
        match signal:
            case WordsWaiting(run):
                await self._follow(run)
            case EventsWaiting(playthrough):
                self._call(playthrough)
                await self._follow_all()
            case Resync():
                self._call(None)
                await self._follow_all()
            case _:
                assert_never(signal)

    def _call(self, playthrough: PlaythroughId | None) -> None:
        for listener in self._listeners:
            listener(playthrough)

    async def _follow(self, run: RunId) -> None:
        feed = self._feeds.get(run)
        if feed is not None and not feed.local:
            feed.take_over(await self._store.chunks(run, feed.last_saved))

    async def _follow_all(self) -> None:
        for run, feed in list(self._feeds.items()):
            if not feed.local:
                await self._refresh(run, feed)

    async def _refresh(self, run: RunId, feed: Feed) -> None:
        feed.take_over(await self._store.chunks(run, feed.last_saved))
        if await self._store.run_status(run) not in LIVE:
            feed.end()
