"""What looks need from the outside world; see `ports` for everything else."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from storyforge_core.domain.looks import Held
from storyforge_core.domain.story import SceneId, StoryId


class Shelf(Protocol):
    """Where the pictures are by which somebody or something is painted again."""

    async def drawn(self, data: bytes) -> bytes:
        """Make a look of a picture: a PNG of its pixels and nothing else, no larger than painting by it takes.

        Raises:
            Invalid: it is no picture that can be used, or too large.
        """

    async def put(self, file: str, data: bytes) -> None:
        """Put a look away under a name of its own.

        Raises:
            ServiceDown: the disk is away or full.
        """

    async def read(self, file: str, sha256: str) -> bytes | None:
        """Read a look; None where its file is gone or was changed."""

    async def lacking(self, files: Sequence[str]) -> frozenset[str]:
        """Tell which of some files are not there."""

    async def remove(self, files: Iterable[str]) -> None:
        """Delete the files of looks that belong to no story any more.

        Raises:
            ServiceDown: the disk does not let go of them.
        """

    def place(self, file: str) -> Path:
        """Say where a file is, or would be."""


class LookDesk(Protocol):
    """The part of a desk that is about looks."""

    async def looks(self, scene: SceneId) -> tuple[Held, ...]:
        """Read the looks that hold at a scene, the newest on its path of each; with them that of the scene itself."""

    async def look_file(self, sha256: str) -> str | None:
        """Find where a picture of these bytes lies already; None where it does not."""

    async def opening(self, scene: SceneId) -> SceneId:
        """Find the scene that the path to a scene begins with."""

    async def scene_ids(self, story: StoryId) -> Mapping[int, SceneId]:
        """The scenes of a story by number."""

    async def count_looks(self, story: StoryId) -> int:
        """Count the pictures of a story, forgotten ones too."""
