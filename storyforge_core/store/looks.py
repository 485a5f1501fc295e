"""How people, places and things look: the rows; the pictures are in `shelf`."""

from storyforge_core.domain.changes import LookSet
from storyforge_core.domain.looks import Held, Reading
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.store.codec import HELD, columns
from storyforge_core.store.statement import Db, Statement

_HELD = Statement("""
    WITH RECURSIVE {whole_path}
    SELECT json_build_object('number', found.number, 'look', found)::text FROM (
        SELECT DISTINCT ON (look.entity_id)
               look.id, look.story_id AS story, look.kind, look.entity_id AS entity, look.scene_id AS scene, look.file,
               look.sha256, look.bytes, look.source, look.by_id AS by, scene.number
          FROM look
          JOIN scene ON scene.id = look.scene_id
          JOIN segment ON segment.branch_id = scene.branch_id AND scene.depth BETWEEN segment.first AND segment.last
         WHERE look.story_id = (SELECT story_id FROM scene WHERE id = :scene)
           AND look.held AND (look.kind <> 'scene' OR look.scene_id = :scene)
         ORDER BY look.entity_id, scene.depth DESC, look.given DESC
    ) AS found
""")

_ADD = Statement("""
    INSERT INTO look (id, story_id, kind, entity_id, scene_id, file, sha256, bytes, source, by_id)
    VALUES (:id, :story, :kind, :entity, :scene, :file, :hash, :bytes, :source, :by)
    ON CONFLICT (id) DO UPDATE SET held = true WHERE NOT look.held
    RETURNING id
""")

_DROP = Statement("UPDATE look SET held = false WHERE id = :look AND held RETURNING id")

_FILE = Statement("SELECT file FROM look WHERE sha256 = :hash ORDER BY given DESC LIMIT 1")

_COUNT = Statement("SELECT count(*) FROM look WHERE story_id = :story")

_FILES = Statement("SELECT file, max(sha256) AS sha256 FROM look WHERE held GROUP BY file ORDER BY file")

_NOBODYS = Statement("""
    SELECT name FROM unnest(:files::text[]) AS name WHERE NOT EXISTS (SELECT FROM look WHERE look.file = name)
""")


_OPENING = Statement("""
    WITH RECURSIVE {whole_path}
    SELECT scene.id
      FROM scene
      JOIN segment ON segment.branch_id = scene.branch_id AND scene.depth BETWEEN segment.first AND segment.last
     ORDER BY scene.depth LIMIT 1
""")

_SCENES = Statement("SELECT number, id FROM scene WHERE story_id = :story")

_READINGS = Statement("""
    SELECT playthrough.id, playthrough.number, coalesce(nullif(story.title, ''), story.premise) AS title
      FROM playthrough JOIN story ON story.id = playthrough.story_id
     WHERE NOT story.shelved AND (playthrough.number = :number OR :number::integer IS NULL)
     ORDER BY playthrough.number DESC LIMIT 20
""")


async def held(db: Db, scene: SceneId) -> tuple[Held, ...]:
    """Read the looks that hold at a scene, the newest on its path of each; with them that of the scene itself."""
    return tuple(HELD.validate_json(row[0]) for row in await _HELD.rows(db, scene=scene))


async def put(db: Db, change: LookSet) -> object:
    """Write a look, or that it is forgotten; answers nothing where it is no longer what it was.

    The row of a forgotten one stays: undo brings it back, and its file belongs to somebody.
    """
    if change.after is None and change.before is None:  # of somebody who was forgotten
        return True
    if change.after is None:
        return await _DROP.value(db, look=change.look)
    return await _ADD.value(db, **columns(change.after), hash=change.after.sha256)


async def file(db: Db, sha256: str) -> str | None:
    """Find where a picture of these bytes lies already."""
    found: str | None = await _FILE.value(db, hash=sha256)
    return found


async def count(db: Db, story: StoryId) -> int:
    """Count the pictures of a story, forgotten ones too."""
    return int(await _COUNT.value(db, story=story))


async def files(db: Db) -> tuple[tuple[str, str], ...]:
    """List the files of all looks that hold anywhere, and the hashes of what should be in them."""
    return tuple((row["file"], row["sha256"]) for row in await _FILES.rows(db))


async def unused(db: Db, known: tuple[str, ...]) -> tuple[str, ...]:
    """Tell which of some files belong to no look any more."""
    return tuple(row[0] for row in await _NOBODYS.rows(db, files=list(known)))


async def opening(db: Db, scene: SceneId) -> SceneId:
    """Find the scene that the path to a scene begins with."""
    return SceneId(await _OPENING.value(db, scene=scene))


async def scene_ids(db: Db, story: StoryId) -> dict[int, SceneId]:
    """The scenes of a story by number."""
    return {row["number"]: SceneId(row["id"]) for row in await _SCENES.rows(db, story=story)}


async def readings(db: Db, number: int | None) -> tuple[Reading, ...]:
    """List the stories that are read, or the one of a number; those begun last come first."""
    return tuple(Reading(**row) for row in await _READINGS.rows(db, number=number))
