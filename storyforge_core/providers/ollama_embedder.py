"""The embedder that is a model on an Ollama server."""

from collections.abc import Sequence

from storyforge_core.providers.model_embedder import ModelEmbedder
from storyforge_core.providers.ollama_wire import OllamaOptions, OllamaWire

DIGEST_CHARS = 12
"""As many as `ollama list` shows."""


class OllamaEmbedder(ModelEmbedder):
    """One model on one server. What it made is comparable for as long as name and digest stay."""

    def __init__(self, options: OllamaOptions) -> None:
        super().__init__(options.model, _Line(options))


class _Line:
    """What the embedder needs of the server."""

    def __init__(self, options: OllamaOptions) -> None:
        self._model = options.model
        self._wire = OllamaWire(options)

    async def name(self) -> str:
        """Name it with the digest of its files."""
        return f"{self._model}@{(await self._wire.digest())[:DIGEST_CHARS]}"

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Make a vector for each text."""
        return await self._wire.embed(texts)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()
