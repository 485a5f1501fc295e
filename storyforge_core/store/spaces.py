"""What was decided for whole spaces, and whether the bot is still there."""

from collections.abc import Collection
from datetime import datetime

from storyforge_core.domain.space import Space
from storyforge_core.domain.story import RoomKey
from storyforge_core.store.codec import SPACE, dump
from storyforge_core.store.statement import Db, Statement

_HOLD = Statement("""
    INSERT INTO space (platform, realm) VALUES (:platform, :realm)
    ON CONFLICT (platform, realm) DO UPDATE SET settings = space.settings
    RETURNING settings::text
""")

_KEEP = Statement("UPDATE space SET settings = :settings WHERE platform = :platform AND realm = :realm")

_READ = Statement("SELECT settings::text FROM space WHERE platform = :platform AND realm = :realm")

# Known are the spaces with stories. Whoever comes back finds everything, and the time begins anew if they go again.
_PRESENT = Statement("""
    WITH known AS (
        SELECT DISTINCT realm FROM room
         WHERE platform = :platform AND realm <> '' AND (:only::text IS NULL OR realm = :only)
    )
    INSERT INTO space (platform, realm, left_at)
    SELECT :platform, realm, CASE WHEN realm = ANY(:present::text[]) THEN NULL ELSE :at::timestamptz END FROM known
    ON CONFLICT (platform, realm) DO UPDATE
       SET left_at = CASE WHEN excluded.left_at IS NULL THEN NULL ELSE coalesce(space.left_at, excluded.left_at) END
     WHERE (space.left_at IS NULL) <> (excluded.left_at IS NULL)
""")


async def hold(db: Db, key: RoomKey) -> Space:
    """Read what was decided for the space of a room, and let nobody else decide until the end of the transaction."""
    return read(await _HOLD.value(db, platform=key.platform, realm=key.realm))


async def keep(db: Db, key: RoomKey, space: Space) -> None:
    """Write down what is decided; the space is held."""
    await _KEEP.run(db, platform=key.platform, realm=key.realm, settings=dump(SPACE, space))


async def space(db: Db, key: RoomKey) -> Space:
    """Read what was decided for the space of a room."""
    return read(await _READ.value(db, platform=key.platform, realm=key.realm))


def read(stored: str | None) -> Space:
    """Read decisions as they are stored; nothing is decided where nothing is."""
    return SPACE.validate_json(stored) if stored else Space()


async def attendance(db: Db, platform: str, present: Collection[str], at: datetime, only: str | None = None) -> None:
    """Note in which spaces of a platform the bot is, and since when it is not in the others."""
    await _PRESENT.run(db, platform=platform, present=list(present), at=at, only=only)
