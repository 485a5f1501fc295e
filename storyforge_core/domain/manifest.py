"""What a storyteller was given for a scene: enough to see why it told this, and to make the same prompt again. Pure."""

from dataclasses import dataclass
from hashlib import sha256
from math import ceil, floor
from typing import Literal

from storyforge_core.domain.writing import Message, Profile

DIGEST_CHARS = 16
SURE = 3
"""Prompts after which a model's tokens are known well enough to plan with."""
CAUTION = 1.1
"""Prompts of one model differ by a few per cent in how long their tokens are."""
STEP = 0.05
"""What is planned with changes in steps: with every other window other scenes are at the beginning of the prompt."""
SHORTEST, LONGEST = 0.6, 1.6
"""Of our estimate; what measures beyond is a server that cuts prompts, or counts only what it read anew."""
FIXED = frozenset({"num_ctx"})
"""Options that have to be the same in all calls, for a server would load the model anew."""

PieceName = Literal[
    "rules",
    "world",
    "earlier",
    "scene",
    "newest",
    "lore",
    "chosen",
    "begun",
    "remembered",
    "known",
    "state",
    "promises",
    "plan",
    "direction",
    "wish",
    "task",
]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt."""

    name: PieceName
    tokens: int
    """By our estimate."""
    digest: str
    """Of its text."""
    scene: int = 0
    """The number of the scene it is from; 0 where it is from none."""
    title: str = ""
    """That scene's, or that of an entry of the lore."""
    why: str = ""
    """What an old scene was remembered for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What went into the prompt of a scene. With the brief and the same templates it makes that prompt again."""

    profile: Profile
    window: int
    """Tokens that prompt and answer were planned to take together, by our estimate."""
    max_tokens: int
    """What of it was kept for the answer."""
    pieces: tuple[Piece, ...]
    """In the order of the prompt."""
    templates: tuple[tuple[str, str], ...]
    """The prompts of ours that it was made with, and their digests."""
    estimated: int
    """Tokens of the whole prompt."""
    digest: str
    """Of the whole prompt."""
    read: int | None = None
    """Tokens of the prompt as the server counted them; None where it did not say, or did not come to the end."""
    written: int | None = None
    """Tokens of the answer, likewise."""
    cut: bool = False
    """The server has read far less than was sent."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long the tokens of a model are, as its server counts them."""

    prompts: int = 0
    """How many were counted."""
    ratio: float = 1.0
    """Real tokens for each one that we estimate."""


def told_with(now: Profile, then: Profile) -> Profile:
    """The model of now, given what was given then; what decides how it is loaded stays as it is."""
    before = {name: value for name, value in then.options if name not in FIXED}
    return Profile(now.model, tuple((name, before.get(name, value)) for name, value in now.options))


def may_be_same_model(now: Profile, then: Profile) -> bool:
    """Whether a model may be the one it was; while its server is away only its name is known."""
    return now.model == then.model or ("@" not in now.model and then.model.startswith(f"{now.model}@"))


def digest_of(text: str) -> str:
    """A short name of a text that another text does not have."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]


def digest_of_prompt(messages: tuple[Message, ...]) -> str:
    """A short name of a whole prompt."""
    return digest_of("\x1e".join(f"{message.role}\x1f{message.content}" for message in messages))


def planned_window(window: int, answer: int, measure: Measure) -> int:
    """How much may be planned, in tokens of our estimate, so that prompt and answer stay within a window of real ones.

    Args:
        window: real tokens.
        answer: what of it the answer may take; the answer's tokens are real from the start.
        measure: what is known of the model.
    """
    if measure.prompts < SURE:
        return window
    ratio = min(max(ceil(measure.ratio * CAUTION / STEP) * STEP, SHORTEST), LONGEST)
    return floor((window - answer) / ratio) + answer
