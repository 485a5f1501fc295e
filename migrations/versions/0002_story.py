"""The tables of the story."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE inbox (
        platform TEXT NOT NULL,
        event TEXT NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (platform, event)
    )
    """,
    """
    CREATE TABLE player (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        CONSTRAINT pk_player PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE story (
        id UUID NOT NULL,
        title TEXT NOT NULL,
        premise TEXT NOT NULL,
        genre TEXT NOT NULL,
        tone TEXT NOT NULL,
        seed BIGINT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        shelved BOOLEAN DEFAULT false NOT NULL,
        scenes INTEGER DEFAULT 0 NOT NULL,
        CONSTRAINT pk_story PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE branch (
        id UUID NOT NULL,
        story_id UUID NOT NULL,
        parent_id UUID,
        fork_depth INTEGER NOT NULL,
        CONSTRAINT pk_branch PRIMARY KEY (id),
        CONSTRAINT ck_branch_fork CHECK ((parent_id IS NULL) = (fork_depth = -1)),
        CONSTRAINT fk_branch_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
        CONSTRAINT fk_branch_parent_id_branch FOREIGN KEY(parent_id) REFERENCES branch (id)
    )
    """,
    "CREATE INDEX ix_branch_parent_id ON branch (parent_id)",
    "CREATE INDEX ix_branch_story_id ON branch (story_id)",
    """
    CREATE TABLE identity (
        platform TEXT NOT NULL,
        user_id TEXT NOT NULL,
        player_id UUID NOT NULL,
        CONSTRAINT pk_identity PRIMARY KEY (platform, user_id),
        CONSTRAINT fk_identity_player_id_player FOREIGN KEY(player_id) REFERENCES player (id)
    )
    """,
    "CREATE INDEX ix_identity_player_id ON identity (player_id)",
    """
    CREATE TABLE scene (
        id UUID NOT NULL,
        story_id UUID NOT NULL,
        number INTEGER NOT NULL,
        parent_id UUID,
        choice_id UUID,
        branch_id UUID NOT NULL,
        depth INTEGER NOT NULL,
        take INTEGER NOT NULL,
        title TEXT NOT NULL,
        prose TEXT NOT NULL,
        origin VARCHAR(16) NOT NULL,
        writer TEXT NOT NULL,
        run_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        embedding HALFVEC(768),
        embedding_model TEXT,
        CONSTRAINT pk_scene PRIMARY KEY (id),
        CONSTRAINT uq_scene_branch_id_depth UNIQUE (branch_id, depth),
        CONSTRAINT uq_scene_story_id_number UNIQUE (story_id, number),
        CONSTRAINT uq_scene_story_id_parent_id_choice_id_take
            UNIQUE NULLS NOT DISTINCT (story_id, parent_id, choice_id, take),
        CONSTRAINT uq_scene_run_id UNIQUE (run_id),
        CONSTRAINT ck_scene_origin CHECK (origin IN ('told', 'rerolled', 'extended', 'edited')),
        CONSTRAINT ck_scene_depth CHECK ((parent_id IS NULL) = (depth = 0)),
        CONSTRAINT ck_scene_embedding CHECK ((embedding IS NULL) = (embedding_model IS NULL)),
        CONSTRAINT fk_scene_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
        CONSTRAINT fk_scene_parent_id_scene FOREIGN KEY(parent_id) REFERENCES scene (id),
        CONSTRAINT fk_scene_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
    )
    """,
    "CREATE INDEX ix_scene_parent_id_id ON scene (parent_id, id)",
    """
    CREATE TABLE choice (
        id UUID NOT NULL,
        scene_id UUID NOT NULL,
        position SMALLINT NOT NULL,
        text TEXT NOT NULL,
        author_id UUID,
        CONSTRAINT pk_choice PRIMARY KEY (id),
        CONSTRAINT uq_choice_scene_id_position UNIQUE (scene_id, position),
        CONSTRAINT fk_choice_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
        CONSTRAINT fk_choice_author_id_player FOREIGN KEY(author_id) REFERENCES player (id)
    )
    """,
    """
    CREATE TABLE playthrough (
        id UUID NOT NULL,
        number INTEGER GENERATED ALWAYS AS IDENTITY,
        story_id UUID NOT NULL,
        head_id UUID,
        note TEXT DEFAULT '' NOT NULL,
        rules JSONB NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_playthrough PRIMARY KEY (id),
        CONSTRAINT uq_playthrough_number UNIQUE (number),
        CONSTRAINT fk_playthrough_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
        CONSTRAINT fk_playthrough_head_id_scene FOREIGN KEY(head_id) REFERENCES scene (id)
    )
    """,
    "CREATE INDEX ix_playthrough_story_id ON playthrough (story_id)",
    """
    CREATE TABLE ballot (
        id UUID NOT NULL,
        playthrough_id UUID NOT NULL,
        scene_id UUID NOT NULL,
        status VARCHAR(16) DEFAULT 'open' NOT NULL,
        winner_id UUID,
        opened_at TIMESTAMPTZ NOT NULL,
        deadline TIMESTAMPTZ,
        CONSTRAINT pk_ballot PRIMARY KEY (id),
        CONSTRAINT ck_ballot_status CHECK (status IN ('open', 'closed', 'withdrawn')),
        CONSTRAINT fk_ballot_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id),
        CONSTRAINT fk_ballot_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
        CONSTRAINT fk_ballot_winner_id_choice FOREIGN KEY(winner_id) REFERENCES choice (id)
    )
    """,
    "CREATE UNIQUE INDEX uq_ballot_open ON ballot (playthrough_id, scene_id) WHERE status = 'open'",
    """
    CREATE TABLE change (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        playthrough_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        actor_id UUID,
        command TEXT NOT NULL,
        verb VARCHAR(16) NOT NULL,
        of_id BIGINT,
        undoable BOOLEAN NOT NULL,
        changes JSONB NOT NULL,
        CONSTRAINT pk_change PRIMARY KEY (id),
        CONSTRAINT ck_change_verb CHECK (verb IN ('do', 'undo', 'redo')),
        CONSTRAINT ck_change_of CHECK ((verb = 'do') = (of_id IS NULL)),
        CONSTRAINT fk_change_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id),
        CONSTRAINT fk_change_actor_id_player FOREIGN KEY(actor_id) REFERENCES player (id),
        CONSTRAINT fk_change_of_id_change FOREIGN KEY(of_id) REFERENCES change (id)
    )
    """,
    "CREATE INDEX ix_change_playthrough_id_id ON change (playthrough_id, id)",
    """
    CREATE TABLE event (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        playthrough_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        body JSONB NOT NULL,
        CONSTRAINT pk_event PRIMARY KEY (id),
        CONSTRAINT fk_event_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id)
    )
    """,
    "CREATE INDEX ix_event_playthrough_id_id ON event (playthrough_id, id)",
    """
    CREATE TABLE member (
        playthrough_id UUID NOT NULL,
        player_id UUID NOT NULL,
        state VARCHAR(16) NOT NULL,
        host BOOLEAN NOT NULL,
        CONSTRAINT pk_member PRIMARY KEY (playthrough_id, player_id),
        CONSTRAINT ck_member_state CHECK (state IN ('joined', 'left', 'banned')),
        CONSTRAINT fk_member_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id),
        CONSTRAINT fk_member_player_id_player FOREIGN KEY(player_id) REFERENCES player (id)
    )
    """,
    """
    CREATE TABLE room (
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        address TEXT NOT NULL,
        realm TEXT NOT NULL,
        playthrough_id UUID,
        CONSTRAINT pk_room PRIMARY KEY (id),
        CONSTRAINT uq_room_platform_address UNIQUE (platform, address),
        CONSTRAINT fk_room_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id)
    )
    """,
    "CREATE INDEX ix_room_playthrough_id ON room (playthrough_id)",
    """
    CREATE TABLE run (
        id UUID NOT NULL,
        playthrough_id UUID NOT NULL,
        status VARCHAR(16) NOT NULL,
        stage TEXT NOT NULL,
        draft JSONB NOT NULL,
        attempts INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        job_id BIGINT NOT NULL,
        worker UUID,
        created_at TIMESTAMPTZ NOT NULL,
        finished_at TIMESTAMPTZ,
        error TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_run PRIMARY KEY (id),
        CONSTRAINT ck_run_status CHECK (status IN ('queued', 'running', 'stopping', 'done', 'failed', 'stopped')),
        CONSTRAINT fk_run_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id)
    )
    """,
    "CREATE UNIQUE INDEX uq_run_live ON run (playthrough_id) WHERE status IN ('queued', 'running', 'stopping')",
    """
    CREATE TABLE delivery (
        id UUID NOT NULL,
        room_id UUID NOT NULL,
        subject TEXT NOT NULL,
        part INTEGER NOT NULL,
        message TEXT,
        shown INTEGER DEFAULT 0 NOT NULL,
        final BOOLEAN DEFAULT false NOT NULL,
        CONSTRAINT pk_delivery PRIMARY KEY (id),
        CONSTRAINT uq_delivery_room_id_subject_part UNIQUE (room_id, subject, part),
        CONSTRAINT fk_delivery_room_id_room FOREIGN KEY(room_id) REFERENCES room (id)
    )
    """,
    "CREATE INDEX ix_delivery_unfinished ON delivery (room_id) WHERE NOT final",
    """
    CREATE TABLE room_cursor (
        room_id UUID NOT NULL,
        playthrough_id UUID NOT NULL,
        event_id BIGINT NOT NULL,
        CONSTRAINT pk_room_cursor PRIMARY KEY (room_id, playthrough_id),
        CONSTRAINT fk_room_cursor_room_id_room FOREIGN KEY(room_id) REFERENCES room (id),
        CONSTRAINT fk_room_cursor_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id)
    )
    """,
    "CREATE INDEX ix_room_cursor_playthrough_id ON room_cursor (playthrough_id)",
    """
    CREATE TABLE run_chunk (
        run_id UUID NOT NULL,
        seq INTEGER NOT NULL,
        text TEXT NOT NULL,
        CONSTRAINT pk_run_chunk PRIMARY KEY (run_id, seq),
        CONSTRAINT fk_run_chunk_run_id_run FOREIGN KEY(run_id) REFERENCES run (id)
    )
    """,
    """
    CREATE TABLE vote (
        ballot_id UUID NOT NULL,
        player_id UUID NOT NULL,
        choice_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_vote PRIMARY KEY (ballot_id, player_id),
        CONSTRAINT fk_vote_ballot_id_ballot FOREIGN KEY(ballot_id) REFERENCES ballot (id),
        CONSTRAINT fk_vote_player_id_player FOREIGN KEY(player_id) REFERENCES player (id),
        CONSTRAINT fk_vote_choice_id_choice FOREIGN KEY(choice_id) REFERENCES choice (id)
    )
    """,
    "ALTER TABLE scene ADD CONSTRAINT fk_scene_run_id_run FOREIGN KEY(run_id) REFERENCES run (id)",
    "ALTER TABLE scene ADD CONSTRAINT fk_scene_choice_id_choice FOREIGN KEY(choice_id) REFERENCES choice (id)",
    """
    CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE 'The table % is append-only.', TG_TABLE_NAME;
    END
    $$
    """,
    """
    CREATE TRIGGER change_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON change
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()
    """,
)

_TABLES = (
    "inbox",
    "player",
    "story",
    "branch",
    "identity",
    "scene",
    "choice",
    "playthrough",
    "ballot",
    "change",
    "event",
    "member",
    "room",
    "run",
    "delivery",
    "room_cursor",
    "run_chunk",
    "vote",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(_TABLES)} CASCADE")
    op.execute("DROP FUNCTION refuse_to_rewrite_history")
