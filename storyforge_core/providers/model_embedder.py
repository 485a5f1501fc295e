"""What all embedders share that are models on a server."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import structlog

from storyforge_core.domain.memory import EMBEDDING_SIZE, Purpose, Vector
from storyforge_core.errors import BrokenAnswer, ModelMissing

NOMIC = "nomic-embed"
PREFIXES: Mapping[Purpose, str] = MappingProxyType({"document": "search_document: ", "query": "search_query: "})
"""The models of this family were trained with them, and the server does not add them."""
HARMLESS = "a"
"""A text that every model can read: where it fails, the server is at fault."""

log = structlog.get_logger(__name__)


class Line(Protocol):
    """What an embedder needs of its server."""

    async def name(self) -> str:
        """Name the model so that a change shows.

        Raises:
            ServiceDown: the server is away.
            ModelMissing: it does not have the model.
        """

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Make a vector for each text.

        Raises:
            BrokenAnswer: the server could not do it, perhaps because of one of the texts.
        """

    async def aclose(self) -> None:
        """Let go of connections."""


class ModelEmbedder:
    """One model on one server."""

    def __init__(self, model: str, line: Line) -> None:
        self._model = model
        self._line = line

    async def model(self) -> str:
        """Name it so that a change shows.

        Raises:
            ServiceDown: the server is away.
            ModelMissing: it does not have the model.
        """
        return await self._line.name()

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vector | None, ...]:
        """Make a vector for each text; None for one that the model cannot read, which fails all that are sent with it.

        Raises:
            ServiceDown: the server is away or silent.
            ModelMissing: it does not have the model, or the model gives vectors of another size.
        """
        prefix = PREFIXES[purpose] if NOMIC in self._model else ""
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
        await self._line.aclose()

    async def _alone(self, text: str) -> Vector | None:
        try:
            return (await self._together([text]))[0]
        except BrokenAnswer:
            return None

    async def _together(self, texts: Sequence[str]) -> tuple[Vector, ...]:
        vectors = await self._line.embed(texts)
        if len(vectors) != len(texts):
            raise BrokenAnswer(f"{self._model} answered {len(vectors)} vectors for {len(texts)} texts.")
        for size in {len(vector) for vector in vectors} - {EMBEDDING_SIZE}:
            raise ModelMissing(
                f"{self._model} gives {size} numbers for a text, {EMBEDDING_SIZE} are needed: set EMBEDDING_MODEL to "
                "another one, such as nomic-embed-text."
            )
        return tuple(vectors)
