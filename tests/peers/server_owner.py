"""A program that runs the embedded server until its standard input ends.

Started as `python -m tests.peers.server_owner DIRECTORY`.
It says one JSON line when the server answers: `{"owned": true, "pid": 123, "url": "postgresql://…"}`.
"""

import asyncio
import json
import sys
from pathlib import Path

from storyforge_core.store.embedded import embedded_postgres


async def main(directory: Path) -> None:
    async with embedded_postgres(directory) as server:
        print(json.dumps({"owned": server.owned, "pid": server.pid, "url": server.url}), flush=True)  # noqa: T201 -- this is how it talks
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
