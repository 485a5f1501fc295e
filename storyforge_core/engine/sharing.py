"""One graphics card for words and pictures: `domain/turns.py` says who goes first, here they do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from storyforge_core.domain.pictures import Commission, Painted, Progress
from storyforge_core.domain.turns import MOST_WAIT, goes_on
from storyforge_core.errors import ServiceDown
from storyforge_core.picture_ports import Card, Illustrator

LOOK_AGAIN = 1.0
"""Seconds between two looks whether the card is wanted; each costs a small query."""
REST_SECONDS = 3.0
"""How long it may take to ask a server to let go of its memory."""

Rest = Callable[[], Awaitable[None]]
"""Asks a server to let go of the card's memory. Raises `ServiceDown`."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Lets words and pictures have a card in turn.

    Args:
        card: the card.
        words_rest: ask the language models to let go of its memory.
        pictures_rest: ask the picture server to.
        roomy: tells whether its memory is enough for both anyway.
    """

    card: Card
    words_rest: tuple[Rest, ...] = ()
    pictures_rest: tuple[Rest, ...] = ()
    roomy: Callable[[], Awaitable[bool]] | None = None

    async def words(self) -> None:
        """Have the card for words: at once, or as soon as a picture that is nearly done is, but soon in any case."""
        try:
            async with asyncio.timeout(MOST_WAIT):
                while await self.card.painted_on():  # noqa: ASYNC110 - it may be painted on another machine
                    await asyncio.sleep(LOOK_AGAIN / 2)
        except TimeoutError:
            structlog.get_logger().info("words come beside a picture that keeps the card")
        except ServiceDown as error:
            structlog.get_logger().info("nobody says who has the card", reason=str(error))
        await self._rested(self.pictures_rest)

    async def taken(self) -> bool:
        """Whether a picture is being painted: then nobody loads a language model for what can wait."""
        try:
            return await self.card.painted_on()
        except ServiceDown:
            return False

    async def painted(
        self, illustrator: Illustrator, commission: Commission, hear: Callable[[Progress], None]
    ) -> Painted:
        """Have a picture painted in its turn, from the beginning if it had to be put aside. Raises as `paint` does."""
        put_aside = 0
        while True:
            await self._until_quiet()
            async with self.card.held():
                if await self.card.wanted():  # meanwhile, behind another picture
                    continue
                await self._rested(self.words_rest)
                painted = await self._unless_wanted(illustrator, commission, hear, put_aside)
                if painted is None:
                    await self._rested(self.pictures_rest)
            if painted is not None:
                return painted
            put_aside += 1
            structlog.get_logger().info("a picture was put aside for a scene", picture=str(commission.id))

    async def _until_quiet(self) -> None:
        while await self.card.wanted():  # noqa: ASYNC110 - it may be told on another machine
            await asyncio.sleep(LOOK_AGAIN)

    async def _unless_wanted(
        self, illustrator: Illustrator, commission: Commission, hear: Callable[[Progress], None], put_aside: int
    ) -> Painted | None:
        """Paint; None where a scene wants the card and the picture is far from done."""
        began, done = _now(), 0.0

        def listen(progress: Progress) -> None:
            nonlocal done
            done = progress.done
            hear(progress)

        painting = asyncio.ensure_future(illustrator.paint(commission, listen))
        try:
            while True:
                await asyncio.wait({painting}, timeout=LOOK_AGAIN)
                if painting.done():
                    return painting.result()
                if not goes_on(_now() - began, done, put_aside) and await self._wanted():
                    break
        finally:
            painting.cancel()
            await asyncio.wait({painting})
        await illustrator.forget(commission.id)
        return None

    async def _rested(self, rests: tuple[Rest, ...]) -> None:
        """Ask all of them, unless there is memory for both; one that does not answer may have nothing to let go of."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                if rests and not (self.roomy and await self.roomy()):
                    await asyncio.gather(*(rest() for rest in rests))
        except (ServiceDown, TimeoutError) as error:
            structlog.get_logger().info("not asked to let go of the card's memory", reason=str(error))

    async def _wanted(self) -> bool:
        try:
            return await self.card.wanted()
        except ServiceDown:
            return False


def _now() -> float:
    return asyncio.get_running_loop().time()
