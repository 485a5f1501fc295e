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
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie evenly between whole numbers, however many there are: chance would need ten times as many scenes
for a mean as exact, since when a last frame is seen depends on where in a window a scene ends."""


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
        """The same ones for everybody, of lengths that are spread evenly."""
        shortest, longest = self.lengths
        lengths = [shortest + round((longest - shortest) * (place * GOLDEN % 1)) for place in range(self.scenes)]
        return [Speech(length, self.rate, (shortest + longest) // 2) for length in lengths]


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
