"""Bots under the same load: scenes of a few lengths at a rate, in one channel after the other or in many at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from storyforge_core.domain.story import RoomKey
from tests.bench.chat.speech import Scene, Speech, Summary

Tell = Callable[[RoomKey, Speech], Awaitable[Scene]]
"""Have a scene told in a room, and follow it."""
PAUSE = 60.0
"""Seconds between scenes that are told one after the other: every budget is full again."""


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to tell."""

    lengths: tuple[int, int]
    """Tokens of the shortest and the longest scene."""
    rate: float
    """Tokens a second."""
    scenes: int
    at_once: bool = False
    spread: float = 5.0
    """Seconds over which scenes begin that are told at once."""

    def speeches(self) -> list[Speech]:
        """The same ones for everybody."""
        dice = random.Random(self.scenes)
        asked = sum(self.lengths) // 2
        return [Speech(dice.randint(*self.lengths), self.rate, asked) for _ in range(self.scenes)]


async def play(load: Load, rooms: Sequence[RoomKey], tell: Tell) -> Summary:
    """Tell all of it, each scene in a room of its own."""
    told = list(zip(rooms, load.speeches(), strict=True))
    if not load.at_once:
        return Summary([await _one(tell, room, speech, PAUSE) for room, speech in told])
    dice = random.Random(load.scenes)
    starts = [asyncio.create_task(_one(tell, *each, dice.uniform(0, load.spread))) for each in told]
    return Summary(await asyncio.gather(*starts))


async def _one(tell: Tell, room: RoomKey, speech: Speech, wait: float) -> Scene:
    await asyncio.sleep(wait)
    return await tell(room, speech)
