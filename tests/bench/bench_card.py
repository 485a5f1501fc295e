"""One graphics card for words and pictures, in virtual time: what turns are worth by the rules of `domain/turns.py`.

The model: the card holds one model at a time. A scene is asked for some time after the one before it was told, each
scene wants a picture, and both have work for so many seconds on a card of their own. Whoever comes to a card that holds
the other's model loads its own first: a swap. With turns, nothing is begun beside a scene. Without, both are at it at
once when they meet, and each is three times as slow, since both models come over the bus piece by piece.
"""

import random
import statistics
from dataclasses import KW_ONLY, dataclass, field

from storyforge_core.domain.turns import MOST_WAIT, goes_on
from storyforge_core.engine.painting import MOST_WAITING
from tests.bench.figures import Figure, Scale

STEP = 0.25
LOAD = {"words": 5.0, "picture": 12.0}
WORK = {"words": 18.0, "picture": 14.0}
"""Seconds: a scene of 220 words by 7 billion parameters, a picture by FLUX.2 klein on 12 GB."""
TALK = 45.0
"""Seconds in which a group reads and votes, on average."""
GROUPS, HOURS = (1, 3), 8
TOGETHER = 3.0
LOOK = 1.0


@dataclass(slots=True)
class Job:
    """A scene or a picture that wants the card."""

    kind: str
    group: int
    asked: float
    work: float
    begun: float | None = None
    loading: float = 0.0
    put_aside: int = 0

    @property
    def done(self) -> float:
        return 1 - self.work / WORK[self.kind]


@dataclass(slots=True)
class Day:
    """What came of some hours."""

    waits: list[float] = field(default_factory=list)
    """From when a scene was asked for until its first word could come, loading included."""
    pictures: list[float] = field(default_factory=list)
    """From when a picture was wanted until it was there."""
    tellings: list[float] = field(default_factory=list)
    """How long scenes took from their first word to their last."""
    swaps: int = 0
    put_aside: int = 0


@dataclass(slots=True)
class Card:
    """The card, and whoever wants it."""

    groups: int
    _: KW_ONLY
    turns: bool
    chance: random.Random
    day: Day = field(default_factory=Day)
    holds: str = ""
    scenes: list[Job] = field(default_factory=list)
    pictures: list[Job] = field(default_factory=list)
    at_it: dict[str, Job] = field(default_factory=dict)
    next_ask: dict[int, float] = field(default_factory=dict)

    def play(self) -> Day:
        self.next_ask = {group: self._later(0) for group in range(self.groups)}
        for tick in range(int(HOURS * 3600 / STEP)):
            self._tick(tick * STEP)
        return self.day

    def _tick(self, now: float) -> None:
        for group, at in list(self.next_ask.items()):
            if now >= at:
                del self.next_ask[group]
                self.scenes.append(Job("words", group, now, WORK["words"]))
        if self.turns and now % LOOK == 0:
            self._make_way(now)
        self._begin(now)
        slower = TOGETHER if len(self.at_it) > 1 else 1.0
        for job in list(self.at_it.values()):
            self._work_on(job, now, STEP / slower)

    def _make_way(self, now: float) -> None:
        picture = self.at_it.get("picture")
        if picture is None or not (self.scenes or "words" in self.at_it):
            return
        assert picture.begun is not None
        if not goes_on(now - picture.begun, max(picture.done, 0.0), picture.put_aside):
            del self.at_it["picture"]
            self.pictures.insert(0, Job("picture", picture.group, picture.asked, WORK["picture"]))
            self.pictures[0].put_aside = picture.put_aside + 1
            self.day.put_aside += 1

    def _begin(self, now: float) -> None:
        beside = not self.turns or "picture" not in self.at_it
        if self.scenes and "words" not in self.at_it and (beside or now - self.scenes[0].asked >= MOST_WAIT):
            self._take(self.scenes.pop(0), now)
        quiet = not self.turns or not (self.scenes or "words" in self.at_it)
        if self.pictures and "picture" not in self.at_it and quiet:
            self._take(self.pictures.pop(0), now)

    def _take(self, job: Job, now: float) -> None:
        job.begun = now
        if self.holds != job.kind:
            job.loading = LOAD[job.kind]
            self.day.swaps += 1
            self.holds = job.kind
        self.at_it[job.kind] = job

    def _work_on(self, job: Job, now: float, seconds: float) -> None:
        if job.loading > 0:
            job.loading -= seconds
            return
        if job.kind == "words" and job.work == WORK["words"]:
            self.day.waits.append(now - job.asked)
            job.asked = now
        job.work -= seconds
        if job.work > 0:
            return
        del self.at_it[job.kind]
        if job.kind == "words":
            self.day.tellings.append(now - job.asked)
            if sum(waiting.group == job.group for waiting in self.pictures) < MOST_WAITING:  # else it goes without
                self.pictures.append(Job("picture", job.group, now, WORK["picture"]))
            self.next_ask[job.group] = self._later(now)
        else:
            self.day.pictures.append(now - job.asked)

    def _later(self, now: float) -> float:
        return now + self.chance.expovariate(1 / TALK)


def bench(_: Scale) -> list[Figure]:
    """Play the same hours with turns and without, for a few groups that share the bot."""
    return [figure for groups in GROUPS for figure in _figures(groups)]


def _figures(groups: int) -> list[Figure]:
    turns, free = (Card(groups, turns=turns, chance=random.Random(7)).play() for turns in (True, False))
    last = [statistics.quantiles(day.waits, n=20)[-1] for day in (turns, free)]
    told = [statistics.median(day.tellings) for day in (turns, free)]
    hung = [statistics.median(day.pictures) for day in (turns, free)]
    swaps = [100 * day.swaps / len(day.waits) for day in (turns, free)]
    longest = MOST_WAIT + TOGETHER * LOAD["words"] if groups == 1 else None  # more than one wait for each other, too
    who = "one group" if groups == 1 else f"{groups} groups"
    return [
        Figure(f"one card, {who}: wait for the first word, 95 %", last[0], "s", longest, last[1]),
        Figure(f"one card, {who}: a scene, first word to last", told[0], "s", WORK["words"], told[1]),
        Figure(f"one card, {who}: a picture, wanted to painted", hung[0], "s", None, hung[1]),
        Figure(f"one card, {who}: swaps of models for 100 scenes", swaps[0], "", None, swaps[1]),
        Figure(f"one card, {who}: scenes told in {HOURS} hours", len(turns.waits), "", None, len(free.waits)),
        Figure(f"one card, {who}: pictures put aside, of 100", 100 * turns.put_aside / len(turns.pictures), ""),
    ]
