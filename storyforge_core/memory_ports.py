"""What memory needs from the outside world, as narrow protocols."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from storyforge_core.domain.bible import Entity, Fact
from storyforge_core.domain.chapters import Chapter, Outline, Past, Summary
from storyforge_core.domain.manifest import Measure
from storyforge_core.domain.memory import Cue, Found, Passage, Progress, Purpose, Unread, Vector
from storyforge_core.domain.story import RoomKey, Scene, SceneId, StoryId
from storyforge_core.domain.writing import ToldScene


class Embedder(Protocol):
    """Turns texts into vectors that are close to each other where the texts mean the same."""

    async def model(self) -> str:
        """Name it so that a change shows: what two names made cannot be compared.

        Raises:
            ServiceDown: away or silent.
            ModelMissing: the model is not there.
        """

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vector | None, ...]:
        """Make a vector of length 1 for each text; None for one that it cannot read.

        Raises:
            ServiceDown: away, silent or overloaded.
            ModelMissing: the model is not there, or gives vectors of another size.
        """

    async def aclose(self) -> None:
        """Let go of connections."""


class Long(Protocol):
    """What keeps a long story short. A desk is one."""

    async def past(self, end: SceneId, scenes: int, *, fresh: bool = False) -> Past:
        """Read what the path to a scene holds, at most so many scenes whole.

        What was summarised since the last chapter ended counts only where the freshest is wanted.
        """

    async def chapters(self, end: SceneId, last: int) -> tuple[Chapter, ...]:
        """Read the last chapters that have ended on the path to a scene, first to last."""

    async def summarise(self, scene: SceneId) -> None:
        """Have whatever is left to summarise on the path to a scene summarised in the background."""

    async def left_at(self, head: SceneId, now: datetime) -> int | None:
        """Read how many scenes of the path to the head the asker knows already; None when they were never here."""

    async def read_until(self, head: SceneId, now: datetime) -> None:
        """Note that the asker has been told what happened up to a scene."""


class Summaries(Protocol):
    """Where summaries lie. The store is one."""

    async def outline(self, end: SceneId) -> Outline | None:
        """Read how far a path has been summarised; None when the scene is gone."""

    async def stretch(self, end: SceneId, first: int, last: int) -> tuple[tuple[SceneId, ToldScene], ...]:
        """Read the scenes of a path between two depths, whole."""

    async def covered(self, end: SceneId, layer: int, first: int, last: int) -> tuple[tuple[str, str], ...]:
        """Read titles and texts of the summaries of one layer between two depths of a path, first to last."""

    async def keep_summaries(self, made: Sequence[Summary], at: datetime) -> None:
        """Store summaries; those that are there already stay as they are."""


class Book(Long, Protocol):
    """What is true in a story. A desk is one."""

    async def entities(self, story: StoryId) -> tuple[Entity, ...]:
        """Read who and what there is in a story, in the order in which they were written down."""

    async def facts(self, end: SceneId) -> tuple[Fact, ...]:
        """Read the facts that hold at a scene, in the order in which they were written down."""


class Archive(Protocol):
    """Where scenes lie in passages, to be found again, and what was learned of models. The store is one."""

    async def scene(self, scene: SceneId) -> Scene | None:
        """Read a scene; None when there is none of this id any more."""

    async def keep_passages(self, scene: SceneId, passages: Sequence[Passage]) -> None:
        """Store the passages of a scene; again it changes nothing."""

    async def uncut(self, limit: int) -> tuple[Scene, ...]:
        """Find scenes without passages."""

    async def unread(self, model: str, limit: int, scene: SceneId | None = None) -> tuple[Unread, ...]:
        """Find passages, of one scene or of all, newest first, that this embedder has not read."""

    async def keep_reading(self, model: str, read: Sequence[Unread], vectors: Sequence[Vector | None]) -> None:
        """Store what an embedder made of passages; None for those it could not read."""

    async def progress(self, model: str) -> Progress:
        """Count how much an embedder has read."""

    async def recall(self, end: SceneId, skip: int, cue: Cue, limit: int) -> tuple[Found, ...]:
        """Find passages on the path that ends at a scene, without its newest `skip` scenes; best first."""

    async def search(self, realm: RoomKey, cue: Cue, limit: int) -> tuple[Found, ...]:
        """Find passages on the paths that are read in the realm of a room; best first."""

    async def measure(self, model: str) -> Measure:
        """Read how long the tokens of a model are."""

    async def learn(self, model: str, estimated: int, read: int) -> None:
        """Take in how many tokens a prompt had that was estimated at so many."""
