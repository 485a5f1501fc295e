"""The embedder that is a model on a server with OpenAI's calls."""

from collections.abc import Sequence
from math import sqrt

from storyforge_core.errors import ModelMissing
from storyforge_core.providers.model_embedder import HARMLESS, ModelEmbedder
from storyforge_core.providers.openai_wire import OpenAIOptions, OpenAIWire


class OpenAIEmbedder(ModelEmbedder):
    """One model on one server. Other files under the same name go unnoticed: such a server tells no digest."""

    def __init__(self, options: OpenAIOptions) -> None:
        super().__init__(options.model, _Line(options))


class _Line:
    """What the embedder needs of the server."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._wire = OpenAIWire(options)
        self._works = False

    async def name(self) -> str:
        """Name it so that vectors of another server's model of the same name are not compared with its own."""
        served = await self._wire.served()
        if served.names and not served.has(self._options.model):
            there = ", ".join(served.names)
            raise ModelMissing(f"{self._options.model} is not there: set EMBEDDING_MODEL to one of: {there}")
        if not self._works:  # many such servers have to be started for it
            await self._wire.embed([HARMLESS])
        self._works = True
        return f"{self._options.model}@openai"

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Make vectors of length 1, which not every server does by itself."""
        return [_unit(vector) for vector in await self._wire.embed(texts)]

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._wire.aclose()


def _unit(vector: Sequence[float]) -> Sequence[float]:
    length = sqrt(sum(number * number for number in vector))
    return [number / length for number in vector] if length else vector
