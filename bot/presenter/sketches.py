"""How far a picture is, told in its room: late, seldom, and never while words are told there.

What is told stands where the platform has a quiet place for it, and goes when the picture hangs or is given up. It is
worth no trouble: what a platform does not take just then is not told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from bot.presenter.chronicle import EventSource
from bot.presenter.outbox import Outbox, Showing
from bot.presenter.sheet import Layout
from bot.surface import File, Frame, SurfaceError
from bot.wording import happenings
from storyforge_core.domain.pictures import InHand
from storyforge_core.domain.story import PlaythroughId, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Gallery

PATIENCE = 6.0
"""Seconds in which most pictures are done: nothing is told of them."""
LOOK_AGAIN, LOOK_LATER = 6.0, 20.0
"""Seconds between two looks at a picture that is painted, and at one that waits."""
STEP = 0.3
"""How much further a picture has to be to be told of again."""
MOST = 4
"""Times that one picture is told of."""
APART = "sketch:"
"""Begins the ledger's name of a message that tells how far a picture is."""

log = structlog.stdlib.get_logger()


@dataclass(slots=True)
class _Told:
    """What was told of a picture."""

    of: InHand
    where: str | None
    """The message that it stands beside; None where it has one of its own."""
    times: int = 1


class Sketches:
    """Looks after what a room is told of the picture that is in hand; of several, the first.

    Args:
        quiet: tells whether nothing is being written for the room.
        scene: finds the message that shows the end of the scene that a run told.
    """

    def __init__(
        self,
        outbox: Outbox,
        layout: Layout,
        sources: tuple[EventSource, Gallery],
        quiet: Callable[[], bool],
        scene: Callable[[RunId | None], Awaitable[str | None]],
    ) -> None:
        self._outbox = outbox
        self._layout = layout
        self._store, self._gallery = sources
        self._quiet = quiet
        self._scene = scene
        self._told: _Told | None = None
        self._following: asyncio.Task[None] | None = None

    def begin(self, playthrough: PlaythroughId) -> None:
        """A picture is wanted."""
        if self._layout.limits.sketches == "none" or (self._following and not self._following.done()):
            return
        self._following = asyncio.create_task(self._follow(playthrough), name=f"sketch {playthrough}")

    async def take_up(self, playthrough: PlaythroughId) -> None:
        """Take away what an earlier program has told, and go on with whatever is in hand."""
        for left in await self._outbox.unfinished():
            if left.subject.startswith(APART):
                await self._erase(left.subject)
        self.begin(playthrough)

    async def hung(self, run: RunId) -> None:
        """A picture hangs: where it was told beside its scene how far it is, it is in that place now."""
        told = self._told
        if told is not None and told.of.run == run:
            self._told = None
            if told.where is None:
                await self._erase(f"{APART}{run}")

    def drop(self) -> None:
        """Stop; what stands there is taken away by the next program."""
        if self._following is not None:
            self._following.cancel()

    async def _follow(self, playthrough: PlaythroughId) -> None:
        await asyncio.sleep(PATIENCE)
        while True:
            try:
                now = await self._store.in_hand(playthrough)
                if self._told and (now is None or now.run != self._told.of.run):
                    await self._take_away(self._told)
                if now is None:
                    return
                if self._worth_telling(now) and self._quiet() and self._outbox.at_ease:
                    await self._tell(now)
            except (SurfaceError, ServiceDown) as trouble:
                log.debug("not told how far a picture is", reason=str(trouble))
                now = None
            await asyncio.sleep(LOOK_AGAIN if now and now.running else LOOK_LATER)

    def _worth_telling(self, now: InHand) -> bool:
        told = self._told
        if told is None:
            return now.done < 1 - STEP
        if self._layout.limits.edits != "rewrite" or told.times >= MOST:
            return False
        return now.done >= told.of.done + STEP or now.before < told.of.before or now.running > told.of.running

    async def _tell(self, now: InHand) -> None:
        where = await self._scene(now.told_by) if self._layout.limits.sketches == "beside" else None
        if where is not None:
            text = happenings.picture_sketch(now)
            await self._outbox.sketch(where, text, await self._preview(now))
        elif self._layout.limits.sketches == "apart":
            text = self._layout.voice.flavour.soft(happenings.picture_sketch(now, named=True))
            await self._outbox.send(Showing(subject=f"{APART}{now.run}", frame=Frame(text, live=True), final=False))
        else:
            return
        self._told = _Told(now, where, self._told.times + 1 if self._told else 1)

    async def _preview(self, now: InHand) -> File | None:
        data = await self._gallery.preview(now.run)
        return File(f"sketch-{now.number}.jpg", data, "A picture that is being painted.") if data else None

    async def _take_away(self, told: _Told) -> None:
        self._told = None
        if told.where is None:
            await self._erase(f"{APART}{told.of.run}")
        else:
            await self._outbox.sketch(told.where, "")

    async def _erase(self, subject: str) -> None:
        """Take a message of its own away, and forget it even where the platform does not do that."""
        for delivery in await self._outbox.known(subject):
            try:
                if delivery.message is not None and self._layout.limits.edits == "rewrite":
                    await self._outbox.detach(delivery.message)
            finally:
                await self._outbox.remember(replace(delivery, final=True))
