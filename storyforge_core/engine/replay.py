"""A scene told once more as it was asked for: the same prompt, and at the end a take beside the one that is there."""

import asyncio
from dataclasses import replace

from storyforge_core.domain.changes import SceneAdded
from storyforge_core.domain.events import Noted, SceneTold
from storyforge_core.domain.lore import Fired
from storyforge_core.domain.manifest import Manifest, told_with
from storyforge_core.domain.runs import Draft, Run, Situation
from storyforge_core.domain.story import Choice, ChoiceId, NewScene, Scene, SceneId
from storyforge_core.domain.writing import Profile
from storyforge_core.engine.inventory import can_be_made_again, take_down
from storyforge_core.engine.kit import Kit
from storyforge_core.engine.turn import ORIGINS, remind, reopen
from storyforge_core.ports import Clock, Desk


async def as_before(draft: Draft, kit: Kit) -> Draft:
    """Take down what the storyteller is given: what it was given then, as far as that is possible."""
    brief, then = draft.brief, draft.manifest
    assert brief is not None  # noqa: S101 - whoever ordered it has made sure
    assert then is not None  # noqa: S101 - the same
    profile = told_with(await kit.writer.profile(), then.profile)
    window = then.window if reads_as_much(then, profile) else min(then.window, kit.writer.window)
    if window == then.window and await asyncio.to_thread(can_be_made_again, then, brief):
        return replace(draft, manifest=replace(then, profile=profile, read=None, written=None, cut=False))
    return replace(draft, manifest=await asyncio.to_thread(take_down, brief, window, profile))


def reads_as_much(then: Manifest, now: Profile) -> bool:
    """Whether the model reads as much at once as it did."""
    window = dict(now.options).get("num_ctx")
    return window is None or window >= dict(then.profile.options).get("num_ctx", window)


async def put_beside(desk: Desk, here: Situation, run: Run, draft: Draft, clock: Clock) -> None:
    """Put a replayed scene into the tree, where nobody is moved to it, and ask the question again that waited."""
    wanted = draft.order
    told = NewScene(
        id=SceneId(clock.new_id()),
        story=here.story.id,
        parent=wanted.parent,
        choice=wanted.choice,
        title=draft.title,
        prose=draft.prose,
        origin=ORIGINS[wanted.task],
        writer=draft.writer,
        created_at=clock.now(),
        run=run.id,
    )
    choices = tuple(
        Choice(id=ChoiceId(clock.new_id()), scene=told.id, position=position, text=text)
        for position, text in enumerate(draft.choices, start=1)
    )
    lore = tuple(Fired(each.entry, each.held) for each in draft.brief.lore) if draft.brief else ()
    await desk.apply((SceneAdded(told, choices, lore),), wanted.task)
    await desk.remember(told.id)
    ballot = await reopen(desk, here, wanted.ballot)
    scene = await desk.scene(told.id)
    base = await desk.scene(wanted.base) if wanted.base else scene
    await desk.tell(here.playthrough.id, SceneTold(run.id, scene, wanted.chosen, draft.cut))
    await desk.tell(here.playthrough.id, Noted(_compared(scene, base, here.head)))
    await desk.finish(run.id, "done")
    await remind(desk, here, ballot)
    if ballot is not None and ballot.deadline is not None:  # it may have passed while nobody could vote
        await desk.schedule(ballot.id, ballot.deadline)


def _compared(scene: Scene, base: Scene, head: Scene | None) -> str:
    """What the replay came to."""
    same = "word for word the same" if scene.prose == base.prose else "told in other words this time"
    stands = f" The story still stands at scene {head.number}." if head else ""
    return f"That was a replay of scene {base.number}: {same}.{stands} /story go {scene.number} leads to the replay."
