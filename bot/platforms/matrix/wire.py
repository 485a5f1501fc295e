"""Requests to a homeserver, as JSON and with a time limit; its refusals are what `troubles` says they are."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import nio

from bot.platforms.matrix.troubles import TooLarge, answered, understood

API = "/_matrix/client/v3"
REQUEST_SECONDS = 20.0
JSON = "application/json"
OK = 200
REFUSAL_BYTES, PIECE_BYTES = 65_536, 65_536


async def ask(
    client: nio.AsyncClient, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Make a request; the path begins with `/_matrix`.

    Raises:
        SurfaceError: it is refused, or there is no answer.
    """
    data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return await send(client, method, path, data)


async def send(
    client: nio.AsyncClient,
    method: str,
    path: str,
    data: bytes | None,
    mime: str = JSON,
    seconds: float = REQUEST_SECONDS,
) -> Mapping[str, Any]:
    """Make a request with whatever bytes.

    Raises:
        SurfaceError: it is refused, or there is no answer.
    """
    headers = {"Content-Type": mime, **_authorised(client)}
    with understood():
        async with asyncio.timeout(seconds):
            answer = await client.send(method, path, data, headers, timeout=seconds)
            async with answer:
                return answered(answer.status, answer.headers, await answer.read())


async def download(client: nio.AsyncClient, path: str, most: int, seconds: float) -> bytes:
    """Read a file, no more than so many bytes of it.

    Raises:
        SurfaceError: it is refused, or there is no answer.
        TooLarge: there are more.
    """
    with understood():
        async with asyncio.timeout(seconds):
            answer = await client.send("GET", path, None, _authorised(client), timeout=seconds)
            async with answer:
                if answer.status != OK:
                    answered(answer.status, answer.headers, await answer.content.read(REFUSAL_BYTES))
                data = bytearray()
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    data += piece
                    if len(data) > most:
                        raise TooLarge(f"That is too large; {most:,} bytes are the most.")
                return bytes(data)


def _authorised(client: nio.AsyncClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.access_token}"} if client.access_token else {}


def part(text: str) -> str:
    """Write an id as a part of a path: it may hold slashes and colons."""
    return quote(text, safe="")
