"""The tables of what keeps long stories short: where chapters end, summaries, and how far somebody has read."""

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint

from storyforge_core.store.book_tables import passage
from storyforge_core.store.schema import id_column, moment, to

metadata = passage.metadata

# Where a chapter ends; like a passage it holds its scene's place in the tree, to be read by the ranges of a path.
chapter = Table(
    "chapter",
    metadata,
    id_column(),
    to("story"),
    to("scene"),
    to("branch"),
    Column("depth", Integer, nullable=False),
    Column("title", Text, nullable=False),  # a player's; empty where none was given
    moment("closed_at"),
    UniqueConstraint("scene_id"),
    Index(None, "branch_id", "depth"),
    Index(None, "story_id"),
)

# A stretch of scenes in fewer words. It belongs to its last scene: no branch sees it that left before that one.
summary = Table(
    "summary",
    metadata,
    to("scene", primary_key=True),
    Column("layer", SmallInteger, primary_key=True, autoincrement=False),  # 0 a scene, 1 a chapter, then several
    Column("first", Integer, primary_key=True, autoincrement=False),  # depth of its first scene
    to("story"),
    to("branch"),
    Column("depth", Integer, nullable=False),  # of its last scene
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    moment("made_at"),
    Index(None, "story_id", "first"),
    Index(None, "branch_id"),
)

# Up to where somebody was told what happened.
bookmark = Table(
    "bookmark",
    metadata,
    to("playthrough", primary_key=True),
    to("player", primary_key=True),
    to("scene"),
    to("scene", "before_id", nullable=True),  # where it lay before: who asks again soon is told the same again
    moment("at"),
    Index(None, "player_id"),
    Index(None, "scene_id"),
    Index(None, "before_id"),
)
