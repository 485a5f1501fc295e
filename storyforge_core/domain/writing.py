"""What is asked of a writer and what it answers: values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from storyforge_core.domain.lore import ActiveLore

Role = Literal["planner", "writer", "visualizer", "embedder"]
"""Which job a model does; the settings map each role to a model."""


Wanted = Literal["choices", "answer", "plan"]
"""What a structured answer is for: a scene's title and choices, what a player asks, or what a scene is to tell."""


@dataclass(frozen=True, slots=True)
class ToldScene:
    """A scene of the path as a writer may read it."""

    number: int
    title: str
    choice: str
    """What the players chose to get here; empty for the opening."""
    prose: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A passage of an older scene of the path that matters now."""

    number: int
    """The scene's."""
    title: str
    """The scene's."""
    text: str
    why: str = ""
    """What it was looked for by, in a word or two."""


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything a writer may know for one scene, all of it from one path."""

    premise: str
    title: str
    genre: str
    tone: str
    path: tuple[ToldScene, ...]
    """Root first; the last one is the scene that the new one follows. Empty for an opening."""
    chosen: str
    """The choice that leads here; empty for an opening or a free continuation."""
    hint: str
    """What the asker wants to happen in this scene."""
    note: str
    """The director's note: it steers every scene until it is cleared."""
    words: int
    """Target length of the scene in words."""
    choices: int
    """How many choices are wanted at its end."""
    seed: int
    """Same seed, same brief: the same scene, as far as the writer is able to."""
    extend: str = ""
    """Prose that the new words have to follow on directly, as part of the same scene."""
    older: int = 0
    """How many scenes of the path lie before those in `path`."""
    remembered: tuple[Remembered, ...] = ()
    """Of scenes that the prompt does not have whole; those that matter most first."""
    lore: tuple[ActiveLore, ...] = ()
    """What of the lore matters for this scene, in the order in which it is told."""
    lore_room: int = 0
    """Tokens that are kept for it, however many it takes."""
    known: tuple[str, ...] = ()
    """What is written down about those who are named now, a line each; what matters most first."""
    state: tuple[str, ...] = ()
    """Where and how those are who are here now, a line each; what matters most first."""
    promises: tuple[str, ...] = ()
    """What the story has promised and not kept yet, a line each; what matters most first."""
    plan: tuple[str, ...] = ()
    """What is planned for this scene, a line each, in order."""
    planned: bool = False
    """Scenes are planned here: there is room for a plan in the prompt, whether one was made or not."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Telling:
    """A request for prose."""

    brief: Brief
    messages: tuple[Message, ...]
    """The same brief as a prompt within the writer's window."""
    told: str
    """Words of this scene that players have already seen: go on exactly behind them, do not repeat them."""
    max_tokens: int
    options: tuple[tuple[str, float], ...] = ()
    """What the model was given when this was told before, by name; whatever is not named is as usual."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for structured output about a scene that has just been told."""

    brief: Brief
    messages: tuple[Message, ...]
    prose: str
    """The scene the question is about."""
    schema: Mapping[str, object]
    """JSON Schema of the wanted answer."""
    max_tokens: int
    wanted: Wanted = "choices"


@dataclass(frozen=True, slots=True)
class Profile:
    """Which model tells, and how it is told to."""

    model: str
    """Its name, with the digest of its files where there are any."""
    options: tuple[tuple[str, float], ...] = ()
    """What it is given beside the prompt, such as its temperature."""


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of prose as it comes out of the model; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a telling. A stream that ends without it broke off."""

    reason: Literal["stop", "length"]
    prompt_tokens: int | None = None
    """As counted by the server; None where it does not say."""
    output_tokens: int | None = None
    cut: bool = False
    """The server has read far less of the prompt than was sent."""


WriterEvent = Words | Finished


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a health report."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    """What was found, and for warn and fail what to do about it."""
