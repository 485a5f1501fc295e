"""The line to one ComfyUI server: its calls with time and size limits, and every failure as one of ours.

Truth is what `/api/jobs/{id}` says, or on older servers `/history/{id}` and `/queue`. The socket is a hint: it loses
events, and nothing is ever sent twice. The server has no accounts, so nothing but what it needs is sent to it.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
import websockets.asyncio.client
import websockets.exceptions

from storyforge_core.domain.answers import one_line
from storyforge_core.errors import BrokenAnswer, ServiceDown, ServiceSilent
from storyforge_core.providers.comfyui_answers import (
    File,
    Job,
    Rejected,
    job_of_history,
    job_of_jobs,
    options_of,
    preview_of,
    rejection,
)

CONNECT_SECONDS = 5.0
"""A server in the house answers a connection in milliseconds; one that takes longer is away."""
ANSWER_SECONDS = 20.0
"""Without a byte. It answers between two steps of a model, which may take a few seconds on a slow card."""
ANSWER_BYTES = 8_000_000
"""`/object_info` of a large installation has 2 to 4 million."""
PICTURE_BYTES = 64_000_000
"""A PNG of 4096 by 4096 has about 30 million."""
REASON_CHARS = 200
FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
"""So that a preview says which picture it is of."""


class ComfyWire:
    """Calls one server.

    Args:
        host: its address, such as `http://127.0.0.1:8188`; a `user:password@` in it is sent as basic authentication.
        previews: it is asked to show what it paints while it does.
    """

    def __init__(self, host: str, *, previews: bool = False) -> None:
        self._previews = previews
        parts = urlsplit(host)
        self.shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._socket = parts._replace(scheme={"https": "wss"}.get(parts.scheme, "ws")).geturl().rstrip("/") + "/ws"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._client = httpx.AsyncClient(
            base_url=host,
            transport=httpx.AsyncHTTPTransport(verify=self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # no proxy: the server stands in the house, prompts are nobody else's business
            follow_redirects=False,
        )

    async def version(self) -> str:
        """Ask for the server's version."""
        stats = await self._json("GET", "/system_stats")
        return one_line(str(stats.get("system", {}).get("comfyui_version", "?")), REASON_CHARS)

    async def memory(self) -> int:
        """Ask how many bytes the server's card has; 0 where it does not say."""
        devices = (await self._json("GET", "/system_stats")).get("devices")
        sizes = [device.get("vram_total") for device in devices if isinstance(device, dict)] if devices else []
        return max((size for size in sizes if isinstance(size, int)), default=0)

    async def waiting(self) -> int:
        """Count what is being painted there or waits."""
        found = await self._json("GET", "/prompt")
        return int(found.get("exec_info", {}).get("queue_remaining", 0))

    async def post(self, picture: UUID, graph: Mapping[str, Any], client: str) -> None:
        """Have a graph executed under an id of ours.

        Raises:
            Rejected: the server does not take it; nothing of it will be executed.
        """
        body = {
            "prompt": graph,
            "prompt_id": str(picture),
            "client_id": client,  # without it, events and previews would go to everybody
            "extra_data": {"preview_method": "auto" if self._previews else "none"},
        }
        status, data = await self._ask("POST", "/prompt", json=body)
        if status == httpx.codes.INTERNAL_SERVER_ERROR:  # plain text: it could not make sense of the graph at all
            raise Rejected(())
        answer = self._parsed(status, data, also=(httpx.codes.BAD_REQUEST,))
        if status == httpx.codes.BAD_REQUEST or answer.get("node_errors"):
            if status == httpx.codes.OK:  # what was good of it is in the queue now
                await self.forget(picture)
            raise rejection(answer)

    async def job(self, picture: UUID) -> Job | None:
        """Say how a picture stands; None when the server knows nothing of it, which a restart makes of all."""
        status, data = await self._ask("GET", f"/api/jobs/{picture}")
        if status != httpx.codes.NOT_FOUND:
            return job_of_jobs(self._parsed(status, data))
        if data.startswith(b"{"):  # it has this call, and no such picture
            return None
        kept = await self._json("GET", f"/history/{picture}")
        if str(picture) in kept:
            return job_of_history(kept[str(picture)])
        queue = await self._json("GET", "/queue")
        if _lists(queue.get("queue_running"), picture):
            return Job("in_progress")
        return Job("pending") if _lists(queue.get("queue_pending"), picture) else None

    async def before(self, picture: UUID) -> int:
        """Count the pictures that are painted before one that waits."""
        queue = await self._json("GET", "/queue")
        pending = sorted(queue.get("queue_pending", ()), key=lambda entry: entry[0])
        place = next((place for place, entry in enumerate(pending) if str(entry[1]) == str(picture)), 0)
        return place + len(queue.get("queue_running", ()))

    async def forget(self, picture: UUID) -> None:
        """Take a picture out of the queue, or stop it; nothing where it is unknown."""
        status, _ = await self._ask("POST", f"/api/jobs/{picture}/cancel", json={})
        if status == httpx.codes.OK:
            return
        await self._ask("POST", "/queue", json={"delete": [str(picture)]})
        await self._ask("POST", "/interrupt", json={"prompt_id": str(picture)})

    async def free(self) -> None:
        """Have the server let go of the memory of its models, before its next picture."""
        await self._ask("POST", "/free", json={"unload_models": True, "free_memory": True})

    async def upload(self, name: str, data: bytes) -> str:
        """Send a picture that a graph reads; answers the name it has there, which may be another."""
        files = {"image": (name, data)}
        fields = {"type": "input", "subfolder": "storyforge", "overwrite": "false"}
        status, body = await self._ask("POST", "/upload/image", files=files, data=fields)
        found = self._parsed(status, body)
        return "/".join(filter(None, (str(found.get("subfolder", "")), str(found["name"]))))

    async def fetch(self, file: File) -> bytes:
        """Read a picture that was painted.

        Raises:
            BrokenAnswer: it is not there, or too large.
        """
        status, data = await self._ask("GET", f"/view?{urlencode(file.address)}", limit=PICTURE_BYTES)
        if status != httpx.codes.OK or not data:
            raise BrokenAnswer(f"ComfyUI at {self.shown} painted a picture that it does not give out ({status}).")
        return data

    async def options(self, node: str) -> Mapping[str, frozenset[str]] | None:
        """Read a node's choices by input, such as the model files it finds; None where there is no such node."""
        status, data = await self._ask("GET", f"/object_info/{node}")
        if status == httpx.codes.NOT_FOUND:
            return None
        described = self._parsed(status, data).get(node)
        return None if described is None else options_of(described)

    @asynccontextmanager
    async def hearing(self, client: str, heard: Callable[[Mapping[str, Any]], None]) -> AsyncIterator[None]:
        """Have events passed on while the body runs; none come when the socket cannot be had or breaks."""
        connected = asyncio.Event()
        listening = asyncio.create_task(self._listen(client, connected, heard))
        hearing = asyncio.ensure_future(connected.wait())
        await asyncio.wait({listening, hearing}, timeout=CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _listen(self, client: str, connected: asyncio.Event, heard: Callable[[Mapping[str, Any]], None]) -> None:
        """Listen until the socket breaks. Not again: of a second one of the same name the server hears nothing."""
        socket = websockets.asyncio.client.connect(
            f"{self._socket}?clientId={client}",
            ssl=self._tls,
            proxy=None,
            open_timeout=CONNECT_SECONDS,
            close_timeout=0.5,
            max_size=ANSWER_BYTES,
            user_agent_header=None,
        )
        try:
            async with socket as open_socket:
                connected.set()
                if self._previews:
                    await open_socket.send(json.dumps(FLAGS))  # only the first message is looked at
                async for message in open_socket:  # previews too: one that is not read holds up all
                    event = json.loads(message) if isinstance(message, str) else preview_of(message)
                    if isinstance(event, dict):
                        heard(event)
        except (OSError, ValueError, TimeoutError, websockets.exceptions.WebSocketException):
            return

    async def _json(self, method: str, path: str) -> Any:  # noqa: ANN401 - whatever a server answers
        status, data = await self._ask(method, path)
        return self._parsed(status, data)

    def _parsed(self, status: int, data: bytes, also: tuple[int, ...] = ()) -> Any:  # noqa: ANN401
        if status not in {httpx.codes.OK, *also}:
            raise ServiceDown(f"ComfyUI at {self.shown} failed with {status}.")
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise self._stranger() from error
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        limit: int = ANSWER_BYTES,
        **body: Any,  # noqa: ANN401 - as httpx takes it
    ) -> tuple[int, bytes]:
        """Send a request; answers status and body."""
        with self._as_ours():
            async with self._client.stream(method, path, **body) as response:
                read = bytearray()
                async for piece in response.aiter_bytes():
                    read += piece
                    if len(read) > limit:
                        raise BrokenAnswer(f"ComfyUI at {self.shown} answered with more than {limit:,} bytes.")
                return response.status_code, bytes(read)

    def _stranger(self) -> BrokenAnswer:
        return BrokenAnswer(f"{self.shown} answers what ComfyUI never would: does COMFYUI_HOST name the right server?")

    @contextmanager
    def _as_ours(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServiceDown(
                f"No ComfyUI answers at {self.shown}: start it there, or set COMFYUI_HOST to where it runs."
            ) from error
        except httpx.TimeoutException as error:
            raise ServiceSilent(f"ComfyUI at {self.shown} said nothing for {ANSWER_SECONDS:g} seconds.") from error
        except httpx.HTTPError as error:
            raise ServiceDown(f"The connection to ComfyUI at {self.shown} broke.") from error


def _lists(entries: object, picture: UUID) -> bool:
    """Tell whether a part of the queue names a picture."""
    return isinstance(entries, list) and any(str(entry[1]) == str(picture) for entry in entries)
