"""What came in from a platform and waits to be handled, and up to where it was asked for."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE letter (
            number BIGINT GENERATED ALWAYS AS IDENTITY,
            platform TEXT NOT NULL,
            account TEXT NOT NULL,
            event TEXT NOT NULL,
            room TEXT NOT NULL,
            body JSONB NOT NULL,
            at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_letter PRIMARY KEY (number),
            CONSTRAINT uq_letter_platform_account_event UNIQUE (platform, account, event)
        )
    """)
    op.execute("""
        CREATE TABLE mail_mark (
            platform TEXT NOT NULL,
            account TEXT NOT NULL,
            mark TEXT NOT NULL,
            CONSTRAINT pk_mail_mark PRIMARY KEY (platform, account)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE mail_mark")
    op.execute("DROP TABLE letter")
