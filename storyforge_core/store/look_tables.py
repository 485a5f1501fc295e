"""The table of how people, places and things look."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, String, Table, Text, Uuid, text

from storyforge_core.domain.looks import LookSource
from storyforge_core.domain.pictures import LookKind
from storyforge_core.store.schema import id_column, metadata, one_of, to

# What somebody looks like from a scene on, on all that follows it. Cards can be forgotten and come back, so nothing
# holds `entity_id` to them.
look = Table(
    "look",
    metadata,
    id_column(),
    Column("given", BigInteger, Identity(always=True), nullable=False),  # counts up: which of two is newer
    to("story"),
    Column("kind", String(16), nullable=False),
    Column("entity_id", Uuid, nullable=True),  # null: the scene itself
    to("scene"),
    Column("file", Text, nullable=False),  # the same for the same bytes
    Column("sha256", String(64), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("source", String(16), nullable=False),
    to("player", "by_id", nullable=True),
    Column("held", Boolean, nullable=False, server_default=text("true")),  # false: it was forgotten
    Index(None, "story_id"),
    Index(None, "scene_id"),
    Index(None, "sha256"),
    Index(None, "file"),
    one_of("kind", LookKind),
    one_of("source", LookSource),
)
