"""Turns among all requests of the program to Discord, which refuses a bot's fifty-first in a second."""

import asyncio
from collections import deque

TURNS = 48
"""Requests a second; the two that are left are for a network that has some of them catch up with others."""


class Turns:
    """Lets requests go in order, at even distances when there are many."""

    def __init__(self) -> None:
        self._next = float("-inf")
        """When the newest request goes, or went."""
        self._gone: deque[float] = deque(maxlen=TURNS)
        """When the newest of those went that were not held up, or will go."""

    def take(self) -> float:
        """Take a turn; answers in how many seconds it is."""
        now = asyncio.get_running_loop().time()
        self._next = max(now, self._next + 1 / TURNS)
        return self._next - now

    async def wait(self, seconds: float) -> None:
        """Wait for a turn that was taken; longer, if others missed theirs because the program was held up."""
        await asyncio.sleep(seconds)
        now = asyncio.get_running_loop().time()
        at = now if len(self._gone) < TURNS else max(now, self._gone[0] + 1)
        self._gone.append(at)
        await asyncio.sleep(at - now)
