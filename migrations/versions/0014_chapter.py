"""Chapters, summaries of them and of scenes, bookmarks; the words of passages move out of the way of their vectors."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE chapter (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            scene_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            title TEXT NOT NULL,
            closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_chapter PRIMARY KEY (id),
            CONSTRAINT uq_chapter_scene_id UNIQUE (scene_id),
            CONSTRAINT fk_chapter_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_chapter_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_chapter_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
        )
    """)
    op.execute("CREATE INDEX ix_chapter_branch_id_depth ON chapter (branch_id, depth)")
    op.execute("CREATE INDEX ix_chapter_story_id ON chapter (story_id)")
    op.execute("""
        CREATE TABLE summary (
            scene_id UUID NOT NULL,
            layer SMALLINT NOT NULL,
            first INTEGER NOT NULL,
            story_id UUID NOT NULL,
            branch_id UUID NOT NULL,
            depth INTEGER NOT NULL,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_summary PRIMARY KEY (scene_id, layer, first),
            CONSTRAINT fk_summary_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_summary_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_summary_branch_id_branch FOREIGN KEY(branch_id) REFERENCES branch (id)
        )
    """)
    op.execute("CREATE INDEX ix_summary_story_id_first ON summary (story_id, first)")
    op.execute("CREATE INDEX ix_summary_branch_id ON summary (branch_id)")
    op.execute("""
        CREATE TABLE bookmark (
            playthrough_id UUID NOT NULL,
            player_id UUID NOT NULL,
            scene_id UUID NOT NULL,
            before_id UUID,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_bookmark PRIMARY KEY (playthrough_id, player_id),
            CONSTRAINT fk_bookmark_playthrough_id_playthrough FOREIGN KEY(playthrough_id) REFERENCES playthrough (id),
            CONSTRAINT fk_bookmark_player_id_player FOREIGN KEY(player_id) REFERENCES player (id),
            CONSTRAINT fk_bookmark_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_bookmark_before_id_scene FOREIGN KEY(before_id) REFERENCES scene (id)
        )
    """)
    op.execute("CREATE INDEX ix_bookmark_player_id ON bookmark (player_id)")
    op.execute("CREATE INDEX ix_bookmark_scene_id ON bookmark (scene_id)")
    op.execute("CREATE INDEX ix_bookmark_before_id ON bookmark (before_id)")
    # Words are found by their index now, while all vectors of a path are compared: without the words in between they
    # are read in half the time. What is there already is written anew.
    op.execute("ALTER TABLE passage ALTER words SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE passage ALTER words TYPE TSVECTOR USING words || ''::tsvector")


def downgrade() -> None:
    op.execute("ALTER TABLE passage ALTER words SET STORAGE PLAIN")
    op.execute("DROP TABLE bookmark")
    op.execute("DROP TABLE summary")
    op.execute("DROP TABLE chapter")
