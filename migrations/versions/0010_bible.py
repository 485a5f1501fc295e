"""Who and what there is in a story, and the facts that its scenes prove."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE entity (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            card JSONB NOT NULL,
            CONSTRAINT pk_entity PRIMARY KEY (id),
            CONSTRAINT fk_entity_story_id_story FOREIGN KEY(story_id) REFERENCES story (id)
        )
    """)
    op.execute("CREATE INDEX ix_entity_story_id ON entity (story_id)")
    op.execute("""
        CREATE TABLE fact (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            number INTEGER NOT NULL,
            scene_id UUID NOT NULL,
            claim JSONB NOT NULL,
            CONSTRAINT pk_fact PRIMARY KEY (id),
            CONSTRAINT uq_fact_story_id_number UNIQUE (story_id, number),
            CONSTRAINT fk_fact_story_id_story FOREIGN KEY(story_id) REFERENCES story (id),
            CONSTRAINT fk_fact_scene_id_scene FOREIGN KEY(scene_id) REFERENCES scene (id)
        )
    """)
    op.execute("CREATE INDEX ix_fact_scene_id ON fact (scene_id)")


def downgrade() -> None:
    op.execute("DROP TABLE fact")
    op.execute("DROP TABLE entity")
