"""A round of turns through the whole program, and how often it called models on an Ollama server for it."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bot.compose import House, alongside, furnish
from bot.illustrator import Studio
from bot.storyteller import for_workers
from storyforge_core.domain.commands import Command, Incoming, NewStory, Vote
from storyforge_core.domain.story import PlaythroughId
from storyforge_core.domain.visions import FRAMINGS, PARTS
from storyforge_core.providers.cards import CardIllustrator
from storyforge_core.providers.offline import OfflineEmbedder
from storyforge_core.settings import Settings
from storyforge_core.store.database import Database
from tests.game import ANN, HOME
from tests.peers.ollama import OllamaPeer, Script

TURNS = 3
"""Scenes of a round, the opening among them; each gets a picture before the next one is told."""
CALLS = 4
"""In each of them: tell, find title and choices, describe the picture, find out what the scene says."""
PATIENCE = 60.0
CHOICES = {"title": "The Door in the Sea", "choices": ["Knock back", "Open the door", "Climb up"]}
USEFUL = json.dumps(
    {**CHOICES, **dict.fromkeys(PARTS, "a green door in the sand"), "framing": FRAMINGS[0], "alt": "A door."}
)
"""An answer to whatever is asked."""
FOUR = Script(model="dolphin-mistral:7b", others=("phi4", "gemma2:9b"), answers=(USEFUL,))


@dataclass(frozen=True, slots=True)
class Round:
    """What a round took."""

    calls: int
    """Of models that write."""
    swaps: int
    """How often another model was called than the time before."""
    windows: frozenset[int]
    """With which windows models were loaded."""


async def played_round(database: Database, directory: Path, peer: OllamaPeer, named: Mapping[str, str]) -> Round:
    """Tell the opening and the scenes after it, with pictures; `named` are settings of models."""
    house_rules = {"data_dir": directory, "storyteller": "ollama", "ollama_host": peer.url, "scene_words": 60}
    settings = Settings.model_validate({**house_rules, **named})
    async with aclosing(await for_workers(settings)) as cast:
        house = furnish(settings, database, cast, OfflineEmbedder(), Studio(CardIllustrator(), "every", 1))
        async with alongside(house.bus.listen(), house.worker.work()):
            commands: list[Command] = [NewStory("A lighthouse keeper finds a door"), *[Vote(1)] * (TURNS - 1)]
            for turn, command in enumerate(commands, 1):
                await _turn(house, command)
                await _all_asked(peer, turn * CALLS)
    return Round(len(peer.chats), peer.swaps, frozenset(peer.windows.values()))


async def _turn(house: House, command: Command) -> None:
    await house.door.handle(Incoming(uuid4().hex, HOME, ANN, command, house.clock.now()))
    playthrough = (await house.store.room(HOME)).playthrough
    assert playthrough
    async with asyncio.timeout(PATIENCE):
        while await _busy(house, playthrough):  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)


async def _all_asked(peer: OllamaPeer, calls: int) -> None:
    """Wait for what is asked when nobody waits."""
    async with asyncio.timeout(PATIENCE):
        while len(peer.chats) < calls:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)


async def _busy(house: House, playthrough: PlaythroughId) -> bool:
    async with house.store.resume(playthrough) as desk:
        return desk.situation is None or desk.situation.run is not None or bool(await desk.live_pictures(playthrough))
