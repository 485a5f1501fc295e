"""The tables of the story. Ids are UUIDv7 made by the program, times are UTC, sets of words are text with a CHECK.

`migrations/` builds them; a test holds both together. The job engine's own tables are not described here.
"""

from typing import get_args

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storyforge_core.domain.ballot import BallotStatus
from storyforge_core.domain.changes import Verb
from storyforge_core.domain.pictures import Mime
from storyforge_core.domain.runs import RunKind, RunStatus
from storyforge_core.domain.story import MembershipState, Origin
from storyforge_core.domain.tickets import TicketKind

EMBEDDING_SIZE = 768
"""Dimensions of `nomic-embed-text` and most other small embedders; the size is part of the column's type."""

_LIVE = "status IN ('queued', 'running', 'stopping')"
_LIVE_SCENE = f"{_LIVE} AND kind = 'scene'"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, words: object) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in get_args(words))
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _id() -> Column[object]:
    return Column("id", Uuid, primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _to(table: str, name: str = "", *, nullable: bool = False, primary_key: bool = False) -> Column[object]:
    target = ForeignKey(f"{table}.id")
    return Column(name or f"{table}_id", Uuid, target, nullable=nullable, primary_key=primary_key)


story = Table(
    "story",
    metadata,
    _id(),
    Column("title", Text, nullable=False),
    Column("premise", Text, nullable=False),
    Column("genre", Text, nullable=False),
    Column("tone", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    _moment("created_at"),
    Column("shelved", Boolean, nullable=False, server_default=text("false")),
    Column("scenes", Integer, nullable=False, server_default=text("0")),  # how many; also the newest number
)

branch = Table(
    "branch",
    metadata,
    _id(),
    _to("story"),
    _to("branch", "parent_id", nullable=True),
    Column("fork_depth", Integer, nullable=False),  # depth of the scene it leaves from; -1 for an opening
    Index(None, "story_id"),
    Index(None, "parent_id"),
    CheckConstraint("(parent_id IS NULL) = (fork_depth = -1)", name="fork"),
)

scene = Table(
    "scene",
    metadata,
    _id(),
    _to("story"),
    Column("number", Integer, nullable=False),
    _to("scene", "parent_id", nullable=True),
    Column("choice_id", Uuid, ForeignKey("choice.id", use_alter=True), nullable=True),
    _to("branch"),
    Column("depth", Integer, nullable=False),
    Column("take", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("prose", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("writer", Text, nullable=False),
    Column("run_id", Uuid, ForeignKey("run.id", use_alter=True), nullable=True),
    _moment("created_at"),
    Column("embedding", HALFVEC(EMBEDDING_SIZE), nullable=True),
    Column("embedding_model", Text, nullable=True),
    UniqueConstraint("branch_id", "depth"),
    UniqueConstraint("story_id", "number"),
    UniqueConstraint("story_id", "parent_id", "choice_id", "take", postgresql_nulls_not_distinct=True),
    UniqueConstraint("run_id"),
    Index(None, "parent_id", "id"),
    _one_of("origin", Origin),
    CheckConstraint("(parent_id IS NULL) = (depth = 0)", name="depth"),
    CheckConstraint("(embedding IS NULL) = (embedding_model IS NULL)", name="embedding"),
)

choice = Table(
    "choice",
    metadata,
    _id(),
    _to("scene"),
    Column("position", SmallInteger, nullable=False),
    Column("text", Text, nullable=False),
    _to("player", "author_id", nullable=True),
    UniqueConstraint("scene_id", "position"),
)

playthrough = Table(
    "playthrough",
    metadata,
    _id(),
    Column("number", Integer, Identity(always=True), nullable=False),  # what people type to open it
    _to("story"),
    _to("scene", "head_id", nullable=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("rules", JSONB, nullable=False),
    _moment("created_at"),
    UniqueConstraint("number"),
    Index(None, "story_id"),
)

room = Table(
    "room",
    metadata,
    _id(),
    Column("platform", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("realm", Text, nullable=False),
    _to("playthrough", nullable=True),
    UniqueConstraint("platform", "address"),
    Index(None, "playthrough_id"),
)

space = Table(
    "space",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("realm", Text, primary_key=True),  # as in a room's
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    _moment("left_at", nullable=True),  # when the bot was removed from it; null while it is there
)

player = Table(
    "player",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    _to("player", "same_as", nullable=True),  # who they turned out to be
    Index("ix_player_same_as", "same_as", postgresql_where=text("same_as IS NOT NULL")),
)

identity = Table(
    "identity",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),  # the platform's id of the person
    _to("player"),
    Index(None, "player_id"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", String(16), nullable=False),
    _to("player"),
    _to("playthrough", nullable=True),
    _moment("expires_at"),
    _one_of("kind", TicketKind),
    Index(None, "player_id"),
)

member = Table(
    "member",
    metadata,
    _to("playthrough", primary_key=True),
    _to("player", primary_key=True),
    Column("state", String(16), nullable=False),
    Column("host", Boolean, nullable=False),
    _one_of("state", MembershipState),
)

ballot = Table(
    "ballot",
    metadata,
    _id(),
    _to("playthrough"),
    _to("scene"),
    Column("status", String(16), nullable=False, server_default="open"),
    _to("choice", "winner_id", nullable=True),
    _moment("opened_at"),
    _moment("deadline", nullable=True),
    _one_of("status", BallotStatus),
    Index(
        "uq_ballot_open",
        "playthrough_id",
        "scene_id",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
)

vote = Table(
    "vote",
    metadata,
    _to("ballot", primary_key=True),
    _to("player", primary_key=True),
    _to("choice"),
    _moment("at"),
)

run = Table(
    "run",
    metadata,
    _id(),
    _to("playthrough"),
    Column("kind", String(16), nullable=False, server_default="scene"),
    Column("status", String(16), nullable=False),
    Column("stage", Text, nullable=False),
    Column("draft", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("job_id", BigInteger, nullable=False),  # of the job engine; it prunes its jobs, so no foreign key
    Column("worker", Uuid, nullable=True),  # who took it up last; lives while it holds its advisory lock
    _moment("created_at"),
    _moment("finished_at", nullable=True),
    Column("error", Text, nullable=False, server_default=""),
    _one_of("kind", RunKind),
    _one_of("status", RunStatus),
    Index("uq_run_live", "playthrough_id", unique=True, postgresql_where=text(_LIVE_SCENE)),
    Index("ix_run_picture", "playthrough_id", postgresql_where=text("kind = 'picture'")),
)

# The bytes are in a file that is named by their hash; several rows may share one.
asset = Table(
    "asset",
    metadata,
    _id(),
    _to("scene"),
    _to("run"),
    Column("sha256", String(64), nullable=False),
    Column("mime", String(16), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("alt", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    _to("player", "asker_id", nullable=True),
    _moment("created_at"),
    Column("shown", Boolean, nullable=False, server_default=text("true")),  # false: it was taken down
    UniqueConstraint("run_id"),
    Index(None, "scene_id", "id"),
    Index(None, "sha256"),
    _one_of("mime", Mime),
)

run_chunk = Table(
    "run_chunk",
    metadata,
    _to("run", primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _to("playthrough"),
    _moment("at"),
    Column("body", JSONB, nullable=False),
    Index(None, "playthrough_id", "id"),
)

room_cursor = Table(
    "room_cursor",
    metadata,
    _to("room", primary_key=True),
    _to("playthrough", primary_key=True),
    Column("event_id", BigInteger, nullable=False),  # the last event shown there; 0 before the first
    Index(None, "playthrough_id"),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    _to("room"),
    Column("subject", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("message", Text, nullable=True),
    Column("shown", Integer, nullable=False, server_default=text("0")),
    Column("final", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("room_id", "subject", "part"),
    Index("ix_delivery_unfinished", "room_id", postgresql_where=text("NOT final")),
)

inbox = Table(
    "inbox",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("event", Text, primary_key=True),  # the platform's id of a message or click
    _moment("at"),
)

# Append-only: a trigger refuses to change or remove a row, but where a person or a whole story is forgotten.
change = Table(
    "change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _to("playthrough"),
    _moment("at"),
    _to("player", "actor_id", nullable=True),
    Column("command", Text, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("of_id", BigInteger, ForeignKey("change.id"), nullable=True),  # what an undo or redo is about
    Column("undoable", Boolean, nullable=False),
    Column("changes", JSONB, nullable=False),
    _one_of("verb", Verb),
    CheckConstraint("(verb = 'do') = (of_id IS NULL)", name="of"),
    Index(None, "playthrough_id", "id"),
)
