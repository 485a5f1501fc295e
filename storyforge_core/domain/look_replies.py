"""What only the asker is told about looks; a part of `replies`."""

from dataclasses import dataclass, field
from typing import Literal

from storyforge_core.domain.looks import LookSource


@dataclass(frozen=True, slots=True)
class LookShown:
    """How somebody or something looks here."""

    name: str
    scene: int
    """The number of the scene from which it holds."""
    source: LookSource
    place: str
    """Where the file is, or was."""
    picture: bytes = field(repr=False)
    """Empty where the file is not there any more."""
    kind: Literal["look_shown"] = "look_shown"


@dataclass(frozen=True, slots=True)
class LookLine:
    """One of those who have a look."""

    name: str
    scene: int
    there: bool
    """Its file is where it was put."""


@dataclass(frozen=True, slots=True)
class LooksListed:
    """Who and what has a look here."""

    lines: tuple[LookLine, ...]
    kind: Literal["looks_listed"] = "looks_listed"
