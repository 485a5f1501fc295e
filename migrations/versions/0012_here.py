"""Rooms of a terminal get a realm: without one, a room sees no stories but its own."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE room SET realm = 'here' WHERE platform = 'terminal'")


def downgrade() -> None:
    op.execute("UPDATE room SET realm = '' WHERE platform = 'terminal'")
