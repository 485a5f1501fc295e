"""The tables of the job engine, procrastinate 3.10.0."""

from contextlib import closing
from importlib.resources import files

from alembic import context, op

revision = "0001"
down_revision = "0000"
branch_labels = None
depends_on = None

# The files of a later version become a revision of their own.
_FILES = (
    "02.08.00_01_add_additional_params_to_retry_job.sql",
    "02.14.01_01_add_indexes_for_fetch_job.sql",
    "03.00.00_01_pre_cancel_notification.sql",
    "03.00.00_50_post_cancel_notification.sql",
    "03.01.00_01_pre_add_heartbeat.sql",
    "03.01.00_50_post_add_heartbeat.sql",
    "03.02.00_01_pre_batch_defer_jobs.sql",
    "03.02.00_50_post_batch_defer_jobs.sql",
    "03.03.00_01_pre_priority_lock_fetch_job.sql",
    "03.04.00_01_pre_add_retry_failed_job_procedure.sql",
    "03.04.00_50_post_add_retry_failed_job_procedure.sql",
)


def upgrade() -> None:
    folder = files("procrastinate.sql.migrations")
    # the driver's own cursor: SQLAlchemy's would take every `%` in the files for a parameter
    with closing(op.get_bind().connection.cursor()) as cursor:
        for name in _FILES:
            cursor.execute(folder.joinpath(name).read_text(encoding="utf-8"))


def downgrade() -> None:
    # procrastinate has no way back: the half that stays is made anew
    half = context.script.get_revision("0000").module
    half.downgrade()
    half.upgrade()
