"""Asking the homeserver until it has done what it can do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.surface import SlowDown, SurfaceDown

LONGEST = 600.0
"""Seconds; after that, nobody waits for an answer any more."""
AGAIN = 2.0
T = TypeVar("T")


async def patiently(request: Callable[[], Awaitable[T]]) -> T:
    """Ask, and ask again while the homeserver is away or wants to be asked less.

    Raises:
        SurfaceError: it refuses, or was away too long.
    """
    clock = asyncio.get_running_loop()
    until = clock.time() + LONGEST
    while True:
        try:
            return await request()
        except (SlowDown, SurfaceDown) as trouble:
            wait = trouble.retry_after if isinstance(trouble, SlowDown) else AGAIN
            if clock.time() + wait > until:
                raise
            await asyncio.sleep(wait)
