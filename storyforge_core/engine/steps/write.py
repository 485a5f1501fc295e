"""Tell the scene: stream it, on from the words that players have already seen."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

from storyforge_core.domain.manifest import Manifest
from storyforge_core.domain.runs import Draft
from storyforge_core.domain.writing import Brief, Finished, Telling, Words
from storyforge_core.engine.bus import Feed
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.prompting import scene_messages
from storyforge_core.engine.steps.recall import recall
from storyforge_core.errors import BrokenAnswer
from storyforge_core.ports import Writer

SENTENCE_ENDS = frozenset(".!?…\"'”’»。！？」』)*_~")  # noqa: RUF001 - the punctuation of other scripts
"""What a telling that was not cut off may end with, closing marks included."""


async def write(draft: Draft, kit: Kit) -> Draft:
    """Fill in the prose and who wrote it, and what the server counted."""
    if draft.manifest is None:  # taken up from a program that did not take anything down
        draft = await recall(draft, kit)
    brief, manifest = draft.brief, draft.manifest
    assert brief is not None  # noqa: S101 - the recipe's `needs` say so
    assert manifest is not None  # noqa: S101 - the same
    lead = _lead(brief)
    if not kit.feed.text:
        kit.feed.append(lead)
    fresh = len(kit.feed.text) == len(lead)
    ended = await _stream(brief, manifest, kit.writer, kit.feed)
    manifest = replace(manifest, read=ended.prompt_tokens, written=ended.output_tokens, cut=ended.cut)
    if fresh:  # else what was told before is counted with the prompt
        await kit.memory.learn(manifest)
    if not kit.feed.text[len(lead) :].strip():
        msg = f"{kit.writer.label} answered without a single word. Try /story continue again."
        raise BrokenAnswer(msg)
    if ended.reason == "length" and kit.feed.text.rstrip()[-1] not in SENTENCE_ENDS:
        kit.feed.append("…")
    kit.feed.conclude()
    await kit.feed.save(len(kit.feed.text))  # the choices may take a while, and people elsewhere read on meanwhile
    return replace(draft, prose=kit.feed.text.strip(), writer=kit.writer.label, manifest=manifest)


def _lead(brief: Brief) -> str:
    """What the scene's own words come after, when it is made longer."""
    return f"{brief.extend.rstrip()}\n\n" if brief.extend else ""


async def _stream(brief: Brief, manifest: Manifest, writer: Writer, feed: Feed) -> Finished:
    """Let the writer tell what is missing."""
    start, tokens = len(_lead(brief)), manifest.max_tokens
    messages = await asyncio.to_thread(scene_messages, brief, manifest.window, tokens)
    telling = Telling(brief, messages, feed.text[start:], tokens, manifest.profile.options)
    async with aclosing(writer.tell(telling)) as events:
        async for event in events:
            match event:
                case Words(text):
                    feed.append(text if len(feed.text) > start else text.lstrip())
                case Finished():
                    return event
    msg = f"{writer.label} broke off in the middle of a scene."
    raise BrokenAnswer(msg)
