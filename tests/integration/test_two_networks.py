"""One story on Discord and on Matrix at the same time."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from storyforge_core.domain.events import SceneTold
from storyforge_core.store.database import Database
from tests import discordia, matrixia
from tests.game import game
from tests.matrixia import TWO
from tests.peers.discord.peer import DiscordPeer
from tests.peers.matrix_people import Seen, people
from tests.peers.synapse import Synapse


@dataclass
class Both:
    """Ann is on both, Bo on Matrix only."""

    discord: discordia.Club
    matrix: matrixia.Club

    async def meets(self) -> Seen:
        """Ann begins a story on Discord and has it told on Matrix too; answers the question there."""
        ann, room = self.matrix.ann, await self.matrix.meets()
        await self.discord.begins()
        code = code_in((await self.discord.types(self.discord.ann, "story link")).text)
        await ann.says(room, f"!story join-room {code}")
        await ann.reads(room, "Ann has a story told in this thread")
        return await self.matrix.asked()

    async def becomes_one(self, card: Seen) -> None:
        """Ann's two accounts become one player."""
        code = code_in((await self.discord.types(self.discord.ann, "story link", code="me")).text)
        await self.matrix.ann.says(self.matrix.room, f"!story link {code}", thread=card.thread)
        await self.matrix.ann.reads(self.matrix.room, "one player now, with one vote")


@asynccontextmanager
async def both(homeserver: Synapse, database: Database, place: Path) -> AsyncGenerator[Both]:
    async with DiscordPeer(window=1.0) as peer, people(homeserver) as meet, game(database) as play:
        friends = discordia.Club(peer, play, database, place / "commands")
        _ = friends.general, friends.ann
        club = await matrixia.gathered(homeserver, meet, play, database, place)
        async with friends.program(), club.program():
            yield Both(friends, club)
        assert not peer.violations, "\n".join(peer.violations)


def code_in(text: str) -> str:
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", text)
    assert found, text
    return found[0]


async def test_both_see_it_and_whoever_is_on_both_has_one_vote(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with both(homeserver, database, tmp_path) as friends:
        card = await friends.meets()
        discord, matrix = friends.discord, friends.matrix
        await matrix.ann.reads(matrix.room, "s1w1 ")
        await friends.becomes_one(card)
        await matrix.bo.says(matrix.room, "!story join", thread=card.thread)
        await discord.reads("Bo joins")
        await matrix.ann.reacts(matrix.room, card.id, TWO)
        await discord.reads("2. Choice 2 of 1 — 1 vote (Ann)")
        await discord.types(discord.ann, "story vote", number=3)
        await matrix.shows(card, "3. Choice 3 of 1 — 1 vote (Ann)")
        assert "2. Choice 2 of 1 — 1 vote" not in matrix.now(card)
        await matrix.bo.says(matrix.room, "!story vote 3", thread=card.thread)
        await matrix.ann.reads(matrix.room, "s2w1 ")
        await discord.reads("s2w1 ")
        told = [event for event in await discord.events() if isinstance(event, SceneTold)]
        assert [event.chosen for event in told] == ["", "Choice 3 of 1"]


async def test_one_that_is_away_stops_no_story_on_the_other(
    homeserver: Synapse, database: Database, tmp_path: Path
) -> None:
    async with both(homeserver, database, tmp_path) as friends:
        card = await friends.meets()
        discord, matrix = friends.discord, friends.matrix
        for request in ("POST /channels/*/messages", "PATCH /channels/*/messages/*"):
            discord.peer.trouble(request, "error", times=1000)
        await matrix.bo.says(matrix.room, "!story vote 1", thread=card.thread)
        await matrix.ann.says(matrix.room, "!story close", thread=card.thread)
        await matrix.ann.reads(matrix.room, "s2w1 ")
        assert not any("s2w1 " in text for text in discord.texts)
        discord.peer.faults.orders.clear()
        await discord.reads("s2w1 ")
        await discord.reads("1. Choice 1 of 2")
