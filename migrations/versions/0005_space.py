"""What holds in a whole space; and a way to forget people and stories in a log that is append-only otherwise."""

from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE space (
            platform TEXT NOT NULL,
            realm TEXT NOT NULL,
            settings JSONB DEFAULT '{}'::jsonb NOT NULL,
            left_at TIMESTAMPTZ,
            CONSTRAINT pk_space PRIMARY KEY (platform, realm)
        )
    """)
    op.execute("""
        CREATE OR REPLACE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF coalesce(current_setting('storyforge.forgetting', true), '') <> 'on' THEN
                RAISE 'The table % is append-only.', TG_TABLE_NAME;
            END IF;
            RETURN NULL;
        END
        $$
    """)


def downgrade() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE 'The table % is append-only.', TG_TABLE_NAME;
        END
        $$
    """)
    op.execute("DROP TABLE space")
