"""Begin a story, go on, vote, write in, decide."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from storyforge_core.domain.answers import one_line
from storyforge_core.domain.ballot import Ballot, Verdict, cast, complete, count, decide
from storyforge_core.domain.changes import (
    CastVote,
    Change,
    ChoiceAdded,
    MemberSet,
    RoomSet,
    Standing,
    StoryAdded,
    VoteSet,
)
from storyforge_core.domain.commands import CloseBallot, ContinueStory, NewStory, Unvote, Vote, WriteIn
from storyforge_core.domain.events import BallotChanged, BallotDecided, BallotWaits, StoryBegan
from storyforge_core.domain.replies import Accepted, NotHere, Reply
from storyforge_core.domain.runs import Order, Situation
from storyforge_core.domain.space import begin_with, objection_to_start
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    Member,
    Player,
    PlayerId,
    Playthrough,
    PlaythroughId,
    RunId,
    Story,
    StoryId,
)
from storyforge_core.engine.table import Table, quoted
from storyforge_core.engine.turn import closing, joining, new_vote, order, voting
from storyforge_core.errors import Invalid, NotAllowed, NotFound
from storyforge_core.ports import Clock, Desk

TITLE_LENGTH = 60
MOST_CHOICES = 9
"""One digit, one keycap emoji."""


Playing = NewStory | ContinueStory | Vote | Unvote | WriteIn | CloseBallot
"""The commands that are handled here."""


async def handle(table: Table, command: Playing) -> Reply:
    """Play on."""
    match command:
        case NewStory():
            return await new_story(table, command)
        case ContinueStory():
            return await continue_story(table, command)
        case Vote():
            return await vote(table, command)
        case Unvote():
            return await unvote(table, command)
        case WriteIn():
            return await write_in(table, command)
        case CloseBallot():
            return await close_ballot(table, command)
        case _:
            assert_never(command)


async def new_story(table: Table, command: NewStory) -> Reply:
    """Begin a story in this room; one that was shown here stays on the list."""
    premise = command.premise.strip()
    if not premise:
        msg = "What shall it be about? For example: /story new A lighthouse keeper finds a door in the sea"
        raise Invalid(msg)
    if table.desk.situation is not None and not table.here.story.shelved:
        table.require_quiet()
        if _others(table.here.members, table):
            table.require_host("begin another story here")
    if (objection := objection_to_start(table.desk.space, table.speaker, table.around)) is not None:
        return NotHere(objection)
    clock = table.clock
    story = Story(
        id=StoryId(clock.new_id()),
        title=command.title.strip() or one_line(premise, TITLE_LENGTH),
        premise=premise,
        genre=command.genre.strip(),
        tone=command.tone.strip(),
        seed=clock.seed(),
        created_at=table.at,
    )
    playthrough = Playthrough(
        id=PlaythroughId(clock.new_id()),
        story=story.id,
        head=None,
        note="",
        rules=begin_with(table.desk.space, table.rules),
        created_at=table.at,
    )
    hosting = MemberSet(playthrough.id, table.player.id, None, Standing("joined", host=True))
    shown = RoomSet(table.room.id, table.room.playthrough, playthrough.id)
    await table.desk.apply((StoryAdded(story, playthrough), hosting, shown), "new")
    await table.desk.tell(playthrough.id, StoryBegan(story.title, story.premise, table.player.name))
    run = await order(table.desk, playthrough.id, _opening(story.seed, table.player, playthrough.rules.words), clock)
    return Accepted(f"{quoted(story.title)} begins.", run)


def _opening(seed: int, player: Player, words: int) -> Order:
    return Order(
        task="open",
        parent=None,
        choice=None,
        chosen="",
        hint="",
        base=None,
        head=None,
        ballot=None,
        seed=seed,
        by=player.name,
        asker=player.id,
        words=words,
    )


async def continue_story(table: Table, command: ContinueStory) -> Reply:
    """Write on: with what leads the open ballot, or freely when nobody has voted."""
    table.require_quiet()
    here = table.here
    if here.head is None:
        opening = _opening(here.story.seed, table.player, here.playthrough.rules.words)
        run = await order(table.desk, here.playthrough.id, opening, table.clock)
        return Accepted("The opening is being written.", run)
    ballot = here.ballot
    if ballot is not None and not table.host and _others(here.members, table):
        msg = "The others have not decided yet. Vote with its number: /story vote 1. A host may /story close."
        raise NotAllowed(msg)
    verdict = None if ballot is None else decide(ballot, here.playthrough.rules.tie)
    if ballot is not None and ballot.votes and verdict is None:
        msg = "There is a tie. Name the choice that wins: /story close 1"
        raise Invalid(msg)
    if ballot is not None and verdict is not None:
        run = await _decided(table.desk, here, ballot, verdict, table.clock, by="", hint=command.hint, before=())
        return Accepted(f"On with {quoted(verdict.winner.text)}.", run)
    if ballot is not None:
        await table.desk.apply((closing(ballot, "withdrawn"),), "continue")
    freely = _following(here, None, command.hint, table.clock.seed(), table.player)
    run = await order(table.desk, here.playthrough.id, freely, table.clock)
    return Accepted("The next scene is being written.", run)


def _others(members: tuple[Member, ...], table: Table) -> bool:
    return any(member.state == "joined" and member.player != table.player.id for member in members)


def _following(here: Situation, winner: Choice | None, hint: str, seed: int, player: Player | None) -> Order:
    head = here.playthrough.head
    return Order(
        task="continue",
        parent=head,
        choice=winner.id if winner else None,
        chosen=winner.text if winner else "",
        hint=hint.strip(),
        base=None,
        head=head,
        ballot=here.ballot.id if here.ballot else None,
        seed=seed,
        by="the players" if player is None else player.name,
        asker=None if player is None else player.id,
        words=here.playthrough.rules.words,
    )


async def vote(table: Table, command: Vote) -> Reply:
    """Vote, or vote otherwise; the vote that makes the ballot complete decides it."""
    ballot = table.require_ballot()
    choice = numbered(ballot, command.number)
    mine = next((old for old in ballot.votes if old.player == table.player.id), None)
    if mine is not None and command.given is not None and command.given < mine.at:
        return Accepted("Your newest vote counts.")
    if mine is not None and mine.choice == choice.id:
        if command.given is not None and command.given > mine.at:
            await table.desk.apply((voting(ballot, table.player.id, choice.id, command.given),), "vote")
        return Accepted(f"Your vote stays with {choice.position}, {quoted(choice.text)}.")
    return await _vote(table, ballot, choice, command.given or table.at, added=None)


async def unvote(table: Table, command: Unvote) -> Reply:
    """Take back the vote that a sign stood for; the ballot waits for the player again.

    Raises:
        NotFound: it counts no more, since they have voted otherwise.
    """
    ballot = table.require_ballot()
    mine = next((old for old in ballot.votes if old.player == table.player.id and old.at == command.given), None)
    if mine is None:
        msg = "That vote does not count any more."
        raise NotFound(msg)
    left = replace(ballot, votes=tuple(old for old in ballot.votes if old is not mine))
    taken = VoteSet(ballot.id, mine.player, CastVote(mine.choice, mine.at), None)
    await table.desk.apply((taken,), "unvote")
    rules, members = table.here.playthrough.rules, table.here.members
    await table.desk.tell(table.here.playthrough.id, BallotChanged(left, rules, members, table.player.name))
    return Accepted("Your vote is taken back.")


async def write_in(table: Table, command: WriteIn) -> Reply:
    """Add a choice and vote for it; the same words again are a vote."""
    ballot = table.require_ballot()
    text = one_line(command.text, 200)
    if not text:
        msg = "Write what shall happen, for example: /story write I knock on the door"
        raise Invalid(msg)
    if not table.here.playthrough.rules.write_ins and not table.host:
        msg = "This story takes no choices of your own. Vote with /story vote and a number."
        raise NotAllowed(msg)
    known = next((choice for choice in ballot.choices if choice.text.casefold() == text.casefold()), None)
    if known is not None:
        return await vote(table, Vote(known.position, command.given))
    if len(ballot.choices) >= MOST_CHOICES:
        msg = f"There are {MOST_CHOICES} choices already; vote for one of them."
        raise Invalid(msg)
    added = Choice(
        id=ChoiceId(table.clock.new_id()),
        scene=ballot.scene,
        position=max(choice.position for choice in ballot.choices) + 1,
        text=text,
        author=table.player.id,
    )
    return await _vote(
        table, replace(ballot, choices=(*ballot.choices, added)), added, command.given or table.at, added=added
    )


async def _vote(table: Table, ballot: Ballot, choice: Choice, at: datetime, added: Choice | None) -> Reply:
    here = table.here
    joined = joining(here, table.player.id, table.member)
    members = with_member(here.members, joined, table.player.name)
    change = voting(ballot, table.player.id, choice.id, at)
    ballot = _with_vote(ballot, change)
    changes: tuple[Change, ...] = (*joined, *(() if added is None else (ChoiceAdded(added),)), change)
    changed = BallotChanged(ballot, here.playthrough.rules, members, table.player.name, added)
    command = "vote" if added is None else "write"
    if not complete(ballot, here.playthrough.rules, members):
        await table.desk.apply(changes, command)
        await table.desk.tell(here.playthrough.id, changed)
        return Accepted(f"Your vote is with {choice.position}, {quoted(choice.text)}.")
    return await _complete(table, ballot, changes, changed, command)


async def _complete(
    table: Table, ballot: Ballot, changes: tuple[Change, ...], changed: BallotChanged, command: str
) -> Reply:
    """Everybody has voted: decide, unless the host has to break a tie."""
    here = table.here
    verdict = decide(ballot, here.playthrough.rules.tie)
    if verdict is None:
        await table.desk.apply(changes, command)
        await table.desk.tell(here.playthrough.id, changed, _waiting(ballot))
        return Accepted("It is a tie; the host decides.")
    await table.desk.tell(here.playthrough.id, changed)
    run = await _decided(table.desk, here, ballot, verdict, table.clock, by="", hint="", before=changes)
    return Accepted(f"On with {quoted(verdict.winner.text)}.", run)


async def close_ballot(table: Table, command: CloseBallot) -> Reply:
    """Decide now, by the votes so far or by the host's word."""
    ballot = table.require_ballot()
    if _others(table.here.members, table):
        table.require_host("close the ballot")
    if command.number is not None:
        winner = numbered(ballot, command.number)
        verdict: Verdict | None = Verdict(winner)
        by = table.player.name
    else:
        verdict, by = decide(ballot, table.here.playthrough.rules.tie), ""
    if verdict is None:
        why = "There is a tie" if ballot.votes else "Nobody has voted yet"
        msg = f"{why}. Name the choice that wins: /story close 1"
        raise Invalid(msg)
    run = await _decided(table.desk, table.here, ballot, verdict, table.clock, by=by, hint="", before=())
    return Accepted(f"On with {quoted(verdict.winner.text)}.", run)


async def ballot_deadline(desk: Desk, ballot: BallotId, clock: Clock) -> None:
    """Decide a ballot whose time is up; one that cannot be decided waits for the players."""
    here = desk.situation
    if here is None or here.ballot is None or here.ballot.id != ballot or here.run is not None:
        return
    verdict = decide(here.ballot, here.playthrough.rules.tie)
    if verdict is None:
        await desk.tell(here.playthrough.id, _waiting(here.ballot))
        return
    await _decided(desk, here, here.ballot, verdict, clock, by="", hint="", before=())


def _waiting(ballot: Ballot) -> BallotWaits:
    return BallotWaits(ballot, tuple(choice.id for choice in count(ballot).leaders))


async def _decided(  # noqa: PLR0913 - what a decision is made of
    desk: Desk,
    here: Situation,
    ballot: Ballot,
    verdict: Verdict,
    clock: Clock,
    *,
    by: str,
    hint: str,
    before: tuple[Change, ...],
) -> RunId:
    """Close a ballot and queue the winner, in this order of one transaction: neither happens without the other."""
    await desk.apply((*before, closing(ballot, "closed", verdict.winner.id)), "decide")
    closed = replace(ballot, status="closed", winner=verdict.winner.id)
    tied = tuple(choice.id for choice in verdict.tied)
    await desk.tell(here.playthrough.id, BallotDecided(closed, verdict.winner, tied, by))
    following = _following(here, verdict.winner, hint, clock.seed(), desk.player)
    return await order(desk, here.playthrough.id, following, clock)


async def recount(table: Table, members: tuple[Member, ...]) -> None:
    """Look at the open ballot again after somebody joined or left: it may be complete now."""
    here = table.here
    if here.ballot is not None and here.run is None:
        await _reconsider(table, here, here.ballot, members, before=())


async def take_out(
    table: Table, here: Situation, player: PlayerId, changes: tuple[Change, ...], members: tuple[Member, ...]
) -> None:
    """Write the changes that take somebody out of a playthrough, their vote with them; others may be complete now."""
    ballot = here.ballot
    if ballot is None or here.run is not None:
        await table.desk.apply(changes, "forget")
        return
    withdrawn = tuple(
        VoteSet(ballot.id, player, CastVote(vote.choice, vote.at), None)
        for vote in ballot.votes
        if vote.player == player
    )
    left = replace(ballot, votes=tuple(vote for vote in ballot.votes if vote.player != player))
    if not await _reconsider(table, here, left, members, before=(*changes, *withdrawn)):
        await table.desk.apply((*changes, *withdrawn), "forget")


async def _reconsider(
    table: Table, here: Situation, ballot: Ballot, members: tuple[Member, ...], *, before: tuple[Change, ...]
) -> bool:
    """Show how a ballot stands with these members; decide it if it is complete, with what has to be written before."""
    rules = here.playthrough.rules
    await table.desk.tell(here.playthrough.id, BallotChanged(ballot, rules, members, table.player.name))
    verdict = decide(ballot, rules.tie)
    if verdict is None or not complete(ballot, rules, members):
        return False
    await _decided(table.desk, here, ballot, verdict, table.clock, by="", hint="", before=before)
    return True


def numbered(ballot: Ballot, number: int) -> Choice:
    """Find a choice by the number that people type.

    Raises:
        NotFound: no such number.
    """
    choice = next((choice for choice in ballot.choices if choice.position == number), None)
    if choice is None:
        most = max(choice.position for choice in ballot.choices)
        msg = f"There is no choice {number}. Vote for 1 to {most}, for example: /story vote 1"
        raise NotFound(msg)
    return choice


def with_member(members: tuple[Member, ...], changes: tuple[MemberSet, ...], name: str) -> tuple[Member, ...]:
    """See the members as they are after some changes to one of them."""
    for change in changes:
        members = tuple(member for member in members if member.player != change.player)
        if change.after is not None:
            joined = Member(player=change.player, name=name, state=change.after.state, host=change.after.host)
            members = (*members, joined)
    return members


def _with_vote(ballot: Ballot, change: VoteSet) -> Ballot:
    new = new_vote(change)
    return ballot if new is None else cast(ballot, new)
