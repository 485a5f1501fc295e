"""A server with Ollama's shapes that says what a script tells it to, and fails in every way the real one does.

In a test: `async with OllamaPeer(Script(tellings=("Once upon a time.",))) as peer: ... peer.url`.
As a process: `python -m tests.peers.ollama --port 11500 --script endless`; it prints its address, answers
`GET /peer/calls` with what was asked of it, and takes another script from `POST /peer/script`
(`{"name": "plain", "rate": 50, ...}`: the fields of `Script` over those of the named one).
"""

import argparse
import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

Fault = Literal[
    "none",
    "busy",  # 503 before anything
    "failing",  # 500 before anything
    "missing",  # 404: no such model
    "foreign",  # 404 with a web page: not Ollama at all
    "silent start",  # takes the request, never says a word
    "silent middle",  # falls silent after `fault_after` tokens
    "error line",  # an error inside the 200
    "no done",  # the stream just ends
    "reset",  # the connection is cut
    "nonsense",  # a line that is no JSON
    "endless",  # the last `fault_after` tokens again and again, until hung up on
    "not json",  # structured answers are prose
    "wrong json",  # structured answers are JSON of another shape
]
Ending = Literal["", "done", "cancelled", "failed"]
LOAD = "/api/chat without messages"
"""How calls are noted that only have a model loaded."""
_NOTHING = {"role": "assistant", "content": ""}
PROSE = (
    "You set the lamp down on the wet stone. Below you the tide has drawn back farther than it ever has, and there, "
    "where for forty years there was only sea, stands a door.\n\nIt is painted green. Somebody has polished the "
    "handle. Behind it, faint and patient, a hand is knocking: three times, then a pause, then three times again."
)
ANSWER = json.dumps(
    {
        "title": "The Door in the Sea",
        "choices": [
            "Knock back three times",
            "Open the green door at once",
            "Climb up and light the great lamp",
            "Look for footprints in the sand",
            "Call Maren from the village",
            "Run before the tide returns",
        ],
        "beats": ["You set the lamp down", "Somebody knocks from behind the door"],
    }
)
"""Answers every question that is asked about a scene: each reads the part that it has asked for."""
_TOKEN = re.compile(r"\s*\S+\s*\Z|\s*\S+")


NOTHING_FOUND = '{"entities": [], "assertions": [], "promises": []}'
"""What the peer finds in scenes if nothing else is played."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the peer says and how it behaves."""

    tellings: tuple[str, ...] = (PROSE,)
    """Prose in turn; the last one stays."""
    answers: tuple[str, ...] = (ANSWER,)
    """Answers to calls with a `format`, in turn; the last one stays."""
    found: str = NOTHING_FOUND
    """What is found in every scene."""
    reading_delay: float = 0.0
    """Seconds before that."""
    thought: str = ""
    """What is thought before each answer unless `think` is false."""
    clock: bool = False
    """Say the monotonic time of each token instead of prose."""
    rate: float = 0.0
    """Tokens a second; 0: as fast as the line takes them."""
    first_delay: float = 0.0
    """Seconds before the first token."""
    fault: Fault = "none"
    fault_after: int = 5  # tokens
    fault_calls: int = 1_000_000
    """How many chat calls fail before the fault is over."""
    model: str = "storyteller:latest"
    others: tuple[str, ...] = ()
    """Further models that are there, all alike."""
    capabilities: tuple[str, ...] = ("completion",)
    trained_window: int = 32_768
    loaded_window: int = 0
    """What a model is loaded with whatever is asked for; 0: what is asked for, and nothing before a call."""
    read: int = 0
    """`prompt_eval_count`; 0: a quarter of the prompt's characters."""
    vector: int = 768
    """Numbers in a vector."""
    unreadable: str = ""
    """A text with this in it cannot be read, nor can those that come with it."""
    length: int = 0
    """Stop with `done_reason` length after so many tokens even if `num_predict` allows more; 0: never."""


SCRIPTS: Mapping[str, Script] = {
    "plain": Script(),
    "slow": Script(rate=10),
    "brisk": Script(rate=50),
    "clock": Script(clock=True, rate=50, length=150),
    "thinking": Script(thought="The players want dread. ", capabilities=("completion", "thinking")),
    **{fault.replace(" ", "-"): Script(fault=fault) for fault in Fault.__args__ if fault != "none"},  # type: ignore[attr-defined]  # Literal has them
}


@dataclass(slots=True)
class Call:
    """One request as it came in, and how it went."""

    path: str
    body: dict[str, Any]
    sent: int = 0  # tokens
    ended: Ending = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, how: Ending) -> None:
        """Note how it went; the first word on it stands."""
        self.ended = self.ended or how
        self.over.set()


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes


class Hangup(Exception):
    """The script or the client ends the connection."""


@dataclass(slots=True)
class OllamaPeer:
    """The server; `script` may be exchanged at any time."""

    script: Script = field(default_factory=Script)
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    windows: dict[str, int] = field(default_factory=dict)
    """What each model was loaded with."""
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
        return f"http://127.0.0.1:{self.port}"

    @property
    def chats(self) -> list[Call]:
        return [call for call in self.calls if call.path == "/api/chat"]

    @property
    def swaps(self) -> int:
        """How often another model had to be loaded than the call before used, if the memory holds one."""
        used = [call.body["model"] for call in self.calls if call.path in {"/api/chat", LOAD}]
        return sum(one != other for one, other in itertools.pairwise(used))

    async def ended(self, call: Call, within: float = 2.0) -> Ending:
        """Wait until a call is over; tell how it ended."""
        async with asyncio.timeout(within):
            await call.over.wait()
        return call.ended

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with suppress(Hangup, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._answer(*await read_request(reader), reader, writer)
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _answer(
        self, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if path.startswith("/peer/"):
            return await send(writer, self._control(path, body))
        loads = path == "/api/chat" and not body["messages"]
        call = Call(LOAD if loads else path, body)
        self.calls.append(call)
        if path == "/api/chat":
            self.windows[body["model"]] = body.get("options", {}).get("num_ctx", 4096)
        if call.path != "/api/chat":
            return await send(writer, self._lookup(call.path, body))
        if "assertions" in body.get("format", {}).get("properties", {}):  # asked in the background, whatever is played
            now = self.script
            script = Script(answers=(now.found,), first_delay=now.reading_delay, model=now.model)
        else:
            script, self.script = self.script, _next_script(self.script, structured="format" in body)
        if refusal := _refusal(script, body):
            call.end("failed")
            return await send(writer, refusal)
        try:
            await _Chat(script, call, reader, writer).run()
        except ConnectionError:
            call.end("cancelled")
            raise
        finally:
            call.end("failed")

    def _control(self, path: str, body: dict[str, Any]) -> Reply:
        if path == "/peer/script":
            named = SCRIPTS[body.pop("name", "plain")]
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in body.items()}
            self.script = replace(named, **fields)
        return as_json([{"path": c.path, "body": c.body, "sent": c.sent, "ended": c.ended} for c in self.calls])

    def _lookup(self, path: str, body: dict[str, Any]) -> Reply:  # noqa: PLR0911 - an answer for each path
        script = self.script
        if script.fault in {"foreign", "busy"}:
            return _FAULTS[script.fault](script.model)
        match path:
            case "/api/version":
                return as_json({"version": "0.33.0"})
            case "/api/tags":
                listed = [{"name": name, "model": name, "size": 1, "digest": "5ea5a1d0" * 8} for name in _names(script)]
                return as_json({"models": listed})
            case "/api/embed":
                return _refusal(replace(script, fault="none"), body) or _embedded(script, body["input"])
            case "/api/ps":
                return as_json({"models": list(self._loaded())})
            case _ if path == LOAD:
                return _refusal(script, body) or as_json({"message": _NOTHING, "done": True, "done_reason": "load"})
            case "/api/show":
                facts = {"general.architecture": "llama", "llama.context_length": script.trained_window}
                shown = as_json({"model_info": facts, "capabilities": list(script.capabilities)})
                return _refusal(replace(script, fault="none"), body) or shown
            case _:
                return Reply(404, b"404 page not found")

    def _loaded(self) -> Iterator[dict[str, object]]:
        for name in _names(self.script):
            asked = self.windows.get(name) or self.windows.get(name.removesuffix(":latest"), 0)
            if window := self.script.loaded_window or asked:
                yield {"name": name, "model": name, "context_length": window}


@dataclass(slots=True)
class _Chat:
    """One streamed answer."""

    script: Script
    call: Call
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self) -> None:
        self.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await self._pause(self.script.first_delay)
        if self.script.fault == "silent start":
            await self._silence()
        async for kind, token in self._paced():
            await self._fail()
            await self._line({"message": {"role": "assistant", "content": "", kind: token}, "done": False})
            self.call.sent += 1
        await self._fail()
        if self.script.fault != "no done":
            await self._line(self._last())
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        self.call.end("done")

    async def _paced(self) -> AsyncIterator[tuple[str, str]]:
        start = time.monotonic()
        for n, token in enumerate(self._tokens()):
            if self.script.rate:
                await self._pause(start + n / self.script.rate - time.monotonic())
            yield token if not self.script.clock else ("content", f" {time.monotonic():.6f}")

    def _tokens(self) -> Iterator[tuple[str, str]]:
        if self.script.thought and self.call.body.get("think") is not False:
            yield from (("thinking", token) for token in _TOKEN.findall(self.script.thought))
        yield from itertools.islice((("content", token) for token in self._said()), self._limit())

    def _said(self) -> Iterator[str]:
        script, structured = self.script, "format" in self.call.body
        if structured and script.fault in {"not json", "wrong json"}:
            return iter(["Sure! What", " about a door?"] if script.fault == "not json" else ['{"name":', ' "x"}'])
        tokens = _TOKEN.findall((script.answers if structured else script.tellings)[0])
        if script.clock and not structured:
            return itertools.repeat("")
        if script.fault == "endless" and not structured:
            return itertools.chain(tokens, itertools.cycle(tokens[-script.fault_after :]))
        return iter(tokens)

    def _limit(self) -> int:
        allowed: int = self.call.body.get("options", {}).get("num_predict", 10**6)
        return min(allowed, self.script.length or allowed)

    async def _fail(self) -> None:
        if self.call.sent < self.script.fault_after:
            return
        match self.script.fault:
            case "silent middle":
                await self._silence()
            case "error line":
                await self._line({"error": "llama runner process has terminated: exit status 2"})
                self.writer.write(b"0\r\n\r\n")
                raise Hangup
            case "reset":
                raise Hangup
            case "no done":
                self.writer.write(b"0\r\n\r\n")
                raise Hangup
            case "nonsense":
                await self._raw(b"<html>gateway</html>\n")
            case _:
                return

    def _last(self) -> dict[str, object]:
        body = self.call.body
        prompt = sum(len(message["content"]) for message in body["messages"])
        cut = self.call.sent >= self._limit()
        return {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "length" if cut else "stop",
            "total_duration": 1,
            "load_duration": 1,
            "prompt_eval_count": self.script.read or prompt // 4,
            "eval_count": self.call.sent,
        }

    async def _line(self, part: Mapping[str, object]) -> None:
        stamp = {"model": self.script.model, "created_at": "2026-11-20T12:00:00Z"}
        await self._raw(json.dumps(part if "error" in part else {**stamp, **part}).encode() + b"\n")

    async def _raw(self, line: bytes) -> None:
        self._look()
        self.writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        await self.writer.drain()
        if not self.script.rate:
            await asyncio.sleep(0)  # lets the end of the connection be noticed

    async def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._look()
            await asyncio.sleep(min(left, 0.02))

    async def _silence(self) -> None:
        await self.writer.drain()
        await self._pause(3600)

    def _look(self) -> None:
        """Notice that the client has hung up."""
        if self.reader.at_eof() or self.writer.is_closing():
            self.call.end("cancelled")
            raise Hangup


def _embedded(script: Script, texts: list[str]) -> Reply:
    """A vector for each text that points where its length says, so that a test can tell them apart."""
    if script.fault == "failing" or (script.unreadable and any(script.unreadable in text for text in texts)):
        return as_json({"error": "the input length exceeds the context length"}, 400)
    vectors = [[float(at == len(text) % script.vector) for at in range(script.vector)] for text in texts]
    return as_json({"model": script.model, "embeddings": vectors})


def _names(script: Script) -> tuple[str, ...]:
    return (script.model, *script.others)


def _next_script(script: Script, *, structured: bool) -> Script:
    """The script for the call after this one."""
    calls = max(script.fault_calls - 1, 0)
    script = replace(script, fault_calls=calls, fault=script.fault if calls else "none")
    if structured:
        return replace(script, answers=script.answers[1:] or script.answers)
    return replace(script, tellings=script.tellings[1:] or script.tellings)


def _refusal(script: Script, body: Mapping[str, Any]) -> Reply | None:
    asked = body.get("model", "")
    if not {asked, f"{asked}:latest"}.intersection(_names(script)):
        return _FAULTS["missing"](asked)
    refuse = _FAULTS.get(script.fault)
    return refuse(asked) if refuse else None


_FAULTS: Mapping[str, Callable[[str], Reply]] = {
    "busy": lambda _: as_json({"error": "server busy, please try again.  maximum pending requests exceeded"}, 503),
    "failing": lambda _: as_json({"error": "model requires more system memory (9 GiB) than is available"}, 500),
    "missing": lambda asked: as_json({"error": f"model '{asked}' not found"}, 404),
    "foreign": lambda _: Reply(404, b"<html><h1>Not Found</h1></html>"),
}


def as_json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    body = await reader.readexactly(int(length.group(1))) if length else b""
    return head.split(" ", 2)[1], {**json.loads(body or b"{}"), **_credentials(head)}


def _credentials(head: str) -> dict[str, str]:
    """The authorization header, so that a test can see that none is sent."""
    found = re.search(r"(?i)^authorization: *(.+?)\r?$", head, re.MULTILINE)
    return {"authorization": found.group(1)} if found else {}


async def send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode() + reply.body)
    await writer.drain()


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="plain")
    parser.add_argument("--model", default=Script().model)
    chosen = parser.parse_args()
    async with OllamaPeer(replace(SCRIPTS[chosen.script], model=chosen.model), chosen.port) as peer:
        print(peer.url, flush=True)  # noqa: T201  # the caller reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
