"""A process that does nothing but live as a worker, until it is killed.

Started as `python -m tests.peers.living_worker URL ID`; it says `alive` once it is.
"""

import asyncio
import sys
from uuid import UUID

from storyforge_core.store.database import open_database
from tests.world import open_world


async def live(url: str, worker: UUID) -> None:
    async with open_world(open_database(url)).store.alive(worker):
        sys.stdout.write("alive\n")
        sys.stdout.flush()
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], UUID(sys.argv[2])))
