"""Small words of English, by what they do in a sentence."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def lexicon(kind: str) -> frozenset[str]:
    """All words of a kind, such as `prepositions`."""
    listed: str = _table()[kind]
    return frozenset(listed.split())


def speakers() -> Mapping[str, str]:
    """Words by which players speak of themselves, and the slots that stand for the protagonist: `my` → `{her}`."""
    table: Mapping[str, str] = _table()["speakers"]
    return table


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "words" / "lexicon.toml").read_text(encoding="utf-8"))
