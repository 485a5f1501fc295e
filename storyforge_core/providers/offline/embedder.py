"""The built-in embedder: vectors without a language model, from the words of a text and the letters in them."""

import asyncio
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from math import log, sqrt

from storyforge_core.domain.memory import BUILT_IN_READER, EMBEDDING_SIZE, Purpose, Vector, sought, stem, telling_words

LETTERS = 3
"""In a row: they tie a word to its other forms, and stand for words where a script has no blanks."""
LETTERS_COUNT = 0.7
"""All the letters of a word together, beside the word itself."""
PAIRS_COUNT = 0.7
"""Two words side by side, beside each of them."""
NAME = f"{BUILT_IN_READER}/1"
"""Another number when the features change: older vectors are then made anew."""


class OfflineEmbedder:
    """Finds what shares words or parts of words. It knows nothing of meaning, and needs nothing."""

    async def model(self) -> str:
        """Name it."""
        return NAME

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vector | None, ...]:
        """Make a vector for each text; None for one without any word that tells something."""
        del purpose  # a question and what answers it share their words
        return await asyncio.to_thread(lambda: tuple(map(vector_of, texts)))

    async def aclose(self) -> None:
        """Nothing to let go of."""


def vector_of(text: str) -> Vector | None:
    """Hash every feature to a place and a sign, and bring the sum to length 1."""
    vector = [0.0] * EMBEDDING_SIZE
    for feature, weight in _features(text).items():
        digest = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        vector[digest % EMBEDDING_SIZE] += weight if digest >> 63 else -weight
    length = sqrt(sum(number * number for number in vector))
    return [number / length for number in vector] if length else None


def _features(text: str) -> Mapping[str, float]:
    """Words by how often they stand there, and their letters; more of the same counts less and less."""
    features: defaultdict[str, float] = defaultdict(float)
    for word in telling_words(text):
        times = 1 + log(max(text.lower().count(word), 1))
        features[f"w{stem(word)}"] += times
        rows = list(_rows(word))
        for row in rows:
            features[f"l{row}"] += times * LETTERS_COUNT / sqrt(len(rows))
    for pair in sought(text).pairs:
        features["p" + " ".join(map(stem, pair))] += PAIRS_COUNT
    return features


def _rows(word: str) -> Iterator[str]:
    edged = f"^{unicodedata.normalize('NFKD', word)}$"
    return (edged[at : at + LETTERS] for at in range(len(edged) - LETTERS + 1))
