"""Questions that nobody waits for: they give way to whoever tells a scene here, and are asked again afterwards."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

LOOK_AGAIN = 2.0
"""Seconds between two looks whether what answers is free; each costs a small query."""
LONGEST_WAIT = 600.0
"""Seconds, a few pictures long."""

Answer = TypeVar("Answer")


class Quiet:
    """Knows whether a scene is being told; one for all who tell and all who ask in the background.

    Args:
        taken: tells whether what answers is needed for something else, such as a card that a picture is painted on;
            None where it never is.
    """

    def __init__(self, taken: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._taken = taken
        self._tellings = 0
        self._silent = asyncio.Event()
        self._silent.set()
        self._loud = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def disturbed(self) -> bool:
        """A scene is being told just now."""
        return self._tellings > 0

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[None]:
        """Have the model to oneself: what is asked in the background meanwhile is abandoned or waits."""
        self._tellings += 1
        self._silent.clear()
        self._loud.set()
        try:
            yield
        finally:
            self._tellings -= 1
            if not self._tellings:
                self._loud.clear()
                self._silent.set()

    async def ask(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask when nobody tells, one question after another; one that is interrupted is closed, and asked anew.

        Args:
            question: asks once each time it is called; it has its own time limit, which does not run while it waits.
        """
        async with self._turn:
            return await self._asked(question)

    async def _asked(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        while True:
            await self._free()
            await self._silent.wait()
            asked = asyncio.ensure_future(question())
            loud = asyncio.ensure_future(self._loud.wait())
            try:
                await asyncio.wait((asked, loud), return_when=asyncio.FIRST_COMPLETED)
                if asked.done():
                    return asked.result()
            finally:
                await _closed(asked)
                await _closed(loud)

    async def _free(self) -> None:
        """Wait for it, but not for ever: where pictures never end, what scenes say is found out beside them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                while self._taken and await self._taken():  # noqa: ASYNC110 - it may be painted on another machine
                    await asyncio.sleep(LOOK_AGAIN)


async def _closed(task: asyncio.Future[Answer]) -> None:
    """End a task that is not wanted any more, and wait until it has let go of what it held."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    with suppress(asyncio.CancelledError):
        task.exception()  # seen: it would be logged as forgotten otherwise
