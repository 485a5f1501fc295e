"""A server with OpenAI's calls that says what a script tells it to, and fails in the ways such servers do.

In a test: `async with OpenAIPeer(OpenAIScript(fault="busy")) as peer: ... peer.url`.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.peers.ollama import ANSWER, PROSE, Hangup, Reply, as_json, read_request, send

OpenAIFault = Literal[
    "none",
    "busy",  # 429 before anything
    "failing",  # 500 before anything
    "locked",  # 401: the key is missing or wrong
    "too long",  # 400: the prompt does not fit
    "foreign",  # 404 with a web page
    "silent start",
    "silent middle",  # after two tokens
    "error part",  # an error inside the 200
    "no end",  # the stream stops without a reason
    "nonsense",  # a part that is no JSON
]
_TOKEN = re.compile(r"\s*\S+\s*\Z|\s*\S+")


@dataclass(frozen=True, slots=True)
class OpenAIScript:
    """What the peer says and how it behaves."""

    telling: str = PROSE
    answer: str = ANSWER
    thought: str = ""
    """Comes before the words, in a field of its own."""
    fault: OpenAIFault = "none"
    refuses: frozenset[str] = frozenset()
    """Fields of a request that it answers with 400."""
    model: str = "storyteller"
    kind: str = "somebody"
    """As whom it owns its models: `llamacpp` and `vllm` are known."""
    window: int = 0
    """What it says of its window in vLLM's way; 0: nothing."""
    usage: bool = True
    rate: float = 0.0
    """Tokens a second; 0: as fast as the line takes them."""
    length: int = 0
    """End with `length` after so many tokens; 0: never."""
    vector: int = 768
    unreadable: str = ""
    """A text with this in it cannot be made a vector of, nor can those that come with it."""
    embeds: bool = True


@dataclass(slots=True)
class OpenAIPeer:
    """The server; `script` may be exchanged at any time."""

    script: OpenAIScript = field(default_factory=OpenAIScript)
    chats: list[dict[str, Any]] = field(default_factory=list)
    embeddings: list[dict[str, Any]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """The client closed the connection before the end."""
    port: int = 0
    _server: asyncio.Server | None = None
    _handlers: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with suppress(Hangup, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                path, body = await read_request(reader)
                await self._answer(path, body, reader, writer)
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _answer(
        self, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if refusal := self._refusal(path, body):
            return await send(writer, refusal)
        match path:
            case "/v1/models":
                return await send(writer, self._models())
            case "/v1/embeddings":
                self.embeddings.append(body)
                return await send(writer, self._vectors(body["input"]))
            case "/v1/chat/completions":
                self.chats.append(body)
                return await self._stream(body, reader, writer)
            case _:
                return await send(writer, as_json({"error": {"message": "File Not Found"}}, 404))

    def _refusal(self, path: str, body: Mapping[str, Any]) -> Reply | None:  # noqa: PLR0911 - one for each fault
        script = self.script
        if script.fault == "foreign":
            return Reply(404, b"<html><h1>Not Found</h1></html>")
        if script.fault == "locked":
            return as_json({"error": {"message": "Invalid API key"}}, 401)
        if path == "/v1/models":
            return None
        if script.fault in {"busy", "failing"}:
            return as_json({"error": {"message": "too much to do"}}, 429 if script.fault == "busy" else 500)
        if script.fault == "too long":
            said = "request (9000 tokens) exceeds the available context size (4096 tokens)"
            return as_json({"error": {"code": 400, "message": said}}, 400)
        if script.kind != "llamacpp" and body.get("model") != script.model:
            return as_json({"error": {"message": f"The model `{body.get('model')}` does not exist."}}, 404)
        unknown = script.refuses & (body.keys() | {body["messages"][-1]["role"]} if "messages" in body else set())
        if unknown:
            return as_json({"error": {"message": f"unsupported: {', '.join(sorted(unknown))}"}}, 400)
        return None

    def _models(self) -> Reply:
        listed = {"id": self.script.model, "object": "model", "owned_by": self.script.kind}
        if self.script.window:
            listed["max_model_len"] = self.script.window  # type: ignore[assignment]  # JSON has no types
        return as_json({"object": "list", "data": [listed]})

    def _vectors(self, texts: list[str]) -> Reply:
        script = self.script
        if not script.embeds:
            return as_json({"error": {"message": "This server does not support embeddings."}}, 501)
        if script.unreadable and any(script.unreadable in text for text in texts):
            return as_json({"error": {"message": "input is too large to process"}}, 400)
        vectors = [[2.0 * (at == len(text) % script.vector) for at in range(script.vector)] for text in texts]
        parts = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        return as_json({"data": parts[::-1]})

    async def _stream(
        self, body: Mapping[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        script, structured = self.script, "response_format" in body or "JSON" in body["messages"][-1]["content"]
        tokens = _TOKEN.findall(script.answer if structured else script.telling)
        limit = min(body["max_tokens"], script.length or body["max_tokens"])
        said = tokens[:limit]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

        async def part(value: object) -> None:
            if reader.at_eof() or writer.is_closing():
                self.hung_up.set()
                raise Hangup
            line = f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()
            writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            await writer.drain()
            await asyncio.sleep(1 / script.rate if script.rate else 0)

        async def silence() -> None:
            while not (reader.at_eof() or writer.is_closing()):  # noqa: ASYNC110 - a reader knows no event for its end
                await asyncio.sleep(0.02)
            self.hung_up.set()
            raise Hangup

        writer.write(b"b\r\n: waiting\n\n\r\n")  # a comment, as some servers send while they read
        await part({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]})
        if script.fault == "silent start":
            await silence()
        for token in _TOKEN.findall(script.thought):
            await part({"choices": [{"index": 0, "delta": {"reasoning_content": token}, "finish_reason": None}]})
        for number, token in enumerate(said):
            if number == 2:
                await self._fail(part, silence, writer)
            await part({"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]})
        reason = "length" if len(said) < len(tokens) else "stop"
        await part({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if script.usage and body.get("stream_options", {}).get("include_usage"):
            prompt = sum(len(message["content"]) for message in body["messages"]) // 4
            await part({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": len(said)}})
        await part("[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _fail(self, part: Any, silence: Any, writer: asyncio.StreamWriter) -> None:
        match self.script.fault:
            case "silent middle":
                await silence()
            case "error part":
                await part({"error": {"message": "CUDA out of memory"}})
                raise Hangup
            case "no end":
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                raise Hangup
            case "nonsense":
                await part("{half")
            case _:
                return
