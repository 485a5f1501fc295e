"""Reading where a playthrough stands, and what stands around it."""

from storyforge_core.domain.ballot import Ballot
from storyforge_core.domain.changes import Change, Entry
from storyforge_core.domain.events import Recorded
from storyforge_core.domain.replies import StoryLine
from storyforge_core.domain.runs import Run, Situation
from storyforge_core.domain.story import BallotId, PlayerId, PlaythroughId, Room, RoomKey, Scene
from storyforge_core.errors import Busy, NotFound
from storyforge_core.ports import ShownScene
from storyforge_core.store.codec import BALLOT, CHANGES, EVENT, RUN, SITUATION, columns
from storyforge_core.store.statement import Db, Statement

# One round trip for all that a command is decided by: each part is a row made JSON under the names of its value.
_SITUATION = Statement("""
    SELECT to_json(found)::text, (SELECT playthrough_id FROM room WHERE id = :room) AS shown FROM (
        SELECT (SELECT to_json(part) FROM (
                    SELECT {story} FROM story WHERE story.id = playthrough.story_id) AS part) AS story,
               (SELECT to_json(part) FROM (SELECT {playthrough}) AS part) AS playthrough,
               (SELECT to_json(part) FROM (
                    SELECT {scene} FROM scene WHERE scene.id = playthrough.head_id) AS part) AS head,
               (SELECT to_json(part) FROM (
                    SELECT {ballot}
                      FROM ballot
                     WHERE ballot.playthrough_id = playthrough.id AND ballot.scene_id = playthrough.head_id
                       AND ballot.status = 'open') AS part) AS ballot,
               (SELECT coalesce(json_agg(part ORDER BY part.player), '[]') FROM (
                    SELECT {member} FROM member JOIN player ON player.id = member.player_id
                     WHERE member.playthrough_id = playthrough.id) AS part) AS members,
               (SELECT to_json(part) FROM (
                    SELECT {run} FROM run
                     WHERE run.playthrough_id = playthrough.id AND {writing}) AS part) AS run
          FROM playthrough
         WHERE playthrough.id = :playthrough
    ) AS found
""")

_LIVE_RUN = Statement("""
    SELECT to_json(part)::text
      FROM (SELECT {run} FROM run WHERE run.playthrough_id = :playthrough AND {writing}) AS part
""")

_BALLOT = Statement("""
    SELECT to_json(part)::text FROM (SELECT {ballot} FROM ballot WHERE ballot.id = :ballot) AS part
""")

_STORIES = Statement("""
    SELECT playthrough.id, playthrough.number, story.title, story.premise, story.scenes,
           playthrough.id IS NOT DISTINCT FROM :here::uuid AS here
      FROM playthrough
      JOIN story ON story.id = playthrough.story_id AND NOT story.shelved
      LEFT JOIN LATERAL (
           SELECT event.id FROM event WHERE event.playthrough_id = playthrough.id ORDER BY event.id DESC LIMIT 1
      ) AS newest ON true
     WHERE EXISTS (SELECT FROM room_cursor JOIN room ON room.id = room_cursor.room_id
                    WHERE room_cursor.playthrough_id = playthrough.id
                      AND room.platform = :platform AND room.realm = :realm
                      AND (room.realm <> '' OR room.address = :address))
     ORDER BY newest.id DESC NULLS LAST, playthrough.number DESC
     LIMIT :limit
""")

_ENTRIES = Statement("""
    SELECT id, verb, of_id AS of FROM (
        SELECT id, verb, of_id FROM change
         WHERE playthrough_id = :playthrough AND (undoable OR verb <> 'do')
         ORDER BY id DESC LIMIT :last
    ) AS newest ORDER BY id
""")

_ENTRY_CHANGES = Statement("SELECT changes::text FROM change WHERE id = :entry")

_MEMBERS = Statement("""
    SELECT {member} FROM member JOIN player ON player.id = member.player_id
     WHERE member.playthrough_id = :playthrough ORDER BY member.player_id
""")

_EVENTS = Statement("""
    SELECT id, at, body::text FROM event WHERE playthrough_id = :playthrough AND id > :after ORDER BY id LIMIT :limit
""")

# What a message shows is a run's words, an event or a question; each of them leads to a scene.
_SCENE_IN = Statement("""
    WITH shown AS (
        SELECT delivery.subject, room.playthrough_id,
               CASE WHEN delivery.subject LIKE 'run:%' THEN substr(delivery.subject, 5)::uuid END AS run,
               CASE WHEN delivery.subject LIKE 'event:%' THEN substr(delivery.subject, 7)::bigint END AS event,
               CASE WHEN delivery.subject LIKE 'ballot:%' THEN split_part(delivery.subject, ':', 2)::uuid END AS ballot
          FROM delivery JOIN room ON room.id = delivery.room_id
         WHERE room.platform = :platform AND room.address = :address AND delivery.message = :message
    ), meant AS (
        SELECT shown.playthrough_id,
               coalesce((SELECT scene.id FROM scene WHERE scene.run_id = shown.run),
                        (SELECT (event.body->'scene'->>'id')::uuid FROM event WHERE event.id = shown.event),
                        (SELECT ballot.scene_id FROM ballot WHERE ballot.id = shown.ballot)) AS scene
          FROM shown
    )
    SELECT {scene}, scene.story_id IS NOT DISTINCT FROM playthrough.story_id AS here
      FROM meant
      JOIN scene ON scene.id = meant.scene
      LEFT JOIN playthrough ON playthrough.id = meant.playthrough_id
     LIMIT 1
""")

_PLAYTHROUGH_OF = Statement("SELECT playthrough_id FROM ballot WHERE id = :ballot")


async def situation(db: Db, playthrough: PlaythroughId, seen_from: Room | None = None) -> Situation:
    """Read where a playthrough stands.

    Raises:
        NotFound: there is none of this id.
        Busy: the room it is seen from shows another one by now.
    """
    found = await _SITUATION.row(db, playthrough=playthrough, room=seen_from and seen_from.id)
    if found is None:
        raise NotFound("There is no such story. /story stories lists those that are there.")
    if seen_from and found["shown"] != playthrough:
        raise Busy("This room has just changed to another story. Try again.")
    return SITUATION.validate_json(found["to_json"])


async def live_run(db: Db, playthrough: PlaythroughId) -> Run | None:
    """Find what is being written or queued."""
    found = await _LIVE_RUN.value(db, playthrough=playthrough)
    return RUN.validate_json(found) if found else None


async def ballot(db: Db, wanted: BallotId) -> Ballot:
    """Read a ballot with its choices and votes, whatever became of it.

    Raises:
        NotFound: there is none of this id.
    """
    found = await _BALLOT.value(db, ballot=wanted)
    if found is None:
        raise NotFound("There is no such ballot. /story story shows what is open.")
    return BALLOT.validate_json(found)


async def stories(db: Db, room: Room, limit: int) -> tuple[tuple[PlaythroughId, StoryLine], ...]:
    """List the playthroughs that rooms of a room's realm ever showed, latest activity first.

    A room without a realm, such as a direct message, has only its own: its neighbours are strangers.
    """
    place = columns(room.key)
    rows = await _STORIES.rows(db, **place, here=room.playthrough, limit=limit)
    return tuple((row["id"], StoryLine(*list(row)[1:])) for row in rows)


async def entries(db: Db, playthrough: PlaythroughId, last: int) -> tuple[Entry, ...]:
    """Read the newest steps that undo can take back, and the undos and redos among them, oldest first."""
    found = [Entry(**row) for row in await _ENTRIES.rows(db, playthrough=playthrough, last=last)]
    return tuple(entry for entry in found if entry.of is None or entry.of >= found[0].id)


async def entry_changes(db: Db, entry: int) -> tuple[Change, ...]:
    """Read what a step changed.

    Raises:
        NotFound: there is none of this id.
    """
    stored = await _ENTRY_CHANGES.value(db, entry=entry)
    if stored is None:
        raise NotFound("There is no such step. /story story shows where the story stands.")
    return CHANGES.validate_json(stored)


async def members_named(db: Db, playthrough: PlaythroughId, name: str) -> tuple[PlayerId, ...]:
    """Find members by name, letter case aside: Python knows more of it than a server in the C locale."""
    wanted = name.strip().casefold()
    rows = await _MEMBERS.rows(db, playthrough=playthrough)
    return tuple(row["player"] for row in rows if row["name"].casefold() == wanted)


async def playthrough_of(db: Db, ballot: BallotId) -> PlaythroughId | None:
    """Find whose ballot it is."""
    found: PlaythroughId | None = await _PLAYTHROUGH_OF.value(db, ballot=ballot)
    return found


async def events(db: Db, playthrough: PlaythroughId, after: int, limit: int) -> tuple[Recorded, ...]:
    """Read the events of a playthrough with an id above `after`, in order."""
    rows = await _EVENTS.rows(db, playthrough=playthrough, after=after, limit=limit)
    return tuple(Recorded(row["id"], row["at"], EVENT.validate_json(row["body"])) for row in rows)


async def scene_in(db: Db, key: RoomKey, message: str) -> ShownScene | None:
    """Find the scene that a message of a room tells; None when it tells none."""
    row = await _SCENE_IN.row(db, platform=key.platform, address=key.address, message=message)
    if row is None:
        return None
    *columns_of_scene, here = row.items()
    return ShownScene(Scene(**dict(columns_of_scene)), here[1])
