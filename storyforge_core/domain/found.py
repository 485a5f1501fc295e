"""What can be asked of what was found by reading scenes, and what the asker is told of it: values only."""

from dataclasses import dataclass
from typing import Literal

from storyforge_core.domain.bible import Sort
from storyforge_core.domain.promises import Promise
from storyforge_core.domain.states import Held


@dataclass(frozen=True, slots=True)
class ShowState:
    """See who is where, with what, as far as the story is told here."""


@dataclass(frozen=True, slots=True)
class ShowPromises:
    """See what the story has promised, and what it kept."""


@dataclass(frozen=True, slots=True)
class ForgetPromise:
    """Take a promise out again that is none."""

    number: int


@dataclass(frozen=True, slots=True)
class ListDisputes:
    """See where scenes contradict each other."""


@dataclass(frozen=True, slots=True)
class SettleFact:
    """Decide which of several values is true."""

    number: int
    """That of the dispute in the list."""
    which: int
    """The value's place in it, from 1."""


@dataclass(frozen=True, slots=True)
class MergeEntity:
    """Let two who were taken for different ones be one."""

    sort: Sort
    name: str
    into: str


FoundCommand = ShowState | ShowPromises | ForgetPromise | ListDisputes | SettleFact | MergeEntity
"""What a person can ask of it."""


@dataclass(frozen=True, slots=True)
class OfOne:
    """What is known of somebody or something; what is said last comes first."""

    name: str
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """Several values of which one can be true, in the order in which scenes say them."""

    number: int
    """What people type to decide."""
    options: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class StateShown:
    """Who is where, with what."""

    people: tuple[OfOne, ...]
    time: Held | None = None
    disputes: int = 0
    """How many values wait for a decision."""
    kind: Literal["state_shown"] = "state_shown"


@dataclass(frozen=True, slots=True)
class PromisesShown:
    """What the story has promised on the way here, the newest first."""

    promises: tuple[Promise, ...]
    kind: Literal["promises_shown"] = "promises_shown"


@dataclass(frozen=True, slots=True)
class DisputesShown:
    """Where scenes on the way here contradict each other."""

    disputes: tuple[Dispute, ...]
    kind: Literal["disputes_shown"] = "disputes_shown"


FoundReply = StateShown | PromisesShown | DisputesShown
"""What the asker is told of it."""
