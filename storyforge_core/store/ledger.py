"""What was shown where."""

from storyforge_core.domain.story import PlaythroughId, RoomId
from storyforge_core.ports import Clock
from storyforge_core.show_ports import Delivery
from storyforge_core.store.codec import columns, storable
from storyforge_core.store.database import Database
from storyforge_core.store.statement import Statement
from storyforge_core.store.transaction import connection

_CURSOR = Statement("SELECT event_id FROM room_cursor WHERE room_id = :room AND playthrough_id = :playthrough")

_ADVANCE = Statement("""
    INSERT INTO room_cursor (room_id, playthrough_id, event_id) VALUES (:room, :playthrough, :event)
    ON CONFLICT (room_id, playthrough_id)
    DO UPDATE SET event_id = greatest(room_cursor.event_id, excluded.event_id)
""")

_DELIVERIES = Statement("""
    SELECT {delivery} FROM delivery WHERE delivery.room_id = :room AND delivery.subject = :subject ORDER BY part
""")

_UNFINISHED = Statement("""
    SELECT {delivery} FROM delivery WHERE delivery.room_id = :room AND NOT delivery.final ORDER BY delivery.id
""")

_OPEN = Statement("""
    INSERT INTO delivery (id, room_id, subject, part) VALUES (:id, :room, :subject, :part) ON CONFLICT DO NOTHING
""")

_FIND = Statement("""
    SELECT {delivery} FROM delivery
     WHERE delivery.room_id = :room AND delivery.subject = :subject AND delivery.part = :part
""")

_MARK = Statement("UPDATE delivery SET message = :message, shown = :shown, final = :final WHERE id = :id")


class PostgresLedger:
    """See `ports.Ledger`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.engine
        self._clock = clock

    async def cursor(self, room: RoomId, playthrough: PlaythroughId) -> int:
        """Read the id of the last event that a room has been shown of a playthrough; 0 for none."""
        async with connection(self._engine) as db:
            return await _CURSOR.value(db, room=room, playthrough=playthrough) or 0

    async def advance(self, room: RoomId, playthrough: PlaythroughId, event: int) -> None:
        """Remember that events up to this one are shown; never goes back."""
        async with connection(self._engine) as db:
            await _ADVANCE.run(db, room=room, playthrough=playthrough, event=event)

    async def deliveries(self, room: RoomId, subject: str) -> tuple[Delivery, ...]:
        """Read the messages about a subject, by part."""
        async with connection(self._engine) as db:
            return tuple(Delivery(**row) for row in await _DELIVERIES.rows(db, room=room, subject=subject))

    async def unfinished(self, room: RoomId) -> tuple[Delivery, ...]:
        """Read the messages whose last frame was not shown, first opened first."""
        async with connection(self._engine) as db:
            return tuple(Delivery(**row) for row in await _UNFINISHED.rows(db, room=room))

    async def open(self, room: RoomId, subject: str, part: int) -> Delivery:
        """Announce a message before it is sent; the same one again answers the same id."""
        message = {"room": room, "subject": storable(subject), "part": part}
        async with connection(self._engine) as db:
            await _OPEN.run(db, id=self._clock.new_id(), **message)
            (row,) = await _FIND.rows(db, **message)
            return Delivery(**row)

    async def mark(self, delivery: Delivery) -> None:
        """Save how far a message got."""
        async with connection(self._engine) as db:
            await _MARK.run(db, **columns(delivery))
