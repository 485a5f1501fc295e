"""The tables of what was found by reading scenes: who is in them, what they say, what they promise.

Each row has its scene's place in the tree, which never changes, so that a path is read as the same few ranges as
everything else.
"""

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from storyforge_core.store.schema import id_column, metadata, moment, to


def _place() -> tuple[Column[object], ...]:
    """The columns of a scene's place in the tree."""
    return to("scene"), to("branch"), Column("depth", Integer, nullable=False)


# By whom a scene was read, and with what.
reading = Table(
    "reading",
    metadata,
    to("scene", primary_key=True),
    Column("model", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("vocabulary", Text, nullable=False),
    moment("read_at"),
)

sighting = Table(
    "sighting",
    metadata,
    id_column(),
    to("story"),
    *_place(),
    Column("part", SmallInteger, nullable=False),
    Column("card", JSONB, nullable=False),
    Column("standing", Text, nullable=False),
    Index(None, "branch_id", "depth"),
    Index(None, "scene_id"),
    Index(None, "story_id"),
)

assertion = Table(
    "assertion",
    metadata,
    id_column(),
    to("story"),
    Column("number", Integer, nullable=False),  # counts together with those of `fact`
    *_place(),
    Column("part", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),  # subject, slot and which are the cell: of one, the newest row counts
    Column("slot", Text, nullable=False),
    Column("which", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("standing", Text, nullable=False),
    Column("against", Text, nullable=False),
    Column("rival", Integer, nullable=False),
    UniqueConstraint("story_id", "number"),
    Index(
        "ix_assertion_cell",
        "branch_id",
        "subject",
        "slot",
        "depth",
        "part",
        postgresql_where=text("standing IN ('true', 'disputed')"),
    ),
    Index(None, "branch_id", "depth"),
    Index("ix_assertion_rival", "story_id", "rival", postgresql_where=text("standing = 'disputed'")),
    Index("ix_assertion_disputed", "branch_id", "depth", postgresql_where=text("standing = 'disputed'")),
    Index(None, "scene_id"),
)

# What a scene lets its readers expect, and, with `promise_id`, what became of it.
promise = Table(
    "promise",
    metadata,
    id_column(),
    to("story"),
    Column("number", Integer, nullable=True),  # of those that are opened
    *_place(),
    Column("part", SmallInteger, nullable=False),
    to("promise", nullable=True),
    Column("outcome", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("standing", Text, nullable=False),
    UniqueConstraint("story_id", "number"),
    Index("ix_promise_opened", "branch_id", "depth", postgresql_where=text("promise_id IS NULL AND standing = 'true'")),
    Index(None, "promise_id"),
    Index(None, "scene_id"),
)
