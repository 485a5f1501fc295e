"""The tables of what is known in stories: scenes in pieces, who and what there is, what is true, lore."""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Boolean, Column, Double, Index, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from storyforge_core.domain.memory import EMBEDDING_SIZE
from storyforge_core.store.schema import id_column, metadata, to

# A scene in pieces that can be found again. Its place in the tree never changes, so it stands here as well: a path is
# then read as the same few ranges as that of scenes.
passage = Table(
    "passage",
    metadata,
    to("scene", primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    to("story"),
    to("branch"),
    Column("depth", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # characters of the scene's prose before it
    Column("length", Integer, nullable=False),
    Column("words", TSVECTOR, nullable=False),
    Column("embedding", HALFVEC(EMBEDDING_SIZE), nullable=True),  # null also where the embedder cannot read the text
    Column("embedding_model", Text, nullable=True),  # who has read it last, with the digest of the model
    Index(None, "branch_id", "depth"),
    Index(None, "story_id"),
    Index("ix_passage_words", "words", postgresql_using="gin"),
    Index(
        "ix_passage_embedding",
        "embedding",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_cosine_ops"},
    ),
    Index(None, "embedding_model"),
)

# How long a model's tokens are: sums of what was estimated and of what its server counted.
measure = Table(
    "measure",
    metadata,
    Column("model", Text, primary_key=True),
    Column("prompts", Integer, nullable=False),
    Column("estimated", Double, nullable=False),
    Column("read", Double, nullable=False),
)

# Who and what there is, whatever branch one is on.
entity = Table(
    "entity",
    metadata,
    id_column(),
    to("story"),
    Column("card", JSONB, nullable=False),
    Index(None, "story_id"),
)

# What holds from a scene on, on all that follows it.
fact = Table(
    "fact",
    metadata,
    id_column(),
    to("story"),
    Column("number", Integer, nullable=False),
    to("scene"),
    Column("claim", JSONB, nullable=False),
    UniqueConstraint("story_id", "number"),
    Index(None, "scene_id"),
)

lore_entry = Table(
    "lore_entry",
    metadata,
    id_column(),
    to("story"),
    Column("number", Integer, nullable=False),  # what people type; never used again
    Column("body", JSONB, nullable=True),  # null once it is forgotten: scenes that knew it still name it
    UniqueConstraint("story_id", "number"),
)

# What of the lore was told for a scene: timers count from here, along a path.
lore_fired = Table(
    "lore_fired",
    metadata,
    to("scene", primary_key=True),
    to("lore_entry", "entry_id", primary_key=True),
    Column("held", Boolean, nullable=False),  # only still told, by its stickiness
    Index(None, "entry_id"),
)
