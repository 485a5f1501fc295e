"""Plan the scene before it is told, where the story wants that. No scene waits long for a plan, or fails without one.

The question goes on from the prompt of the scene, so a server that keeps what it has read reads only two ends anew.
"""

import asyncio
import json
from dataclasses import replace

import structlog

from storyforge_core.domain.answers import Problem
from storyforge_core.domain.bible import open_part
from storyforge_core.domain.context import as_data
from storyforge_core.domain.plans import (
    MOST_AVOIDED,
    MOST_BEATS,
    MOST_NAMES,
    NO_PROMISE,
    ScenePlan,
    plan_schema,
    read_plan,
)
from storyforge_core.domain.runs import Draft
from storyforge_core.domain.writing import Asking, Brief, Message
from storyforge_core.engine.inventory import take_down
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.prompting import material, render, repair_messages
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.ports import Writer

PATIENCE = 90.0
"""Seconds for both questions together: nothing can be read yet, and people wait."""
PLAN_ANSWER_TOKENS = 400
"""For a plan as long as it may be, in English; one that is cut off is asked for again."""
EXAMPLE = {"who": ["…"], "beats": ["…", "…"], "avoid": ["…"], "promise": NO_PROMISE}


async def outline(draft: Draft, kit: Kit) -> Draft:
    """Fill in what is planned, and take down anew what the storyteller is given; more of a scene needs no plan.

    A replay has the plan that it had.
    """
    brief, manifest = draft.brief, draft.manifest
    assert brief is not None  # noqa: S101 - the recipe's `needs` say so
    assert manifest is not None  # noqa: S101 - the same
    if not brief.planned or brief.extend or draft.order.task == "replay":
        return draft
    planner = kit.cast.planner
    window = manifest.window if planner is kit.writer else min(manifest.window, planner.window)
    try:
        async with asyncio.timeout(PATIENCE):
            found = await _ask(brief, window, manifest.max_tokens, planner)
    except (ServiceDown, ModelMissing, TimeoutError) as error:
        found = Problem(str(error) or "It took too long.")
    if isinstance(found, Problem):
        structlog.get_logger().warning("a scene without a plan", run=str(kit.run.id), cause=found.text)
        return draft
    brief = replace(brief, plan=found.lines)
    return replace(
        draft, brief=brief, manifest=await asyncio.to_thread(take_down, brief, manifest.window, manifest.profile)
    )


async def _ask(brief: Brief, window: int, max_tokens: int, planner: Writer) -> ScenePlan | Problem:
    promises = tuple(map(as_data, brief.promises))
    messages = await asyncio.to_thread(plan_messages, brief, window, max_tokens)
    prose = brief.path[-1].prose if brief.path else ""
    asking = Asking(brief, messages, prose, plan_schema(promises), PLAN_ANSWER_TOKENS, "plan")
    answer = await planner.ask(asking)
    found = read_plan(answer, promises)
    if isinstance(found, Problem):
        repaired = await asyncio.to_thread(repair_messages, messages, answer, found)
        found = read_plan(await planner.ask(replace(asking, messages=repaired)), promises)
    return found


def plan_messages(brief: Brief, window: int, max_tokens: int) -> tuple[Message, ...]:
    """Ask for a plan: the prompt of the scene up to its task, but for secrets, since players may read plans later.

    Args:
        brief: what may be known.
        window: tokens that prompt and answer may take together.
        max_tokens: what the scene may take, so that both prompts begin alike.
    """
    brief = replace(brief, known=tuple(map(open_part, brief.known)), plan=())
    system, told = material(brief, window, max_tokens)
    task = render(
        "plan",
        material=told,
        most_names=str(MOST_NAMES),
        most_beats=str(MOST_BEATS),
        most_avoided=str(MOST_AVOIDED),
        example=json.dumps(EXAMPLE, ensure_ascii=False),
    )
    return (system, Message("user", task))
