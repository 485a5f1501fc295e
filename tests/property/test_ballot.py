"""Ballots against a count by hand, in any order of arrival."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyforge_core.domain.ballot import Ballot, Vote, cast, complete, count, decide, missing
from storyforge_core.domain.story import (
    BallotId,
    Choice,
    ChoiceId,
    Member,
    MembershipState,
    PlayerId,
    PlaythroughId,
    Rules,
    SceneId,
    Tie,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCENE = SceneId(UUID(int=1))
CHOICES = tuple(Choice(id=ChoiceId(UUID(int=n)), scene=SCENE, position=n, text=f"choice {n}") for n in range(1, 5))
PLAYERS = [PlayerId(UUID(int=100 + n)) for n in range(8)]

Said = tuple[int, int]
"""A player and a choice, by index."""
saids: st.SearchStrategy[list[Said]] = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=30)


def empty(number: int = 7) -> Ballot:
    return Ballot(
        id=BallotId(UUID(int=number)),
        playthrough=PlaythroughId(UUID(int=2)),
        scene=SCENE,
        choices=CHOICES,
        opened_at=NOON,
    )


def after(said: Sequence[Said], ballot: Ballot | None = None) -> Ballot:
    """The ballot after these were said, a second apart."""
    ballot = ballot or empty()
    for second, (player, choice) in enumerate(said):
        ballot = cast(ballot, Vote(PLAYERS[player], CHOICES[choice].id, NOON + timedelta(seconds=second)))
    return ballot


def by_hand(said: Sequence[Said]) -> list[int]:
    final = dict(said)
    return [sum(choice == index for choice in final.values()) for index in range(4)]


@given(saids)
def test_the_last_word_of_each_player_counts_once(said: list[Said]) -> None:
    tally = count(after(said))
    assert [votes for _, votes in tally.counts] == by_hand(said)
    assert [choice for choice, _ in tally.counts] == list(CHOICES)
    assert tally.voted == len({player for player, _ in said})


@given(saids, st.randoms(use_true_random=False))
def test_the_order_in_which_players_vote_does_not_matter(said: list[Said], chance: random.Random) -> None:
    final = list(dict(said).items())
    shuffled = list(final)
    chance.shuffle(shuffled)
    one, other = after(final), after(shuffled)
    assert count(one) == count(other)
    assert decide(one, "random") == decide(other, "random")
    assert (decide(one, "host") is None) == (decide(other, "host") is None)


@given(saids)
def test_a_vote_said_twice_counts_once(said: list[Said]) -> None:
    assert count(after([*said, *said[-1:]])) == count(after(said))


@given(saids, st.sampled_from(get_args(Tie)))
def test_the_winner_has_the_most_votes_or_nobody_wins(said: list[Said], tie: Tie) -> None:
    votes = by_hand(said)
    leaders = {index for index in range(4) if votes[index] == max(votes) > 0}
    verdict = decide(after(said), tie)
    if not leaders or (tie == "host" and len(leaders) > 1):
        assert verdict is None
    else:
        assert verdict is not None
        assert CHOICES.index(verdict.winner) in leaders
        assert {CHOICES.index(choice) for choice in verdict.tied} == (leaders if len(leaders) > 1 else set())


@given(saids)
def test_among_equals_who_had_all_votes_first_wins(said: list[Said]) -> None:
    verdict = decide(after(said), "first")
    votes, final, complete_at = by_hand(said), dict(said), dict[int, int]()
    for second, (player, choice) in enumerate(said):
        if final[player] == choice and (player, choice) not in said[second + 1 :]:
            complete_at[choice] = second
    leaders = [index for index in range(4) if votes[index] == max(votes) > 0]
    expected = min(leaders, key=lambda index: complete_at[index], default=None)
    assert (CHOICES.index(verdict.winner) if verdict else None) == expected


def test_lots_are_fair_between_ballots() -> None:
    drawn = [decide(after([(0, 0), (1, 1)], empty(number)), "random") for number in range(200)]
    wins = sum(verdict is not None and verdict.winner == CHOICES[0] for verdict in drawn)
    assert 60 < wins < 140


members = st.lists(st.tuples(st.integers(0, 7), st.sampled_from(get_args(MembershipState))), unique_by=lambda m: m[0])


@given(saids, members, st.integers(0, 9))
def test_a_ballot_is_complete_at_its_quorum_or_when_nobody_is_awaited(
    said: list[Said], who: list[tuple[int, MembershipState]], quorum: int
) -> None:
    ballot = after(said)
    joined = [Member(player=PLAYERS[index], name="x", state=state) for index, state in who]
    voted = {player for player, _ in said}
    awaited = [index for index, state in who if state == "joined" and index not in voted]
    assert [PLAYERS.index(member.player) for member in missing(ballot, joined)] == awaited
    expected = bool(voted) and (len(voted) >= quorum if quorum else not awaited)
    assert complete(ballot, Rules(quorum=quorum), joined) == expected


@pytest.mark.parametrize("tie", get_args(Tie))
def test_nobody_wins_without_votes(tie: Tie) -> None:
    assert decide(empty(), tie) is None
    assert decide(replace(empty(), choices=()), tie) is None
