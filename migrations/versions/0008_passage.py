"""Scenes in passages that are found by words and by meaning; the columns that stood in their place were never used."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE scene DROP CONSTRAINT ck_scene_embedding")
    op.execute("ALTER TABLE scene DROP COLUMN embedding, DROP COLUMN embedding_model")
    op.execute("""
        CREATE TABLE passage (
            scene_id UUID NOT NULL,
            part SMALLINT NOT NULL,
            story_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            start INTEGER NOT NULL,
            length INTEGER NOT NULL,
            words TSVECTOR NOT NULL,
            embedding HALFVEC(768),
            embedding_model TEXT,
            CONSTRAINT pk_passage PRIMARY KEY (scene_id, part),
            CONSTRAINT fk_passage_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_passage_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_passage_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
        )
    """)
    # In the row itself and as they are, which a passage is short enough for: fetching and unpacking them would take
    # several times as long as comparing them.
    op.execute("ALTER TABLE passage ALTER words SET STORAGE PLAIN, ALTER embedding SET STORAGE PLAIN")
    op.execute("CREATE INDEX ix_passage_branch_id_depth ON passage (branch_id, depth)")
    op.execute("CREATE INDEX ix_passage_story_id ON passage (story_id)")
    op.execute("CREATE INDEX ix_passage_words ON passage USING gin (words)")
    op.execute("CREATE INDEX ix_passage_embedding ON passage USING hnsw (embedding halfvec_cosine_ops)")
    op.execute("CREATE INDEX ix_passage_embedding_model ON passage (embedding_model)")


def downgrade() -> None:
    op.execute("DROP TABLE passage")
    op.execute("ALTER TABLE scene ADD COLUMN embedding HALFVEC(768), ADD COLUMN embedding_model TEXT")
    op.execute("""
        ALTER TABLE scene ADD CONSTRAINT ck_scene_embedding CHECK ((embedding IS NULL) = (embedding_model IS NULL))
    """)
