"""What a bench gives: figures beside their targets, and how a row shows them."""

from dataclasses import dataclass

HEADLINE = f"{'figure':<62}{'target':>11}{'measured':>11}{'':6}{'baseline':>10}{'ratio':>7}"


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

    @property
    def verdict(self) -> str:
        """Whether the target is reached; empty where there is none."""
        if self.target is None:
            return ""
        return "ok" if self.measured <= self.target else "MISS"

    def line(self) -> str:
        """One row of the table; the ratio says how many times better than the baseline it is."""
        target = "" if self.target is None else f"≤ {self.target:g} {self.unit}"
        baseline = "" if self.baseline is None else f"{self.baseline:.2f}"
        ratio = "" if self.baseline is None else f"{self.baseline / self.measured:.1f}x"
        measured = f"{self.measured:.2f} {self.unit}"
        return f"{self.name:<62}{target:>11}{measured:>11} {self.verdict:<5}{baseline:>10}{ratio:>7}".rstrip()


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


FULL = Scale(scenes=1_000_000, times=300, streams=50, seconds=8, starts=7)
QUICK = Scale(scenes=20_500, times=12, streams=4, seconds=0.4, starts=1)
