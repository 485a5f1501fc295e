"""Gather what the writer may know: all of it from the path that the scene continues."""

from dataclasses import replace

from storyforge_core.domain.bible import matters, named
from storyforge_core.domain.chapters import NOTHING
from storyforge_core.domain.findings import found_entities
from storyforge_core.domain.promises import promise_lines
from storyforge_core.domain.runs import Draft, Order, Situation
from storyforge_core.domain.states import MOST_HERE, fact_lines, state_lines, subjects
from storyforge_core.domain.story import SceneId
from storyforge_core.domain.writing import Brief
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.lore import open_book, with_lore
from storyforge_core.engine.older import scenes_read
from storyforge_core.errors import NotFound
from storyforge_core.ports import Desk
from storyforge_core.state_ports import FOR_PROMPTS

NAMED_IN = 2
"""Scenes, the newest, in which somebody has to be named to be there."""


async def plan(draft: Draft, kit: Kit) -> Draft:
    """Fill in the brief."""
    async with kit.store.resume(kit.run.playthrough) as desk:
        brief = await _brief(draft.order, desk, kit.writer.window)
        book = await open_book(desk, draft.order.parent)
    return replace(draft, brief=await with_lore(brief, book, kit.writer.window))


async def _brief(order: Order, desk: Desk, window: int) -> Brief:
    if desk.situation is None:
        msg = "This story is gone."
        raise NotFound(msg)
    brief = replace(
        await known_at(desk, desk.situation, order.parent, window),
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


async def known_at(desk: Desk, here: Situation, end: SceneId | None, window: int) -> Brief:
    """What may be known of a story behind a scene, or before the first one; nothing is decided or wished for yet."""
    past = await desk.past(end, scenes_read(window)) if end else NOTHING
    return Brief(
        premise=here.story.premise,
        title=here.story.title,
        genre=here.story.genre,
        tone=here.story.tone,
        path=past.path,
        chosen="",
        hint="",
        note=here.playthrough.note,
        words=here.playthrough.rules.words,
        choices=here.playthrough.rules.choices,
        seed=here.story.seed,
        planned=here.playthrough.rules.planner,
        older=past.older,
        synopses=past.synopses,
        lines=past.lines,
        opened=past.opened,
        recent=past.recent,
    )
