"""What a bench gives: figures beside their targets, and how a row shows them."""

from collections.abc import Iterator
from dataclasses import dataclass

RIVALS_IN_A_LINE = 4
HEADLINE = f"{'figure':<62}{'target':>11}{'measured':>11}{'':3}{'baseline':>10}{'ratio':>7}"


@dataclass(frozen=True, slots=True)
class Rival:
    """How somebody else does the same, in the same run."""

    name: str
    measured: float
    at_least: float | None = None
    """How many times better than this we mean to be."""

    def shown(self, ours: float) -> str:
        """Its figure, how many times better ours is, and whether that is enough."""
        text = f"{self.name} {self.measured:.2f}"
        if not ours:
            return text
        ratio = self.measured / ours
        wanted = "" if self.at_least is None else f" {'✓' if ratio >= self.at_least else '✗'} ≥ {self.at_least:g}x"
        return f"{text} ({ratio:.1f}x{wanted})"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured median; the smaller, the better."""

    name: str
    measured: float
    unit: str
    target: float | None = None
    """At most this."""
    baseline: float | None = None
    """The other way to do it, in the same run."""
    rivals: tuple[Rival, ...] = ()

    @property
    def verdict(self) -> str:
        """Whether the target is reached; empty where there is none."""
        if self.target is None:
            return ""
        return "✓" if self.measured <= self.target else "✗"

    def lines(self) -> Iterator[str]:
        """Its row of the table, and under it what others do."""
        yield self._line()
        for place in range(0, len(self.rivals), RIVALS_IN_A_LINE):
            told = self.rivals[place : place + RIVALS_IN_A_LINE]
            yield f"      {', '.join(rival.shown(self.measured) for rival in told)}"

    def _line(self) -> str:
        """One row of the table; the ratio says how many times better than the baseline it is."""
        target = "" if self.target is None else f"≤ {self.target:g} {self.unit}"
        baseline = "" if self.baseline is None else f"{self.baseline:.2f}"
        ratio = "" if self.baseline is None or not self.measured else f"{self.baseline / self.measured:.1f}x"
        measured = f"{self.measured:.2f} {self.unit}"
        return f"{self.name:<62}{target:>11}{measured:>11} {self.verdict:<2}{baseline:>10}{ratio:>7}".rstrip()


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done for each figure."""

    scenes: int
    """In the database."""
    times: int
    """Of whatever takes milliseconds."""
    streams: int
    """Runs at once."""
    seconds: float
    """Of streaming, in each round."""
    starts: int
    """Of the program."""
    tellings: int
    """Scenes that are told for each figure."""


FULL = Scale(scenes=1_000_000, times=300, streams=50, seconds=8, starts=7, tellings=96)
QUICK = Scale(scenes=20_500, times=12, streams=4, seconds=0.4, starts=1, tellings=2)
