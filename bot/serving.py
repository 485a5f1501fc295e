"""What every chat that is served needs: what the program lends it, another connection, and votes before a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import structlog

from bot.presenter.presenter import Presenter
from bot.reception import Door, Rooms
from bot.surface import SlowDown, SurfaceDown, SurfaceError
from storyforge_core.domain.story import PlaythroughId, RoomKey, SceneId
from storyforge_core.ports import Clock

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
STEADY = 300.0
"""Seconds: a connection that held this long was a good one, and the next trouble is a new one."""
COUNT_AGAIN = 0.5
"""Seconds until the votes under a question are asked for again, when the platform did not tell them."""

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What the rest of the program lends to a chat."""

    door: Door
    peephole: Door
    rooms: Rooms
    clock: Clock
    presenter: Presenter
    """Of this chat alone: what becomes of the others is not its business."""
    welcome: Callable[[str], None]
    """Told how the bot is invited, once it has logged in."""


async def returning(session: Callable[[], Awaitable[None]]) -> NoReturn:
    """Be connected for ever: whenever a session ends, begin another one, the later the more often that happens."""
    wait = FIRST_WAIT
    while True:
        began = asyncio.get_running_loop().time()
        await session()
        lasted = asyncio.get_running_loop().time() - began
        wait = FIRST_WAIT if lasted > STEADY else wait
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


async def counted(
    platform: str,
    rooms: Rooms,
    count: Callable[[RoomKey, SceneId], Awaitable[None]],
    playthrough: PlaythroughId,
    scene: SceneId,
) -> None:
    """Count the votes under a question in all rooms of a platform; how long that may take is up to the caller.

    Raises:
        ServiceDown: the store is away.
    """
    known = await rooms.rooms(platform)
    await asyncio.gather(*(_counted(count, room.key, scene) for room in known if room.playthrough == playthrough))


async def _counted(count: Callable[[RoomKey, SceneId], Awaitable[None]], room: RoomKey, scene: SceneId) -> None:
    while True:
        try:
            await count(room, scene)
        except (SurfaceDown, SlowDown):
            await asyncio.sleep(COUNT_AGAIN)
        except SurfaceError as error:
            log.info("reactions not counted", room=room.address, reason=str(error))
            return
        else:
            return
