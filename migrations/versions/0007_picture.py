"""Pictures of scenes: runs of a kind of their own beside those of scenes, and what came of them."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE run ADD COLUMN kind VARCHAR(16) DEFAULT 'scene' NOT NULL")
    op.execute("ALTER TABLE run ADD CONSTRAINT ck_run_kind CHECK (kind IN ('scene', 'picture'))")
    op.execute("DROP INDEX uq_run_live")
    op.execute("""
        CREATE UNIQUE INDEX uq_run_live ON run (playthrough_id)
         WHERE status IN ('queued', 'running', 'stopping') AND kind = 'scene'
    """)
    op.execute("CREATE INDEX ix_run_picture ON run (playthrough_id) WHERE kind = 'picture'")
    op.execute("""
        CREATE TABLE asset (
            id UUID NOT NULL,
            scene_id UUID NOT NULL,
            run_id UUID NOT NULL,
            sha256 VARCHAR(64) NOT NULL,
            mime VARCHAR(16) NOT NULL,
            bytes INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            prompt TEXT NOT NULL,
            alt TEXT NOT NULL,
            seed BIGINT NOT NULL,
            workflow TEXT NOT NULL,
            asker_id UUID,
            created_at TIMESTAMPTZ NOT NULL,
            shown BOOLEAN DEFAULT true NOT NULL,
            CONSTRAINT pk_asset PRIMARY KEY (id),
            CONSTRAINT uq_asset_run_id UNIQUE (run_id),
            CONSTRAINT ck_asset_mime CHECK (mime IN ('image/png', 'image/jpeg', 'image/webp')),
            CONSTRAINT fk_asset_scene_id_scene FOREIGN KEY (scene_id) REFERENCES scene (id),
            CONSTRAINT fk_asset_run_id_run FOREIGN KEY (run_id) REFERENCES run (id),
            CONSTRAINT fk_asset_asker_id_player FOREIGN KEY (asker_id) REFERENCES player (id)
        )
    """)
    op.execute("CREATE INDEX ix_asset_scene_id_id ON asset (scene_id, id)")
    op.execute("CREATE INDEX ix_asset_sha256 ON asset (sha256)")


def downgrade() -> None:
    op.execute("DROP TABLE asset")
    op.execute("UPDATE run SET status = 'stopped' WHERE kind = 'picture'")
    op.execute("DROP INDEX uq_run_live")
    op.execute("""
        CREATE UNIQUE INDEX uq_run_live ON run (playthrough_id) WHERE status IN ('queued', 'running', 'stopping')
    """)
    op.execute("ALTER TABLE run DROP COLUMN kind")
