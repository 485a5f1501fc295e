"""How far somebody has read: where the group stood when they last did something, or were last told what happened."""

from datetime import datetime, timedelta

from storyforge_core.domain.story import PlayerId, PlaythroughId, SceneId
from storyforge_core.store.statement import Db, Statement

AGAIN = timedelta(hours=1)
"""Who asks once more within it is told the same again: they may have lost the answer."""

# Everything that somebody does is in the log, and so is every move of the head. Of a scene on another branch counts
# what lies before the fork.
_LEFT = Statement("""
    WITH RECURSIVE acted AS (
        SELECT change.id FROM change
         WHERE change.playthrough_id = :playthrough AND change.actor_id = :player
         ORDER BY change.id DESC LIMIT 1
    ), stood AS (
        SELECT (moved->>'after')::uuid AS scene_id
          FROM acted JOIN change ON change.playthrough_id = :playthrough AND change.id <= acted.id
          CROSS JOIN LATERAL jsonb_array_elements(change.changes) AS moved
         WHERE moved->>'kind' = 'head_moved'
         ORDER BY change.id DESC LIMIT 1
    ), known AS (
        SELECT scene_id FROM stood
        UNION ALL
        SELECT CASE WHEN :now - bookmark.at < :again THEN bookmark.before_id ELSE bookmark.scene_id END
          FROM bookmark WHERE bookmark.playthrough_id = :playthrough AND bookmark.player_id = :player
    ), theirs (branch_id, parent_id, first, last) AS (
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, scene.depth
          FROM known JOIN scene ON scene.id = known.scene_id JOIN branch ON branch.id = scene.branch_id
        UNION ALL
        SELECT branch.id, branch.parent_id, branch.fork_depth + 1, theirs.first - 1
          FROM theirs JOIN branch ON branch.id = theirs.parent_id
    ), {whole_path}
    SELECT CASE WHEN EXISTS (SELECT FROM theirs)
                THEN (SELECT coalesce(max(least(theirs.last, segment.last)) + 1, 0)
                        FROM theirs JOIN segment ON segment.branch_id = theirs.branch_id)
           END
""")

_NOTE = Statement("""
    INSERT INTO bookmark (playthrough_id, player_id, scene_id, at) VALUES (:playthrough, :player, :scene, :now)
    ON CONFLICT (playthrough_id, player_id) DO UPDATE
       SET before_id = CASE WHEN :now - bookmark.at < :again THEN bookmark.before_id ELSE bookmark.scene_id END,
           scene_id = excluded.scene_id,
           at = CASE WHEN :now - bookmark.at < :again THEN bookmark.at ELSE excluded.at END
""")


async def left_at(db: Db, playthrough: PlaythroughId, player: PlayerId, head: SceneId, now: datetime) -> int | None:
    """Read how many scenes of the path to the head somebody knows already; None when they were never here."""
    known = {"playthrough": playthrough, "player": player, "scene": head}
    scenes: int | None = await _LEFT.value(db, **known, now=now, again=AGAIN)
    return scenes


async def note(db: Db, playthrough: PlaythroughId, player: PlayerId, head: SceneId, now: datetime) -> None:
    """Note that somebody has been told what happened up to a scene."""
    await _NOTE.run(db, playthrough=playthrough, player=player, scene=head, now=now, again=AGAIN)
