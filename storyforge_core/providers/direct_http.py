"""HTTP/1.1 straight on asyncio's streams, as a transport for httpx.

A streamed answer is one small chunk for each token. On its usual way through httpcore, h11 and anyio a chunk costs
about three times the processor time it costs here, which decides how many stories one core can tell at once.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

CONNECT_SECONDS = 5.0
"""A server in the house answers a connection in milliseconds; one that takes longer is away."""
HEAD_BYTES = 65_536


class DirectTransport(httpx.AsyncBaseTransport):
    """One connection for each request, so that closing an answer hangs up at once and nothing stale is ever reused.

    Args:
        tls: for a server at an `https://` address; made beforehand, since that reads files.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of its answer; the body is read as it comes."""
        body = await request.aread()
        answer = _Answer(*await self._connect(request.url))
        async with AsyncExitStack() as unless_answered:
            unless_answered.push_async_callback(answer.aclose)
            response = await answer.to(_head_of(request) + body)
            unless_answered.pop_all()
        return response

    async def _connect(self, url: httpx.URL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = url.port or (443 if self._tls else 80)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(url.host, port, ssl=self._tls, limit=HEAD_BYTES)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"no connection within {CONNECT_SECONDS:g} seconds") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error


class _Answer(httpx.AsyncByteStream):
    """The answer on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = httpx.Headers()

    async def to(self, request: bytes) -> httpx.Response:
        """Send the request and read up to the body."""
        with _as_httpx():
            self._writer.write(request)
            await self._writer.drain()
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
            self._headers = httpx.Headers([_header(line) for line in lines])
            return httpx.Response(int(first.split(" ", 2)[1]), headers=self._headers, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._headers.get("transfer-encoding", "").lower() != "chunked":
            yield await self._rest()
            return
        while piece := await self._chunk():
            yield piece

    async def _chunk(self) -> bytes:
        with _as_httpx():
            size = int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16)
            return (await self._reader.readexactly(size + 2))[:-2] if size else b""

    async def _rest(self) -> bytes:
        with _as_httpx():
            if "content-length" in self._headers:
                return await self._reader.readexactly(int(self._headers["content-length"]))
            return await self._reader.read()

    async def aclose(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


def _head_of(request: httpx.Request) -> bytes:
    headers = httpx.Headers(request.headers)
    headers["connection"] = "close"
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    return b"\r\n".join([*lines, *(b"%s: %s" % pair for pair in headers.raw), b"", b""])


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Turn what a broken connection or answer raises into what httpx promises to raise."""
    try:
        yield
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    except (EOFError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        raise httpx.RemoteProtocolError(f"unusable answer: {error}") from error


def straight_to(host: str, key: str = "") -> dict[str, Any]:
    """Settings of an HTTP client: straight to the owner's server and nothing handed over unasked.

    No proxy and no `.netrc` from the environment: the server stands in the house, prompts are nobody else's business.
    No redirects, for the same reason. OLLAMA_API_KEY is for the vendor's cloud; its client would send it to any host.

    Args:
        host: address; a `user:password@` in it is sent as basic authentication.
        key: sent as a bearer token where the address has no login; empty: none.
    """
    parts = urlsplit(host)
    login = httpx.BasicAuth(unquote(parts.username), unquote(parts.password or "")) if parts.username else _signed(key)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    return {
        "transport": DirectTransport(tls),
        "timeout": None,  # ours are finer: one for the first token, one between tokens
        "trust_env": False,
        "follow_redirects": False,
        "auth": login,
    }


def without_login(host: str) -> str:
    """An address as it may be shown."""
    parts = urlsplit(host)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _signed(key: str) -> Callable[[httpx.Request], httpx.Request]:
    def sign(request: httpx.Request) -> httpx.Request:
        request.headers.pop("Authorization", None)
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    return sign
