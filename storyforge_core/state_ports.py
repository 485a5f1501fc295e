"""What reading a scene needs from the outside world: what was found before on its path, and where to keep the rest."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from storyforge_core.domain.bible import Entity, Fact
from storyforge_core.domain.findings import Findings, Sighted
from storyforge_core.domain.promises import Promise
from storyforge_core.domain.states import Cell, Held
from storyforge_core.domain.story import Scene, SceneId, Story, StoryId

WINDOW = 64
"""Assertions of one subject and slot that are looked at, if not said otherwise."""
FOR_PROMPTS = 20
"""As many are enough for a prompt, which tells a few of them."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A scene that nobody has read yet, and its story."""

    scene: Scene
    story: Story


@dataclass(frozen=True, slots=True)
class Origin:
    """By whom a scene was read, and with what: another model, prompt or vocabulary may find something else."""

    model: str
    """With its digest, as `Profile` names it."""
    template: str
    """The digest of the prompt."""
    vocabulary: str
    """The digest of the names that were known."""


class Casebook(Protocol):
    """What was found by reading, within one transaction. All of it is of one path."""

    async def entities(self, story: StoryId) -> tuple[Entity, ...]:
        """Read who and what players wrote down."""

    async def facts(self, end: SceneId) -> tuple[Fact, ...]:
        """Read the facts that players wrote down and that hold at a scene."""

    async def sighted(self, end: SceneId) -> tuple[Sighted, ...]:
        """Read who and what was found on the path, the oldest first."""

    async def newest(self, end: SceneId, subjects: Sequence[str], window: int = WINDOW) -> tuple[Held, ...]:
        """Read the newest assertion of each cell of some subjects, by their plain names; "" is the time.

        Of each subject and slot, only the newest `window` assertions are looked at: what was last said of a cell
        before them is not told, and nothing else is told instead.
        """

    async def latest(self, end: SceneId, limit: int) -> tuple[Held, ...]:
        """Read the newest assertions of the path, of each cell the newest one."""

    async def disputed(self, end: SceneId) -> tuple[Held, ...]:
        """Read the assertions of the path that are in dispute, also those that later ones have overtaken."""

    async def history(self, end: SceneId, cell: Cell) -> tuple[Held, ...]:
        """Read what the path says of one cell, the newest first, without what was struck."""

    async def numbered(self, end: SceneId, number: int) -> Held | None:
        """Find an assertion of the path; None where there is none, or it was struck."""

    async def rivals(self, held: Held) -> tuple[Held, ...]:
        """Find what is in dispute with an assertion, on all that follows it."""

    async def promises(self, end: SceneId) -> tuple[Promise, ...]:
        """Read the promises of the path, the newest first, each with what became of it there."""

    async def unread(self, scene: SceneId) -> Unread | None:
        """Find a scene to be read; None when it is gone, or was read."""

    async def keep(self, scene: Scene, findings: Findings, origin: Origin) -> None:
        """Store what was found; of a scene that was read before, only what is new."""


class Casebooks(Protocol):
    """Where case books are opened. The store is one."""

    def casebook(self) -> AbstractAsyncContextManager[Casebook]:
        """Open the book; commits at the end, rolls back on an exception."""
