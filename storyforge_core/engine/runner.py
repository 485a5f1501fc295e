"""Executes a run: stage by stage with checkpoints, and to a decent end whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from storyforge_core.domain.answers import fallback_choices
from storyforge_core.domain.events import WritingFailed, WritingStopped
from storyforge_core.domain.runs import Draft, Run, Situation
from storyforge_core.domain.story import PictureMode, RunId
from storyforge_core.domain.writing import Brief
from storyforge_core.engine.bus import Bus, Feed
from storyforge_core.engine.cast import Cast
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.recipes import Recipe
from storyforge_core.engine.replay import put_beside
from storyforge_core.engine.stages import attempt, patiently, to_the_end
from storyforge_core.engine.turn import remind, reopen, settle
from storyforge_core.errors import ServiceDown, StoryForgeError, Superseded
from storyforge_core.ports import Chunk, Clock, Desk, Store

MOST_ATTEMPTS = 5
"""How often workers may die over a run before it is given up: something in it kills them."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Writes what runs order, as one worker among possibly many."""

    store: Store
    cast: Cast
    memory: Memory
    bus: Bus
    clock: Clock
    recipe: Recipe
    pictures: PictureMode = "off"
    """Which scenes get a picture where the story's settings do not say; off where nobody paints."""

    async def execute(self, run_id: RunId, worker: UUID) -> None:
        """Take a run up, or leave it be when it is over or in other hands. Cancelling stops the model at once."""
        run = await self.store.claim(run_id, worker)
        if run is None:
            return
        with structlog.contextvars.bound_contextvars(run=str(run.id), playthrough=str(run.playthrough)):
            try:
                await self._work(run, worker)
            except Superseded:
                structlog.get_logger().warning("another worker took the run over")

    async def _work(self, run: Run, worker: UUID) -> None:
        async def keep(chunk: Chunk) -> None:
            await self.store.save_words(run.id, worker, chunk)

        async with self.bus.writing(run.id, keep) as feed:
            if run.status == "stopping":
                await self._cut_short(run, feed, "")
                return
            try:
                await self._tell(run, worker, feed)
            except asyncio.CancelledError:
                await to_the_end(self._interrupted(run, feed))
                raise
            except Superseded:
                raise
            except StoryForgeError as error:
                await self._give_up(run, feed, error)
            except Exception:  # noqa: BLE001 - supervisor: a mistake of ours must not leave players waiting
                structlog.get_logger().exception("run failed")
                fault = ServiceDown(f"Something went wrong inside (reference {str(run.id)[-6:]}). Nothing was lost.")
                await self._give_up(run, feed, fault)

    async def _tell(self, run: Run, worker: UUID, feed: Feed) -> None:
        if run.attempts > MOST_ATTEMPTS:
            msg = f"The writing was interrupted {run.attempts - 1} times. The owner can find the cause in the log."
            raise ServiceDown(msg)
        names = [stage.name for stage in self.recipe]
        first = names.index(run.stage) if run.stage in names else len(names) * bool(run.stage)
        kit = Kit(run, self.store, self.cast, self.memory, feed)
        draft = run.draft
        for stage, following in tuple(zip(self.recipe, (*names[1:], "settle"), strict=True))[first:]:
            draft = await attempt(stage, draft, kit)
            await self._checkpoint(run, worker, following, draft)
        await self._settle(run, draft)

    async def _checkpoint(self, run: Run, worker: UUID, stage: str, draft: Draft) -> None:
        await patiently(lambda: self.store.checkpoint(run.id, worker, stage, draft))

    async def _settle(self, run: Run, draft: Draft) -> None:
        async def into_the_tree(desk: Desk, here: Situation) -> None:
            if draft.order.task == "replay":
                await put_beside(desk, here, run, draft, self.clock)
            else:
                await settle(desk, here, run, draft, self.clock, self.pictures)

        await self._conclude(run, into_the_tree)

    async def _conclude(self, run: Run, deed: Callable[[Desk, Situation], Awaitable[None]]) -> None:
        """End a run in one transaction; one that is over already stays as it is."""

        async def once() -> None:
            async with self.store.resume(run.playthrough) as desk:
                here = desk.situation
                if here is None or here.run is None or here.run.id != run.id:
                    return
                await deed(desk, here)

        await patiently(once)

    async def _interrupted(self, run: Run, feed: Feed) -> None:
        """Somebody stopped the run, or the program ends: then it waits for the next worker as it is."""
        if await self.store.run_status(run.id) == "stopping":
            await self._cut_short(run, feed, "")

    async def _give_up(self, run: Run, feed: Feed, error: StoryForgeError) -> None:
        structlog.get_logger().warning("run gave up", error=str(error), kind=type(error).__name__)
        await self._cut_short(run, feed, str(error))

    async def _cut_short(self, run: Run, feed: Feed, failure: str) -> None:
        """Make a scene of what was told so far; where nothing was, ask the old question again."""
        current = await self._drafted(run)
        told = feed.text.strip()
        brief = current.brief
        if brief is None or not told.removeprefix(brief.extend.strip()).strip():
            await self._conclude(run, lambda desk, here: self._nothing_told(desk, here, run, failure))
            return
        await self._settle(run, _cut(current, brief, told, failure, self.cast.writer.label))

    async def _drafted(self, run: Run) -> Draft:
        """Read the newest checkpoint: this worker's copy is from when it took the run up."""
        live = await self.store.live_run(run.playthrough)
        return live.draft if live is not None and live.id == run.id else run.draft

    async def _nothing_told(self, desk: Desk, here: Situation, run: Run, failure: str) -> None:
        ballot = await reopen(desk, here, run.draft.order.ballot)
        if failure:
            await desk.finish(run.id, "failed", failure)
            await desk.tell(run.playthrough, WritingFailed(run.id, failure))
        else:
            await desk.finish(run.id, "stopped")
            await desk.tell(run.playthrough, WritingStopped(run.id, run.draft.order.by))
        await remind(desk, here, ballot)


def _cut(draft: Draft, brief: Brief, told: str, failure: str, label: str) -> Draft:
    """Turn a half-told scene into a scene that players can go on from."""
    plain = fallback_choices(told, brief)
    cut = f"The storyteller broke off here. {failure}" if failure else "Stopped here."
    return replace(
        draft,
        prose=draft.prose or told,
        cut=cut,
        title=draft.title or plain.title,
        choices=draft.choices or plain.options,
        writer=draft.writer or label,
    )
