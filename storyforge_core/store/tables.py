"""The tables of the story. Ids are UUIDv7 made by the program, times are UTC, sets of words are text with a CHECK.

`migrations/` builds them; a test holds both together. The job engine's own tables are not described here.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storyforge_core.domain.ballot import BallotStatus
from storyforge_core.domain.changes import Verb
from storyforge_core.domain.pictures import Mime
from storyforge_core.domain.runs import RunKind, RunStatus
from storyforge_core.domain.story import MembershipState, Origin
from storyforge_core.domain.tickets import TicketKind
from storyforge_core.store.book_tables import passage
from storyforge_core.store.chapter_tables import chapter
from storyforge_core.store.look_tables import look
from storyforge_core.store.schema import id_column, moment, one_of, to
from storyforge_core.store.state_tables import assertion

_LIVE = "status IN ('queued', 'running', 'stopping')"
_LIVE_SCENE = f"{_LIVE} AND kind = 'scene'"

_ELSEWHERE = (passage, look, assertion, chapter)
metadata = _ELSEWHERE[0].metadata
"""All tables, those of other modules too."""

story = Table(
    "story",
    metadata,
    id_column(),
    Column("title", Text, nullable=False),
    Column("premise", Text, nullable=False),
    Column("genre", Text, nullable=False),
    Column("tone", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    moment("created_at"),
    Column("shelved", Boolean, nullable=False, server_default=text("false")),
    Column("scenes", Integer, nullable=False, server_default=text("0")),  # how many; also the newest number
)

branch = Table(
    "branch",
    metadata,
    id_column(),
    to("story"),
    to("branch", "parent_id", nullable=True),
    Column("fork_depth", Integer, nullable=False),  # depth of the scene it leaves from; -1 for an opening
    Index(None, "story_id"),
    Index(None, "parent_id"),
    CheckConstraint("(parent_id IS NULL) = (fork_depth = -1)", name="fork"),
)

scene = Table(
    "scene",
    metadata,
    id_column(),
    to("story"),
    Column("number", Integer, nullable=False),
    to("scene", "parent_id", nullable=True),
    Column("choice_id", Uuid, ForeignKey("choice.id", use_alter=True), nullable=True),
    to("branch"),
    Column("depth", Integer, nullable=False),
    Column("take", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("prose", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("writer", Text, nullable=False),
    Column("run_id", Uuid, ForeignKey("run.id", use_alter=True), nullable=True),
    moment("created_at"),
    UniqueConstraint("branch_id", "depth"),
    UniqueConstraint("story_id", "number"),
    UniqueConstraint("story_id", "parent_id", "choice_id", "take", postgresql_nulls_not_distinct=True),
    UniqueConstraint("run_id"),
    Index(None, "parent_id", "id"),
    one_of("origin", Origin),
    CheckConstraint("(parent_id IS NULL) = (depth = 0)", name="depth"),
)

choice = Table(
    "choice",
    metadata,
    id_column(),
    to("scene"),
    Column("position", SmallInteger, nullable=False),
    Column("text", Text, nullable=False),
    to("player", "author_id", nullable=True),
    UniqueConstraint("scene_id", "position"),
)

playthrough = Table(
    "playthrough",
    metadata,
    id_column(),
    Column("number", Integer, Identity(always=True), nullable=False),  # what people type to open it
    to("story"),
    to("scene", "head_id", nullable=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("rules", JSONB, nullable=False),
    moment("created_at"),
    UniqueConstraint("number"),
    Index(None, "story_id"),
)

room = Table(
    "room",
    metadata,
    id_column(),
    Column("platform", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("realm", Text, nullable=False),
    to("playthrough", nullable=True),
    UniqueConstraint("platform", "address"),
    Index(None, "playthrough_id"),
)

space = Table(
    "space",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("realm", Text, primary_key=True),  # as in a room's
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    moment("left_at", nullable=True),  # when the bot was removed from it; null while it is there
)

player = Table(
    "player",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    to("player", "same_as", nullable=True),  # who they turned out to be
    Index("ix_player_same_as", "same_as", postgresql_where=text("same_as IS NOT NULL")),
)

identity = Table(
    "identity",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),  # the platform's id of the person
    to("player"),
    Index(None, "player_id"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", String(16), nullable=False),
    to("player"),
    to("playthrough", nullable=True),
    moment("expires_at"),
    one_of("kind", TicketKind),
    Index(None, "player_id"),
)

member = Table(
    "member",
    metadata,
    to("playthrough", primary_key=True),
    to("player", primary_key=True),
    Column("state", String(16), nullable=False),
    Column("host", Boolean, nullable=False),
    one_of("state", MembershipState),
)

ballot = Table(
    "ballot",
    metadata,
    id_column(),
    to("playthrough"),
    to("scene"),
    Column("status", String(16), nullable=False, server_default="open"),
    to("choice", "winner_id", nullable=True),
    moment("opened_at"),
    moment("deadline", nullable=True),
    one_of("status", BallotStatus),
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
    to("ballot", primary_key=True),
    to("player", primary_key=True),
    to("choice"),
    moment("at"),
)

run = Table(
    "run",
    metadata,
    id_column(),
    to("playthrough"),
    Column("kind", String(16), nullable=False, server_default="scene"),
    Column("status", String(16), nullable=False),
    Column("stage", Text, nullable=False),
    Column("draft", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("job_id", BigInteger, nullable=False),  # of the job engine; it prunes its jobs, so no foreign key
    Column("worker", Uuid, nullable=True),  # who took it up last; lives while it holds its advisory lock
    moment("created_at"),
    moment("finished_at", nullable=True),
    Column("error", Text, nullable=False, server_default=""),
    one_of("kind", RunKind),
    one_of("status", RunStatus),
    Index("uq_run_live", "playthrough_id", unique=True, postgresql_where=text(_LIVE_SCENE)),
    Index("ix_run_picture", "playthrough_id", postgresql_where=text("kind = 'picture'")),
)

# The bytes are in a file that is named by their hash; several rows may share one.
asset = Table(
    "asset",
    metadata,
    id_column(),
    to("scene"),
    to("run"),
    Column("sha256", String(64), nullable=False),
    Column("mime", String(16), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("alt", Text, nullable=False),
    Column("seen", ARRAY(Text), nullable=True),  # names; null where nobody has said whom it shows
    Column("seed", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    to("player", "asker_id", nullable=True),
    moment("created_at"),
    Column("shown", Boolean, nullable=False, server_default=text("true")),  # false: it was taken down
    UniqueConstraint("run_id"),
    Index(None, "scene_id", "id"),
    Index(None, "sha256"),
    one_of("mime", Mime),
)

run_chunk = Table(
    "run_chunk",
    metadata,
    to("run", primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    to("playthrough"),
    moment("at"),
    Column("body", JSONB, nullable=False),
    Index(None, "playthrough_id", "id"),
)

room_cursor = Table(
    "room_cursor",
    metadata,
    to("room", primary_key=True),
    to("playthrough", primary_key=True),
    Column("event_id", BigInteger, nullable=False),  # the last event shown there; 0 before the first
    Index(None, "playthrough_id"),
)

delivery = Table(
    "delivery",
    metadata,
    id_column(),
    to("room"),
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
    moment("at"),
)

# What came in and waits to be handled; it belongs to no story yet.
letter = Table(
    "letter",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("platform", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    moment("at"),
    UniqueConstraint("platform", "account", "event"),
)

mail_mark = Table(
    "mail_mark",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("mark", Text, nullable=False),  # the platform's word for up to where everything was asked for
)

# Append-only: a trigger refuses to change or remove a row, but where a person or a whole story is forgotten.
change = Table(
    "change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    to("playthrough"),
    moment("at"),
    to("player", "actor_id", nullable=True),
    Column("command", Text, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("of_id", BigInteger, ForeignKey("change.id"), nullable=True),  # what an undo or redo is about
    Column("undoable", Boolean, nullable=False),
    Column("changes", JSONB, nullable=False),
    one_of("verb", Verb),
    CheckConstraint("(verb = 'do') = (of_id IS NULL)", name="of"),
    Index(None, "playthrough_id", "id"),
)
