"""A network in memory: aiohttp's own client and server, a fixed time apart, on the clock of the loop they run in.

With a loop whose time is virtual, real programs talk over real HTTP through whole minutes in a few milliseconds.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from aiohttp import BaseConnector
from aiohttp.client_proto import ResponseHandler

ServerProtocol = Callable[[], asyncio.Protocol]


class MemoryConnector(BaseConnector):
    """Connects every address to one server.

    Args:
        serve: makes the server's side of a connection, as `AppRunner.server` does.
        one_way: seconds that bytes are under way.
    """

    def __init__(self, serve: ServerProtocol, one_way: float) -> None:
        super().__init__(limit=0, keepalive_timeout=None)
        self._serve = serve
        self._one_way = one_way

    async def _create_connection(self, *_: Any) -> ResponseHandler:
        """Connect at once: who keeps connections open opens few of them."""
        client = ResponseHandler(self._loop)
        server = self._serve()
        here, there = MemoryTransport.pair(self._loop, self._one_way, client, server)
        server.connection_made(there)
        client.connection_made(here)
        return client


class MemoryTransport(asyncio.Transport):
    """One end: what is written arrives at the other end later, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, one_way: float, reader: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._one_way = one_way
        self._reader = reader
        """Who reads at this end."""
        self._far: Self | None = None
        self._under_way: deque[bytes | None] = deque()
        self._closing = False

    @classmethod
    def pair(
        cls, loop: asyncio.AbstractEventLoop, one_way: float, first: asyncio.Protocol, second: asyncio.Protocol
    ) -> tuple[Self, Self]:
        """Make two ends of one line."""
        ends = cls(loop, one_way, first), cls(loop, one_way, second)
        ends[0]._far, ends[1]._far = ends[1], ends[0]
        return ends

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes on their way."""
        if not self._closing:
            self._send(bytes(data))

    def close(self) -> None:
        """End the line at both ends; what was written before still arrives."""
        if not self._closing:
            self._closing = True
            self._send(None)
            self._loop.call_soon(self._reader.connection_lost, None)

    def abort(self) -> None:
        """The same: nothing is ever in a buffer here."""
        self.close()

    def is_closing(self) -> bool:
        """Tell whether it has ended."""
        return self._closing

    def pause_reading(self) -> None:
        """Nobody here ever reads too slowly."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""

    def _send(self, data: bytes | None) -> None:
        self._under_way.append(data)
        self._loop.call_later(self._one_way, self._arrive)  # timers of one moment fire in any order: so a queue

    def _arrive(self) -> None:
        data, far = self._under_way.popleft(), self._far
        if far is None or far._closing:
            return
        if data is None:
            far._closing = True
            far._reader.connection_lost(None)
        else:
            far._reader.data_received(data)
