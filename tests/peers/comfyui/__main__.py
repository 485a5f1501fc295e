"""The server in a process of its own, to be killed."""

import argparse
import asyncio
import sys

from tests.peers.comfyui.peer import ComfyPeer


async def run(port: int) -> None:
    async with ComfyPeer(port=port) as peer:
        sys.stdout.write(f"{peer.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(run(parser.parse_args().port))
