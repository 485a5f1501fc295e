"""Gather what the writer may know: all of it from the path that the scene continues."""

from dataclasses import replace

from storyforge_core.domain.runs import Draft, Order
from storyforge_core.domain.story import Scene
from storyforge_core.domain.writing import Brief, ToldScene
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.lore import open_book, with_lore
from storyforge_core.errors import NotFound
from storyforge_core.ports import Desk

SCENES = 60
"""How many scenes of the path are read: more than any window of today holds verbatim."""


async def plan(draft: Draft, kit: Kit) -> Draft:
    """Fill in the brief."""
    async with kit.store.resume(kit.run.playthrough) as desk:
        brief = await _brief(draft.order, desk)
        book = await open_book(desk, draft.order)
    return replace(draft, brief=await with_lore(brief, book, kit.writer.window))


async def _brief(order: Order, desk: Desk) -> Brief:
    here = desk.situation
    if here is None:
        msg = "This story is gone."
        raise NotFound(msg)
    scenes = await desk.path(order.parent, SCENES) if order.parent else ()
    chosen = await desk.choice_texts(scenes)
    return Brief(
        premise=here.story.premise,
        title=here.story.title,
        genre=here.story.genre,
        tone=here.story.tone,
        path=tuple(_told(scene, choice) for scene, choice in zip(scenes, chosen, strict=True)),
        chosen=order.chosen,
        hint=order.hint,
        note=here.playthrough.note,
        words=here.playthrough.rules.words,
        choices=here.playthrough.rules.choices,
        seed=order.seed,
        extend=(await desk.scene(order.base)).prose if order.task == "extend" and order.base else "",
    )


def _told(scene: Scene, choice: str) -> ToldScene:
    return ToldScene(scene.number, scene.title, choice, scene.prose)
