"""Pictures of scenes: the rows; the bytes are in `gallery`."""

from storyforge_core.domain.changes import PictureSet
from storyforge_core.domain.pictures import HungPicture, InHand, Picture, PictureId
from storyforge_core.domain.story import PlaythroughId, RoomKey, RunId, SceneId
from storyforge_core.picture_ports import Filed
from storyforge_core.store.codec import FILED, IN_HAND, PICTURE, columns
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

_ONE = Statement("""
    SELECT to_json(part)::text
      FROM (SELECT {picture} FROM asset WHERE asset.id = :picture AND asset.shown) AS part
""")

# What was told of a picture last decides: a report hides it until a host has shown it again, or taken it down for good.
_REPORTS = Statement("""
    SELECT json_build_object('report', report.body, 'shown', hung.body, 'hidden', NOT asset.shown AND NOT EXISTS (
               SELECT FROM event AS later
                WHERE later.playthrough_id = report.playthrough_id AND later.id > report.id
                  AND coalesce(later.body->'picture'->>'id', later.body->>'picture') = report.body->>'picture'
                  AND later.body->>'kind' LIKE 'picture\\_%'))::text
      FROM event AS report
      JOIN asset ON asset.id = (report.body->>'picture')::uuid
      JOIN LATERAL (
           SELECT told.body FROM event AS told
            WHERE told.playthrough_id = report.playthrough_id AND told.body->>'kind' = 'picture_shown'
              AND told.body->'picture'->>'id' = report.body->>'picture'
            ORDER BY told.id DESC LIMIT 1
      ) AS hung ON true
     WHERE report.playthrough_id = :playthrough AND report.body->>'kind' = 'picture_reported'
     ORDER BY report.id DESC
""")

_IN_HAND = Statement("""
    SELECT to_json(part)::text FROM (
        SELECT run.id AS run, (run.draft->'order'->>'number')::integer AS number, scene.run_id AS told_by,
               run.status <> 'queued' AS running, coalesce((run.draft->>'done')::float, 0) AS done,
               CASE WHEN run.status <> 'queued' THEN 0 ELSE (
                   SELECT count(*) FROM run AS other
                    WHERE other.kind = 'picture' AND other.status IN ('queued', 'running', 'stopping')
                      AND (other.status <> 'queued' OR (-other.priority, other.job_id) < (-run.priority, run.job_id))
               ) END AS before
          FROM run JOIN scene ON scene.id = (run.draft->'order'->>'scene')::uuid
         WHERE run.playthrough_id = :playthrough AND run.kind = 'picture' AND {live}
         ORDER BY run.status = 'queued', -run.priority, run.job_id
         LIMIT 1
    ) AS part
""")

_PICTURE_IN = Statement("""
    SELECT asset.id AS picture, scene.number
      FROM delivery
      JOIN room ON room.id = delivery.room_id
      JOIN asset ON asset.id = substr(delivery.subject, 9, 36)::uuid
      JOIN scene ON scene.id = asset.scene_id
     WHERE room.platform = :platform AND room.address = :address AND delivery.message = :message
       AND delivery.subject LIKE 'picture:%'
     ORDER BY delivery.id DESC LIMIT 1
""")

_HOSTS = Statement("""
    SELECT identity.user_id FROM member JOIN identity ON identity.player_id = member.player_id
     WHERE member.playthrough_id = :playthrough AND member.host AND member.state <> 'banned'
       AND identity.platform = :platform
     ORDER BY member.player_id
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


async def picture(db: Db, wanted: PictureId) -> Picture | None:
    """Find a picture that is shown."""
    found = await _ONE.value(db, picture=wanted)
    return PICTURE.validate_json(found) if found else None


async def reports(db: Db, playthrough: PlaythroughId) -> tuple[Filed, ...]:
    """List what was reported of a playthrough's pictures, newest first."""
    return tuple(FILED.validate_json(row[0]) for row in await _REPORTS.rows(db, playthrough=playthrough))


async def picture_in(db: Db, key: RoomKey, message: str) -> HungPicture | None:
    """Find the picture that hangs at a message of a room, or is one."""
    found = await _PICTURE_IN.row(db, platform=key.platform, address=key.address, message=message)
    return HungPicture(**found) if found else None


async def hosts(db: Db, playthrough: PlaythroughId, platform: str) -> tuple[str, ...]:
    """List the accounts on a platform of those who host a playthrough."""
    return tuple(row[0] for row in await _HOSTS.rows(db, playthrough=playthrough, platform=platform))


async def in_hand(db: Db, playthrough: PlaythroughId) -> InHand | None:
    """Find the picture of a playthrough that is painted now or next; None when none is wanted."""
    found = await _IN_HAND.value(db, playthrough=playthrough)
    return IN_HAND.validate_json(found) if found else None
