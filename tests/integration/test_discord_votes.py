"""Votes on Discord: every way to give one, everybody's newest, and the deadline that ends it."""

from pathlib import Path

import pytest

from storyforge_core.domain.events import BallotChanged
from storyforge_core.domain.policy import Rate
from storyforge_core.domain.story import Rules
from storyforge_core.engine.app import Doorman
from storyforge_core.store.database import Database
from tests.discordia import Club, asks, club
from tests.peers.discord.people import Human
from tests.peers.discord.rules import HOUR, OLD_EDITS
from tests.peers.discord.state import Message, Permission

LONG = Rules(quorum=50)
"""Nothing is decided before the test has seen what it wants to see."""


async def test_whoever_votes_in_several_ways_has_the_vote_given_last(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=LONG) as friends, friends.program():
        card = await friends.begins()
        friends.ann.react(card, "1️⃣")
        await votes(friends, card, 1, "Ann")
        await (await friends.ann.click(card, "2. Choice 2 of 1")).settled()
        await friends.types(friends.ann, "story vote", number=3)
        await votes(friends, card, 3, "Ann")
        assert card.content.count("Ann") == 1


async def test_only_people_and_only_keycaps_are_counted(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=LONG) as friends, friends.program():
        card = await friends.begins()
        friends.robot.react(card, "1️⃣")
        friends.ann.react(card, "🦊")
        friends.ann.react(card, "9️⃣")
        friends.bo.super_react(card, "3️⃣")
        await votes(friends, card, 3, "Bo")
        assert card.content.count("1 vote") == 1


async def test_a_crowd_that_reacts_at_once_is_counted_to_the_last(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=LONG) as friends:
        friends.doorman = Doorman(Rate(1), Rate(2))
        async with friends.program():
            card = await friends.begins()
            for number in range(12):
                friends.server.member(f"Guest {number}").react(card, "2️⃣")
            await friends.until(lambda: "2. Choice 2 of 1 — 12 votes" in card.content)


async def test_who_keeps_reacting_has_the_newest_vote_and_disturbs_nobody(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=LONG) as friends, friends.program():
        card = await friends.begins()
        for _ in range(10):
            for keycap in ("1️⃣", "3️⃣", "2️⃣"):
                friends.ann.unreact(card, keycap)
                friends.ann.react(card, keycap)
        await friends.until(lambda: "2. Choice 2 of 1 — 1 vote (Ann)" in card.content)
        counted = [event for event in await friends.events() if isinstance(event, BallotChanged)]
        assert len(counted) < 10
        assert [vote.choice for vote in counted[-1].ballot.votes] == [counted[-1].ballot.choices[1].id]


async def test_who_asks_too_often_is_told_so_alone(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=LONG) as friends:
        friends.doorman = Doorman(Rate(3), Rate(60))
        async with friends.program():
            card = await friends.begins()
            answers = [await friends.ann.click(card, f"{number}. Choice {number} of 1") for number in (1, 2, 1, 2)]
            answers += [await friends.ann.slash(friends.thread, "story story") for _ in range(2)]
            told = [await answer.settled() for answer in answers]
            assert sum("That was a lot at once. Try again in" in answer.text for answer in told) >= 3
            assert all(answer.private for answer in told)
            assert not any("a lot at once" in text for text in friends.texts)
            assert "Your vote is with" in (await (await friends.bo.click(card, "1. Choice 1 of 1")).settled()).text


async def test_votes_go_on_in_another_message_when_discord_takes_no_more_edits_of_the_first(
    database: Database, tmp_path: Path
) -> None:
    async with club(database, tmp_path, rules=LONG) as friends, friends.program():
        card = await friends.begins()
        friends.peer.world.clock.forward(HOUR + 1)
        card.old_edits = OLD_EDITS  # from here on it is error 30046
        await (await friends.ann.click(card, "2. Choice 2 of 1")).settled()
        await friends.until(lambda: friends.thread.messages[-1] is not card)
        newer = friends.thread.messages[-1]
        assert asks(newer)
        assert "2. Choice 2 of 1 — 1 vote (Ann)" in newer.content
        friends.bo.react(newer, "1️⃣")
        await votes(friends, newer, 1, "Bo")


async def test_the_deadline_decides_and_a_tie_is_announced(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=Rules(deadline=2)) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.server.member("Cy"), "story join")
        assert "Open until <t:" in card.content
        friends.ann.react(card, "1️⃣")
        await (await friends.bo.click(card, "2. Choice 2 of 1")).settled()
        await friends.reads("A tie between 1 and 2. The lot falls on")
        await friends.reads("2 · Scene after 1")


async def test_the_deadline_counts_a_reaction_that_nobody_was_told_of(database: Database, tmp_path: Path) -> None:
    async with club(database, tmp_path, rules=Rules(deadline=2)) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.bo, "story join")
        unheard(friends.ann, card, "3️⃣")
        await friends.reads("wins with 1 of 1 vote")
        await friends.reads("*→ Choice 3 of 1*")


async def test_a_deadline_that_passed_meanwhile_waits_for_the_program_to_count(
    database: Database, tmp_path: Path
) -> None:
    async with club(database, tmp_path, rules=Rules(deadline=1)) as friends:
        async with friends.program():
            card = await friends.begins()
            for name in ("Bo", "Cy"):
                await friends.types(friends.server.member(name), "story join")
        friends.bo.react(card, "2️⃣")
        friends.ann.super_react(card, "2️⃣")
        await friends.called_last.wait()
        async with friends.program():
            await friends.reads("wins with 2 of 2 votes")


async def test_where_discord_does_not_answer_the_deadline_decides_all_the_same(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyforge_core.engine.app.LAST_CALL_SECONDS", 0.3)
    async with club(database, tmp_path, rules=Rules(deadline=2)) as friends, friends.program():
        card = await friends.begins()
        await friends.types(friends.bo, "story join")
        await (await friends.bo.click(card, "1. Choice 1 of 1")).settled()
        friends.peer.trouble("GET /channels/*/messages/*", "slow", seconds=30, times=9)
        await friends.reads("wins with 1 of 1 vote")


async def test_without_reactions_of_ones_own_that_is_said_once_and_buttons_go_on(
    database: Database, tmp_path: Path
) -> None:
    async with club(database, tmp_path) as friends:
        friends.server.forbid(friends.general, Permission.ADD_REACTIONS)
        async with friends.program():
            card = await friends.begins()
            await friends.reads("allow me Add Reactions and Read Message History")
            await (await friends.ann.click(card, "1. Choice 1 of 1")).settled()
            await friends.reads("2 · Scene after 1")
        async with friends.program():
            second = await friends.asked()
            await (await friends.ann.click(second, "1. Choice 1 of 2")).settled()
            await friends.reads("3 · Scene after 2")
        assert sum("allow me Add Reactions" in text for text in friends.texts) == 1


async def votes(friends: Club, card: Message, number: int, name: str) -> None:
    """Wait until somebody's vote is shown."""
    await friends.until(lambda: f"{number}. Choice {number} of 1 — 1 vote ({name})" in card.content)


def unheard(human: Human, message: Message, emoji: str) -> None:
    """React, and have the event lost."""
    message.reactions.setdefault(emoji, {})[human.user.id] = human.user
