"""Have a scene painted, again, or not at all; hide a picture that somebody does not want to see."""

from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.changes import PictureSet
from storyforge_core.domain.events import PictureForgotten, PictureReported
from storyforge_core.domain.pictures import Picture, PictureId, PictureOrder, PictureRun, in_force
from storyforge_core.domain.picturing import ForgetPicture, Paint, PictureCommand, ReportPicture, RestorePicture
from storyforge_core.domain.replies import Accepted, Reply
from storyforge_core.domain.story import PlayerId, Scene
from storyforge_core.engine.painting import order_picture
from storyforge_core.engine.table import Table
from storyforge_core.errors import Busy, Invalid, NotAllowed, NotFound

HINT_CHARS = 300
NO_PICTURE = "This scene has no picture."
GONE = "That picture is not there any more."
HIDDEN = "The picture is gone from everywhere. The hosts are told why, and only they can bring it back."
LOOKED_AT = "A host has looked at this picture before and left it up. The hosts are told of your report, too."


async def handle(table: Table, command: PictureCommand) -> Reply:
    """Look after the pictures of a story."""
    match command:
        case Paint():
            return await paint(table, command)
        case ForgetPicture():
            return await forget(table, command)
        case ReportPicture():
            return await report(table, command)
        case RestorePicture():
            return await restore(table)
        case _:
            assert_never(command)


async def paint(table: Table, command: Paint) -> Reply:
    """Queue a picture; the one that hangs there stays until the new one is done."""
    _require_pictures(table)
    scene, pictures = await _meant(table, command.picture)
    vision = None
    if command.again:
        if not pictures and await _coming(table, scene):
            raise Busy("The picture of this scene is being painted just now. Wait for it, or /story paint forget.")
        if not pictures:
            raise NotFound("This scene has no picture yet. Have one painted: /story paint")
        vision = pictures[0].vision
    order = PictureOrder(
        scene=scene.id,
        number=scene.number,
        seed=table.clock.seed(),
        hint=one_line(command.hint, HINT_CHARS),
        by=table.player.name,
        asker=table.player.id,
        vision=None if command.hint.strip() else vision,
    )
    run, before = await order_picture(table.desk, table.here.playthrough.id, order, table.clock)
    waits = f" {before} {'picture is' if before == 1 else 'pictures are'} painted before it." if before else ""
    return Accepted(f"The picture is being painted. It comes under the scene.{waits}", run)


async def forget(table: Table, command: ForgetPicture) -> Reply:
    """Take down what hangs there and stop what is on its way; for hosts, and for whoever asked for it."""
    scene, hanging = await _meant(table, command.picture)
    coming = [] if command.picture else await _coming(table, scene)
    if not coming and not hanging:
        raise NotFound(NO_PICTURE)
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


async def report(table: Table, command: ReportPicture) -> Reply:
    """Hide a picture everywhere at once; one that a host has shown again stays, and the hosts look at it again."""
    scene, hanging = await _meant(table, command.picture)
    if not hanging:
        raise NotFound(NO_PICTURE)
    known = {filed.report.picture for filed in await table.desk.reports(table.here.playthrough.id)}
    hidden = [picture for picture in hanging if picture.id not in known]
    why = one_line(command.why, HINT_CHARS)
    if hidden:
        await table.desk.apply([PictureSet(picture.id, before=True, after=False) for picture in hidden], "report")
    told = [
        PictureReported(
            picture.id,
            scene.number,
            table.player.name,
            why,
            table.room.id,
            hidden=picture in hidden,
            asker=table.player.id,
        )
        for picture in hanging
    ]
    await table.desk.tell(table.here.playthrough.id, *told)
    return Accepted(HIDDEN if hidden else LOOKED_AT)


async def restore(table: Table) -> Reply:
    """Show the picture again that was reported last and is hidden still, in place of one that came since."""
    table.require_host("bring a reported picture back")
    open_reports = [filed for filed in await table.desk.reports(table.here.playthrough.id) if filed.hidden]
    if not open_reports:
        raise NotFound("No picture of this story is hidden because somebody reported it.")
    shown = open_reports[0].shown
    since = await table.desk.pictures(shown.picture.scene)
    replaced = [PictureSet(picture.id, before=True, after=False) for picture in since]
    await table.desk.apply([*replaced, PictureSet(shown.picture.id, before=False, after=True)], "restore")
    gone = [PictureForgotten(picture.id, table.player.name) for picture in since]
    await table.desk.tell(table.here.playthrough.id, *gone, shown)
    left = len(open_reports) - 1
    more = f" {left} more {'is' if left == 1 else 'are'} hidden." if left else ""
    return Accepted(f"The picture of scene {shown.number} is shown again.{more}")


async def _meant(table: Table, picture: PictureId | None) -> tuple[Scene, tuple[Picture, ...]]:
    """Find the scene that somebody means, and its pictures: that one, or whatever the head scene shows."""
    if picture is None:
        head = table.require_head()
        return head, await table.desk.pictures(head.id)
    found = await table.desk.picture(picture)
    scene = await table.desk.scene(found.scene) if found else None
    if found is None or scene is None or scene.story != table.here.story.id:
        raise NotFound(GONE)
    return scene, (found,)


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
