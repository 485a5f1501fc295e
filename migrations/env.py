"""What Alembic runs: the connection, and the lock around it, come from `store.migrate`."""  # noqa: INP001 -- loaded by its path

from alembic import context

from storyforge_core.store.migrate import is_ours
from storyforge_core.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=lambda name, kind, _: is_ours(name, kind),
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
