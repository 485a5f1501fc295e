"""Pictures of scenes: the rows; the bytes are in `gallery`."""

from storyforge_core.domain.changes import PictureSet
from storyforge_core.domain.pictures import Picture
from storyforge_core.domain.story import RunId, SceneId
from storyforge_core.store.codec import PICTURE, columns
from storyforge_core.store.statement import Db, Statement

_ADD = Statement("""
    INSERT INTO asset (id, scene_id, run_id, sha256, mime, bytes, width, height, prompt, alt, seen, seed, workflow,
                       asker_id, created_at)
    VALUES (:id, :scene, :run, :hash, :mime, :bytes, :width, :height, :prompt, :alt, :seen, :seed, :workflow, :asker,
            :created_at)
""")

_SET = Statement("UPDATE asset SET shown = :after WHERE id = :picture AND shown = :before RETURNING id")

_SHOWN = Statement("""
    SELECT to_json(part)::text
      FROM (SELECT {picture} FROM asset WHERE asset.scene_id = :scene AND asset.shown ORDER BY asset.id DESC) AS part
""")

_TOLD_BY = Statement("SELECT run_id FROM scene WHERE id = :scene")


async def add(db: Db, picture: Picture) -> None:
    """Store a picture; it is shown until it is taken down."""
    kept, size = picture.kept, picture.kept.size
    values = {**columns(picture), **columns(kept), **columns(size), **columns(picture.vision)}
    await _ADD.run(db, **values, hash=kept.sha256)


async def set_shown(db: Db, change: PictureSet) -> object:
    """Take a picture down, or show it again; nothing when that is not how it stands."""
    return await _SET.value(db, **columns(change))


async def shown(db: Db, scene: SceneId) -> tuple[Picture, ...]:
    """List the pictures of a scene that are shown, newest first."""
    return tuple(PICTURE.validate_json(row[0]) for row in await _SHOWN.rows(db, scene=scene))


async def told_by(db: Db, scene: SceneId) -> RunId | None:
    """Find the run that told a scene; None for one that a player wrote."""
    run: RunId | None = await _TOLD_BY.value(db, scene=scene)
    return run
