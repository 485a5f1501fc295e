"""Reading the tree: paths by segments, takes, maps, search.

A branch is a line of scenes with growing depth; the first child of a scene goes on its branch, each later one begins
a branch of its own. So a path is a handful of (branch, depths) ranges, and a new branch copies nothing.
"""

import re
from collections.abc import Sequence

from storyforge_core.domain.story import Choice, Scene, SceneId, StoryId, TreeNode
from storyforge_core.errors import NotFound
from storyforge_core.store.statement import Db, Statement

_SCENE = Statement("SELECT {scene} FROM scene WHERE scene.id = :scene")

# OFFSET 0 holds the planner to one index range for each segment: by its guess it reads all of a smaller table.
_PATH = Statement("""
    WITH RECURSIVE segment (branch_id, parent_id, first, last, wanted) AS (
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth, scene.depth - :last::int + 1
          FROM scene JOIN branch ON branch.id = scene.branch_id
         WHERE scene.id = :scene
        UNION ALL
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, segment.first - 1, segment.wanted
          FROM segment JOIN branch ON branch.id = segment.parent_id
         WHERE segment.first > segment.wanted
    )
    SELECT {scene}
      FROM segment CROSS JOIN LATERAL (
           SELECT * FROM scene
            WHERE scene.branch_id = segment.branch_id
              AND scene.depth BETWEEN greatest(segment.first, segment.wanted) AND segment.last
           OFFSET 0
      ) AS scene
     ORDER BY scene.depth
""")

_CHOICES = Statement("SELECT {choice} FROM choice WHERE choice.scene_id = :scene ORDER BY choice.position")

_CHOICE_TEXTS = Statement("SELECT choice.id, choice.text FROM choice WHERE choice.id = ANY(:choices::uuid[])")

_OPENINGS = Statement("""
    SELECT {scene} FROM scene WHERE scene.story_id = :story AND scene.parent_id IS NULL ORDER BY scene.take
""")

_TAKES = Statement("""
    SELECT {scene} FROM scene
     WHERE scene.story_id = :story AND scene.parent_id = :parent AND scene.choice_id IS NOT DISTINCT FROM :choice
     ORDER BY scene.take
""")

_BY_NUMBER = Statement("SELECT {scene} FROM scene WHERE scene.story_id = :story AND scene.number = :number")

_BY_TITLE = Statement("""
    SELECT {scene} FROM scene
     WHERE scene.story_id = :story AND strpos(lower(scene.title), lower(:words)) > 0
     ORDER BY lower(scene.title) = lower(:words) DESC, scene.number DESC
     LIMIT 20
""")

_COUNT = Statement("SELECT scenes FROM story WHERE id = :story")

# A breadth-first walk from one scene to its parent and children, never back where it came from; LIMIT ends it early.
_NEAREST = Statement("""
    WITH RECURSIVE walk (id, parent_id, origin) AS (
        SELECT scene.id, scene.parent_id, NULL::uuid FROM scene WHERE scene.id = :around
        UNION ALL
        SELECT next.id, next.parent_id, walk.id
          FROM walk CROSS JOIN LATERAL (
               SELECT scene.id, scene.parent_id FROM scene WHERE scene.id = walk.parent_id
               UNION ALL
               SELECT scene.id, scene.parent_id FROM scene WHERE scene.parent_id = walk.id
          ) AS next
         WHERE next.id IS DISTINCT FROM walk.origin
    )
    SELECT scene.id, scene.number, scene.parent_id AS parent, scene.choice_id AS choice,
           coalesce(choice.text, '') AS choice_text, scene.take, scene.depth, scene.title
      FROM (SELECT walk.id FROM walk LIMIT :limit) AS near
      JOIN scene ON scene.id = near.id
      LEFT JOIN choice ON choice.id = scene.choice_id
     ORDER BY scene.depth, scene.number
""")

_ALL = Statement("""
    SELECT scene.id, scene.number, scene.parent_id AS parent, scene.choice_id AS choice,
           coalesce(choice.text, '') AS choice_text, scene.take, scene.depth, scene.title
      FROM scene LEFT JOIN choice ON choice.id = scene.choice_id
     WHERE scene.story_id = :story
     ORDER BY scene.depth, scene.number
""")

_OPENING = Statement("""
    SELECT scene.id FROM scene WHERE scene.story_id = :story AND scene.parent_id IS NULL ORDER BY scene.take LIMIT 1
""")

_NUMBER = re.compile(r"#?([0-9]{1,9})")


async def scene(db: Db, wanted: SceneId) -> Scene:
    """Read a scene.

    Raises:
        NotFound: there is none of this id.
    """
    row = await _SCENE.row(db, scene=wanted)
    if row is None:
        raise NotFound("There is no such scene. /story map shows those that are there.")
    return Scene(**row)


async def path(db: Db, end: SceneId, last: int) -> tuple[Scene, ...]:
    """Read the last scenes of the path that ends at a scene, root side first."""
    return tuple(Scene(**row) for row in await _PATH.rows(db, scene=end, last=last))


async def choices(db: Db, of: SceneId) -> tuple[Choice, ...]:
    """Read the choices of a scene in order."""
    return tuple(Choice(**row) for row in await _CHOICES.rows(db, scene=of))


async def choice_texts(db: Db, scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Read for each scene the choice that led to it; empty where none did."""
    led = [scene.choice for scene in scenes if scene.choice]
    texts = {row["id"]: row["text"] for row in await _CHOICE_TEXTS.rows(db, choices=led)} if led else {}
    return tuple(texts.get(scene.choice, "") for scene in scenes)


async def takes(db: Db, of: Scene) -> tuple[Scene, ...]:
    """Read the takes that a scene is one of, first told first."""
    if of.parent is None:
        rows = await _OPENINGS.rows(db, story=of.story)
    else:
        rows = await _TAKES.rows(db, story=of.story, parent=of.parent, choice=of.choice)
    return tuple(Scene(**row) for row in rows)


async def find_scenes(db: Db, story: StoryId, words: str) -> tuple[Scene, ...]:
    """Find scenes by number (`12`, `#12`) or by words of the title; a full title before a part, newest first."""
    wanted = words.strip()
    if not wanted:
        return ()
    number = _NUMBER.fullmatch(wanted)
    rows = await _BY_NUMBER.rows(db, story=story, number=int(number.group(1))) if number else []
    return tuple(Scene(**row) for row in rows or await _BY_TITLE.rows(db, story=story, words=wanted))


async def tree(db: Db, story: StoryId, around: SceneId | None, limit: int) -> tuple[tuple[TreeNode, ...], int]:
    """Read the nodes, parents first; those nearest to a scene if there are more, and how many are left out."""
    total = await count_scenes(db, story)
    if total <= limit:
        rows = await _ALL.rows(db, story=story)
    else:
        centre = around or await _OPENING.value(db, story=story)
        rows = await _NEAREST.rows(db, around=centre, limit=limit)
    nodes = tuple(TreeNode(**row) for row in rows)
    return nodes, max(0, total - len(nodes))


async def count_scenes(db: Db, story: StoryId) -> int:
    """Count the scenes of a story."""
    return await _COUNT.value(db, story=story) or 0
