"""The moves that several commands share: asking at a scene, withdrawing a question, ordering and settling a run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from storyforge_core.domain.ballot import Ballot, BallotStatus, Vote
from storyforge_core.domain.changes import (
    BallotAdded,
    BallotSet,
    CastVote,
    Change,
    ChapterSet,
    HeadMoved,
    MemberSet,
    Outcome,
    SceneAdded,
    Standing,
    VoteSet,
)
from storyforge_core.domain.events import BallotOpened, SceneTold, Task, WritingQueued
from storyforge_core.domain.lore import Fired
from storyforge_core.domain.pictures import painted_by_itself
from storyforge_core.domain.runs import Draft, Order, Run, Situation
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    Member,
    NewScene,
    Origin,
    PictureMode,
    PlayerId,
    PlaythroughId,
    RoomId,
    RunId,
    Scene,
    SceneId,
)
from storyforge_core.engine.chapters import endings, worth_a_look
from storyforge_core.engine.painting import paint_by_itself
from storyforge_core.ports import Clock, Desk

ORIGINS: Mapping[Task, Origin] = {
    "open": "told",
    "continue": "told",
    "reroll": "rerolled",
    "extend": "extended",
    "replay": "rerolled",
}
KNOWN = "recall"
"""The stage that follows when it is known what may be known; `engine/recipes.py` names it."""
INTERACTIVE = 10
"""Priority of runs that players wait for; what can wait comes later with less."""


def question(here: Situation, scene: SceneId, choices: tuple[Choice, ...], clock: Clock) -> Ballot | None:
    """Make the ballot for a scene; None when it has no choices."""
    if not choices:
        return None
    now = clock.now()
    seconds = here.playthrough.rules.deadline
    return Ballot(
        id=BallotId(clock.new_id()),
        playthrough=here.playthrough.id,
        scene=scene,
        choices=choices,
        opened_at=now,
        deadline=now + timedelta(seconds=seconds) if seconds else None,
    )


def adding(ballot: Ballot) -> BallotAdded:
    """Write a ballot down as a change."""
    return BallotAdded(
        ballot=ballot.id,
        playthrough=ballot.playthrough,
        scene=ballot.scene,
        opened_at=ballot.opened_at,
        deadline=ballot.deadline,
    )


def closing(ballot: Ballot, status: BallotStatus, winner: ChoiceId | None = None) -> BallotSet:
    """Close an open ballot, as decided or as withdrawn."""
    return BallotSet(ballot.id, Outcome("open"), Outcome(status, winner))


async def ask(desk: Desk, here: Situation, ballot: Ballot | None, *, again: bool = False) -> None:
    """Tell the players of a ballot that has just been added, and set its clock."""
    if ballot is None:
        return
    await desk.tell(here.playthrough.id, BallotOpened(ballot, here.playthrough.rules, here.members, again))
    if ballot.deadline is not None:
        await desk.schedule(ballot.id, ballot.deadline)


async def remind(desk: Desk, here: Situation, ballot: Ballot | None, room: RoomId | None = None) -> None:
    """Show the players, or those of one room, an old ballot that is open again.

    Its clock is not set: while the model is away it would decide, fail and be open again for ever.
    """
    if ballot is not None:
        rules, members = here.playthrough.rules, here.members
        await desk.tell(here.playthrough.id, BallotOpened(ballot, rules, members, again=True, room=room))


def standing(member: Member | None) -> Standing | None:
    """Reduce a member to what a change keeps."""
    return None if member is None else Standing(member.state, member.host)


def joining(here: Situation, player: PlayerId, member: Member | None) -> tuple[MemberSet, ...]:
    """Let a player take part; nothing when they do already."""
    if member is not None and member.state == "joined":
        return ()
    after = Standing("joined", host=member is not None and member.host)
    return (MemberSet(here.playthrough.id, player, standing(member), after),)


def voting(ballot: Ballot, player: PlayerId, choice: ChoiceId, at: datetime) -> VoteSet:
    """Let a player vote, whatever they voted before."""
    old = next((vote for vote in ballot.votes if vote.player == player), None)
    before = None if old is None else CastVote(old.choice, old.at)
    return VoteSet(ballot.id, player, before, CastVote(choice, at))


def new_vote(change: VoteSet) -> Vote | None:
    """Read the vote that a change casts."""
    return None if change.after is None else Vote(change.player, change.after.choice, change.after.at)


async def order(desk: Desk, playthrough: PlaythroughId, wanted: Order, clock: Clock) -> RunId:
    """Queue a run and tell the players; answers which run it is.

    Raises:
        Busy: something is being written already.
    """
    return await _queue(desk, playthrough, Draft(order=wanted), "", clock)


async def order_again(desk: Desk, playthrough: PlaythroughId, known: Draft, clock: Clock) -> RunId:
    """The same for a scene of which is known what the storyteller is to be given.

    Raises:
        Busy: something is being written already.
    """
    draft = Draft(order=known.order, brief=known.brief, manifest=known.manifest)
    return await _queue(desk, playthrough, draft, KNOWN, clock)


async def _queue(desk: Desk, playthrough: PlaythroughId, draft: Draft, stage: str, clock: Clock) -> RunId:
    wanted = draft.order
    run = Run(
        id=RunId(clock.new_id()),
        playthrough=playthrough,
        status="queued",
        stage=stage,
        draft=draft,
        attempts=0,
        created_at=clock.now(),
    )
    place = await desk.queue(run, INTERACTIVE)
    await desk.tell(playthrough, WritingQueued(run.id, wanted.task, wanted.chosen, wanted.by, place, wanted.words))
    return run.id


async def settle(desk: Desk, here: Situation, run: Run, draft: Draft, clock: Clock, pictures: PictureMode) -> None:
    """Put a finished draft into the tree, move the head to it and ask what comes next: all at once or not at all.

    Args:
        desk: where it is done.
        here: where the playthrough stands.
        run: what it was told by.
        draft: what was told.
        clock: for new ids.
        pictures: which scenes get a picture where the story's settings do not say.
    """
    wanted = draft.order
    told, choices = _finished(draft, here, run, clock)
    lore = tuple(Fired(each.entry, each.held) for each in draft.brief.lore) if draft.brief else ()
    ended = endings(draft, here.playthrough.rules, here.story.id, told.id, clock)
    shown = await show(
        desk,
        here,
        told,
        choices,
        clock,
        run=run.id,
        cut=draft.cut,
        chosen=wanted.chosen,
        command=wanted.task,
        lore=lore,
        ended=ended,
    )
    if worth_a_look(shown.depth, ended):
        await desk.summarise(shown.id)
    await desk.finish(run.id, "done")
    voted = wanted.choice is not None and wanted.ballot is not None
    if painted_by_itself(here.playthrough.rules.pictures, pictures, voted=voted):
        await paint_by_itself(desk, here.playthrough.id, shown, clock)


def _finished(draft: Draft, here: Situation, run: Run, clock: Clock) -> tuple[NewScene, tuple[Choice, ...]]:
    """The scene and its choices as they are put into the tree."""
    scene, wanted = SceneId(clock.new_id()), draft.order
    choices = tuple(
        Choice(id=ChoiceId(clock.new_id()), scene=scene, position=position, text=text)
        for position, text in enumerate(draft.choices, start=1)
    )
    told = NewScene(
        id=scene,
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
    return told, choices


async def show(  # noqa: PLR0913 - one telling has this many sides
    desk: Desk,
    here: Situation,
    told: NewScene,
    choices: tuple[Choice, ...],
    clock: Clock,
    *,
    chosen: str,
    command: str,
    run: RunId | None = None,
    cut: str = "",
    withdrawn: tuple[Change, ...] = (),
    lore: tuple[Fired, ...] = (),
    ended: tuple[ChapterSet, ...] = (),
) -> Scene:
    """Add a told scene, move the head to it and ask."""
    ballot = question(here, told.id, choices, clock)
    moved = HeadMoved(here.playthrough.id, here.playthrough.head, told.id)
    asked = () if ballot is None else (adding(ballot),)
    await desk.apply((*withdrawn, SceneAdded(told, choices, lore), *ended, moved, *asked), command)
    await desk.remember(told.id)
    scene = await desk.scene(told.id)
    await desk.tell(here.playthrough.id, SceneTold(run, scene, chosen, cut))
    await ask(desk, here, ballot)
    return scene


async def reopen(desk: Desk, here: Situation, ballot: BallotId | None) -> Ballot | None:
    """Open a ballot again that was closed for a run of which nothing came; its votes are still there."""
    old = None if ballot is None else await desk.ballot(ballot)
    if old is None or old.status == "open" or here.ballot is not None:
        return None
    await desk.apply((BallotSet(old.id, Outcome(old.status, old.winner), Outcome("open")),), "reopen")
    return replace(old, status="open", winner=None)
