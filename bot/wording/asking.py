"""The open question in words: the card that is kept up to date, and lines for platforms where nothing can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.wording.voice import COMMAND, Voice, counted, lines, listed, paragraphs
from storyforge_core.domain.ballot import Ballot, count, missing
from storyforge_core.domain.events import BallotChanged, BallotDecided, BallotOpened, BallotWaits
from storyforge_core.domain.story import Choice, ChoiceId, Member, PlayerId, Rules, Tie

CHOICE_WIDTHS = (200, 90, 50, 30, 16)
"""How much of a choice is shown, the longest that fits the message."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A ballot with those who may vote and the rules it is decided by, as an event told them last."""

    ballot: Ballot
    rules: Rules
    members: tuple[Member, ...]

    @property
    def alone(self) -> bool:
        """Only one player takes part: nobody waits for anybody."""
        return sum(member.state == "joined" for member in self.members) <= 1


def asked(event: BallotOpened | BallotChanged) -> Asked:
    """Keep what an event tells about a ballot."""
    return Asked(event.ballot, event.rules, event.members)


def open_card(now: Asked, voice: Voice, limit: int | None) -> str:
    """Ask the question, with the votes so far and what it waits for."""
    return _fitting(now, voice, voice.flavour.strong("What happens next?"), _waiting(now, voice), limit)


def decided_card(now: Asked, event: BallotDecided, voice: Voice, limit: int | None) -> str:
    """Show how the question was decided."""
    return _fitting(now, voice, voice.flavour.strong("Decided."), decision(now, event, voice), limit)


def outcome(now: Asked, event: BallotDecided, voice: Voice) -> str:
    """Say in a line how the question was decided, where its scene stands right above."""
    return f"{voice.flavour.strong('Decided.')} {decision(now, event, voice)}"


def withdrawn_card(now: Asked, voice: Voice, limit: int | None) -> str:
    """Show that nobody waits for votes any more."""
    return _fitting(now, voice, "What happens next?", withdrawn(voice), limit)


def withdrawn(voice: Voice) -> str:
    """Say that nobody waits for votes any more."""
    return voice.flavour.soft("No longer asked: the group went on.")


def moved(voice: Voice) -> str:
    """Say where the question has gone."""
    return voice.flavour.soft("The question goes on further down.")


def question(now: Asked, voice: Voice) -> str:
    """Ask where a message cannot be kept up to date."""
    return open_card(now, voice, None)


def tally(event: BallotChanged, voice: Voice) -> str:
    """Say in one line how the votes stand after a change; empty when the change has decided already."""
    now = asked(event)
    counts = [f"{choice.position} has {counted(votes, 'vote')}" for choice, votes in count(now.ballot).counts if votes]
    added = f"{voice.name(event.by)} adds {voice.choice(event.added, CHOICE_WIDTHS[0])}." if event.added else ""
    if now.alone and not now.rules.quorum:
        return ""  # the vote decides at once, and what was chosen is told next
    votes = f"{_capital(listed(counts))}." if counts else "No votes yet."
    return lines(added, f"{votes} {_missing(now, voice)}".strip())


def decision(now: Asked, event: BallotDecided, voice: Voice) -> str:
    """Say what won and why."""
    winner = voice.flavour.strong(voice.choice(event.winner, CHOICE_WIDTHS[1]))
    if event.by:
        return f"{voice.name(event.by)} decides: {winner}"
    if event.tied:
        return f"{_tie(event.ballot, event.tied)} {_tie_break(now.rules.tie)} {winner}"
    votes = dict(count(event.ballot).counts)
    return f"{winner} wins with {votes[event.winner]} of {counted(len(event.ballot.votes), 'vote')}."


def decision_line(now: Asked, event: BallotDecided, voice: Voice) -> str:
    """Say what won where no card does; empty when a single player knows it, having chosen."""
    return "" if now.alone and not event.tied else decision(now, event, voice)


def waits(event: BallotWaits, voice: Voice) -> str:
    """Say why nothing is decided yet."""
    if not event.tied:
        return "The time is up, but nobody has voted: the question stays open."
    ways = listed([f"{voice.command} close {number}" for number in _numbers(event.ballot, event.tied)], "or")
    return voice.flavour.literal(f"{_tie(event.ballot, event.tied)} The host decides: {ways}.")


def _fitting(now: Asked, voice: Voice, head: str, foot: str, limit: int | None) -> str:
    """Show as much of each choice as fits; when not even the shortest form of all fits, the later ones are counted."""
    for width in CHOICE_WIDTHS:
        card = paragraphs(lines(head, *_rows(now, voice, width)), foot)
        if limit is None or len(card) <= limit:
            return card
    rows = _rows(now, voice, CHOICE_WIDTHS[-1])
    for kept in range(len(rows) - 1, -1, -1):
        card = lines(head, *rows[:kept], f"… and {len(rows) - kept} more: {voice.command} story")
        if limit is None or len(card) <= limit:
            return card
    return head


def _rows(now: Asked, voice: Voice, width: int) -> Sequence[str]:
    names = {member.player: member.name for member in now.members}
    return [
        voice.choice(choice, width) + _votes(now.ballot, choice, votes, names, voice)
        for choice, votes in count(now.ballot).counts
    ]


def _votes(ballot: Ballot, choice: Choice, votes: int, names: Mapping[PlayerId, str], voice: Voice) -> str:
    if not votes:
        return ""
    voters = voice.crowd([names.get(vote.player, "") for vote in ballot.votes if vote.choice == choice.id])
    return f" — {counted(votes, 'vote')} ({', '.join(voters)})"


def _waiting(now: Asked, voice: Voice) -> str:
    deadline = now.ballot.deadline
    until = f"Open until {voice.moment(deadline)}." if deadline else ""
    how = _how_to_vote(now, voice) if not now.ballot.votes else ""
    return lines(f"{until} {_missing(now, voice)}".strip(), voice.flavour.soft(how))


def _how_to_vote(now: Asked, voice: Voice) -> str:
    """Say what can be pressed or typed."""
    if voice.command == COMMAND:
        return "Choose a number, or write what happens instead." if now.rules.write_ins else "Choose a number."
    vote = f"React with a number, or type {voice.command} vote and the number."
    return f"{vote} For something else, {voice.command} write and what happens." if now.rules.write_ins else vote


def _missing(now: Asked, voice: Voice) -> str:
    if now.rules.quorum:
        more = now.rules.quorum - len(now.ballot.votes)
        return f"{counted(more, 'more vote')} decide{'s' if more == 1 else ''}." if more > 0 else ""
    absent = [member.name for member in missing(now.ballot, now.members)]
    return f"Waiting for {voice.names(absent)}." if absent and not now.alone else ""


def _tie(ballot: Ballot, tied: Sequence[ChoiceId]) -> str:
    return f"A tie between {listed([str(number) for number in _numbers(ballot, tied)])}."


def _numbers(ballot: Ballot, choices: Sequence[ChoiceId]) -> Sequence[int]:
    return [choice.position for choice in ballot.choices if choice.id in choices]


def _tie_break(tie: Tie) -> str:
    match tie:
        case "random":
            return "The lot falls on"
        case "first":
            return "First with its votes was"
        case "host":
            return "It is"
        case _:
            assert_never(tie)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
