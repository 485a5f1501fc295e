"""The line to an Ollama server: time limits, and every failure as one of ours with a sentence that says what to do."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TypedDict, TypeVar, cast

import httpx
from ollama import AsyncClient, ChatResponse, ResponseError, ShowResponse

from storyforge_core.domain.answers import one_line
from storyforge_core.errors import BrokenAnswer, ModelMissing, ServiceDown, ServiceSilent, StoryForgeError
from storyforge_core.providers.chat_model import Speech
from storyforge_core.providers.direct_http import straight_to, without_login

CONTROL_SECONDS = 15.0
"""For questions the server answers from memory; generous because it may be loading a model meanwhile."""
REASON_CHARS = 200
UNREADABLE_TEXT = frozenset({400, 500})
"""What a server answers when one of the texts is too long for the model, or makes it count beyond all numbers."""

_Answer = TypeVar("_Answer")
_UNREADABLE = (ValueError, TypeError, AttributeError)
"""What the client raises on lines that are no JSON object: it calls `.get` on whatever arrives."""

TELLS, EMBEDS = "completion", "embed"
"""A capability in Ollama's `/api/show`; and what is in the name of each model that has another one instead."""


def same_model(one: str, other: str) -> bool:
    """Whether two names mean the same model to Ollama."""
    return one.removesuffix(":latest") == other.removesuffix(":latest")


class ChatRequest(TypedDict):
    """The arguments of a chat call that differ between calls."""

    messages: Sequence[Speech]
    options: Mapping[str, object]
    think: bool | None
    format: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class OllamaOptions:
    """How one model is used, by all callers alike: another `num_ctx` would make the server load it anew."""

    host: str
    """Address such as `http://127.0.0.1:11434`; a `user:password@` in it is sent as basic authentication."""
    model: str
    num_ctx: int
    """Tokens of the window: prompt and answer."""
    num_predict: int
    """Tokens of an answer at most, whatever the caller asks for."""
    keep_alive: str
    """How long the server keeps the model loaded after a call, such as `30m`."""
    temperature: float
    first_token_timeout: float
    """Seconds; covers waiting for a free place, loading the model and reading the prompt."""
    token_timeout: float
    """Seconds of silence between two tokens."""


class OllamaWire:
    """Calls one model on one server."""

    def __init__(self, options: OllamaOptions) -> None:
        self._options = options
        self._shown_host = without_login(options.host)
        self._client = AsyncClient(options.host, **straight_to(options.host))

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatResponse, None]:
        """Stream an answer; it may end without a part that is `done`. Closing it makes the server stop."""
        options = self._options
        with self._as_ours():
            opened = self._client.chat(options.model, stream=True, keep_alive=options.keep_alive, **request)
            # The client promises an iterator; what it gives is a generator, and only closing that hangs up at once.
            stream = cast("AsyncGenerator[ChatResponse, None]", await opened)
        async with aclosing(stream):
            with self._as_ours(options.first_token_timeout):
                part = await _next(stream, options.first_token_timeout)
            with self._as_ours(options.token_timeout):
                while part is not None:
                    yield part  # noqa: ASYNC119  # the writer closes it
                    part = await _next(stream, options.token_timeout)

    async def load(self, options: Mapping[str, object]) -> None:
        """Have the model loaded with these options, without a word said; nothing happens where it is already."""
        limit, asked = self._options.first_token_timeout, self._options
        with self._as_ours(limit):
            async with asyncio.timeout(limit):
                await self._client.chat(asked.model, messages=(), options=options, keep_alive=asked.keep_alive)

    async def show(self) -> ShowResponse:
        """Look up what the model is able to do."""
        return await self._answered(self._client.show(self._options.model))

    async def names(self) -> tuple[str, ...]:
        """List the models that the server has."""
        listed = await self._answered(self._client.list())
        return tuple(model.model for model in listed.models if model.model)

    async def tellers(self) -> tuple[str, ...]:
        """List the models that can write text, the one that was fetched last first."""
        found = []
        for name in await self.names():
            shown = await self._answered(self._client.show(name))
            if EMBEDS not in name and (shown.capabilities is None or TELLS in shown.capabilities):
                found.append(name)
        return tuple(found)

    async def digest(self) -> str:
        """Tell which files the model is made of; another download of the same name may have others.

        Raises:
            ModelMissing: the server does not have it.
        """
        listed = await self._answered(self._client.list())
        found = next((model.digest for model in listed.models if model.model in self._names), None)
        if found is None:
            with self._as_ours():
                raise ResponseError(f"model '{self._options.model}' not found", 404)
        return found

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Make vectors of texts; they are cut where they are too long. It may have to load the model first.

        Raises:
            BrokenAnswer: the server could not do it, perhaps because of one of the texts.
        """
        limit, options = self._options.first_token_timeout, self._options
        with self._as_ours(limit):
            try:
                async with asyncio.timeout(limit):
                    answer = await self._client.embed(options.model, list(texts), keep_alive=options.keep_alive)
            except ResponseError as error:
                if error.status_code not in UNREADABLE_TEXT or "does not support" in error.error:
                    raise
                reason = one_line(error.error, REASON_CHARS)
                raise BrokenAnswer(f"{options.model} cannot read what it was sent: {reason}") from error
        return answer.embeddings

    async def loaded_window(self) -> int | None:
        """Tell the window that the model is loaded with; None if it is not loaded or the server does not say."""
        running = (await self._answered(self._client.ps())).models
        return next((model.context_length for model in running if model.model in self._names), None)

    async def version(self) -> str:
        """Ask for the server's version, which the client has no call for."""
        async with httpx.AsyncClient(base_url=self._shown_host, **straight_to(self._options.host)) as client:
            answer = await self._answered(client.get("/api/version"))
        with self._as_ours():
            if not answer.is_success:
                raise ResponseError(answer.text, answer.status_code)
            return one_line(str(answer.json().get("version")), REASON_CHARS)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.close()  # type: ignore[no-untyped-call]  # the client leaves this one untyped

    @property
    def _names(self) -> frozenset[str]:
        """What the server may call the model."""
        return frozenset({self._options.model, f"{self._options.model}:latest"})

    async def _answered(self, call: Awaitable[_Answer]) -> _Answer:
        with self._as_ours(CONTROL_SECONDS):
            async with asyncio.timeout(CONTROL_SECONDS):
                return await call

    @contextmanager
    def _as_ours(self, limit: float = CONTROL_SECONDS) -> Iterator[None]:
        """Turn what the client raises into our errors; `limit` is the time that had been set, in seconds."""
        host, model = self._shown_host, self._options.model
        try:
            yield
        except ResponseError as error:
            raise self._refusal(error) from error
        except TimeoutError as error:
            raise ServiceSilent(
                f"{model} at {host} said nothing for {limit:g} seconds; try again in a while."
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
            raise ServiceDown(
                f"No Ollama answers at {host}: start it there (`ollama serve`) or set OLLAMA_HOST to where it runs."
            ) from error
        except httpx.HTTPError as error:
            raise ServiceDown(f"The connection to Ollama at {host} broke; try again.") from error
        except _UNREADABLE as error:
            raise BrokenAnswer(
                f"{host} answered what Ollama never would: does OLLAMA_HOST name the right server?"
            ) from error

    def _refusal(self, error: ResponseError) -> StoryForgeError:
        host, model, reason = self._shown_host, self._options.model, one_line(str(error.error), REASON_CHARS)
        match error.status_code:
            case 404 if "model" in reason:
                return ModelMissing(f"Ollama at {host} does not have {model}: get it there with `ollama pull {model}`.")
            case 400 if "does not support" in reason:
                return ModelMissing(f"{model} cannot be used for this ({reason}): set another model.")
            case 503:
                return ServiceDown(f"Ollama at {host} is busy ({reason}); try again in a while.")
            case -1:
                return ServiceDown(f"Ollama at {host} broke off: {reason}")
            case 404:
                return ServiceDown(f"{host} does not know Ollama's calls: does OLLAMA_HOST name an Ollama server?")
            case status:
                return ServiceDown(f"Ollama at {host} failed with {status}: {reason or 'it gave no reason'}")


async def _next(stream: AsyncGenerator[ChatResponse, None], limit: float) -> ChatResponse | None:
    async with asyncio.timeout(limit):
        return await anext(stream, None)
