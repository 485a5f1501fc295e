"""Decide for a whole server: where stories begin, who begins them, with what settings, and who may not play."""

from typing import assert_never

from storyforge_core.domain.commands import ChangeSpace, ShowSpace
from storyforge_core.domain.replies import Reply, SpaceShown
from storyforge_core.domain.space import change_space
from storyforge_core.engine.table import Table
from storyforge_core.errors import NotAllowed, NotFound

Deciding = ShowSpace | ChangeSpace
"""The commands that are handled here."""


async def handle(table: Table, command: Deciding) -> Reply:
    """Show what was decided, or decide."""
    _require_manager(table)
    match command:
        case ShowSpace():
            return SpaceShown(table.desk.space)
        case ChangeSpace():
            space, said = change_space(await table.desk.hold_space(), command)
            await table.desk.keep_space(space)
            return SpaceShown(space, said)
        case _:
            assert_never(command)


def _require_manager(table: Table) -> None:
    """Refuse everybody but those who manage the space.

    Raises:
        NotFound: the room is in none.
        NotAllowed: the asker does not manage it.
    """
    if not table.room.key.realm:
        msg = "There is no server around this room to decide for. /story settings changes this story."
        raise NotFound(msg)
    if not table.speaker.manager:
        msg = "Only those who manage this place may do that. Ask one of them."
        raise NotAllowed(msg)
