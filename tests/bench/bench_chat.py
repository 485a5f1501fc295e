"""How a growing scene is shown: the product beside what other bots do, under the same load, in virtual time.

On Discord all of them drive the unmodified client against the wire-level peer, whose limits are those that everybody
observes. On Matrix all of them meet a model of Synapse's limit, the product by way of the unmodified nio client. The
others are replicas, rewritten by us from reading their code.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.platforms.matrix.budget import STOCK, Bucket
from tests.bench import bench_wire
from tests.bench.chat import discord_ground, discord_memory, matrix_ground, matrix_memory
from tests.bench.chat.bound import Rule, least
from tests.bench.chat.contest import Load, play
from tests.bench.chat.discord_ground import EmbedChannel, PlainChannel
from tests.bench.chat.discord_memory import ONE_WAY, in_memory
from tests.bench.chat.matrix_ground import Homeserver
from tests.bench.chat.replicas import ON_DISCORD, ON_MATRIX
from tests.bench.chat.speech import Summary
from tests.bench.figures import FULL, Figure, Rival, Scale
from tests.fakes import in_virtual_time

OURS = "ours"
SHORT, LONG = (200, 400), (1300, 1700)
"""Tokens: a scene of one message, and one past the cap of a message."""
FIRST, MEAN, BOTH, LAST, CROWD, NONE = 0.1, 0.58, 0.42, 0.12, 0.65, 0.0
MATRIX_MEAN, MATRIX_LAST, EXEMPT_MEAN, EVENTS = 1.9, 0.05, 0.65, 60.0
AHEAD: Mapping[str, float] = MappingProxyType({"llmcord": 1.2, "openclaw": 1.2})
"""How many times better we mean to be."""
ALONE = Rule(way=ONE_WAY)
HOPELESS = ("discord-ollama", "old discollama")
"""Replicas that are minutes behind: they tell few scenes one by one, and none when it has to be quick."""
FEWER = 8
"""Of so many scenes one, where more of them would show nothing new."""

Told = Mapping[str, Summary]
"""How each bot did."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One load for everybody, and what we mean to reach in it."""

    name: str
    load: Load
    mean: float | None = None
    last: float | None = None
    mean_ratios: Mapping[str, float] = field(default_factory=dict)
    last_ratios: Mapping[str, float] = field(default_factory=dict)
    requests: float | None = None
    rule: Rule | None = None
    """The limit, where it is one alone."""

    def figures(self, told: Told) -> Iterator[Figure]:
        """Its rows of the table."""
        ours = told[OURS]
        yield _row(f"{self.name}: mean lag", told, lambda each: each.mean, self.mean, self.mean_ratios)
        if self.rule:
            yield Figure("    the least there is for who knows each end", least(self.rule, self.load.speeches()), "s")
        yield Figure("    95th percentile", ours.p95, "s")
        yield _row("    last frame", told, lambda each: each.last, self.last, self.last_ratios)
        yield Figure("    last frame, worst", ours.worst_last, "s")
        # Where all begin in the same instant, it is the limit of all together that says when each may.
        yield _row("    first text", told, lambda each: each.first, None if self.load.at_once else FIRST)
        yield Figure("    requests a scene", ours.requests, "", self.requests)
        refused = tuple(each for each in _rivals(told, lambda summary: summary.refused) if each.measured)
        yield Figure("    of them refused", ours.refused, "", NONE, rivals=refused)


def _row(
    name: str,
    told: Told,
    pick: Callable[[Summary], float],
    target: float | None,
    ratios: Mapping[str, float] = MappingProxyType({}),
) -> Figure:
    return Figure(name, pick(told[OURS]), "s", target, rivals=_rivals(told, pick, ratios))


def _rivals(
    told: Told, pick: Callable[[Summary], float], ratios: Mapping[str, float] = MappingProxyType({})
) -> tuple[Rival, ...]:
    others = (each for each in told.items() if each[0] != OURS)
    return tuple(Rival(bot, pick(summary), ratios.get(bot)) for bot, summary in others)


def on_discord(scale: Scale) -> Iterator[Contest]:
    """What is told on Discord."""
    many = scale.tellings
    for rate in (20, 50, 100):
        load = Load(SHORT, rate, many)
        yield Contest(f"Discord, 300 tokens at {rate}/s", load, MEAN, LAST, AHEAD, {"llmcord": 5.0}, rule=ALONE)
    for rate, ratio in ((20, 12.0), (50, 12.0), (100, None)):
        capped = {"openclaw": ratio, "nanobot": ratio} if ratio else {}
        load = Load(LONG, rate, many // 2)
        yield Contest(f"Discord, 1,500 tokens at {rate}/s", load, MEAN, LAST, capped, rule=ALONE)
    for channels, most in ((10, CROWD), (40, CROWD), (60, None)):
        load = Load(SHORT, 20, max(channels * many // FULL.tellings, 2), at_once=True)
        yield Contest(f"Discord, {load.scenes} channels at 20/s", load, most)


def by_both_ways(scale: Scale) -> Iterator[Contest]:
    """What is told on Discord as the answer to a command, whose own limit counts besides the channel's."""
    many = scale.tellings
    for rate in (20, 50, 100):
        yield Contest(f"Discord, both ways, 300 tokens at {rate}/s", Load(SHORT, rate, many), BOTH, LAST)
    yield Contest("Discord, both ways, 1,500 tokens at 50/s", Load(LONG, 50, many // 2), BOTH, LAST)
    load = Load(SHORT, 20, max(40 * many // FULL.tellings, 2), at_once=True)
    yield Contest(f"Discord, both ways, {load.scenes} channels at 20/s", load, CROWD)


def on_matrix(scale: Scale) -> Iterator[Contest]:
    """What is told on Matrix by a user with the limits of a homeserver as it comes."""
    few = max(scale.tellings // FEWER, 1)
    far = {"openclaw": 100.0, "mindroom": 100.0}
    yield Contest("Matrix, 300 tokens at 20/s", Load(SHORT, 20, few), None, MATRIX_LAST)
    yield Contest("Matrix, 1,500 tokens at 20/s", Load(LONG, 20, few), None, MATRIX_LAST)
    yield Contest("Matrix, 1,500 tokens at 50/s", Load(LONG, 50, few), MATRIX_MEAN, MATRIX_LAST, {}, far)
    yield Contest("Matrix, three rooms at once at 50/s", Load(LONG, 50, 3, at_once=True))


def without_limits(scale: Scale) -> Iterator[Contest]:
    """What is told on Matrix by a user without limits, in events that stay for ever.

    Sixty of them in the 75 seconds that a slow model takes are so far apart that 0.63 s would be perfect.
    """
    for rate, mean in ((20, None), (50, EXEMPT_MEAN)):
        load = Load(LONG, rate, max(scale.tellings // FEWER, 1))
        name = f"Matrix without limits, 1,500 tokens at {rate}/s"
        yield Contest(name, load, mean, MATRIX_LAST, requests=EVENTS)


def bench(scale: Scale) -> list[Figure]:
    """Let everybody tell everything."""
    figures: list[Figure] = []
    for contest in on_discord(scale):
        bots = [bot for bot in ON_DISCORD if bot not in HOPELESS or (scale == FULL and not contest.load.at_once)]
        figures += contest.figures(in_virtual_time(_told_on_discord(contest.load, bots)))
    for contest in by_both_ways(scale):
        figures += contest.figures({OURS: in_virtual_time(_told_by_both_ways(contest.load))})
    for contest in on_matrix(scale):
        figures += contest.figures(in_virtual_time(_told_on_matrix(contest.load, STOCK)))
    for contest in without_limits(scale):
        figures += contest.figures(in_virtual_time(_told_on_matrix(contest.load, None)))
    return figures + bench_wire.bench(scale)


async def _told_on_discord(load: Load, bots: Sequence[str]) -> Told:
    """Let everybody tell it on one Discord, one bot after the other."""
    async with in_memory() as ground:
        async with discord_ground.product(ground) as tell:
            told = {OURS: await play(load, await ground.rooms(load.scenes), tell)}
        for name in bots:
            pages = EmbedChannel if name == "llmcord" else PlainChannel
            tell = discord_ground.replica(ground, ON_DISCORD[name](), pages)
            theirs = replace(load, scenes=max(load.scenes // FEWER, 1)) if name in HOPELESS else load
            told[name] = await play(theirs, await ground.rooms(theirs.scenes), tell)
    return told


async def _told_by_both_ways(load: Load) -> Summary:
    async with in_memory() as ground, discord_memory.by_both_ways(ground) as tell:
        return await play(load, await ground.rooms(load.scenes), tell)


async def _told_on_matrix(load: Load, bucket: Bucket | None) -> Told:
    """Let everybody tell it on a homeserver of their own."""
    server = Homeserver(bucket)
    async with matrix_memory.product(server) as tell:
        told = {OURS: await play(load, server.rooms(load.scenes), tell)}
    for name, make in ON_MATRIX.items():
        server = Homeserver(bucket)
        told[name] = await play(load, server.rooms(load.scenes), matrix_ground.replica(server, make()))
    return told
