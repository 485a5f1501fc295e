"""What is found by reading scenes: who is in them, what they say, what they promise; cards know voices."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""UPDATE entity SET card = '{"voice": ""}'::jsonb || card""")
    op.execute("""
        CREATE TABLE reading (
            scene_id UUID NOT NULL,
            model TEXT NOT NULL,
            template TEXT NOT NULL,
            vocabulary TEXT NOT NULL,
            read_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_reading PRIMARY KEY (scene_id),
            CONSTRAINT fk_reading_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id)
        )
    """)
    _sighting()
    _assertion()
    _promise()


def _sighting() -> None:
    op.execute("""
        CREATE TABLE sighting (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            scene_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            part SMALLINT NOT NULL,
            card JSONB NOT NULL,
            standing TEXT NOT NULL,
            CONSTRAINT pk_sighting PRIMARY KEY (id),
            CONSTRAINT fk_sighting_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_sighting_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_sighting_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
        )
    """)
    op.execute("CREATE INDEX ix_sighting_branch_id_depth ON sighting (branch_id, depth)")
    op.execute("CREATE INDEX ix_sighting_scene_id ON sighting (scene_id)")
    op.execute("CREATE INDEX ix_sighting_story_id ON sighting (story_id)")


def _assertion() -> None:
    op.execute("""
        CREATE TABLE assertion (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            number INTEGER NOT NULL,
            scene_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            part SMALLINT NOT NULL,
            subject TEXT NOT NULL,
            slot TEXT NOT NULL,
            which TEXT NOT NULL,
            body JSONB NOT NULL,
            standing TEXT NOT NULL,
            against TEXT NOT NULL,
            rival INTEGER NOT NULL,
            CONSTRAINT pk_assertion PRIMARY KEY (id),
            CONSTRAINT uq_assertion_story_id_number UNIQUE (story_id, number),
            CONSTRAINT fk_assertion_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_assertion_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_assertion_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
        )
    """)
    op.execute("""
        CREATE INDEX ix_assertion_cell ON assertion (branch_id, subject, slot, depth, part)
         WHERE standing IN ('true', 'disputed')
    """)
    op.execute("CREATE INDEX ix_assertion_branch_id_depth ON assertion (branch_id, depth)")
    op.execute("CREATE INDEX ix_assertion_rival ON assertion (story_id, rival) WHERE standing = 'disputed'")
    op.execute("CREATE INDEX ix_assertion_disputed ON assertion (branch_id, depth) WHERE standing = 'disputed'")
    op.execute("CREATE INDEX ix_assertion_scene_id ON assertion (scene_id)")


def _promise() -> None:
    op.execute("""
        CREATE TABLE promise (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            number INTEGER,
            scene_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            part SMALLINT NOT NULL,
            promise_id UUID,
            outcome TEXT NOT NULL,
            text TEXT NOT NULL,
            quote TEXT NOT NULL,
            standing TEXT NOT NULL,
            CONSTRAINT pk_promise PRIMARY KEY (id),
            CONSTRAINT uq_promise_story_id_number UNIQUE (story_id, number),
            CONSTRAINT fk_promise_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_promise_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_promise_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id),
            CONSTRAINT fk_promise_promise_id_promise FOREIGN KEY(promise_id) REFERENCES promise (id)
        )
    """)
    op.execute("""
        CREATE INDEX ix_promise_opened ON promise (branch_id, depth) WHERE promise_id IS NULL AND standing = 'true'
    """)
    op.execute("CREATE INDEX ix_promise_promise_id ON promise (promise_id)")
    op.execute("CREATE INDEX ix_promise_scene_id ON promise (scene_id)")


def downgrade() -> None:
    for table in ("promise", "assertion", "sighting", "reading"):
        op.execute(f"DROP TABLE {table}")
    op.execute("UPDATE entity SET card = card - 'voice'")
