"""Taking the time: the wall clock, and the processor time of this process."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

WARM = 6
"""Unmeasured rounds: the server plans a statement anew five times before it keeps a plan."""
ROUNDS = 3
"""What is measured is cut into so many rounds, of which the middle one counts: others use this machine too."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds: median and 95th percentile of the wall clock, and processor time each time."""

    median: float
    p95: float
    cpu: float


async def measure(times: int, work: Callable[[], Awaitable[object]]) -> Cost:
    """Do it some times unmeasured, so that plans and pages are warm, then so many times."""
    for _ in range(WARM):
        await work()
    return cost([await timed(work()) for _ in range(times)])


async def timed(work: Awaitable[object]) -> tuple[float, float]:
    """Wall clock and processor time, in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def cost(times: Sequence[tuple[float, float]]) -> Cost:
    """The middle of the rounds, each figure by itself."""
    rounds = [_one_round(times[start::ROUNDS]) for start in range(ROUNDS)]
    return Cost(*(statistics.median(getattr(each, name) for each in rounds) for name in ("median", "p95", "cpu")))


def _one_round(times: Sequence[tuple[float, float]]) -> Cost:
    walls = [wall for wall, _ in times]
    return Cost(
        statistics.median(walls), statistics.quantiles(walls, n=20)[-1], statistics.mean(cpu for _, cpu in times)
    )
