"""A run: one execution of a recipe, and the draft it hands from stage to stage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.events import Task
from storyforge_core.domain.manifest import Manifest
from storyforge_core.domain.story import (
    BallotId,
    ChoiceId,
    Member,
    PlayerId,
    Playthrough,
    PlaythroughId,
    RunId,
    Scene,
    SceneId,
    Story,
)
from storyforge_core.domain.writing import Brief

RunStatus = Literal["queued", "running", "stopping", "done", "failed", "stopped"]
RunKind = Literal["scene", "picture"]
LIVE: frozenset[RunStatus | None] = frozenset({"queued", "running", "stopping"})
"""What is still to be done, or being done: a playthrough has at most one such run that writes a scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is asked to write. Complete in itself: it does not change when the head moves meanwhile."""

    task: Task
    parent: SceneId | None
    """The scene that the new one follows; None for an opening."""
    choice: ChoiceId | None
    chosen: str
    hint: str
    base: SceneId | None
    """The scene that is told again or extended; None for a new one."""
    head: SceneId | None
    """Where the playthrough stood when it was ordered; it moves on from there only if it still stands there."""
    ballot: BallotId | None
    """The ballot that was closed for it; it is open again when nothing comes of the run."""
    seed: int
    by: str
    """Who asked, as shown to others."""
    asker: PlayerId | None = None
    """Who may stop it besides hosts; None when the votes decided."""
    words: int = 0
    """How long it is expected to become; what is written goes by the settings of the moment it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known so far. Each stage returns a fuller one; each returned one is a checkpoint."""

    order: Order
    brief: Brief | None = None
    manifest: Manifest | None = None
    """What the storyteller was given; None before it was, and for runs of before it was taken down."""
    prose: str = ""
    cut: str = ""
    """Why the prose ends early, as a sentence; empty when it does not."""
    title: str = ""
    choices: tuple[str, ...] = ()
    writer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the store keeps it."""

    id: RunId
    playthrough: PlaythroughId
    status: RunStatus
    stage: str
    """The stage to do next; empty before the first."""
    draft: Draft
    attempts: int
    """How often a worker has taken it up."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Where a playthrough stands: everything a command is decided by."""

    story: Story
    playthrough: Playthrough
    head: Scene | None
    ballot: Ballot | None
    """The open one at the head."""
    members: tuple[Member, ...]
    run: Run | None
    """The live one."""
