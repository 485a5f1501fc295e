"""How often models are called in a turn, and how often another one is loaded: with one, and with one for each job."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.bench.figures import Figure, Scale
from tests.bench.ground import ground, scratch
from tests.peers.ollama import OllamaPeer
from tests.rounds import FOUR, TURNS, Round, played_round

CASES: Mapping[str, tuple[Mapping[str, str], float]] = MappingProxyType(
    {"one model": ({"ollama_model": "dolphin-mistral:7b"}, 0.0), "a model for each job": ({}, 3.0)}
)
"""Settings, and how many swaps a turn may take: each model once."""
CALLS = 4.0
"""That a turn may take: tell, choices, picture, and what the scene says, which nobody waits for."""


def bench(scale: Scale) -> list[Figure]:
    """Play a round of each case; it is counted, so once is enough."""
    del scale
    return asyncio.run(_counted())


async def _counted() -> list[Figure]:
    figures: list[Figure] = []
    for name, (named, most) in CASES.items():
        async with ground() as database, OllamaPeer(FOUR) as peer:
            with scratch() as directory:
                played = await played_round(database, Path(directory), peer, named)
        figures += _figures(name, played, most)
    return figures


def _figures(name: str, played: Round, most: float) -> list[Figure]:
    return [
        Figure(f"model calls in a turn with its picture, {name}", played.calls / TURNS, "", CALLS),
        Figure(f"    swaps of models in that turn, {name}", played.swaps / TURNS, "", most),
    ]
