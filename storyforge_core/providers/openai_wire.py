"""The line to a server that speaks as OpenAI's does: time limits, and every failure as one of ours with a sentence."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from storyforge_core.domain.answers import one_line
from storyforge_core.errors import (
    BrokenAnswer,
    ModelMissing,
    ServiceDown,
    ServiceSilent,
    StoryForgeError,
    WindowTooSmall,
)
from storyforge_core.providers.direct_http import straight_to, without_login

CONTROL_SECONDS = 15.0
"""For questions the server answers from memory; generous because it may be loading a model meanwhile."""
REASON_CHARS = 200
NOT_UNDERSTOOD = frozenset({400, 422, 501})
"""What servers answer to a part of a request that they do not know."""
NO_SUCH_CALL = frozenset({404, 501})
"""What they answer to a call that they do not know, or were not started for."""
TOO_LONG = re.compile(r"context (size|length|window)|maximum context|max_model_len|n_ctx", re.IGNORECASE)
"""How they say that a prompt is longer than they can read."""

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError)
"""What comes of an answer that has not the shape it should have."""


class NotUnderstood(BrokenAnswer):
    """The server does not know a part of the request; it may know it without.

    Attributes:
        status: what it answered.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """How one model on such a server is used."""

    host: str
    """Address that ends in `/v1`; a `user:password@` in it is sent as basic authentication."""
    model: str
    api_key: str
    """Sent as a bearer token; empty: none."""
    window: int
    """Tokens of prompt and answer together: such a server cannot be told, so it has to be started with as many."""
    num_predict: int
    """Tokens of an answer at most, whatever the caller asks for."""
    temperature: float
    first_token_timeout: float
    """Seconds; covers waiting for a free place, loading the model and reading the prompt."""
    token_timeout: float
    """Seconds of silence between two tokens."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a streamed answer."""

    text: str = ""
    thought: bool = False
    """It is one of a thought, which is not kept."""
    reason: str = ""
    """Why the answer ends: `stop` or `length`; empty while it goes on."""
    read: int | None = None
    """Tokens of the prompt."""
    written: int | None = None
    """Tokens of the answer."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of itself; other servers than llama.cpp and vLLM say little."""

    names: tuple[str, ...] = ()
    """Of its models."""
    kind: str = ""
    """`llamacpp` or `vllm`, as such servers call themselves."""
    window: int | None = None
    """Tokens that the model was loaded with."""

    def has(self, model: str) -> bool:
        """Whether it can be asked for a model; llama.cpp has one, and takes it for whatever it is asked for."""
        return self.kind == LLAMA or model in self.names


LLAMA, VLLM = "llamacpp", "vllm"


class OpenAIWire:
    """Calls one model on one server."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._shown_host = without_login(options.host)
        self._client = httpx.AsyncClient(base_url=self._shown_host, **straight_to(options.host, options.api_key))

    @property
    def host(self) -> str:
        """The address as it may be shown."""
        return self._shown_host

    async def chat(self, request: Mapping[str, object]) -> AsyncGenerator[Piece, None]:
        """Stream an answer; it may end without a piece that has a reason. Closing it hangs up, so the server stops.

        Raises:
            NotUnderstood: the server does not know a part of the request.
        """
        limit = self._options.first_token_timeout
        body = {"model": self._options.model, "stream": True, "stream_options": {"include_usage": True}, **request}
        async with aclosing(self._pieces(body)) as pieces:
            while True:
                with self._as_ours(limit):
                    async with asyncio.timeout(limit):
                        piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece  # noqa: ASYNC119  # the writer closes it
                limit = self._options.token_timeout

    async def served(self) -> Served:
        """Look up what the server says of itself; nothing where it has no such call."""
        try:
            answer = await self._answered("GET", "models")
        except BrokenAnswer:
            return Served()
        with self._as_ours():
            listed: list[dict[str, Any]] = answer["data"]
            ours = next((each for each in listed if each["id"] == self._options.model), listed[0] if listed else {})
            window = ours.get("max_model_len") or (ours.get("meta") or {}).get("n_ctx")
            return Served(tuple(str(each["id"]) for each in listed), str(ours.get("owned_by", "")), window)

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Make vectors of texts.

        Raises:
            BrokenAnswer: the server could not do it, perhaps because of one of the texts.
            ModelMissing: it cannot do it at all.
        """
        limit = self._options.first_token_timeout
        asked = {"model": self._options.model, "input": list(texts), "encoding_format": "float"}
        try:
            answer = await self._answered("POST", "embeddings", asked, limit)
        except WindowTooSmall as error:
            raise BrokenAnswer(str(error)) from error
        except NotUnderstood as error:
            if error.status in NO_SUCH_CALL:
                raise ModelMissing(f"{self.host} makes no vectors of texts ({error}).") from error
            raise
        with self._as_ours(limit):
            return [each["embedding"] for each in sorted(answer["data"], key=lambda each: each["index"])]

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _answered(
        self, method: str, path: str, body: object = None, limit: float = CONTROL_SECONDS
    ) -> dict[str, Any]:
        with self._as_ours(limit):
            async with asyncio.timeout(limit):
                answer = await self._client.request(method, path, json=body)
            if not answer.is_success:
                raise self._refusal(answer)
            found = answer.json()
            if not isinstance(found, dict):
                raise TypeError(found)
            return found

    async def _pieces(self, body: Mapping[str, object]) -> AsyncGenerator[Piece, None]:
        async with self._client.stream("POST", "chat/completions", json=body) as answer:
            if not answer.is_success:
                await answer.aread()
                raise self._refusal(answer)
            async for line in answer.aiter_lines():
                said = line.removeprefix("data:").strip() if line.startswith("data:") else ""
                if said == "[DONE]":
                    return
                if said and (piece := self._piece(json.loads(said))):
                    yield piece  # noqa: ASYNC119  # `chat` closes it

    def _piece(self, part: Mapping[str, Any]) -> Piece | None:
        """Read a part of an answer; None for one that says nothing."""
        if error := part.get("error"):
            raise ServiceDown(f"{self._shown_host} broke off: {one_line(_reason(error), REASON_CHARS)}")
        usage = part.get("usage") or {}
        choice: Mapping[str, Any] = next(iter(part.get("choices") or ()), {})
        delta = choice.get("delta") or {}
        piece = Piece(
            text=delta.get("content") or "",
            thought=bool(delta.get("reasoning_content") or delta.get("reasoning")),
            reason=choice.get("finish_reason") or "",
            read=usage.get("prompt_tokens"),
            written=usage.get("completion_tokens"),
        )
        return None if piece == Piece() else piece

    @contextmanager
    def _as_ours(self, limit: float = CONTROL_SECONDS) -> Iterator[None]:
        """Turn what may go wrong into our errors; `limit` is the time that had been set, in seconds."""
        host, model = self._shown_host, self._options.model
        try:
            yield
        except TimeoutError as error:
            raise ServiceSilent(
                f"{model} at {host} said nothing for {limit:g} seconds; try again in a while."
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServiceDown(
                f"No server answers at {host}: start it there, or set OPENAI_HOST to where it runs."
            ) from error
        except httpx.HTTPError as error:
            raise ServiceDown(f"The connection to {host} broke; try again.") from error
        except _UNREADABLE as error:
            raise BrokenAnswer(
                f"{host} answered what cannot be read: does OPENAI_HOST name the right server, and end in /v1?"
            ) from error

    def _refusal(self, answer: httpx.Response) -> StoryForgeError:  # noqa: PLR0911 - an answer for each way to refuse
        options, host = self._options, self._shown_host
        reason = one_line(_reason(answer.text), REASON_CHARS) or "it gave no reason"
        match answer.status_code:
            case _ if answer.is_client_error and TOO_LONG.search(reason):
                asks = f"{options.window} tokens are planned, and {host} reads less at once ({reason})"
                return WindowTooSmall(f"{asks}: start it with as many, or set OPENAI_CONTEXT lower.")
            case 401 | 403:
                return ModelMissing(f"{host} does not let us in ({reason}): set OPENAI_API_KEY to what it takes.")
            case 404 if "model" in reason.lower():
                return ModelMissing(f"{host} does not have {options.model}: load it there, or set OPENAI_MODEL.")
            case 404:
                return NotUnderstood(f"{host} does not know OpenAI's calls: does OPENAI_HOST end in /v1?", 404)
            case 429 | 503:
                return ServiceDown(f"{host} is busy ({reason}); try again in a while.")
            case status if status in NOT_UNDERSTOOD:
                return NotUnderstood(f"{host} refused with {status}: {reason}", status)
            case status:
                return ServiceDown(f"{host} failed with {status}: {reason}")


def _reason(error: object) -> str:
    """What a server says of an error, in whichever of the usual shapes."""
    if isinstance(error, str):
        try:
            error = json.loads(error)
        except ValueError:
            return str(error)
    while isinstance(error, dict):
        error = error.get("error") or error.get("message") or error.get("detail") or ""
    return str(error)
