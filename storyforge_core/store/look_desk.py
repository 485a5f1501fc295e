"""The part of a desk that is about looks."""

from collections.abc import Mapping

from storyforge_core.domain.looks import Held
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.store import looks
from storyforge_core.store.statement import Db


class LooksAtDesk:
    """See `look_ports.LookDesk`. A desk is one."""

    _db: Db

    async def looks(self, scene: SceneId) -> tuple[Held, ...]:
        """Read the looks that hold at a scene, the newest on its path of each; with them that of the scene itself."""
        return await looks.held(self._db, scene)

    async def look_file(self, sha256: str) -> str | None:
        """Find where a picture of these bytes lies already; None where it does not."""
        return await looks.file(self._db, sha256)

    async def opening(self, scene: SceneId) -> SceneId:
        """Find the scene that the path to a scene begins with."""
        return await looks.opening(self._db, scene)

    async def scene_ids(self, story: StoryId) -> Mapping[int, SceneId]:
        """The scenes of a story by number."""
        return await looks.scene_ids(self._db, story)

    async def count_looks(self, story: StoryId) -> int:
        """Count the pictures of a story, forgotten ones too."""
        return await looks.count(self._db, story)
