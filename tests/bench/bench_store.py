"""What the store costs in a database of a million scenes: turns, paths, a new branch."""

import asyncio

from tests.bench import bench_paths, bench_turns
from tests.bench.figures import Figure, Scale
from tests.bench.ground import fill, ground


def bench(scale: Scale) -> list[Figure]:
    """Grow the forest once for all of them."""
    return asyncio.run(_measured(scale))


async def _measured(scale: Scale) -> list[Figure]:
    async with ground() as database:
        await fill(database, scale.scenes)
        return [*await bench_turns.bench(database, scale), *await bench_paths.bench(database, scale)]
