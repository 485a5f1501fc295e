"""The extension for embeddings, and the tables of the job engine as far as its version 2.6.0."""

from contextlib import closing
from importlib.resources import files

from alembic import op

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None

# The last of them adds values to an enum. Before PostgreSQL 17 no transaction can use values that it added itself, so
# what uses them is the next revision.
_FILES = (
    "00.00.00_01_initial.sql",
    "00.05.00_01_drop_started_at_column.sql",
    "00.05.00_02_drop_started_at_column.sql",
    "00.05.00_03_drop_procrastinate_version_table.sql",
    "00.06.00_01_fix_procrastinate_fetch_job.sql",
    "00.07.01_01_fix_trigger_status_events_insert.sql",
    "00.08.01_01_add_queueing_lock_column.sql",
    "00.10.00_01_close_fetch_job_race_condition.sql",
    "00.10.00_02_add_defer_job_function.sql",
    "00.11.00_03_add_procrastinate_periodic_defers.sql",
    "00.12.00_01_add_foreign_key_index.sql",
    "00.14.00_01_add_locks_to_periodic_defer.sql",
    "00.15.02_01_fix_procrastinate_defer_periodic_job.sql",
    "00.16.00_01_add_finish_job_and_retry_job_functions.sql",
    "00.17.00_01_add_trigger_on_job_deletion.sql",
    "00.17.00_02_delete_finished_jobs.sql",
    "00.17.00_03_add_checks_to_finish_job.sql",
    "00.17.00_04_add_checks_to_retry_job.sql",
    "00.18.01_01_fix_finish_job_compat_issue.sql",
    "00.19.00_01_add_index_on_procrastinate_jobs.sql",
    "00.22.00_01_add_kwargs_to_defer_periodic_job.sql",
    "00.23.00_01_null_locks_excluded.sql",
    "01.00.00_01_remove_old_finish_job_function.sql",
    "01.01.01_01_job_id_bigint.sql",
    "02.00.03_01_add_job_priority.sql",
    "02.05.00_01_add_periodic_job_priority.sql",
    "02.06.00_01_add_cancel_states.sql",
)

_DROP = r"""
DO $$
DECLARE
    thing text;
BEGIN
    FOREACH thing IN ARRAY ARRAY(
        SELECT format('TABLE %s CASCADE', oid::regclass) FROM pg_class
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname LIKE 'procrastinate\_%'
        UNION ALL
        SELECT format('FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\_%'
        UNION ALL
        SELECT format('TYPE %s CASCADE', oid::regtype) FROM pg_type
         WHERE typtype IN ('e', 'c') AND typnamespace = current_schema()::regnamespace
           AND typname LIKE 'procrastinate\_%'
           AND NOT EXISTS (SELECT FROM pg_class WHERE pg_class.oid = typrelid AND relkind <> 'c')
    ) LOOP
        BEGIN
            EXECUTE 'DROP ' || thing;
        EXCEPTION WHEN undefined_table OR undefined_function OR undefined_object THEN
            NULL; -- it went with something before it
        END;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    folder = files("procrastinate.sql.migrations")
    # the driver's own cursor: SQLAlchemy's would take every `%` in the files for a parameter
    with closing(op.get_bind().connection.cursor()) as cursor:
        for name in _FILES:
            cursor.execute(folder.joinpath(name).read_text(encoding="utf-8"))


def downgrade() -> None:
    # the extension stays: other programs of this database may use it, and not everybody may bring it back
    with closing(op.get_bind().connection.cursor()) as cursor:
        cursor.execute(_DROP)
