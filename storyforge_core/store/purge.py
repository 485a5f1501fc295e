"""Stories of spaces that the bot was removed from, deleted for good when their time is over.

Which rows belong to a story follows from the foreign keys: a table that is added later is cleared like the others.
"""

# ruff: noqa: S608 - the statements are put together from our own tables' names

from collections import deque
from datetime import datetime
from functools import cache

from sqlalchemy import ForeignKeyConstraint, Table

from storyforge_core.picture_ports import Purged
from storyforge_core.store import looks
from storyforge_core.store.statement import Db, Statement
from storyforge_core.store.tables import delivery, identity, metadata, player, room, room_cursor, space, story

_LEFT = """
    SELECT room.id FROM room JOIN space ON space.platform = room.platform AND space.realm = room.realm
     WHERE space.left_at < :before
"""

# A story that is shown anywhere else as well stays.
_STORIES = Statement(f"""
    SELECT DISTINCT playthrough.story_id
      FROM playthrough JOIN room_cursor ON room_cursor.playthrough_id = playthrough.id
     WHERE room_cursor.room_id IN ({_LEFT})
       AND NOT EXISTS (
           SELECT FROM room_cursor AS other
             JOIN playthrough AS theirs ON theirs.id = other.playthrough_id AND theirs.story_id = playthrough.story_id
            WHERE other.room_id NOT IN ({_LEFT}))
""")

_PLAYERS = Statement("""
    SELECT DISTINCT member.player_id
      FROM member JOIN playthrough ON playthrough.id = member.playthrough_id
     WHERE playthrough.story_id = ANY(:stories::uuid[])
""")

# The trigger of the audit log lets this transaction through; it may take its time, since nobody waits for it.
_PERMIT = Statement("""
    SELECT set_config('storyforge.forgetting', 'on', true), set_config('statement_timeout', '0', true)
""")

_PICTURES = Statement("""
    SELECT DISTINCT asset.sha256 FROM asset JOIN scene ON scene.id = asset.scene_id
     WHERE scene.story_id = ANY(:stories::uuid[])
""")

_LOOKS = Statement("SELECT DISTINCT file FROM look WHERE story_id = ANY(:stories::uuid[])")

_NOBODYS = Statement("""
    SELECT hash FROM unnest(:pictures::text[]) AS hash WHERE NOT EXISTS (SELECT FROM asset WHERE asset.sha256 = hash)
""")

_ANY_LEFT = Statement("SELECT EXISTS (SELECT FROM space WHERE left_at < :before)")

_SPACES = Statement("DELETE FROM space WHERE left_at < :before")


async def purge(db: Db, before: datetime) -> Purged:
    """Delete the stories of spaces that were left before a time, and the players who are in no other.

    Args:
        db: a transaction.
        before: spaces that were left later stay as they are.
    """
    if not await _ANY_LEFT.value(db, before=before):
        return Purged(0)
    stories = [row[0] for row in await _STORIES.rows(db, before=before)]
    players = [row[0] for row in await _PLAYERS.rows(db, stories=stories)]
    pictures = [row[0] for row in await _PICTURES.rows(db, stories=stories)]
    files = tuple(row[0] for row in await _LOOKS.rows(db, stories=stories))
    await _PERMIT.run(db)
    await _rows_of_stories().run(db, stories=stories, before=before)
    await _players_of_nothing().run(db, players=players)
    await _SPACES.run(db, before=before)
    alone = tuple(row[0] for row in await _NOBODYS.rows(db, pictures=pictures))
    return Purged(len(stories), alone, await looks.unused(db, files))


@cache
def _rows_of_stories() -> Statement:
    """Delete all at once: the keys are looked at when everything is gone, so the order does not matter."""
    parts = {table: f"DELETE FROM {table.name} WHERE {_belonging(table)}" for table in _under_stories()}
    for table, column in ((room_cursor, "room_id"), (delivery, "room_id"), (room, "id")):
        gone = f"{table.name}.{column} IN ({_LEFT})"
        parts[table] = f"{parts[table]} OR {gone}" if table is room_cursor else f"DELETE FROM {table.name} WHERE {gone}"
    named = ", ".join(f"gone_{number} AS ({sql})" for number, sql in enumerate(parts.values()))
    return Statement(f"WITH {named} DELETE FROM story WHERE id = ANY(:stories::uuid[])")


@cache
def _players_of_nothing() -> Statement:
    """Delete those of some players whom nothing refers to any more but their accounts."""
    links = [
        f"NOT EXISTS (SELECT FROM {table.name} WHERE {table.name}.{column} = player.id)"
        for table in metadata.tables.values()
        if table is not identity
        for column, target in _links(table)
        if target is player
    ]
    idle = f"SELECT id FROM player WHERE id = ANY(:players::uuid[]) AND {' AND '.join(links)}"
    return Statement(f"""
        WITH idle AS ({idle}), accounts AS (DELETE FROM identity WHERE player_id IN (SELECT id FROM idle))
        DELETE FROM player WHERE id IN (SELECT id FROM idle)
    """)


@cache
def _under_stories() -> dict[Table, tuple[str, Table]]:
    """Every table whose rows belong to one story, with the shortest way there: a column, and the table it names."""
    ways: dict[Table, tuple[str, Table]] = {}
    beyond = {story, room, player, identity, space}
    reached = deque([story])
    while reached:
        target = reached.popleft()
        for table in metadata.tables.values():
            column = next((column for column, to in _links(table) if to is target), None)
            if column is not None and table not in ways and table not in beyond:
                ways[table] = (column, target)
                reached.append(table)
    return ways


def _belonging(table: Table) -> str:
    """The condition under which a row belongs to one of the stories."""
    column, target = _under_stories()[table]
    if target is story:
        return f"{table.name}.{column} = ANY(:stories::uuid[])"
    return f"{table.name}.{column} IN (SELECT id FROM {target.name} WHERE {_belonging(target)})"


def _links(table: Table) -> list[tuple[str, Table]]:
    """The columns of a table that name the row of another by its id; those that must be there come first."""
    single = [
        (constraint.columns[0], constraint.referred_table)
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint) and len(constraint.columns) == 1
    ]
    return [
        (column.name, target) for column, target in sorted(single, key=lambda link: (link[0].nullable, link[0].name))
    ]
