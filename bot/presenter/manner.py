"""How a room is told its scenes: as those who manage its space have decided, and as the room itself asks for."""

import structlog

from bot.presenter.chronicle import EventSource
from bot.presenter.outbox import Outbox
from bot.surface import SurfaceError
from storyforge_core.domain.space import MANNERS, Manner
from storyforge_core.domain.story import RoomKey
from storyforge_core.errors import ServiceDown

UNKNOWN: Manner = "paragraphs"
"""Where nobody can say, in between."""
PARAGRAPH = "\n\n"

log = structlog.stdlib.get_logger()


async def manner(store: EventSource, room: RoomKey, outbox: Outbox) -> Manner:
    """Ask both; the quieter one counts."""
    try:
        decided = (await store.space(room)).stream
        asked = await outbox.manner()
    except (SurfaceError, ServiceDown) as trouble:
        log.info("nobody says how to tell it", room=room.address, reason=str(trouble))
        return UNKNOWN
    return max(decided, asked, key=tuple(MANNERS).index)


def readable(text: str, manner: Manner) -> str:
    """Take as much of growing words as is to be seen already."""
    match manner:
        case "live":
            return text
        case "paragraphs":
            return text[: max(text.rfind(PARAGRAPH), 0)].rstrip()
        case "off":
            return ""
