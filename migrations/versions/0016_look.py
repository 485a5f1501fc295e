"""How people, places and things look from a scene on; and who is seen on a picture."""

from alembic import op

revision = "0016"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE look (
            id UUID NOT NULL,
            given BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
            story_id UUID NOT NULL,
            kind VARCHAR(16) NOT NULL,
            entity_id UUID,
            scene_id UUID NOT NULL,
            file TEXT NOT NULL,
            sha256 VARCHAR(64) NOT NULL,
            bytes INTEGER NOT NULL,
            source VARCHAR(16) NOT NULL,
            by_id UUID,
            held BOOLEAN DEFAULT true NOT NULL,
            CONSTRAINT pk_look PRIMARY KEY (id),
            CONSTRAINT ck_look_kind CHECK (kind IN ('character', 'location', 'scene', 'prop')),
            CONSTRAINT ck_look_source CHECK (source IN ('given', 'kept', 'scanned')),
            CONSTRAINT fk_look_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_look_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id),
            CONSTRAINT fk_look_by_id_player FOREIGN KEY(by_id) REFERENCES player (id)
        )
    """)
    for column in ("story_id", "scene_id", "sha256", "file"):
        op.execute(f"CREATE INDEX ix_look_{column} ON look ({column})")
    op.execute("ALTER TABLE asset ADD COLUMN seen TEXT[]")


def downgrade() -> None:
    op.execute("ALTER TABLE asset DROP COLUMN seen")
    op.execute("DROP TABLE look")
