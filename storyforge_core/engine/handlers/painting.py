"""Have a scene painted, again, or not at all."""

from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.changes import PictureSet
from storyforge_core.domain.commands import ForgetPicture, Paint
from storyforge_core.domain.events import PictureForgotten
from storyforge_core.domain.pictures import PictureOrder, PictureRun, in_force
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import PlayerId, Scene
from storyforge_core.engine.painting import order_picture
from storyforge_core.engine.table import Table
from storyforge_core.errors import Busy, Invalid, NotAllowed, NotFound

HINT_CHARS = 300

Painting = Paint | ForgetPicture
"""The commands that are handled here."""


async def handle(table: Table, command: Painting) -> Reply:
    """Look after the pictures of the head scene."""
    match command:
        case Paint():
            return await paint(table, command)
        case ForgetPicture():
            return await forget(table)
        case _:
            assert_never(command)


async def paint(table: Table, command: Paint) -> Reply:
    """Queue a picture; the one that hangs there stays until the new one is done."""
    _require_pictures(table)
    head = table.require_head()
    vision = None
    if command.again:
        pictures = await table.desk.pictures(head.id)
        if not pictures and await _coming(table, head):
            raise Busy("The picture of this scene is being painted just now. Wait for it, or /story paint forget.")
        if not pictures:
            raise NotFound("This scene has no picture yet. Have one painted: /story paint")
        vision = pictures[0].vision
    order = PictureOrder(
        scene=head.id,
        number=head.number,
        seed=table.clock.seed(),
        hint=one_line(command.hint, HINT_CHARS),
        by=table.player.name,
        asker=table.player.id,
        vision=None if command.hint.strip() else vision,
    )
    run, before = await order_picture(table.desk, table.here.playthrough.id, order, table.clock)
    waits = f" {before} {'picture is' if before == 1 else 'pictures are'} painted before it." if before else ""
    return Accepted(f"The picture is being painted. It comes under the scene.{waits}", run)


async def forget(table: Table) -> Reply:
    """Take down what hangs there and stop what is on its way; for hosts, and for whoever asked for it."""
    head = table.require_head()
    coming = await _coming(table, head)
    hanging = await table.desk.pictures(head.id)
    if not coming and not hanging:
        raise NotFound("This scene has no picture.")
    stopped = [run for run in coming if _may(table, run.draft.order.asker)]
    taken = [picture for picture in hanging if _may(table, picture.asker)]
    if not stopped and not taken:
        raise NotAllowed("Only the host, or whoever asked for the picture, may take it down.")
    for run in stopped:
        if not await table.desk.stop(run.id):
            await table.desk.finish(run.id, "stopped")
    if taken:
        await table.desk.apply([PictureSet(picture.id, before=True, after=False) for picture in taken], "forget")
        gone = [PictureForgotten(picture.id, table.player.name) for picture in taken]
        await table.desk.tell(table.here.playthrough.id, *gone)
    return Accepted("The picture is gone." if taken else "The picture is not painted.")


async def _coming(table: Table, scene: Scene) -> list[PictureRun]:
    """The pictures of a scene that are being painted or wait."""
    runs = await table.desk.live_pictures(table.here.playthrough.id)
    return [run for run in runs if run.draft.order.scene == scene.id]


def _may(table: Table, asker: PlayerId | None) -> bool:
    return table.host or asker == table.player.id


def _require_pictures(table: Table) -> None:
    if table.pictures == "off":
        raise Invalid("Nobody paints here: for pictures the owner of the bot sets up ComfyUI.")
    if in_force(table.here.playthrough.rules.pictures, table.pictures) == "off":
        raise Invalid("This story goes without pictures. A host may change that: /story settings pictures request")
