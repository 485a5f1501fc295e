"""How late a growing scene is seen, in virtual time: the presenter and all below it, at a platform's limits.

`python -m tests.bench chat` has the whole table, beside what other bots do; these bounds may not get worse.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from bot.platforms.matrix.budget import STOCK, Bucket
from tests.bench.chat import discord_ground, matrix_memory
from tests.bench.chat.contest import Load, Tell, play
from tests.bench.chat.discord_memory import MemoryGround, by_both_ways, in_memory
from tests.bench.chat.matrix_ground import Homeserver
from tests.bench.chat.speech import Misread, Sight, Speech, Summary, faithful
from tests.fakes import in_virtual_time

SHORT, LONG = (200, 400), (1300, 1700)
CROWD = Load(SHORT, 20, 40, at_once=True)


Telling = Callable[[MemoryGround], AbstractAsyncContextManager[Tell]]


def on_discord(load: Load, telling: Telling = discord_ground.product) -> Summary:
    """Also holds every frame to be whole and no older than the one before, and the last ones to be what was said."""

    async def told() -> Summary:
        async with in_memory() as ground, telling(ground) as tell:
            summary = await play(load, await ground.rooms(load.scenes), tell)
            assert not ground.peer.violations
            return summary

    return in_virtual_time(told())


def on_matrix(load: Load, bucket: Bucket | None) -> Summary:
    async def told() -> Summary:
        server = Homeserver(bucket)
        async with matrix_memory.product(server) as tell:
            return await play(load, server.rooms(load.scenes), tell)

    return in_virtual_time(told())


@pytest.mark.parametrize(
    "frames",
    [
        [(1, "z0 z1 *z2"), (1, "z0 z1 z2 ")],  # a mark is open
        [(1, "z0 z1 "), (1, "z0 "), (1, "z0 z1 z2 ")],  # words go
        [(1, "z0 z1 ")],  # words are missing
        [(1, "z0 z1 "), (2, "z1 z2 ")],  # a word stands there twice
        [(1, "z0 z1 z 2 ")],
        [(1, "z0 or z1 z2 ")],
    ],
)
def test_the_contest_knows_what_is_not_shown_as_it_was_said(frames: list[tuple[int, str]]) -> None:
    with pytest.raises(Misread):
        faithful(Speech(3, 1, 3), [Sight(0, str(message), text) for message, text in frames])


@pytest.mark.parametrize("load", [Load(SHORT, 20, 12), Load(SHORT, 50, 24), Load(SHORT, 100, 12), Load(LONG, 50, 8)])
def test_a_scene_on_discord_is_seen_while_it_is_told(load: Load) -> None:
    seen = on_discord(load)
    assert seen.first <= 0.1
    assert seen.mean <= 0.6
    assert seen.last <= 0.15
    assert seen.worst_last <= 0.65
    assert seen.refused == 0


@pytest.mark.parametrize("load", [*(Load(SHORT, rate, 6) for rate in (20, 50, 100)), Load(LONG, 50, 4)])
def test_a_scene_that_answers_a_command_is_edited_by_both_ways(load: Load) -> None:
    seen = on_discord(load, by_both_ways)
    assert seen.first <= 0.1
    assert seen.mean <= 0.42
    assert seen.last <= 0.14
    assert seen.worst_last <= 0.4
    assert seen.refused == 0


def test_forty_scenes_at_once_are_neither_refused_nor_held_up() -> None:
    seen = on_discord(CROWD)
    assert seen.mean <= 0.65
    assert seen.refused == 0


def test_a_long_scene_on_matrix_keeps_within_the_limit_of_a_homeserver_as_it_comes() -> None:
    seen = on_matrix(Load(LONG, 50, 4), STOCK)
    assert seen.first <= 0.1
    assert seen.mean <= 1.9
    assert seen.worst_last <= 0.05
    assert seen.refused == 0


def test_scenes_in_three_rooms_on_matrix_share_the_limit_of_a_homeserver() -> None:
    seen = on_matrix(Load(LONG, 50, 3, at_once=True), STOCK)
    assert seen.first <= 0.1
    assert seen.worst_last <= 5.0  # until the homeserver takes another event
    assert seen.refused == 0


@pytest.mark.parametrize(("rate", "mean"), [(20, 0.85), (50, 0.65)])
def test_a_scene_on_matrix_without_limits_leaves_few_events_behind(rate: int, mean: float) -> None:
    seen = on_matrix(Load(LONG, rate, 4), None)
    assert seen.mean <= mean
    assert seen.last <= 0.05
    assert max(scene.requests for scene in seen.scenes) <= 61
