"""Name the scene and find the choices at its end. A story never stops because a model wrote bad JSON."""

import asyncio
from dataclasses import replace

import structlog

from storyforge_core.domain.answers import Choices, Problem, choices_schema, fallback_choices, read_choices
from storyforge_core.domain.runs import Draft
from storyforge_core.domain.writing import Asking, Brief
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.prompting import choices_messages, choices_tokens, repair_messages
from storyforge_core.errors import ModelMissing, ServiceDown
from storyforge_core.ports import Writer

PATIENCE = 240.0
"""Seconds for both questions together; players have read the scene by then and want to go on."""


async def choose(draft: Draft, kit: Kit) -> Draft:
    """Fill in the title and the choices: as the model gave them, as it repaired them, or plain ones of ours."""
    brief, manifest = draft.brief, draft.manifest
    assert brief is not None  # noqa: S101 - the recipe's `needs` say so
    window = kit.writer.window if manifest is None else manifest.window  # as the scene was asked for
    try:
        async with asyncio.timeout(PATIENCE):
            found = await _ask(brief, draft.prose, window, kit.writer)
    except (ServiceDown, ModelMissing, TimeoutError) as error:
        found = Problem(str(error))
    if isinstance(found, Problem):
        structlog.get_logger().warning("plain choices instead of the model's", run=str(kit.run.id), cause=found.text)
        found = fallback_choices(draft.prose, brief)
    return replace(draft, title=found.title, choices=found.options)


async def _ask(brief: Brief, prose: str, window: int, writer: Writer) -> Choices | Problem:
    tokens = choices_tokens(brief.choices, window)
    messages = await asyncio.to_thread(choices_messages, brief, prose, window, tokens)
    asking = Asking(brief, messages, prose, choices_schema(brief.choices), tokens)
    answer = await writer.ask(asking)
    found = read_choices(answer, brief.choices)
    if isinstance(found, Problem):
        repaired = await asyncio.to_thread(repair_messages, messages, answer, found)
        answer = await writer.ask(replace(asking, messages=repaired))
        found = read_choices(answer, brief.choices)
    return found
