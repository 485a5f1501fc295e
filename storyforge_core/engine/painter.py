"""Executes the runs of pictures: like `runner`, but nobody waits for them, and a lost server is waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from storyforge_core.domain.pictures import PictureDraft, PictureRun, Progress
from storyforge_core.domain.story import RunId
from storyforge_core.engine.kit import Easel
from storyforge_core.engine.painting import give_up, hang
from storyforge_core.engine.recipes import PictureRecipe
from storyforge_core.engine.sharing import Sharing
from storyforge_core.engine.stages import Stage, attempt, patiently, to_the_end
from storyforge_core.errors import PaintingFailed, ServiceDown, StoryForgeError, Superseded
from storyforge_core.look_ports import Shelf
from storyforge_core.picture_ports import Gallery, Illustrator
from storyforge_core.ports import Clock, Desk, Store, Writer

MOST_ATTEMPTS = 20
"""How often workers may end over a picture before it is given up; each restart while one waits is one of them."""
REPORT_EVERY = 3.0
"""Seconds between two notes of how far a picture is."""


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints what runs order, as one worker among possibly many."""

    store: Store
    illustrator: Illustrator
    gallery: Gallery
    shelf: Shelf
    visualizer: Writer | None
    clock: Clock
    recipe: PictureRecipe
    sharing: Sharing | None = None
    """Looks after a card that words and pictures share; None where each has its own."""

    async def execute(self, run_id: RunId, worker: UUID) -> None:
        """Take a run up, or leave it be when it is over or in other hands.

        Cancelling lets go of it: whoever takes it up next waits for the same picture.
        """
        run = await self.store.claim_picture(run_id, worker)
        if run is None:
            return
        with structlog.contextvars.bound_contextvars(run=str(run.id), playthrough=str(run.playthrough)):
            try:
                await self._work(run, worker)
            except Superseded:
                structlog.get_logger().warning("another worker took the picture over")

    async def _work(self, run: PictureRun, worker: UUID) -> None:
        if run.status == "stopping":
            await self._stop(run)
            return
        try:
            await self._paint(run, worker)
        except asyncio.CancelledError:
            await to_the_end(self._interrupted(run))
            raise
        except (Superseded, ServiceDown):  # the database is away: what is painted already is hung when it is back
            raise
        except StoryForgeError as error:
            await self._give_up(run, error)
        except Exception:  # noqa: BLE001 - supervisor: a mistake of ours must not keep other pictures waiting
            structlog.get_logger().exception("picture failed")
            await self._give_up(run, PaintingFailed(f"Something went wrong inside (reference {str(run.id)[-6:]})."))

    async def _paint(self, run: PictureRun, worker: UUID) -> None:
        if run.attempts > MOST_ATTEMPTS:
            raise PaintingFailed(f"The painting was interrupted {run.attempts - 1} times.")
        names = [stage.name for stage in self.recipe]
        first = names.index(run.stage) if run.stage in names else len(names) * bool(run.stage)
        draft = run.draft
        for stage, following in tuple(zip(self.recipe, (*names[1:], "hang"), strict=True))[first:]:
            async with self._reporting(run, worker, stage.name, draft) as hear:
                easel = Easel(
                    run, self.store, self.illustrator, self.gallery, self.shelf, self.visualizer, hear, self.sharing
                )
                draft = await _tried(stage, draft, easel)
            await self._checkpoint(run, worker, following, draft)
        await self._conclude(run, lambda desk: hang(desk, run, draft, self.clock))

    async def _checkpoint(self, run: PictureRun, worker: UUID, stage: str, draft: PictureDraft) -> None:
        await patiently(lambda: self.store.checkpoint(run.id, worker, stage, draft))

    @asynccontextmanager
    async def _reporting(
        self, run: PictureRun, worker: UUID, stage: str, draft: PictureDraft
    ) -> AsyncIterator[Callable[[Progress], None]]:
        """Note now and then how far a picture is, and how it looks so far where everybody may see it."""
        news = asyncio.Event()
        heard = Progress(0, draft.done)

        def hear(progress: Progress) -> None:
            nonlocal heard
            heard = replace(progress, preview=progress.preview or heard.preview)
            news.set()

        async def report() -> None:
            nonlocal heard
            noted = draft.done
            while True:
                await news.wait()
                news.clear()
                now, heard = heard, replace(heard, preview=b"")
                if now.preview and draft.sight and not draft.sight.covered and draft.sight.rating != "mature":
                    await self.gallery.keep_preview(run.id, now.preview)
                if now.done == noted:
                    continue
                noted = now.done
                try:
                    await self.store.checkpoint(run.id, worker, stage, replace(draft, done=noted))
                except (ServiceDown, Superseded) as error:
                    structlog.get_logger().debug("progress not noted", reason=str(error))
                await asyncio.sleep(REPORT_EVERY)

        reporting = asyncio.create_task(report())
        try:
            yield hear
        finally:
            reporting.cancel()
            await asyncio.wait({reporting})

    async def _conclude(self, run: PictureRun, deed: Callable[[Desk], Awaitable[None]]) -> None:
        """End a run in one transaction; one that is over already stays as it is."""

        async def once() -> None:
            async with self.store.resume(run.playthrough) as desk:
                if any(live.id == run.id for live in await desk.live_pictures(run.playthrough)):
                    await deed(desk)

        await patiently(once)
        await self.gallery.keep_preview(run.id, b"")

    async def _interrupted(self, run: PictureRun) -> None:
        """Somebody stopped the run, or the program ends: then it waits for the next worker as it is."""
        if await self.store.run_status(run.id) == "stopping":
            await self._stop(run)

    async def _stop(self, run: PictureRun) -> None:
        await self.illustrator.forget(run.id)
        await self._conclude(run, lambda desk: desk.finish(run.id, "stopped"))

    async def _give_up(self, run: PictureRun, error: StoryForgeError) -> None:
        structlog.get_logger().warning("picture gave up", error=str(error), kind=type(error).__name__)
        await self._conclude(run, lambda desk: give_up(desk, run, str(error)))


async def _tried(stage: Stage[PictureDraft, Easel], draft: PictureDraft, easel: Easel) -> PictureDraft:
    """Do a stage as often as it may be tried.

    Raises:
        PaintingFailed: it was tried that often.
    """
    try:
        return await attempt(stage, draft, easel)
    except ServiceDown as error:
        raise PaintingFailed(str(error)) from error
