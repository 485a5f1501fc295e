"""Run the wire-level Discord by itself: `python -m tests.peers.discord --port 8081`."""

import argparse
import asyncio
import signal

from tests.peers.discord.control import GUILD
from tests.peers.discord.peer import DiscordPeer


async def serve(port: int, window: float) -> None:
    """Serve until told to stop; the first line printed says where."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with DiscordPeer(port=port, window=window) as peer:
        peer.guild(GUILD).text("general")
        print(f"{peer.api_base} {peer.gateway_url} {peer.token}", flush=True)  # noqa: T201 -- whoever starts it reads it
        await over.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--window", type=float, default=5.0, help="seconds in which a channel takes five messages")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.window))


if __name__ == "__main__":
    main()
