"""A window of Discord's is used the moment it is over, by bots that are always as far away, and never before."""

import random

import pytest

from bot.platforms.discord.ways import FEW, KNOWN, Ways
from tests.bench.chat import memory_wire
from tests.bench.chat.contest import Load, play
from tests.bench.chat.discord_ground import product
from tests.bench.chat.discord_memory import ONE_WAY, in_memory
from tests.bench.chat.speech import Summary
from tests.fakes import in_virtual_time


def known(*took: float) -> Ways:
    ways = Ways()
    for seconds in took:
        ways.took(seconds)
    return ways


def test_of_ways_that_take_the_same_time_most_is_saved() -> None:
    assert 0.12 < known(*[0.15] * FEW).saved < 0.15


def test_one_that_was_slow_or_late_changes_nothing() -> None:
    assert known(*[0.15] * FEW, 4.0).saved == known(*[0.15] * FEW).saved


def test_of_few_and_of_very_different_ones_nothing_is_saved() -> None:
    assert known(*[0.15] * (FEW - 1)).saved == 0
    assert known(*[0.05, 0.4] * FEW).saved == 0


def test_what_came_too_early_is_remembered_for_a_while() -> None:
    ways = known(*[0.15] * KNOWN)
    ways.mistrust()
    assert ways.saved == 0
    for _ in range(KNOWN):
        ways.took(0.15)
    assert ways.saved > 0


@pytest.mark.parametrize(("least", "more"), [(ONE_WAY, 0.0), (0.02, 0.04), (0.005, 0.2), (0.001, 0.003)])
def test_however_ways_differ_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, least: float, more: float) -> None:
    dice = random.Random(5)
    monkeypatch.setattr(
        memory_wire.MemoryTransport,
        "_send",
        lambda end, data: send_in(end, data, least + dice.random() * more),
    )
    seen = in_virtual_time(told(Load((200, 400), 50, 16)))
    assert seen.refused == 0
    assert seen.mean < 0.5 + 2 * (least + more) + 0.05


async def told(load: Load) -> Summary:
    async with in_memory() as ground, product(ground) as tell:
        return await play(load, await ground.rooms(load.scenes), tell)


def send_in(end: memory_wire.MemoryTransport, data: bytes | None, seconds: float) -> None:
    end._under_way.append(data)
    end._loop.call_later(seconds, end._arrive)
