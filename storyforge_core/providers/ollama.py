"""The storyteller that is a language model on an Ollama server."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import structlog
from ollama import ChatResponse, ShowResponse

from storyforge_core.domain.context import as_data
from storyforge_core.domain.writing import Asking, Finding, Finished, Message, Profile, Telling, Words, WriterEvent
from storyforge_core.errors import BrokenAnswer, ModelMissing, ServiceDown, WindowTooSmall
from storyforge_core.providers.chat_model import (
    QUESTION_TEMPERATURE,
    THOUGHT_TOKENS,
    given,
    looks_cut,
    prose_tokens,
    smaller,
    speeches,
    told_before,
)
from storyforge_core.providers.ollama_wire import TELLS, ChatRequest, OllamaOptions, OllamaWire
from storyforge_core.providers.prose_stream import Prose, Thoughts

DIGEST_CHARS = 12
"""As many as `ollama list` shows."""
THINKS = "thinking"
"""A capability in Ollama's `/api/show`."""

WINDOW, SETTING = "context window", "OLLAMA_NUM_CTX"

__all__ = ["OllamaOptions", "OllamaWriter"]

log = structlog.get_logger(__name__)


class OllamaWriter:
    """One model on one server, always with the same window.

    Prose is asked for without thinking. Structured answers leave thinking as the model has it, since several models
    ignore the schema when thinking is switched off; the server then lets them think first and constrains the answer.
    """

    def __init__(self, options: OllamaOptions) -> None:
        self._options = options
        self._wire = OllamaWire(options)
        self._shown: ShowResponse | None = None

    @property
    def label(self) -> str:
        """The model's name."""
        return self._options.model

    @property
    def window(self) -> int:
        """Tokens that prompt and answer may take together."""
        return self._options.num_ctx

    async def profile(self) -> Profile:
        """Name the model with the digest of its files, and by its name alone while the server does not answer."""
        options = self._options
        given = (
            ("num_ctx", options.num_ctx), ("num_predict", options.num_predict), ("temperature", options.temperature)
        )  # fmt: skip
        try:
            return Profile(f"{self.label}@{(await self._wire.digest())[:DIGEST_CHARS]}", given)
        except (ServiceDown, ModelMissing):
            return Profile(self.label, given)

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream prose; words already told are given to the model as the beginning of its own answer."""
        await self._require_window()
        prose = Prose(told_before(telling))
        request = await self._prose_request(telling)
        last: ChatResponse | None = None
        async with aclosing(self._wire.chat(request)) as parts:
            async for last in parts:
                if words := prose.feed(last.message.content or ""):
                    yield Words(words)  # noqa: ASYNC119  # the port has callers close it
                if prose.looping:
                    break
        if words := self._last_words(prose, last):
            yield Words(words)
        if prose.silent and not telling.told:
            raise BrokenAnswer(f"{self.label} ended without a word; try again.")
        yield self._finished(telling.messages, last)

    async def ask(self, asking: Asking) -> str:
        """Answer as JSON text; complete or not, the caller has to check it."""
        await self._require_window()
        thoughts, spoken = Thoughts(), ""
        request = await self._json_request(asking)
        last: ChatResponse | None = None
        async with aclosing(self._wire.chat(request)) as parts:
            async for last in parts:
                spoken += thoughts.feed(last.message.content or "")
        if last is None or not last.done:
            raise self._broke_off()
        self._finished(asking.messages, last)
        return spoken + thoughts.rest()

    async def check(self) -> Sequence[Finding]:
        """Look whether server, model and window are as planned, without loading the model."""
        try:
            version = await self._wire.version()
        except ServiceDown as error:
            return (Finding("Ollama", "fail", str(error)),)
        server = Finding("Ollama", "ok", f"version {version} answers")
        name = f"model {self.label}"
        try:
            shown = await self._wire.show()
            if shown.capabilities is not None and TELLS not in shown.capabilities:
                return (server, Finding(name, "fail", "it cannot write text: set another model"))
            return (server, Finding(name, "ok", "is there"), await self._check_window(shown))
        except ModelMissing as error:
            return (server, Finding(name, "fail", f"{error} {await self._models_there()}"))
        except ServiceDown as error:
            return (server, Finding(name, "fail", str(error)))

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()

    async def _models_there(self) -> str:
        try:
            return f"Models there: {', '.join(await self._wire.names()) or 'none'}."
        except ServiceDown as error:
            return str(error)

    async def _check_window(self, shown: ShowResponse) -> Finding:
        """Say what is known of the window; one that is loaded for others is made larger when a story is told."""
        if objection := self._beyond(_trained_window(shown)):
            return Finding(WINDOW, "fail", objection)
        loaded = await self._wire.loaded_window()
        if objection := self._too_little(loaded):
            return Finding(WINDOW, "warn", objection)
        return Finding(WINDOW, "ok", f"{self.window} tokens planned, {'loaded' if loaded else 'not loaded yet'}")

    async def _require_window(self) -> None:
        """Make sure, before anything is told, that the model reads as much at once as prompts are planned for.

        Raises:
            WindowTooSmall: it does not.
        """
        if objection := self._beyond(_trained_window(await self._facts())):
            raise WindowTooSmall(objection)
        try:
            if (await self._wire.loaded_window() or 0) >= self.window:
                return
            await self._wire.load({"num_ctx": self.window})
            loaded = await self._wire.loaded_window()
        except ServiceDown:  # then what is asked next fails by itself, or nothing is wrong
            return
        if objection := self._too_little(loaded):
            raise WindowTooSmall(objection)

    def _beyond(self, largest: int | None) -> str:
        if largest is None or largest >= self.window:
            return ""
        return (
            f"{self.label} reads at most {largest} tokens at once, {self.window} are planned: "
            f"{smaller(largest, SETTING)}."
        )

    def _too_little(self, loaded: int | None) -> str:
        if loaded is None or loaded >= self.window:
            return ""
        return (
            f"The server has loaded {self.label} with {loaded} tokens, {self.window} are planned: give it more memory, "
            f"or {smaller(loaded, SETTING)}."
        )

    async def _prose_request(self, telling: Telling) -> ChatRequest:
        told = telling.told.rstrip()
        begun = (Message("assistant", as_data(told)),) if told else ()
        tokens = prose_tokens(telling, round(given(telling, "num_predict", self._options.num_predict)))
        temperature = given(telling, "temperature", self._options.temperature)
        return ChatRequest(
            messages=speeches((*telling.messages, *begun)),
            options=self._settings(telling.brief.seed, tokens, temperature),
            think=False if await self._thinks() else None,
            format=None,
        )

    async def _json_request(self, asking: Asking) -> ChatRequest:
        tokens = asking.max_tokens + (THOUGHT_TOKENS if await self._thinks() else 0)
        temperature = min(self._options.temperature, QUESTION_TEMPERATURE)
        return ChatRequest(
            messages=speeches(asking.messages),
            options=self._settings(asking.brief.seed, tokens, temperature),
            think=None,
            format=dict(asking.schema),
        )

    def _settings(self, seed: int, tokens: int, temperature: float) -> Mapping[str, int | float]:
        """`num_ctx` makes the server load the model anew when it changes; the others are free for every call."""
        return {"num_ctx": self.window, "num_predict": tokens, "temperature": temperature, "seed": seed}

    async def _thinks(self) -> bool:
        return THINKS in ((await self._facts()).capabilities or ())

    async def _facts(self) -> ShowResponse:
        if self._shown is None:
            self._shown = await self._wire.show()
        return self._shown

    def _last_words(self, prose: Prose, last: ChatResponse | None) -> str:
        """What was held back, now that the stream is over; a server cuts off a loop without saying that it is done."""
        if last is not None and last.done and not prose.looping:
            return prose.rest()
        if prose.echoing:
            log.warning("the model went round in circles; its telling was ended", model=self.label)
            return prose.last_sentence()
        raise self._broke_off()

    def _finished(self, messages: Sequence[Message], last: ChatResponse | None) -> Finished:
        """Read the last part, which a loop that was ended does not have, and compare prompt and window."""
        if last is None or not last.done:
            return Finished("stop")
        read = last.prompt_eval_count
        cut = looks_cut(messages, read)
        if cut:
            log.warning("the server cut the prompt", model=self.label, read=read, window=self.window)
        return Finished("length" if last.done_reason == "length" else "stop", read, last.eval_count, cut)

    def _broke_off(self) -> BrokenAnswer:
        return BrokenAnswer(f"{self.label} broke off in the middle; try again.")


def _trained_window(shown: ShowResponse) -> int | None:
    """The largest window the model was made for, in tokens; None if the server does not say."""
    facts = shown.modelinfo or {}
    return next((int(value) for name, value in facts.items() if name.endswith(".context_length")), None)
