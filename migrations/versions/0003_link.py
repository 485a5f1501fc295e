"""One story in several rooms, one person with several accounts."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE player ADD COLUMN same_as UUID")
    op.execute(
        "ALTER TABLE player ADD CONSTRAINT fk_player_same_as_player FOREIGN KEY (same_as) REFERENCES player (id)"
    )
    op.execute("CREATE INDEX ix_player_same_as ON player (same_as) WHERE same_as IS NOT NULL")
    op.execute("""
        CREATE TABLE ticket (
            code TEXT NOT NULL,
            kind VARCHAR(16) NOT NULL,
            player_id UUID NOT NULL,
            playthrough_id UUID,
            expires_at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_ticket PRIMARY KEY (code),
            CONSTRAINT ck_ticket_kind CHECK (kind IN ('room', 'person')),
            CONSTRAINT fk_ticket_player_id_player FOREIGN KEY (player_id) REFERENCES player (id),
            CONSTRAINT fk_ticket_playthrough_id_playthrough FOREIGN KEY (playthrough_id) REFERENCES playthrough (id)
        )
    """)
    op.execute("CREATE INDEX ix_ticket_player_id ON ticket (player_id)")


def downgrade() -> None:
    op.execute("DROP TABLE ticket")
    op.execute("ALTER TABLE player DROP COLUMN same_as")
