"""The moves that pictures are ordered and put up with, shared by handlers and the worker."""

import structlog

from storyforge_core.domain.changes import PictureAdded, PictureSet
from storyforge_core.domain.events import Noted, PictureFailed, PictureForgotten, PictureQueued, PictureShown
from storyforge_core.domain.pictures import Picture, PictureDraft, PictureId, PictureOrder, PictureRun
from storyforge_core.domain.story import PlaythroughId, RunId, Scene
from storyforge_core.errors import Busy
from storyforge_core.ports import Clock, Desk

BY_ITSELF, ASKED_FOR = 0, 5
"""Priorities among pictures; what is written comes from another queue."""
MOST_WAITING = 10
"""Pictures of one playthrough: nobody looks at more that are painted long after."""


async def order_picture(desk: Desk, playthrough: PlaythroughId, order: PictureOrder, clock: Clock) -> tuple[RunId, int]:
    """Queue a picture; answers its run, and how many pictures are before it.

    Raises:
        Busy: many are waiting already.
    """
    run = PictureRun(
        id=RunId(clock.new_id()),
        playthrough=playthrough,
        status="queued",
        stage="",
        draft=PictureDraft(order=order),
        attempts=0,
        created_at=clock.now(),
    )
    priority = ASKED_FOR if order.asker else BY_ITSELF
    before = await desk.queue_picture(run, priority, MOST_WAITING)
    await desk.tell(playthrough, PictureQueued(run.id))
    return run.id, before


async def paint_by_itself(desk: Desk, playthrough: PlaythroughId, scene: Scene, clock: Clock) -> None:
    """Have a scene painted that nobody asked a picture of; where many are waiting, it goes without."""
    order = PictureOrder(scene=scene.id, number=scene.number, seed=clock.seed())
    try:
        await order_picture(desk, playthrough, order, clock)
    except Busy as error:
        structlog.get_logger().warning("a scene goes without a picture", scene=str(scene.id), reason=str(error))


async def hang(desk: Desk, run: PictureRun, draft: PictureDraft, clock: Clock) -> None:
    """Put a finished picture up in place of the one before, and tell everybody: all at once or not at all."""
    order, kept, vision = draft.order, draft.kept, draft.vision
    assert kept is not None  # noqa: S101 - the recipe's `gives` say so
    assert vision is not None  # noqa: S101
    scene = await desk.scene(order.scene)
    picture = Picture(
        id=PictureId(clock.new_id()),
        scene=scene.id,
        run=run.id,
        kept=kept,
        vision=vision,
        seed=order.seed,
        workflow=draft.workflow,
        asker=order.asker,
        created_at=clock.now(),
    )
    older = await desk.pictures(scene.id)
    taken = tuple(PictureSet(old.id, before=True, after=False) for old in older)
    await desk.apply((*taken, PictureAdded(picture)), "paint")
    told_by = await desk.told_by(scene.id)
    shown = PictureShown(
        picture,
        told_by,
        scene.number,
        scene.title,
        order.by,
        rating=draft.sight.rating if draft.sight else "teen",
        covered=draft.sight is not None and draft.sight.covered,
    )
    await desk.tell(run.playthrough, shown, *(PictureForgotten(old.id, order.by) for old in older))
    if draft.lacking:
        await desk.tell(run.playthrough, Noted(_without(draft.lacking, scene)))
    await desk.finish(run.id, "done")


def _without(names: tuple[str, ...], scene: Scene) -> str:
    one = len(names) == 1
    looks = f"The look of {names[0]} is" if one else f"The looks of {', '.join(names)} are"
    return (
        f"{looks} not on the disk any more: scene {scene.number} was painted without {'it' if one else 'them'}. "
        f"Send {'it' if one else 'them'} again with /story character look, or see /story look list."
    )


async def give_up(desk: Desk, run: PictureRun, sentence: str) -> None:
    """End a picture without one. Only who asked for it wants to know; the owner reads the log."""
    await desk.finish(run.id, "failed", sentence)
    if run.draft.order.by:
        await desk.tell(run.playthrough, PictureFailed(run.id, sentence, run.draft.order.by))
