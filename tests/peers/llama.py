"""A real language model behind Ollama's shapes: llama.cpp with a tiny model of random weights that is made here.

Its words are salad, but time, grammar, sampling, prompt cache and cancellation are those of the real thing.
In a test: `async with LlamaPeer(llama_server()) as peer: ... peer.url`.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
import xllamacpp
from gguf import GGUFWriter

from tests.peers.ollama import Hangup, as_json, read_request, send

MODEL = "salad:latest"
WINDOW = 16_384
WORDS = re.findall(
    r"\w+",
    "the a of and to in is you it that he was for on are with as his they at be this from have or by one had not but "
    "what all were when we there can an your which their said if will each about how up out them then she many some "
    "so these would other into has more her two like him see time could no make than first been who now people my "
    "over did down only way find water long little very after called just where most know lamp sea door stone tide "
    "keeper night wind hand voice light dark key boat shore bell salt storm",
)
CHARACTERS = [chr(code) for code in range(33, 127)]
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
UNKNOWN, CONTROL, PLAIN, BYTE = 2, 3, 1, 6
"""Kinds of tokens in GGUF."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model is; it takes time accordingly."""

    width: int
    inner: int
    layers: int
    heads: int
    ends: float = -0.3
    """How readily it ends by itself; where that is hopeless, it never ends without a word."""


SMALL = Shape(64, 128, 2, 4)
TINY = Shape(32, 32, 1, 1, ends=-6)
"""An eighth of the work, for many long prompts."""


def write_model(path: Path, shape: Shape = SMALL) -> None:
    """Write the model; the grammar engine needs all bytes and printable characters, and no bare space, as tokens."""
    writer = GGUFWriter(path, "llama")
    vocabulary = _write_vocabulary(writer)
    writer.add_context_length(WINDOW)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    for name, values in _weights(vocabulary, shape).items():
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_vocabulary(writer: GGUFWriter) -> int:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *CHARACTERS]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[PLAIN] * (len(CHARACTERS) + len(WORDS))]
    scores = [*[0.0] * 259, *[-1000.0] * len(CHARACTERS), *(-float(rank) for rank in range(len(WORDS)))]
    tokens += [f"\u2581{word}" for word in WORDS]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_scores(scores)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    return len(tokens)


def _weights(vocabulary: int, shape: Shape) -> dict[str, np.ndarray[Any, Any]]:
    """Random weights; the first dimension stays constant, so that the last matrix can make raw bytes improbable."""
    chance = np.random.default_rng(1)
    width, inner = shape.width, shape.inner
    weights = {"token_embd": chance.normal(0, 0.3, (vocabulary, width)), "output_norm": np.ones(width)}
    weights["output"] = chance.normal(0, 0.3, (vocabulary, width))
    weights["token_embd"][:, 0] = 5
    weights["output"][:, 0] = [-6, -6, shape.ends, *[-6] * 256, *[-0.3] * len(CHARACTERS), *[0] * len(WORDS)]
    sizes = {"attn_q": (width, width), "attn_k": (width, width), "attn_v": (width, width)}
    sizes |= {"attn_output": (width, width), "ffn_gate": (inner, width), "ffn_up": (inner, width)}
    sizes |= {"ffn_down": (width, inner)}
    for layer in range(shape.layers):
        for name, size in sizes.items():
            values = chance.normal(0, 0.3, size)
            if name in {"attn_output", "ffn_down"}:
                values *= 0.1
                values[0, :] = 0
            weights[f"blk.{layer}.{name}"] = values
        weights |= {f"blk.{layer}.{name}": np.ones(width) for name in ("attn_norm", "ffn_norm")}
    return weights


@cache
def llama_server(shape: Shape = SMALL) -> xllamacpp.Server:
    """Start llama.cpp with a model once in this process; it ends with it."""
    params = xllamacpp.CommonParams()
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = WINDOW, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = params.ui = False
    params.endpoint_slots = True
    params.verbosity = -1
    with tempfile.TemporaryDirectory() as folder:
        params.model.path = str(Path(folder) / "salad.gguf")
        write_model(Path(params.model.path), shape)
        return xllamacpp.Server(params)


@dataclass(slots=True)
class LlamaPeer:
    """Speaks Ollama's `/api` to clients and llama.cpp's `/v1` to the real server."""

    backend: xllamacpp.Server
    chats: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    _llama: httpx.AsyncClient = field(init=False)
    _server: asyncio.Server = field(init=False)

    async def __aenter__(self) -> Self:
        each_anew = httpx.Limits(max_keepalive_connections=0)  # llama.cpp closes idle ones just when they are used
        self._llama = httpx.AsyncClient(
            base_url=self.backend.listening_address, timeout=30, trust_env=False, limits=each_anew
        )
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._llama.aclose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def writing(self) -> bool:
        """Whether the model is at work this moment."""
        return any(slot["is_processing"] for slot in (await self._llama.get("/slots")).json())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(Hangup, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._answer(*await read_request(reader), reader, writer)
        finally:
            writer.close()

    async def _answer(
        self, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if path != "/api/chat":
            return await send(writer, as_json(_FACTS[path]))
        self.chats.append(body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        async with aclosing(self._parts(body)) as parts:
            async for part in parts:
                if reader.at_eof() or writer.is_closing():
                    raise Hangup
                line = json.dumps({"model": MODEL, "created_at": "2026-11-20T12:00:00Z", **part}).encode() + b"\n"
                writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        return await writer.drain()

    async def _parts(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        reason, usage = "stop", dict[str, int]()
        async with self._llama.stream("POST", "/v1/chat/completions", json=_as_llama(body)) as answer:
            async for line in answer.aiter_lines():
                part = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
                usage = part.get("usage") or usage
                for choice in part.get("choices", ()):
                    reason = choice["finish_reason"] or reason
                    if text := choice["delta"].get("content"):
                        yield {"message": {"role": "assistant", "content": text}, "done": False}  # noqa: ASYNC119  # closed above
        counts = {"prompt_eval_count": usage["prompt_tokens"], "eval_count": usage["completion_tokens"]}
        yield {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason, **counts}


def _as_llama(body: Mapping[str, Any]) -> dict[str, Any]:
    options = body["options"]
    asked = {name: options[name] for name in ("temperature", "seed")} | {"max_tokens": options["num_predict"]}
    asked |= {"messages": body["messages"], "stream": True, "stream_options": {"include_usage": True}}
    if schema := body.get("format"):
        asked["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
    return asked


_FACTS: Mapping[str, dict[str, Any]] = {
    "/api/version": {"version": "0.33.0"},
    "/api/tags": {"models": [{"name": MODEL, "model": MODEL}]},
    "/api/ps": {"models": [{"name": MODEL, "model": MODEL, "context_length": WINDOW}]},
    "/api/show": {"model_info": {"llama.context_length": WINDOW}, "capabilities": ["completion"]},
}
