"""Trouble on order: which requests go wrong, how, and how often."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

Trouble = Literal[
    "error",  # an answer with `status`, nothing done
    "storm",  # 429 with `seconds` to wait, nothing done
    "flood",  # the same for all requests together, as Discord says it
    "wall",  # 429 from what stands before Discord: no `Via`, no JSON, nothing done
    "slow",  # done after `seconds`
    "cut",  # the connection is cut, nothing done
    "lost",  # done, but the connection is cut before the answer
]


@dataclass(slots=True)
class Fault:
    """One kind of trouble for some requests."""

    requests: str
    """Like `PATCH /channels/*/messages/*`."""
    trouble: Trouble
    status: int = 502
    code: int = 0
    """Discord's own number of the error."""
    seconds: float = 0.05
    times: int = 1
    """How many requests it still hits."""

    def hits(self, method: str, path: str) -> bool:
        return self.times > 0 and fnmatchcase(f"{method} {path}", self.requests)


@dataclass(slots=True)
class Faults:
    """The trouble that is still to come."""

    orders: list[Fault] = field(default_factory=list)

    def next(self, method: str, path: str) -> Fault | None:
        """What goes wrong with this request; it counts as one of its times."""
        fault = next((fault for fault in self.orders if fault.hits(method, path)), None)
        if fault is not None:
            fault.times -= 1
        return fault
