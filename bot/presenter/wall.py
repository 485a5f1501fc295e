"""The pictures of one room: each hangs under its scene, once, and comes down when it is taken down.

A picture is worth a few tries, but no trouble: what a platform refuses is left out, and the story goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from bot.presenter.outbox import FIRST_RETRY, LONGEST_RETRY, Outbox, Showing
from bot.presenter.sheet import Layout
from bot.surface import File, Frame, MessageGone, SlowDown, SurfaceDown, SurfaceError
from bot.wording import happenings
from storyforge_core.domain.events import PictureForgotten, PictureShown
from storyforge_core.domain.pictures import PictureId
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Gallery

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
TRIES = 8
"""Over about a minute and a half; the platform takes everything else in again before that, or nothing."""

log = structlog.stdlib.get_logger()


class Wall:
    """Hangs pictures and takes them down."""

    def __init__(self, outbox: Outbox, layout: Layout, gallery: Gallery) -> None:
        self._outbox = outbox
        self._layout = layout
        self._gallery = gallery

    async def hang(self, event: PictureShown) -> None:
        """Hang a picture under the words of its scene, or in a message of its own where those are not to be found."""
        hanging = await self._outbox.announced(_subject(event.picture.id))
        if hanging.final:
            return
        file = await self._file(event)
        hung = await self._insist(lambda: self._hung(event, file)) if file else None
        await self._outbox.remember(replace(hanging, message=hung, final=True))

    async def take_down(self, event: PictureForgotten) -> None:
        """Take a picture away, where it hangs and the platform can."""
        for delivery in await self._outbox.known(_subject(event.picture)):
            if (hung := delivery.message) is not None:
                await self._insist(lambda: self._outbox.detach(hung))
                await self._outbox.remember(replace(delivery, message=None))

    async def _hung(self, event: PictureShown, file: File) -> str:
        under = await self._scene(event)
        if under is not None:
            try:
                return await self._outbox.attach(under, file)
            except MessageGone:
                log.info("the scene is gone, its picture is not", message=under)
        return await self._outbox.attach(await self._alone(event), file)

    async def _scene(self, event: PictureShown) -> str | None:
        """The message that shows the end of the scene."""
        if event.told_by is None:
            return None
        shown = [part for part in await self._outbox.known(f"run:{event.told_by}") if part.message]
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

    async def _file(self, event: PictureShown) -> File | None:
        kept = event.picture.kept
        fitting = await self._gallery.fitting(kept, self._layout.limits.max_file)
        if fitting is None:
            return None
        data, mime = fitting
        name = f"scene-{event.number}-{kept.sha256[:8]}.{ENDINGS[mime]}"
        return File(name, data, event.picture.vision.alt, str(self._gallery.place(kept)))

    async def _insist(self, deed: Callable[[], Awaitable[str | None]]) -> str | None:
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
