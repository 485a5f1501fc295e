"""What the lore of a story says about the scene to be told, put into the brief."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from storyforge_core.domain.lore import LoreEntry, LoreId, Reading, activate, timed
from storyforge_core.domain.story import SceneId
from storyforge_core.domain.writing import Brief, ToldScene
from storyforge_core.engine.patterns import Patience
from storyforge_core.engine.prompting import lore_cost, lore_tokens
from storyforge_core.ports import Desk


@dataclass(frozen=True, slots=True)
class LoreBook:
    """The lore of a story, as it stands on one path."""

    entries: tuple[LoreEntry, ...]
    turn: int
    """How many scenes are told before the one to come."""
    found: Mapping[LoreId, int]
    """See `Reading.found`."""


async def open_book(desk: Desk, parent: SceneId | None) -> LoreBook:
    """Read the lore, and what of it was told on the path that ends at a scene."""
    entries = (await desk.lore()).entries
    if not entries or parent is None:
        return LoreBook(entries, 0, {})
    end = await desk.scene(parent)
    scenes, ids = timed(entries)
    found = await desk.lore_found(end.id, ids, scenes) if ids else {}
    return LoreBook(entries, end.depth + 1, found)


async def with_lore(brief: Brief, book: LoreBook, window: int) -> Brief:
    """Put into the brief what the storyteller is told. Keys are looked for beside the event loop: it may take a while.

    The room that is kept for lore depends on the book and not on what of it is told: the older scenes, at the beginning
    of the prompt, must not change with it.
    """
    if not book.entries:
        return brief
    whole = sum(lore_cost(entry.lore.text) for entry in book.entries if entry.lore.on)
    room = min(lore_tokens(brief, window), whole)
    reading = _reading(brief, book)
    told = await asyncio.to_thread(activate, book.entries, reading, room, lore_cost, Patience().finds)
    return replace(brief, lore=told, lore_room=room)


def _reading(brief: Brief, book: LoreBook) -> Reading:
    scenes = tuple(map(_read, brief.path))
    begun = (brief.extend,) if brief.extend else ()
    return Reading(
        scenes=(*scenes, *begun),
        asked=(brief.premise, brief.chosen, brief.hint, brief.note),
        turn=book.turn,
        found=book.found,
        seed=brief.seed,
    )


def _read(scene: ToldScene) -> str:
    return f"{scene.choice}\n{scene.title}\n{scene.prose}"
