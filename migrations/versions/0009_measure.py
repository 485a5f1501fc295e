"""How long the tokens of each model are."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE measure (
            model TEXT NOT NULL,
            prompts INTEGER NOT NULL,
            estimated DOUBLE PRECISION NOT NULL,
            read DOUBLE PRECISION NOT NULL,
            CONSTRAINT pk_measure PRIMARY KEY (model)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE measure")
