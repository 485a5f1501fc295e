"""The storyteller that is a language model on a server with OpenAI's calls: LM Studio, llama.cpp, vLLM and others."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import MappingProxyType

import structlog

from storyforge_core.domain.context import as_data, prompt_tokens
from storyforge_core.domain.writing import Asking, Finding, Finished, Message, Profile, Telling, Words, WriterEvent
from storyforge_core.engine.prompting import render
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
from storyforge_core.providers.openai_wire import LLAMA, VLLM, NotUnderstood, OpenAIOptions, OpenAIWire, Piece, Served
from storyforge_core.providers.prose_stream import Prose, Thoughts

WINDOW, SETTING = "context window", "OPENAI_CONTEXT"
NO_THOUGHTS: Mapping[str, object] = MappingProxyType({"chat_template_kwargs": {"enable_thinking": False}})
"""How llama.cpp and vLLM are told that a model is not to think before it tells."""
GO_ON: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {LLAMA: {}, VLLM: {"add_generation_prompt": False, "continue_final_message": True}}
)
"""Servers that go on with an answer that is begun in the last message, and what they want to be told for it."""

__all__ = ["OpenAIOptions", "OpenAIWriter"]

log = structlog.get_logger(__name__)


class OpenAIWriter:
    """One model on one server. It cannot be told its window, so it is asked for it where it says.

    What it does not understand is remembered: structured answers are asked for in words then, and the words that were
    told already are part of the prompt.
    """

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._wire = OpenAIWire(options)
        self._schemas = True
        self._prefill = True
        self._thinks = False

    @property
    def label(self) -> str:
        """The model's name."""
        return self._options.model

    @property
    def window(self) -> int:
        """Tokens that prompt and answer may take together."""
        return self._options.window

    async def profile(self) -> Profile:
        """Name the model; such servers do not tell which files it is made of."""
        options = self._options
        return Profile(self.label, (("num_predict", options.num_predict), ("temperature", options.temperature)))

    async def tell(self, telling: Telling) -> AsyncGenerator[WriterEvent, None]:
        """Stream prose, on behind the words that are told already."""
        served = await self._require_window()
        try:
            async with aclosing(self._told(telling, served)) as events:
                async for event in events:
                    yield event  # noqa: ASYNC119  # the port has callers close it
        except NotUnderstood as refused:
            if not (telling.told.strip() and self._prefill and served.kind in GO_ON):
                raise
            self._prefill = False
            log.info("the server does not go on with answers; it is told what was told", reason=str(refused))
        else:
            return
        async with aclosing(self._told(telling, served)) as events:
            async for event in events:
                yield event  # noqa: ASYNC119  # the same

    async def ask(self, asking: Asking) -> str:
        """Answer as JSON text; complete or not, the caller has to check it."""
        await self._require_window()
        if self._schemas:
            form = {"type": "json_schema", "json_schema": {"name": asking.wanted, "schema": dict(asking.schema)}}
            try:
                return await self._answer(asking, {"response_format": form})
            except NotUnderstood as refused:
                log.info("the server takes no schema; answers are asked for in words", reason=str(refused))
                self._schemas = False
        return await self._answer(asking, {})

    async def check(self) -> Sequence[Finding]:
        """Look whether server, model and window are as planned, as far as the server says."""
        try:
            served = await self._wire.served()
        except (ServiceDown, ModelMissing) as error:
            return (Finding("model server", "fail", str(error)),)
        server = Finding("model server", "ok", f"answers at {self._wire.host}")
        name = f"model {self.label}"
        if served.names and not served.has(self.label):
            there = ", ".join(served.names)
            return (server, Finding(name, "fail", f"it is not there; set OPENAI_MODEL to one of: {there}"))
        if objection := self._too_little(served):
            return (server, Finding(name, "ok", "is there"), Finding(WINDOW, "fail", objection))
        known = "as loaded" if served.window else "the server does not say how many it reads at once"
        window = Finding(WINDOW, "ok", f"{self.window} tokens planned; {known}")
        return (server, Finding(name, "ok", "is there" if served.names else "not listed, so not looked at"), window)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()

    async def _told(self, telling: Telling, served: Served) -> AsyncGenerator[WriterEvent, None]:
        prose, ending = Prose(told_before(telling)), Piece()
        async with aclosing(self._wire.chat(self._prose_request(telling, served))) as pieces:
            async for piece in pieces:
                ending = self._noted(ending, piece)
                if words := prose.feed(piece.text):
                    yield Words(words)  # noqa: ASYNC119  # `tell` closes it
                if prose.looping:
                    break
        if words := self._last_words(prose, ending):
            yield Words(words)
        if prose.silent and not telling.told:
            raise BrokenAnswer(f"{self.label} ended without a word; try again.")
        yield self._finished(telling.messages, ending)

    async def _answer(self, asking: Asking, form: Mapping[str, object]) -> str:
        thoughts, spoken, ending = Thoughts(), "", Piece()
        tokens = self._with_thoughts(asking.messages, asking.max_tokens)
        settings = self._settings(asking.brief.seed, tokens, min(self._options.temperature, QUESTION_TEMPERATURE))
        request = {"messages": speeches(asking.messages), **settings, **form}
        async with aclosing(self._wire.chat(request)) as pieces:
            async for piece in pieces:
                ending = self._noted(ending, piece)
                spoken += thoughts.feed(piece.text)
        if not ending.reason:
            raise self._broke_off()
        self._finished(asking.messages, ending)
        return spoken + thoughts.rest()

    def _prose_request(self, telling: Telling, served: Served) -> Mapping[str, object]:
        told, messages = as_data(telling.told.rstrip()), telling.messages
        extra = dict(NO_THOUGHTS) if served.kind in GO_ON else {}
        if told and self._prefill and served.kind in GO_ON:
            messages, extra = (*messages, Message("assistant", told)), {**extra, **GO_ON[served.kind]}
        elif told:
            *before, last = messages
            messages = (*before, replace(last, content=f"{last.content}\n\n{render('resume', begun=told)}"))
        tokens = prose_tokens(telling, round(given(telling, "num_predict", self._options.num_predict)))
        temperature = given(telling, "temperature", self._options.temperature)
        settings = self._settings(telling.brief.seed, self._with_thoughts(messages, tokens), temperature)
        return {"messages": speeches(messages), **settings, **extra}

    def _settings(self, seed: int, tokens: int, temperature: float) -> Mapping[str, object]:
        return {"max_tokens": tokens, "temperature": temperature, "seed": seed}

    def _with_thoughts(self, messages: Sequence[Message], tokens: int) -> int:
        """With room for thoughts once the model has thought; some servers refuse what the window does not hold."""
        room = self.window - prompt_tokens(messages)
        return max(tokens, min(tokens + THOUGHT_TOKENS * self._thinks, room))

    def _noted(self, ending: Piece, piece: Piece) -> Piece:
        """What is known of the answer's end with one more piece of it."""
        self._thinks = self._thinks or piece.thought
        return Piece(
            reason=piece.reason or ending.reason,
            read=ending.read if piece.read is None else piece.read,
            written=ending.written if piece.written is None else piece.written,
        )

    def _last_words(self, prose: Prose, ending: Piece) -> str:
        """What was held back, now that the stream is over."""
        if ending.reason and not prose.looping:
            return prose.rest()
        if prose.echoing:
            log.warning("the model went round in circles; its telling was ended", model=self.label)
            return prose.last_sentence()
        raise self._broke_off()

    def _finished(self, messages: Sequence[Message], ending: Piece) -> Finished:
        cut = looks_cut(messages, ending.read)
        if cut:
            log.warning("the server cut the prompt", model=self.label, read=ending.read, window=self.window)
        return Finished("length" if ending.reason == "length" else "stop", ending.read, ending.written, cut)

    async def _require_window(self) -> Served:
        """Make sure, before anything is told, that the model reads as much at once as prompts are planned for.

        Raises:
            WindowTooSmall: the server says that it does not.
        """
        served = await self._wire.served()
        if objection := self._too_little(served):
            raise WindowTooSmall(objection)
        return served

    def _too_little(self, served: Served) -> str:
        if served.window is None or served.window >= self.window:
            return ""
        return (
            f"{self.label} was loaded with {served.window} tokens, {self.window} are planned: start its server with "
            f"more, or {smaller(served.window, SETTING)}."
        )

    def _broke_off(self) -> BrokenAnswer:
        return BrokenAnswer(f"{self.label} broke off in the middle; try again.")
