"""What is true in a story's world, and when the storyteller was told of it."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE lore_entry (
            id UUID NOT NULL,
            story_id UUID NOT NULL,
            number INTEGER NOT NULL,
            body JSONB,
            CONSTRAINT pk_lore_entry PRIMARY KEY (id),
            CONSTRAINT fk_lore_entry_story_id_story FOREIGN KEY (story_id) REFERENCES story (id),
            CONSTRAINT uq_lore_entry_story_id_number UNIQUE (story_id, number)
        )
    """)
    op.execute("""
        CREATE TABLE lore_fired (
            scene_id UUID NOT NULL,
            entry_id UUID NOT NULL,
            held BOOLEAN NOT NULL,
            CONSTRAINT pk_lore_fired PRIMARY KEY (scene_id, entry_id),
            CONSTRAINT fk_lore_fired_scene_id_scene FOREIGN KEY (scene_id) REFERENCES scene (id),
            CONSTRAINT fk_lore_fired_entry_id_lore_entry FOREIGN KEY (entry_id) REFERENCES lore_entry (id)
        )
    """)
    op.execute("CREATE INDEX ix_lore_fired_entry_id ON lore_fired (entry_id)")


def downgrade() -> None:
    op.execute("DROP TABLE lore_fired")
    op.execute("DROP TABLE lore_entry")
