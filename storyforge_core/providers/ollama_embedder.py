"""The embedder that is a model on an Ollama server."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import structlog

from storyforge_core.domain.memory import EMBEDDING_SIZE, Purpose, Vector
from storyforge_core.errors import BrokenAnswer, ModelMissing
from storyforge_core.providers.ollama_wire import OllamaOptions, OllamaWire

NOMIC = "nomic-embed"
PREFIXES: Mapping[Purpose, str] = MappingProxyType({"document": "search_document: ", "query": "search_query: "})
"""The models of this family were trained with them, and the server does not add them."""
DIGEST_CHARS = 12
"""As many as `ollama list` shows."""
HARMLESS = "a"
"""A text that every model can read: where it fails, the server is at fault."""

log = structlog.get_logger(__name__)


class OllamaEmbedder:
    """One model on one server. What it made is comparable for as long as name and digest stay."""

    def __init__(self, options: OllamaOptions) -> None:
        self._model = options.model
        self._wire = OllamaWire(options)

    async def model(self) -> str:
        """Name it with the digest of its files.

        Raises:
            ServiceDown: the server is away.
            ModelMissing: it does not have the model.
        """
        return f"{self._model}@{(await self._wire.digest())[:DIGEST_CHARS]}"

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vector | None, ...]:
        """Make a vector for each text; None for one that the model cannot read, which fails all that are sent with it.

        Raises:
            ServiceDown: the server is away or silent.
            ModelMissing: it does not have the model, or the model gives vectors of another size.
        """
        prefix = PREFIXES[purpose] if self._model.startswith(NOMIC) else ""
        prefixed = [f"{prefix}{text}" for text in texts]
        try:
            return await self._together(prefixed)
        except BrokenAnswer:
            found = [await self._alone(text) for text in prefixed]
        if not any(found):
            await self._together([HARMLESS])
        log.warning("texts that the embedder cannot read", model=self._model, texts=found.count(None))
        return tuple(found)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()

    async def _alone(self, text: str) -> Vector | None:
        try:
            return (await self._together([text]))[0]
        except BrokenAnswer:
            return None

    async def _together(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        vectors = await self._wire.embed(texts)
        if len(vectors) != len(texts):
            raise BrokenAnswer(f"{self._model} answered {len(vectors)} vectors for {len(texts)} texts.")
        for size in {len(vector) for vector in vectors} - {EMBEDDING_SIZE}:
            raise ModelMissing(
                f"{self._model} gives {size} numbers for a text, {EMBEDDING_SIZE} are needed: set EMBEDDING_MODEL to "
                "another one, such as nomic-embed-text."
            )
        return tuple(vectors)
