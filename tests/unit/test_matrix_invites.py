"""Which invitations are followed, and how many."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.platforms.matrix.invites import JOINS, Invites
from bot.platforms.matrix.options import Options
from bot.platforms.matrix.powers import Powers
from bot.surface import SlowDown
from storyforge_core.engine.clock import SystemClock


@dataclass
class Server:
    """As much of a homeserver as invitations take, and of those who know it."""

    joined: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    me: str = "@bot:example.org"
    client: Any = field(default_factory=lambda: SimpleNamespace(rooms={}))

    async def call(self, _: str, path: str, __: object = None) -> dict[str, str]:
        before, last = path.partition("?")[0].split("/")[-2:]
        if last == "leave":
            self.left.append(before)
        elif before == "join":
            self.joined.append(last)
        return {"room_id": "!found:example.org"} if before == "room" else {}

    async def state(self, *_: str) -> None:
        """There is none."""

    async def send(self, *_: object) -> str:
        return "$hello"

    async def powers(self, _: str) -> Powers:
        return Powers()

    async def attendance(self, *_: str | Collection[str] | datetime | None) -> None:
        """Nobody notes it."""


def invites(server: Server, *users: str, rooms: tuple[str, ...] = ()) -> Invites:
    known = cast("Any", server)
    options = Options(homeserver="", directory=Path(), allowed_users=users, allowed_rooms=rooms)
    return Invites(link=known, askers=known, direct=known, register=known, clock=SystemClock(), options=options)


@pytest.mark.parametrize(
    ("allowed", "follows"),
    [
        ((), False),
        (("@ann:example.org",), True),
        (("@bo:example.org", "@*:example.org"), True),
        (("@ann:*",), True),
        (("*",), True),
        (("@an:example.org", "ann", "@ann:example", "@ann:example.org.evil.net"), False),
        (("@*:sub.example.org",), False),
    ],
)
async def test_only_those_who_are_named_are_followed(allowed: tuple[str, ...], follows: bool) -> None:  # noqa: FBT001
    server = Server()
    asked = invites(server, *allowed)
    await asked.invited("!den", {"sender": "@ann:example.org"})
    assert (server.joined, server.left) == ((["%21den"], []) if follows else ([], ["%21den"]))
    asked.close()


@pytest.mark.parametrize("allowed", ["!found:example.org", "#stories:example.org"])
async def test_into_some_rooms_everybody_may_invite(allowed: str) -> None:
    server = Server()
    asked = invites(server, rooms=(allowed,))
    await asked.invited("!found:example.org", {"sender": "@stranger:evil.net"})
    await asked.invited("!other:example.org", {"sender": "@stranger:evil.net"})
    assert (len(server.joined), len(server.left)) == (1, 1)
    asked.close()


async def test_nobody_can_have_it_run_from_room_to_room() -> None:
    server = Server()
    asked = invites(server, "*")
    for number in range(JOINS.per_minute):
        await asked.invited(f"!{number}", {"sender": "@ann:example.org"})
    with pytest.raises(SlowDown) as slow:
        await asked.invited("!one-more", {"sender": "@ann:example.org"})
    assert 0 < slow.value.retry_after <= 60 / JOINS.per_minute
    assert len(server.joined) == JOINS.per_minute
    asked.close()
