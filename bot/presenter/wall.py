"""The pictures of one room: each hangs under its scene, once, and comes down when it is taken down.

A picture is worth a few tries, but no trouble: what a platform refuses is left out, and the story goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from bot.presenter.chronicle import EventSource
from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing
from bot.presenter.sheet import Layout
from bot.surface import File, Frame, MessageGone, SlowDown, SurfaceDown, SurfaceError
from bot.wording import happenings
from storyforge_core.domain.events import PictureShown
from storyforge_core.domain.pictures import PictureId
from storyforge_core.domain.ratings import may_hang
from storyforge_core.domain.story import RoomKey, RunId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Gallery

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
TRIES = 8
"""Over about a minute and a half; the platform takes everything else in again before that, or nothing."""

T = TypeVar("T")

log = structlog.stdlib.get_logger()


class Wall:
    """Hangs pictures and takes them down."""

    def __init__(self, outbox: Outbox, layout: Layout, gallery: Gallery, store: EventSource, room: RoomKey) -> None:
        self._outbox = outbox
        self._layout = layout
        self._gallery = gallery
        self._store = store
        self._room = room
        self._newest: str | None = None
        """The message beside whose picture something can be pressed."""
        self._told: RunId | None = None
        """What told the newest scene; None while that is not known."""

    async def hang(self, event: PictureShown) -> bool:
        """Hang a picture under the words of its scene, or in a message of its own where those are not to be found.

        Answers False where the room may not see it.
        """
        hanging = await self._outbox.announced(_subject(event.picture.id))
        if hanging.final:
            return True
        allowed = await self._allowed(event)
        file = await self._file(event, hanging.shown) if allowed else None
        hung = await self._insist(lambda: self._hung(event, file)) if file else None
        await self._outbox.remember(replace(hanging, message=hung, final=True))
        if file and file.picture:
            self._newest = hung
        return allowed

    async def move_on(self, told: RunId | None) -> None:
        """Have nothing pressed any more about pictures of the scenes before the one that a run told."""
        self._told = told
        newest, self._newest = self._newest, None
        if newest is not None and self._layout.limits.sketches == "beside":
            await self._insist(lambda: self._outbox.sketch(newest, ""))

    async def take_down(self, picture: PictureId) -> None:
        """Take a picture away, where it hangs and the platform can; it may be hung again."""
        for delivery in await self._outbox.known(_subject(picture)):
            hung = delivery.message
            there = await self._store.picture_in(self._room, hung) if hung is not None else None
            if hung is not None and there is not None and there.picture == picture:
                await self._insist(partial(self._outbox.detach, hung))
                self._newest = None if self._newest == hung else self._newest
            await self._outbox.remember(replace(delivery, message=None, final=False, shown=delivery.shown + 1))

    async def _hung(self, event: PictureShown, file: File) -> str:
        under = await self.scene(event.told_by)
        if under is not None:
            try:
                return await self._outbox.attach(under, file)
            except MessageGone:
                log.info("the scene is gone, its picture is not", message=under)
        return await self._outbox.attach(await self._alone(event), file)

    async def scene(self, told_by: RunId | None) -> str | None:
        """The message that shows the end of the scene that a run told; None where there is none."""
        if told_by is None:
            return None
        shown = [part for part in await self._outbox.known(f"run:{told_by}") if part.message]
        return max(shown, key=lambda part: (part.shown, -part.part)).message if shown else None

    async def _alone(self, event: PictureShown) -> str:
        """A message to hang a picture under."""
        subject = f"{_subject(event.picture.id)}:frame"
        text = happenings.picture_title(event, self._layout.voice)
        await self._outbox.insist(Showing(subject=subject, frame=Frame(text), final=True))
        (frame,) = await self._outbox.known(subject)
        if frame.message is None:
            raise MessageGone("The message is not known.")
        return frame.message

    async def _allowed(self, event: PictureShown) -> bool:
        """Ask whether the room may see a picture. Where nobody can say, it may not."""
        if event.rating != "mature":
            return True

        async def ask() -> bool:
            marked = await self._outbox.adults()
            return may_hang(event.rating, marked=marked, decided=(await self._store.space(self._room)).mature)

        return await self._insist(ask) is True

    async def _file(self, event: PictureShown, again: int) -> File | None:
        """The picture as a file; one that was hung before has another name, since platforms know files by it."""
        kept = event.picture.kept
        fitting = await self._gallery.fitting(kept, self._layout.limits.max_file)
        if fitting is None:
            return None
        data, mime = fitting
        more = f"-{again}" if again else ""
        name = f"scene-{event.number}-{kept.sha256[:8]}{more}.{ENDINGS[mime]}"
        place = str(self._gallery.place(kept))
        newest = event.picture.id if self._told in {None, event.told_by} else None
        return File(name, data, event.picture.vision.alt, place, newest, covered=event.covered)

    async def _insist(self, deed: Callable[[], Awaitable[T]]) -> T | None:
        """Do something a few times, with pauses; None where the platform does not do it."""
        retry = FIRST_RETRY
        for _ in range(TRIES):
            try:
                return await deed()
            except SlowDown as slow:
                await asyncio.sleep(slow.retry_after)
            except (SurfaceDown, ServiceDown) as down:
                log.warning("picture waits", reason=str(down))
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY)
            except SurfaceError as refused:
                log.warning("picture left out", reason=str(refused))
                return None
        return None


def _subject(picture: PictureId) -> str:
    return f"picture:{picture}"
