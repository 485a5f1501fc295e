"""Have a scene told once more exactly as it was asked for, to be seen beside the one that is there."""

from dataclasses import replace

from storyforge_core.domain.book import Replay
from storyforge_core.engine.handlers.moving import named
from storyforge_core.engine.oracle import Rehearsal
from storyforge_core.engine.table import Table
from storyforge_core.engine.turn import closing, order_again
from storyforge_core.errors import NotFound

NOTHING_TO_REPLAY = (
    "Scene {number} cannot be replayed: a player wrote it, or it is older than the notes of what a storyteller is "
    "given. /story take tells it anew."
)


async def handle(table: Table, command: Replay) -> Rehearsal:
    """Order the same scene from what was taken down of it; the open question waits meanwhile, and is asked again."""
    table.require_quiet()
    head = table.require_head()
    base = await named(table, command.scene) if command.scene.strip() else head
    draft = await table.desk.draft_of(base.id)
    if draft is None or draft.brief is None or draft.manifest is None:
        raise NotFound(NOTHING_TO_REPLAY.format(number=base.number))
    ballot = table.here.ballot
    if ballot is not None:
        await table.desk.apply((closing(ballot, "withdrawn"),), "replay")
    wanted = replace(
        draft.order,
        task="replay",
        parent=base.parent,
        choice=base.choice,
        base=base.id,
        head=head.id,
        ballot=ballot.id if ballot is not None else None,
        by=table.player.name,
        asker=table.player.id,
    )
    run = await order_again(table.desk, table.here.playthrough.id, replace(draft, order=wanted), table.clock)
    return Rehearsal(run, base, draft.manifest, draft.brief)
