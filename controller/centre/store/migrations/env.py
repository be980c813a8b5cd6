"""Alembic's entry: runs the steps on the connection that `store.migrate` hands over."""

from alembic import context

from denxanh.controller.centre.store.migrate import VERSION_TABLE
from denxanh.controller.centre.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
