"""How often models are called in a turn, and how often another one has to be loaded for it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from storyforge_core.store.database import Database
from tests.peers.ollama import OllamaPeer
from tests.rounds import CALLS, FOUR, TURNS, Round, played_round

THERE_AND_BACK = 2 * TURNS
"""To the model that describes the picture, and back to the storyteller, which also reads what was told."""


@pytest.mark.parametrize(
    ("named", "swaps"),
    [({"ollama_model": "dolphin-mistral:7b"}, 0), ({}, THERE_AND_BACK)],
    ids=["one model", "a model for each job"],
)
async def test_a_turn_calls_no_more_than_it_has_to(
    database: Database, tmp_path: Path, named: Mapping[str, str], swaps: int
) -> None:
    async with OllamaPeer(FOUR) as peer:
        played = await played_round(database, tmp_path, peer, named)
    assert played == Round(CALLS * TURNS, played.swaps, frozenset({8192}))
    assert played.swaps <= swaps
    told = [call.body["model"] for call in peer.chats if "format" not in call.body]
    assert told == ["dolphin-mistral:7b"] * TURNS
    given = {tuple(sorted(call.body["options"])) for call in peer.chats}
    assert given == {("num_ctx", "num_predict", "seed", "temperature")}, "the same options for all, or it is reloaded"
