"""How long requests are under way, by which a window of Discord's can be used anew the moment it is over.

Discord says in each answer in how many seconds it counts anew. From when? From when it looked, which was before the
answer came; and a request that leaves before that moment arrives after it. discord.py adds both ways to each window:
a bot that is 75 ms away has five edits in 5.15 s. The time between a request and its answer is known, though, and
however it is divided between the two ways and Discord's work, one whole of it can be saved: what the answer took to
come, and what the next request will take to go. Something is left for ways of which no two are the same, and the more
they differ, the more. Where they differ by as much as they take, nothing is saved, and nothing is worse than before.
"""

import statistics
from collections import deque

KNOWN = 50
"""Requests of which the shortest is relied on: one that was slow by chance says nothing about the next."""
FEW = 12
"""Fewer say nothing either."""
LEFT = 0.1
"""Of that time, this part is not saved."""
DIFFERING = 0.5
"""Nor is this part of what is between the shortest and the middle one."""
ROUNDED = 0.002
"""Seconds that a time may be off that Discord tells in thousandths."""


class Ways:
    """Remembers how long the newest requests took."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=KNOWN)

    def took(self, seconds: float) -> None:
        """An answer came so many seconds after its request had left."""
        self._took.append(seconds)

    def mistrust(self) -> None:
        """Something came too early: save nothing for so many requests."""
        self._took.append(0.0)

    @property
    def saved(self) -> float:
        """How many seconds earlier a window may be used than its end as an answer tells it."""
        if len(self._took) < FEW:
            return 0.0
        shortest = min(self._took)
        differing = statistics.median(self._took) - shortest
        return max(shortest * (1 - LEFT) - differing * DIFFERING - ROUNDED, 0.0)
