"""The lean HTTP transport against servers that answer byte for byte what a test says."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from storyforge_core.providers.direct_http import DirectTransport

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(slots=True)
class Server:
    """Answers every request with the same pieces, each sent on its own."""

    pieces: tuple[bytes, ...]
    stays: bool = False
    requests: list[bytes] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if self.stays:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            self.hung_up.set()
            writer.close()


@asynccontextmanager
async def running(*pieces: bytes, stays: bool = False, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(pieces, stays)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    async with listening:
        yield server


def client(tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=DirectTransport(tls), trust_env=False)


@pytest.mark.parametrize(
    "pieces",
    [
        (OK + b"Content-Length: 4\r\n\r\ndoor",),
        (OK + b"content-length:4\r\n", b"\r\ndo", b"or"),
        (OK + b"\r\n", b"do", b"or"),
        (CHUNKED + b"4\r\ndoor\r\n0\r\n\r\n",),
        (CHUNKED, b"2", b"\r\ndo", b"\r\n2;note=x\r", b"\nor\r\n0\r\n\r\n"),
        (OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"door")),
    ],
    ids=["length", "length in pieces", "until the end", "chunked", "chunked in pieces", "gzip"],
)
async def test_a_body_arrives_whole_however_it_is_sent(pieces: tuple[bytes, ...]) -> None:
    async with running(*pieces) as server, client() as http:
        assert (await http.get(server.url)).content == b"door"


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"220 mail.example ESMTP\r\n\r\n",),
        (b"door\r\n\r\n",),
        (OK,),
        (OK + b"Content-Length: 9\r\n\r\ndoor",),
        (CHUNKED + b"9\r\ndoor",),
        (CHUNKED + b"door\r\n",),
        (CHUNKED + b"4\r\ndoor\r\n",),
        (b"x" * 200_000,),
    ],
)
async def test_an_answer_that_breaks_off_or_is_not_http_is_a_protocol_error(pieces: tuple[bytes, ...]) -> None:
    async with running(*pieces) as server, client() as http:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await http.get(server.url)


async def test_the_request_names_host_and_path_and_closes() -> None:
    async with running(OK + b"\r\n") as server, client() as http:
        await http.post(f"{server.url}/api/chat?x=1", json={"a": 1})
    head = server.requests[0].lower()
    assert head.startswith(b"post /api/chat?x=1 http/1.1\r\n")
    assert b"\r\nhost: 127.0.0.1:" in head
    assert b"\r\nconnection: close\r\n" in head
    assert b"\r\ncontent-length: 7\r\n" in head


async def test_a_piece_is_given_as_soon_as_it_is_there() -> None:
    async with (
        running(CHUNKED + b"4\r\ndoor\r\n", stays=True) as server,
        client() as http,
        http.stream("GET", server.url) as answer,
        asyncio.timeout(5),
    ):
        assert await anext(answer.aiter_bytes()) == b"door"


async def test_closing_an_answer_hangs_up() -> None:
    async with running(CHUNKED + b"4\r\ndoor\r\n", stays=True) as server, client() as http:
        async with http.stream("GET", server.url):
            assert not server.hung_up.is_set()
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_giving_up_on_an_answer_hangs_up() -> None:
    async with running(stays=True) as server, client() as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http.get(server.url)
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_nobody_listening_is_a_connect_error(unused_tcp_port: int) -> None:
    async with client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{unused_tcp_port}")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, with its key in the same file."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command to make a certificate")
    both = tmp_path / "localhost.pem"
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", *kind, *name, "-keyout", str(both), "-out", str(tmp_path / "c")]
    subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(both.read_bytes() + (tmp_path / "c").read_bytes())
    return both


async def test_a_trusted_server_is_reached_by_tls(certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with running(OK + b"Content-Length: 4\r\n\r\ndoor", tls=tls) as server, client(trusting) as http:
        assert (await http.get(server.url)).content == b"door"


async def test_a_server_nobody_vouches_for_is_refused(certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with running(OK + b"\r\n", tls=tls) as server, client(ssl.create_default_context()) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(server.url)
