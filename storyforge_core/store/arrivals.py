"""What comes in from a platform: seen before or not, from which room, by which player."""

from dataclasses import dataclass, replace
from datetime import datetime

from storyforge_core.domain.commands import Incoming, Speaker
from storyforge_core.domain.space import Space
from storyforge_core.domain.story import Player, Room, RoomKey
from storyforge_core.ports import Clock
from storyforge_core.store import spaces
from storyforge_core.store.codec import columns, storable
from storyforge_core.store.statement import Db, Statement

NAME_CHARS = 80
"""Discord and Matrix show no more of a name either."""

# A second delivery of the same event waits here for the first one's commit, and then is no news.
_RECEIVE = Statement("""
    WITH news AS (
        INSERT INTO inbox (platform, event, at) VALUES (:platform, :event, :at) ON CONFLICT DO NOTHING RETURNING at
    )
    SELECT room.id AS room, room.realm, room.playthrough_id AS playthrough, player.id AS player, player.name,
           space.settings::text AS space
      FROM news
      LEFT JOIN room ON room.platform = :room_platform AND room.address = :address
      LEFT JOIN identity ON identity.platform = :speaker_platform AND identity.user_id = :user
      LEFT JOIN player ON player.id = identity.player_id
      LEFT JOIN space ON space.platform = :room_platform AND space.realm = :realm
""")

_FIND_ROOM = Statement("SELECT id, playthrough_id FROM room WHERE platform = :platform AND address = :address")

_ADD_ROOM = Statement("""
    INSERT INTO room (id, platform, address, realm) VALUES (:id, :platform, :address, :realm)
    ON CONFLICT (platform, address) DO UPDATE SET realm = excluded.realm WHERE room.realm <> excluded.realm
""")

_ROOMS = Statement("""
    SELECT id, platform, address, realm, playthrough_id FROM room
     WHERE platform = :platform AND playthrough_id IS NOT NULL ORDER BY id
""")

_FIND_PLAYER = Statement("""
    SELECT player.id, player.name FROM identity JOIN player ON player.id = identity.player_id
     WHERE identity.platform = :platform AND identity.user_id = :user
""")

_ADD_PLAYER = Statement("""
    WITH known AS (
        INSERT INTO identity (platform, user_id, player_id) VALUES (:platform, :user, :id)
        ON CONFLICT DO NOTHING RETURNING player_id
    )
    INSERT INTO player (id, name) SELECT player_id, :name FROM known
""")

_FORGET = Statement("DELETE FROM inbox WHERE at < :before")
_FORGET_LETTERS = Statement("DELETE FROM letter WHERE at < :before")

_RENAME = Statement("UPDATE player SET name = :name WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who asks, and where."""

    room: Room
    player: Player
    space: Space


async def receive(db: Db, clock: Clock, incoming: Incoming) -> Arrival | None:
    """Note an event and find, or make known, its room and player; None when it was noted before."""
    incoming = storable(incoming)
    key, speaker = incoming.room, incoming.speaker
    found = await _RECEIVE.row(
        db,
        platform=key.platform,
        event=incoming.event,
        at=incoming.at,
        room_platform=key.platform,
        address=key.address,
        realm=key.realm,
        speaker_platform=speaker.platform,
        user=speaker.user,
    )
    if found is None:
        return None
    known = found["room"] and found["realm"] == key.realm
    room = Room(found["room"], key, found["playthrough"]) if known else await make_room(db, clock, key)
    if found["player"]:
        player = await _renamed(db, Player(id=found["player"], name=found["name"]), _shown_name(speaker))
    else:
        player = await _make_player(db, clock, speaker)
    return Arrival(room, player, spaces.read(found["space"]))


async def make_room(db: Db, clock: Clock, key: RoomKey) -> Room:
    """Find a room, or make it known."""
    place = columns(key)
    await _ADD_ROOM.run(db, id=clock.new_id(), **place)
    (row,) = await _FIND_ROOM.rows(db, **place)
    return Room(row["id"], key, row["playthrough_id"])


async def rooms(db: Db, platform: str) -> tuple[Room, ...]:
    """List the rooms of a platform that show a story."""
    found = await _ROOMS.rows(db, platform=platform)
    return tuple(
        Room(row["id"], RoomKey(row["platform"], row["address"], row["realm"]), row["playthrough_id"]) for row in found
    )


async def _make_player(db: Db, clock: Clock, speaker: Speaker) -> Player:
    who = {"platform": speaker.platform, "user": speaker.user}
    await _ADD_PLAYER.run(db, id=clock.new_id(), name=_shown_name(speaker), **who)
    (row,) = await _FIND_PLAYER.rows(db, **who)
    return Player(id=row["id"], name=row["name"])


async def _renamed(db: Db, player: Player, name: str) -> Player:
    if player.name == name:
        return player
    await _RENAME.run(db, id=player.id, name=name)
    return replace(player, name=name)


def _shown_name(speaker: Speaker) -> str:
    return " ".join(speaker.name.split())[:NAME_CHARS] or speaker.user[:NAME_CHARS]


async def forget(db: Db, before: datetime) -> None:
    """Forget the ids of messages that came before a time: no platform delivers one again so late."""
    for statement in (_FORGET, _FORGET_LETTERS):
        await statement.run(db, before=before)
