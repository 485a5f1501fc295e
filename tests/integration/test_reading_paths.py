"""What is known at any scene of a tree is what a fold over its own path says, however the tree has grown."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.states import Assertion, Slot, Turn, disputes, holding, newest
from storyforge_core.domain.story import SceneId
from storyforge_core.engine.background import Quiet
from storyforge_core.engine.reading import Reader
from storyforge_core.store.database import Database
from tests.integration.test_reading import Scribe, person, says
from tests.property.test_findings import fold
from tests.world import open_world

PEOPLE = ("Maren", "Osk", "Ilse")
SLOTS: tuple[Slot, ...] = ("where", "has", "knows", "condition", "look", "fact", "time")
TURNS: tuple[Turn, ...] = ("is", "is", "begins", "ends")
SCENES = 30


def some(chance: random.Random, scene: int) -> list[Assertion]:
    said = []
    for place in range(chance.randrange(4)):
        slot = chance.choice(SLOTS)
        subject = "" if slot == "time" else chance.choice(PEOPLE)
        value = f"value {chance.randrange(3)}"
        turn = chance.choice(TURNS)
        quote = f"{subject or 'Time'} in {scene} at {place} {slot} {value}"
        said.append(Assertion(subject, slot, value, quote, chance.choice(("", "hair")), "told", turn))
    return said


def passed_on(said: Sequence[Assertion]) -> list[Assertion]:
    """With what others lose when somebody gets it, as the prose does not say of itself."""
    whole: list[Assertion] = []
    for each in said:
        if each.slot == "has" and each.turn == "begins":
            true, _ = fold(whole)
            owners = [cell for cell in true if cell[1:] == each.cell[1:] and cell[0] != each.cell[0]]
            names = [name for name in PEOPLE if name.lower() in [cell[0] for cell in owners]]
            whole += [replace(each, subject=name, turn="ends") for name in names]
        whole.append(each)
    return whole


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_is_known_is_what_the_path_says(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world, scribe = open_world(database), Scribe()
    playthrough = await world.begin()
    reader = Reader(world.store, scribe, Quiet())
    paths = dict[SceneId, list[Assertion]]()
    for number in range(SCENES):
        parent = chance.choice([*list(paths)[-3:], *paths]) if paths else None
        said = some(chance, number)
        prose = f"{'; '.join(PEOPLE)}. {'. '.join(each.quote for each in said)}. Scene {number}."
        scribe.found[f"Scene {number}."] = {"entities": list(map(person, PEOPLE)), "assertions": list(map(row, said))}
        new = replace(world.new_scene(playthrough.story, parent), prose=prose)
        async with world.store.resume(playthrough.id) as desk:
            await desk.apply((SceneAdded(new, ()),), "continue")
        await reader.read(new.id)
        paths[new.id] = [*(paths[parent] if parent else []), *said]
    async with world.store.casebook() as book:
        for scene, told in paths.items():
            held = await book.newest(scene, ("", *map(str.lower, PEOPLE)))
            true, in_dispute = fold(passed_on(told))
            assert {each.said.cell: each.said.value for each in holding(held)} == true
            assert {each.said.cell for each in disputes(held)} == in_dispute.keys()
            assert newest(await book.latest(scene, 400)) == newest(held)
            disputed = {each.id for each in await book.disputed(scene)}
            assert {each.id for each in disputes(held)} <= disputed


def row(said: Assertion) -> Mapping[str, str]:
    return says(said.subject, said.slot, said.value, said.quote, aspect=said.aspect, change=said.turn)
