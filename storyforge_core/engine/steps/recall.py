"""Bring back the few old scenes that matter now: of this path only, and none that the prompt has whole anyway."""

import asyncio
from dataclasses import replace

from storyforge_core.domain.runs import Draft
from storyforge_core.domain.writing import Brief, Remembered
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.prompting import telling_tokens, whole_scenes

WANTED, NEAR = 4, 2
"""Scenes for what the players want to happen, and for where the story stands; the prompt takes those that fit."""
TAIL_CHARS = 400
"""The end of the newest scene says who is there now; its beginning is what was before."""


async def recall(draft: Draft, kit: Kit) -> Draft:
    """Fill in what the brief brings back."""
    brief, parent = draft.brief, draft.order.parent
    assert brief is not None  # noqa: S101 - the recipe's `needs` say so
    if parent is None:
        return draft
    window = kit.writer.window
    shown = await asyncio.to_thread(whole_scenes, brief, window, telling_tokens(brief.words, window))
    if shown == len(brief.path) and not brief.older:
        return draft
    found: list[Remembered] = []
    for words, scenes in _cues(brief):
        found += [
            Remembered(each.number, each.title, each.text)
            for each in await kit.memory.recall(parent, shown, words, scenes)
        ]
    best = {each.number: each for each in reversed(found)}
    remembered = tuple(each for each in dict.fromkeys(found) if best[each.number] == each)
    return replace(draft, brief=replace(brief, remembered=remembered))


def _cues(brief: Brief) -> tuple[tuple[str, int], ...]:
    """What is looked for, and how many scenes of it: a long text beside a short one would find only its own like."""
    wish = f"{brief.chosen}\n{brief.hint}".strip()
    here = (brief.path[-1].prose[-TAIL_CHARS:], NEAR)
    return ((wish, WANTED), here) if wish else (here,)
