"""Long paths: where chapters end, what was put into fewer words, and how far somebody has read.

All of it belongs to scenes and is read by the ranges of a path, so a branch needs none of its own, and sees none of
its siblings'.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from storyforge_core.domain.changes import ChapterSet
from storyforge_core.domain.chapters import Chapter, Cover, Outline, Past, Summary
from storyforge_core.domain.story import SceneId
from storyforge_core.domain.writing import Synopsis, ToldScene
from storyforge_core.store.codec import storable
from storyforge_core.store.jobs_sql import SUMMARY_QUEUE, SUMMARY_TASK
from storyforge_core.store.statement import Db, Statement

LEAST_READ = 24
"""Scenes that are read whole at the least: keys of the lore are looked for that far back."""
EVER = datetime.max.replace(tzinfo=UTC)
"""The infinity of PostgreSQL."""
MOST_LINES = 400
"""Scenes that are read without their prose; more have no room in any window of today."""

_END = Statement("""
    INSERT INTO chapter (id, story_id, scene_id, branch_id, depth, title, closed_at)
    SELECT :id, scene.story_id, scene.id, scene.branch_id, scene.depth, :title, :at FROM scene WHERE scene.id = :scene
    ON CONFLICT DO NOTHING RETURNING id
""")

_RENAME = Statement("""
    UPDATE chapter SET title = :title, closed_at = :at
     WHERE id = :id AND title = :was_title AND closed_at = :was_at RETURNING id
""")

_REOPEN = Statement("DELETE FROM chapter WHERE id = :id AND title = :was_title AND closed_at = :was_at RETURNING id")

# From the opening on the summary that reaches furthest, then the one that goes on behind it, and so on.
_WALK = """
    walk (next, layer, first, depth, scene_id, title, text) AS (
        SELECT 0, 0::smallint, 0, -1, NULL::uuid, '', ''
        UNION ALL
        SELECT found.depth + 1, found.layer, found.first, found.depth, found.scene_id, found.title, found.text
          FROM walk CROSS JOIN limits CROSS JOIN LATERAL (
               SELECT summary.* FROM summary
                WHERE summary.story_id = limits.story_id AND summary.first = walk.next AND summary.layer > 0
                  AND summary.made_at <= limits.seen
                  AND EXISTS (SELECT FROM segment
                               WHERE segment.branch_id = summary.branch_id
                                 AND summary.depth BETWEEN segment.first AND segment.last)
                ORDER BY summary.depth DESC, summary.layer DESC
                LIMIT 1
          ) AS found
    )
"""

_ENDED = """
    ended AS (
        SELECT chapter.depth, chapter.closed_at
          FROM segment JOIN chapter ON chapter.branch_id = segment.branch_id
                                   AND chapter.depth BETWEEN segment.first AND segment.last
         ORDER BY chapter.depth DESC
         LIMIT 2
    )
"""

# A summary that came while a chapter is told is not read before that chapter has ended, unless somebody wants the
# newest: the beginning of a prompt stays as it is from scene to scene.
_BEFORE = Statement(
    """
    WITH RECURSIVE {whole_path}, {ended}, limits AS MATERIALIZED (
        SELECT scene.story_id, scene.depth AS newest,
               coalesce((SELECT max(ended.depth) + 1 FROM ended), 0) AS opened,
               coalesce((SELECT min(ended.depth) + 1 FROM ended HAVING count(*) = 2), 0) AS recent,
               CASE WHEN :fresh THEN 'infinity' ELSE coalesce((SELECT max(ended.closed_at) FROM ended), 'infinity') END
                   AS seen
          FROM scene WHERE scene.id = :scene
    ), {walk}
    SELECT limits.newest, limits.opened, limits.recent, limits.seen, walk.next, walk.layer, walk.title, walk.text,
           walk.depth - walk.first + 1 AS scenes, until.number AS last,
           (SELECT since.number FROM segment
              JOIN scene AS since ON since.branch_id = segment.branch_id AND since.depth = walk.first
             WHERE walk.first BETWEEN segment.first AND segment.last) AS first
      FROM limits CROSS JOIN walk
      LEFT JOIN scene AS until ON until.id = walk.scene_id
     ORDER BY walk.next
""".replace("{ended}", _ENDED).replace("{walk}", _WALK)
)

# As `tree` reads paths, but only the columns that are wanted, with the choice that led to each scene.
_SCENES = Statement("""
    WITH RECURSIVE segment (branch_id, parent_id, first, last) AS (
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth
          FROM scene JOIN branch ON branch.id = scene.branch_id
         WHERE scene.id = :scene
        UNION ALL
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, segment.first - 1
          FROM segment JOIN branch ON branch.id = segment.parent_id
         WHERE segment.first > :first::int
    )
    SELECT scene.id, scene.number, scene.title, coalesce(choice.text, '') AS choice,
           CASE WHEN scene.depth >= :whole::int THEN scene.prose ELSE '' END AS prose,
           coalesce(gist.text, '') AS gist
      FROM segment CROSS JOIN LATERAL (
           SELECT * FROM scene
            WHERE scene.branch_id = segment.branch_id
              AND scene.depth BETWEEN greatest(segment.first, :first::int) AND least(segment.last, :last::int)
           OFFSET 0
      ) AS scene
      LEFT JOIN choice ON choice.id = scene.choice_id
      LEFT JOIN summary AS gist ON gist.scene_id = scene.id AND gist.layer = 0 AND gist.made_at <= :seen
     ORDER BY scene.depth
""")

_OUTLINE = Statement(
    """
    WITH RECURSIVE {whole_path}, limits AS MATERIALIZED (
        SELECT scene.story_id, scene.depth AS newest, 'infinity'::timestamptz AS seen
          FROM scene WHERE scene.id = :scene
    ), {walk}
    SELECT limits.story_id, limits.newest, walk.layer, walk.first, walk.depth,
           (SELECT min(chapter.depth)
              FROM segment JOIN chapter ON chapter.branch_id = segment.branch_id
                                       AND chapter.depth BETWEEN segment.first AND segment.last
             WHERE chapter.depth >= (SELECT max(next) FROM walk)) AS ended
      FROM limits CROSS JOIN walk
     ORDER BY walk.next
""".replace("{walk}", _WALK)
)

_COVERED = Statement("""
    WITH RECURSIVE {whole_path}
    SELECT DISTINCT ON (summary.first) summary.title, summary.text
      FROM segment JOIN summary ON summary.branch_id = segment.branch_id
                               AND summary.depth BETWEEN segment.first AND segment.last
     WHERE summary.story_id = (SELECT story_id FROM scene WHERE id = :scene)
       AND summary.layer = :layer::smallint AND summary.first >= :first::int AND summary.depth <= :last::int
     ORDER BY summary.first, summary.depth DESC
""")

_KEEP = Statement("""
    INSERT INTO summary (scene_id, layer, first, story_id, branch_id, depth, title, text, made_at)
    SELECT scene.id, given.layer, given.first, scene.story_id, scene.branch_id, scene.depth,
           given.title, given.text, :at
      FROM unnest(:scenes::uuid[], :layers::smallint[], :firsts::int[], :titles::text[], :texts::text[])
        AS given (scene, layer, first, title, text)
      JOIN scene ON scene.id = given.scene
    ON CONFLICT DO NOTHING
""")

_CHAPTERS = Statement("""
    WITH RECURSIVE {whole_path}, ended AS (
        SELECT chapter.scene_id, chapter.depth, chapter.title,
               row_number() OVER (ORDER BY chapter.depth) AS number,
               coalesce(lag(chapter.depth) OVER (ORDER BY chapter.depth) + 1, 0) AS first
          FROM segment JOIN chapter ON chapter.branch_id = segment.branch_id
                                   AND chapter.depth BETWEEN segment.first AND segment.last
    ), newest AS (
        SELECT * FROM ended ORDER BY depth DESC LIMIT :limit
    )
    SELECT newest.number, coalesce(nullif(newest.title, ''), told.title, '') AS title, since.number AS first,
           until.number AS last, newest.depth - newest.first + 1 AS scenes, coalesce(told.text, '') AS summary
      FROM newest
      JOIN scene AS until ON until.id = newest.scene_id
      JOIN segment ON newest.first BETWEEN segment.first AND segment.last
      JOIN scene AS since ON since.branch_id = segment.branch_id AND since.depth = newest.first
      LEFT JOIN LATERAL (
           SELECT summary.title, summary.text FROM summary
            WHERE summary.scene_id = newest.scene_id AND summary.layer = 1
            ORDER BY summary.first LIMIT 1
      ) AS told ON true
     ORDER BY newest.depth
""")

_SUMMARISE = Statement("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue::text, :task::text, 0, NULL, NULL, jsonb_build_object('scene', :scene::uuid), NULL
    )::procrastinate_job_to_defer_v1])
""")


async def set_ending(db: Db, change: ChapterSet) -> object:
    """Let a chapter end, end otherwise, or go on; answers nothing where it is no longer as it was."""
    was = {} if change.before is None else {"was_title": storable(change.before.title), "was_at": change.before.at}
    if change.after is None:
        return await _REOPEN.value(db, id=change.chapter, **was)
    after = {"id": change.chapter, "title": storable(change.after.title), "at": change.after.at}
    if change.before is None:
        return await _END.value(db, scene=change.scene, **after)
    return await _RENAME.value(db, **after, **was)


async def before(db: Db, end: SceneId, scenes: int, *, fresh: bool = False) -> Past:
    """Read what a path holds.

    Args:
        db: where.
        end: the last scene.
        scenes: how many may be read whole, at the most.
        fresh: what was summarised since the last chapter ended counts as well.
    """
    found = await _BEFORE.rows(db, scene=end, fresh=fresh)
    at = found[0]
    newest, opened, recent = at["newest"], at["opened"], at["recent"]
    whole = max(newest + 1 - scenes, min(recent, newest + 1 - LEAST_READ), 0)
    first = min(max(found[-1]["next"], whole - MOST_LINES), whole)
    read = await _SCENES.rows(db, scene=end, first=first, last=newest, whole=whole, seen=at["seen"])
    told = tuple(_told(row) for row in read)
    synopses = tuple(
        Synopsis(row["layer"], row["first"], row["last"], row["scenes"], row["title"], row["text"]) for row in found[1:]
    )
    return Past(synopses, told[: whole - first], told[whole - first :], whole, opened, recent)


async def outline(db: Db, end: SceneId) -> Outline | None:
    """Read how far a path has been summarised; None when the scene is gone."""
    rows = await _OUTLINE.rows(db, scene=end)
    if not rows:
        return None
    covers = tuple(Cover(row["layer"], row["first"], row["depth"]) for row in rows[1:])
    return Outline(rows[0]["story_id"], rows[0]["newest"], covers, rows[0]["ended"])


async def stretch(db: Db, end: SceneId, first: int, last: int) -> tuple[tuple[SceneId, ToldScene], ...]:
    """Read the scenes of a path between two depths, whole."""
    rows = await _SCENES.rows(db, scene=end, first=first, last=last, whole=first, seen=EVER)
    return tuple((row["id"], _told(row)) for row in rows)


async def covered(db: Db, end: SceneId, layer: int, first: int, last: int) -> tuple[tuple[str, str], ...]:
    """Read titles and texts of the summaries of one layer between two depths of a path, first to last."""
    rows = await _COVERED.rows(db, scene=end, layer=layer, first=first, last=last)
    return tuple((row["title"], row["text"]) for row in rows)


async def keep(db: Db, made: Sequence[Summary], at: datetime) -> None:
    """Store summaries; those that are there already stay as they are."""
    await _KEEP.run(
        db,
        scenes=[each.scene for each in made],
        layers=[each.layer for each in made],
        firsts=[each.first for each in made],
        titles=[storable(each.title) for each in made],
        texts=[storable(each.text) for each in made],
        at=at,
    )


async def chapters(db: Db, end: SceneId, last: int) -> tuple[Chapter, ...]:
    """Read the last chapters that have ended on a path, first to last."""
    return tuple(Chapter(**row) for row in await _CHAPTERS.rows(db, scene=end, limit=last))


async def summarise_soon(db: Db, scene: SceneId) -> None:
    """Have whatever is left to summarise on the path to a scene summarised in the background."""
    await _SUMMARISE.run(db, queue=SUMMARY_QUEUE, task=SUMMARY_TASK, scene=scene)


def _told(row: asyncpg.Record) -> ToldScene:
    return ToldScene(row["number"], row["title"], row["choice"], row["prose"], row["gist"])
