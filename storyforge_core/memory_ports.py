"""What memory needs from the outside world, as narrow protocols."""

from collections.abc import Sequence
from typing import Protocol

from storyforge_core.domain.bible import Entity, Fact
from storyforge_core.domain.manifest import Measure
from storyforge_core.domain.memory import Cue, Found, Passage, Progress, Purpose, Unread, Vector
from storyforge_core.domain.story import RoomKey, Scene, SceneId, StoryId


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


class Book(Protocol):
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
