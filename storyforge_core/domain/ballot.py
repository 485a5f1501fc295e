"""The open question at a head: who may still vote, what leads, when it is decided. Pure."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    Member,
    PlayerId,
    PlaythroughId,
    Rules,
    SceneId,
    Tie,
)

BallotStatus = Literal["open", "closed", "withdrawn"]
"""Withdrawn: the group moved elsewhere before it was decided."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A player's say. The newest of a player counts."""

    player: PlayerId
    choice: ChoiceId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A question put to the players of one playthrough at one scene."""

    id: BallotId
    playthrough: PlaythroughId
    scene: SceneId
    choices: tuple[Choice, ...]
    votes: tuple[Vote, ...] = ()
    """One per player."""
    status: BallotStatus = "open"
    winner: ChoiceId | None = None
    opened_at: datetime
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How a ballot stands."""

    counts: tuple[tuple[Choice, int], ...]
    """In the order of the choices."""
    voted: int

    @property
    def leaders(self) -> tuple[Choice, ...]:
        """The choices with the most votes; empty while nobody has voted."""
        best = max((count for _, count in self.counts), default=0)
        return tuple(choice for choice, count in self.counts if count == best and best > 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a ballot."""

    winner: Choice
    tied: tuple[Choice, ...] = ()
    """The choices that had as many votes; empty when the winner was alone."""


def count(ballot: Ballot) -> Tally:
    """Count the votes for each choice."""
    votes = Counter(vote.choice for vote in ballot.votes)
    return Tally(tuple((choice, votes[choice.id]) for choice in ballot.choices), len(ballot.votes))


def cast(ballot: Ballot, vote: Vote) -> Ballot:
    """Replace the player's vote; their other votes are gone."""
    others = tuple(other for other in ballot.votes if other.player != vote.player)
    return replace(ballot, votes=(*others, vote))


def missing(ballot: Ballot, members: Sequence[Member]) -> tuple[Member, ...]:
    """List the joined members who have not voted yet."""
    voted = {vote.player for vote in ballot.votes}
    return tuple(member for member in members if member.state == "joined" and member.player not in voted)


def complete(ballot: Ballot, rules: Rules, members: Sequence[Member]) -> bool:
    """Tell whether enough players have voted to decide now, without waiting for the deadline."""
    if not ballot.votes:
        return False
    if rules.quorum:
        return len(ballot.votes) >= rules.quorum
    return not missing(ballot, members)


def decide(ballot: Ballot, tie: Tie) -> Verdict | None:
    """Name the winner by plurality; None when nobody voted or the host has to break a tie."""
    leaders = count(ballot).leaders
    if not leaders:
        return None
    if len(leaders) == 1:
        return Verdict(leaders[0])
    match tie:
        case "random":
            return Verdict(random.Random(str(ballot.id)).choice(leaders), leaders)  # noqa: S311 - a fair, repeatable lot
        case "first":
            return Verdict(min(leaders, key=lambda choice: _reached(ballot, choice)), leaders)
        case "host":
            return None
        case _:
            assert_never(tie)


def _reached(ballot: Ballot, choice: Choice) -> datetime:
    """Find when the choice got the last of its votes: who had them all first, wins."""
    return max(vote.at for vote in ballot.votes if vote.choice == choice.id)
