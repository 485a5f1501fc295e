"""Requests to Discord take turns, so that it never counts more than it takes, also after the program was held up."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.platforms.discord.turns import Turns
from tests.bench.chat.discord_memory import in_memory
from tests.fakes import VirtualLoop, in_virtual_time
from tests.peers.discord.limits import GLOBAL

REQUESTS = 200


@pytest.mark.parametrize("held_up", [0.0, 0.3, 0.9, 5.0])
def test_no_more_requests_go_in_any_second_than_discord_takes(held_up: float) -> None:
    gone = in_virtual_time(crowd(held_up))
    assert len(gone) == REQUESTS
    assert most_in_a_second(gone) <= GLOBAL
    assert gone[-1] - gone[0] < REQUESTS / GLOBAL + held_up + 1.2  # nor does anybody wait for nothing


def test_a_request_that_nobody_is_before_goes_at_once() -> None:
    async def waits() -> list[float]:
        turns = Turns()
        first = turns.take()
        await asyncio.sleep(1)
        return [first, turns.take()]

    assert in_virtual_time(waits()) == [0, 0]


def test_requests_of_every_kind_are_counted() -> None:
    async def asked() -> list[int]:
        async with in_memory() as ground:
            channels = [ground.link.channel(room) for room in await ground.rooms(40)]
            told = await asyncio.gather(*(channel.send("Once.") for channel in channels))
            reactions = asyncio.gather(*(message.add_reaction("1️⃣") for message in told))
            looks = asyncio.gather(*(message.fetch() for message in told))
            await asyncio.gather(reactions, looks, *(message.delete() for message in told[::2]))
            return [request.status for request in ground.peer.requests]

    answers = in_virtual_time(asked())
    assert len(answers) > 3 * 40
    assert 429 not in answers


async def crowd(held_up: float) -> list[float]:
    """When each of many requests goes; after a second the program does not get to run for a while."""
    loop, turns = asyncio.get_running_loop(), Turns()
    gone: list[float] = []

    async def request() -> None:
        await turns.wait(turns.take())
        gone.append(loop.time())

    assert isinstance(loop, VirtualLoop)
    loop.call_later(1.0, loop.hold_up, held_up)
    await asyncio.gather(*(request() for _ in range(REQUESTS)))
    return gone


def most_in_a_second(times: Sequence[float]) -> int:
    return max(sum(begin <= time < begin + 1 for time in times) for begin in times)
