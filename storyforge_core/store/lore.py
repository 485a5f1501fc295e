"""The lore of stories, and when it was told along their paths."""

from collections.abc import Mapping, Sequence

from storyforge_core.domain.changes import LoreSet
from storyforge_core.domain.lore import Fired, LoreEntry, LoreId, StoryLore
from storyforge_core.domain.story import SceneId, StoryId
from storyforge_core.store.codec import LORE, dump, storable
from storyforge_core.store.statement import Db, Statement

_ENTRIES = Statement("""
    SELECT id, number, body::text AS body FROM lore_entry
     WHERE story_id = :story AND body IS NOT NULL ORDER BY number
""")

_NUMBERS = Statement("SELECT coalesce(max(number), 0) FROM lore_entry WHERE story_id = :story")

_HOLD = Statement("SELECT body::text FROM lore_entry WHERE id = :entry FOR UPDATE")

_PUT = Statement("""
    INSERT INTO lore_entry (id, story_id, number, body) VALUES (:entry, :story, :number, :body)
    ON CONFLICT (id) DO UPDATE SET body = excluded.body
""")

_ADD_TOLD = Statement("""
    INSERT INTO lore_fired (scene_id, entry_id, held)
    SELECT :scene, entry, held FROM unnest(:entries::uuid[], :held::boolean[]) AS told (entry, held)
""")

_TOLD = Statement("SELECT entry_id AS entry, held FROM lore_fired WHERE scene_id = :scene ORDER BY entry_id")

# As far back as timers reach, segment by segment, like any path; see `tree`.
_FOUND = Statement("""
    WITH RECURSIVE segment (branch_id, parent_id, first, last, wanted) AS (
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth, scene.depth - :last::int + 1
          FROM scene JOIN branch ON branch.id = scene.branch_id
         WHERE scene.id = :scene
        UNION ALL
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, segment.first - 1, segment.wanted
          FROM segment JOIN branch ON branch.id = segment.parent_id
         WHERE segment.first > segment.wanted
    )
    SELECT lore_fired.entry_id AS entry, max(scene.depth) AS depth
      FROM segment CROSS JOIN LATERAL (
           SELECT scene.id, scene.depth FROM scene
            WHERE scene.branch_id = segment.branch_id
              AND scene.depth BETWEEN greatest(segment.first, segment.wanted) AND segment.last
           OFFSET 0
      ) AS scene
      JOIN lore_fired ON lore_fired.scene_id = scene.id
     WHERE NOT lore_fired.held AND lore_fired.entry_id = ANY(:entries::uuid[])
     GROUP BY lore_fired.entry_id
""")


async def read(db: Db, story: StoryId) -> StoryLore:
    """Read the lore of a story; where there never was any, that costs one statement."""
    numbers = await _NUMBERS.value(db, story=story)
    rows = await _ENTRIES.rows(db, story=story) if numbers else []
    entries = (LoreEntry(row["id"], story, row["number"], LORE.validate_json(row["body"])) for row in rows)
    return StoryLore(tuple(entries), numbers)


async def put(db: Db, change: LoreSet) -> bool:
    """Write an entry; False when it is no longer what the change takes it for."""
    stored = await _HOLD.value(db, entry=change.entry)
    before = LORE.validate_json(stored) if stored else None
    if before != storable(change.before):
        return False
    body = None if change.after is None else dump(LORE, change.after)
    await _PUT.run(db, entry=change.entry, story=change.story, number=change.number, body=body)
    return True


async def add_told(db: Db, scene: SceneId, lore: Sequence[Fired]) -> None:
    """Write down what was told for a scene."""
    if lore:
        fired = {"entries": [each.entry for each in lore], "held": [each.held for each in lore]}
        await _ADD_TOLD.run(db, scene=scene, **fired)


async def told(db: Db, scene: SceneId) -> tuple[Fired, ...]:
    """Read what was told for a scene."""
    return tuple(Fired(**row) for row in await _TOLD.rows(db, scene=scene))


async def found(db: Db, end: SceneId, entries: Sequence[LoreId], last: int) -> Mapping[LoreId, int]:
    """Read the newest depth at which each entry was found, among the last scenes of the path that ends at a scene."""
    rows = await _FOUND.rows(db, scene=end, entries=list(entries), last=last)
    return {row["entry"]: row["depth"] for row in rows}
