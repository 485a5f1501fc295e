"""The part of a desk that keeps a long story short."""

from datetime import datetime

from storyforge_core.domain.chapters import Chapter, Past
from storyforge_core.domain.runs import Situation
from storyforge_core.domain.story import Player, SceneId
from storyforge_core.errors import NotFound
from storyforge_core.store import bookmarks, chapters
from storyforge_core.store.statement import Db


class LongDesk:
    """See `memory_ports.Long`."""

    _db: Db
    player: Player | None
    situation: Situation | None

    async def past(self, end: SceneId, scenes: int, *, fresh: bool = False) -> Past:
        """Read what the path to a scene holds, at most so many scenes whole."""
        return await chapters.before(self._db, end, scenes, fresh=fresh)

    async def chapters(self, end: SceneId, last: int) -> tuple[Chapter, ...]:
        """Read the last chapters that have ended on the path to a scene, first to last."""
        return await chapters.chapters(self._db, end, last)

    async def summarise(self, scene: SceneId) -> None:
        """Have whatever is left to summarise on the path to a scene summarised in the background."""
        await chapters.summarise_soon(self._db, scene)

    async def left_at(self, head: SceneId, now: datetime) -> int | None:
        """Read how many scenes of the path to the head the asker knows already; None when they were never here."""
        here, reader = self._reader
        return await bookmarks.left_at(self._db, here.playthrough.id, reader.id, head, now)

    async def read_until(self, head: SceneId, now: datetime) -> None:
        """Note that the asker has been told what happened up to a scene."""
        here, reader = self._reader
        await bookmarks.note(self._db, here.playthrough.id, reader.id, head, now)

    @property
    def _reader(self) -> tuple[Situation, Player]:
        """Who reads, and what.

        Raises:
            NotFound: nobody does, or nothing.
        """
        if self.situation is None or self.player is None:
            raise NotFound("There is no story here. Begin one with /story new.")
        return self.situation, self.player
