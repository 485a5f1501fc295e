"""Bring back the few old scenes that matter now: of this path only, and none that the prompt has whole anyway."""

import asyncio
from dataclasses import dataclass, replace

from storyforge_core.domain.runs import Draft
from storyforge_core.domain.story import SceneId
from storyforge_core.domain.writing import Brief, Remembered
from storyforge_core.engine.inventory import take_down
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.memory import Memory
from storyforge_core.engine.prompting import SMALLEST_WINDOW, telling_tokens, whole_scenes
from storyforge_core.engine.replay import as_before

WANTED, NEAR = 4, 2
"""Scenes for what the players want to happen, and for where the story stands; the prompt takes those that fit."""
TAIL_CHARS = 400
"""The end of the newest scene says who is there now; its beginning is what was before."""


async def recall(draft: Draft, kit: Kit) -> Draft:
    """Fill in what the brief brings back, and take down what the storyteller is given."""
    brief = draft.brief
    assert brief is not None  # noqa: S101 - the recipe's `needs` say so
    if draft.order.task == "replay":
        return await as_before(draft, kit)
    profile = await kit.writer.profile()
    answer = telling_tokens(brief.words, kit.writer.window)
    window = max(await kit.memory.window(kit.writer.window, answer, profile.model), SMALLEST_WINDOW)
    brief = replace(brief, remembered=await _remembered(brief, draft.order.parent, window, kit.memory))
    return replace(draft, brief=brief, manifest=await asyncio.to_thread(take_down, brief, window, profile))


async def _remembered(brief: Brief, parent: SceneId | None, window: int, memory: Memory) -> tuple[Remembered, ...]:
    if parent is None:
        return ()
    shown = await asyncio.to_thread(whole_scenes, brief, window, telling_tokens(brief.words, window))
    if shown == len(brief.path) and not brief.older:
        return ()
    found: dict[int, Remembered] = {}
    for cue in _cues(brief):
        for each in await memory.recall(parent, shown, cue.words, cue.scenes):
            found.setdefault(each.number, Remembered(each.number, each.title, each.text, cue.why))
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Cue:
    """What is looked for, how many scenes of it, and what for."""

    words: str
    scenes: int
    why: str


def _cues(brief: Brief) -> tuple[_Cue, ...]:
    """Each by itself: a long text beside a short one would find only its own like."""
    wish = f"{brief.chosen}\n{brief.hint}".strip()
    here = _Cue(brief.path[-1].prose[-TAIL_CHARS:], NEAR, "where the story stands")
    return (_Cue(wish, WANTED, "what was chosen"), here) if wish else (here,)
