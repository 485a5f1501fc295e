"""Gather what the writer may know: all of it from the path that the scene continues."""

from dataclasses import replace

from storyforge_core.domain.bible import matters, named
from storyforge_core.domain.findings import found_entities
from storyforge_core.domain.promises import promise_lines
from storyforge_core.domain.runs import Draft, Order, Situation
from storyforge_core.domain.states import MOST_HERE, fact_lines, state_lines, subjects
from storyforge_core.domain.story import Scene, SceneId
from storyforge_core.domain.writing import Brief, ToldScene
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.lore import open_book, with_lore
from storyforge_core.errors import NotFound
from storyforge_core.ports import Desk
from storyforge_core.state_ports import FOR_PROMPTS

SCENES = 60
"""How many scenes of the path are read: more than any window of today holds verbatim."""
NAMED_IN = 2
"""Scenes, the newest, in which somebody has to be named to be there."""


async def plan(draft: Draft, kit: Kit) -> Draft:
    """Fill in the brief."""
    async with kit.store.resume(kit.run.playthrough) as desk:
        brief = await _brief(draft.order, desk)
        book = await open_book(desk, draft.order.parent)
    return replace(draft, brief=await with_lore(brief, book, kit.writer.window))


async def _brief(order: Order, desk: Desk) -> Brief:
    if desk.situation is None:
        msg = "This story is gone."
        raise NotFound(msg)
    brief = replace(
        await known_at(desk, desk.situation, order.parent),
        chosen=order.chosen,
        hint=order.hint,
        seed=order.seed,
        extend=(await desk.scene(order.base)).prose if order.task == "extend" and order.base else "",
    )
    return await with_bible(brief, desk, desk.situation, order.parent)


async def with_bible(brief: Brief, desk: Desk, here: Situation, end: SceneId | None) -> Brief:
    """The brief with what is known about those whom it names: written down by players, or said by scenes."""
    cards = await desk.entities(here.story.id)
    newest = "\n".join(scene.prose for scene in reversed(brief.path[-NAMED_IN:]))
    now = f"{brief.chosen}\n{brief.hint}\n{brief.extend}\n{newest}\n{brief.note}"
    text = f"{now}\n{brief.premise}"
    if end is None:
        return replace(brief, known=matters(cards, (), text))
    book = desk.casebook
    entities = found_entities(cards, await book.sighted(end))
    facts, promises = await desk.facts(end), await book.promises(end)
    people = named(entities, now)[:MOST_HERE]
    held = await book.newest(end, subjects(people), FOR_PROMPTS)
    return replace(
        brief,
        known=(*matters(entities, facts, text), *fact_lines(people, held)),
        state=state_lines(people, held),
        promises=promise_lines(promises, now),
    )


async def known_at(desk: Desk, here: Situation, end: SceneId | None) -> Brief:
    """What may be known of a story behind a scene, or before the first one; nothing is decided or wished for yet."""
    scenes = await desk.path(end, SCENES) if end else ()
    chosen = await desk.choice_texts(scenes)
    return Brief(
        premise=here.story.premise,
        title=here.story.title,
        genre=here.story.genre,
        tone=here.story.tone,
        path=tuple(_told(scene, choice) for scene, choice in zip(scenes, chosen, strict=True)),
        chosen="",
        hint="",
        note=here.playthrough.note,
        words=here.playthrough.rules.words,
        choices=here.playthrough.rules.choices,
        seed=here.story.seed,
        older=scenes[0].depth if scenes else 0,
    )


def _told(scene: Scene, choice: str) -> ToldScene:
    return ToldScene(scene.number, scene.title, choice, scene.prose)
