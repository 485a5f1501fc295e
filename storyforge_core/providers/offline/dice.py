"""Chance that can be repeated."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """The same key and label always give the same roll, in every process and on every Python."""

    key: str

    def roll(self, label: str, sides: int) -> int:
        """A number from 0 to sides - 1."""
        digest = sha256(f"{self.key}\x1f{label}".encode(errors="surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % sides

    def pick(self, label: str, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.roll(label, len(items))]

    def shuffled(self, label: str, items: Sequence[T]) -> list[T]:
        """All items in another order."""
        order = sorted(range(len(items)), key=lambda index: self.roll(f"{label}/{index}", 2**32))
        return [items[index] for index in order]
