"""The same on real sockets and in real time: who is how far behind, and what the product costs the processor.

The peer has a process and a core of its own. The tokens are made in our process, and what that costs is measured by
itself: the token reader is part of `streams`.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from uuid import uuid4

from storyforge_core.domain.story import RunId
from tests.bench.chat import discord_ground
from tests.bench.chat.contest import Load, play
from tests.bench.chat.discord_ground import EmbedChannel, PlainChannel, seen
from tests.bench.chat.discord_wire import WireGround, on_the_wire
from tests.bench.chat.ours import THINKING, Feeds
from tests.bench.chat.replicas import ON_DISCORD
from tests.bench.chat.speech import Speech, Summary
from tests.bench.figures import Figure, Rival, Scale
from tests.bench.timing import ROUNDS

RIVALS = ("llmcord", "openclaw", "nanobot")
RATE = 50
"""Tokens a second."""
MEAN, CORE = 0.58, 12.0
LEAST = 1.5
"""Seconds of a scene: a frame of each second at least."""
SPREAD = 1.0
"""Seconds over which the scenes of a crowd begin."""


def bench(scale: Scale) -> list[Figure]:
    """Tell scenes on the wire, then many at once."""
    return asyncio.run(_measured(scale))


async def _measured(scale: Scale) -> list[Figure]:
    seconds = max(scale.seconds, LEAST)
    async with on_the_wire() as ground:
        told = await _contest(ground, int(seconds * RATE))
    async with on_the_wire() as ground:
        crowd = await _crowd(ground, scale.streams, seconds)
    ours = told.pop("ours")
    rivals = tuple(Rival(name, summary.mean) for name, summary in told.items())
    sooner = tuple(Rival(name, summary.last) for name, summary in told.items())
    alone = await _speaking(scale.streams, seconds)
    many = f"{scale.streams} channels at {RATE}/s on the wire"
    return [
        Figure(f"Discord on the wire, {seconds:g} s at {RATE}/s: mean lag", ours.mean, "s", MEAN, rivals=rivals),
        Figure("    last frame", ours.last, "s", rivals=sooner),
        Figure(f"{many}: processor", crowd.share, "%", CORE),
        Figure("    of it for making the tokens", alone, "%"),
        Figure("    mean lag", crowd.summary.mean, "s"),
        Figure("    requests refused a scene", crowd.summary.refused, "", 0.0),
    ]


async def _contest(ground: WireGround, tokens: int) -> dict[str, Summary]:
    """Let everybody tell at the same time, each in channels of their own."""
    load = Load((tokens - tokens // 4, tokens), RATE, 3, at_once=True, spread=1.0)
    told: dict[str, asyncio.Task[Summary]] = {}
    async with discord_ground.product(ground) as tell, asyncio.TaskGroup() as contest:
        told["ours"] = contest.create_task(play(load, await ground.rooms(load.scenes), tell))
        for name in RIVALS:
            pages = EmbedChannel if name == "llmcord" else PlainChannel
            theirs = discord_ground.replica(ground, ON_DISCORD[name](), pages)
            told[name] = contest.create_task(play(load, await ground.rooms(load.scenes), theirs))
    return {name: task.result() for name, task in told.items()}


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many scenes at once: the share of a core in percent while all were told, and how they were seen."""

    share: float
    summary: Summary


async def _crowd(ground: WireGround, streams: int, seconds: float) -> Crowd:
    """Tell many scenes at once, and look at the processor while none is over."""
    tokens = int((SPREAD + THINKING + ROUNDS * seconds + LEAST) * RATE)
    speeches = [Speech(tokens, RATE, tokens) for _ in range(streams)]
    rooms = await ground.rooms(streams)
    async with discord_ground.ours(ground) as program, asyncio.TaskGroup() as telling:
        for place, (room, speech) in enumerate(zip(rooms, speeches, strict=True)):
            telling.create_task(_later(place / streams * SPREAD, program.tell(room, speech)))
        await asyncio.sleep(SPREAD + THINKING)
        share = statistics.median([await _share(asyncio.sleep(seconds)) for _ in range(ROUNDS)])
    asked = await ground.asked_in(rooms)
    return Crowd(share, Summary([seen(each, speech) for each, speech in zip(asked, speeches, strict=True)]))


async def _speaking(streams: int, seconds: float) -> float:
    """The share of a core that as many tokens take when nobody shows them."""
    feeds = Feeds()
    speeches = [Speech(int(seconds * RATE), RATE, 0) for _ in range(streams)]
    return await _share(asyncio.gather(*(each.each(feeds.of(RunId(uuid4())).append) for each in speeches)))


async def _share(work: Awaitable[object]) -> float:
    wall, cpu = time.monotonic(), time.process_time()
    await work
    return (time.process_time() - cpu) / (time.monotonic() - wall) * 100


async def _later(seconds: float, work: Awaitable[None]) -> None:
    await asyncio.sleep(seconds)
    await work
