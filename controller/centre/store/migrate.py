"""Bring a database from one version of the schema to another by Alembic; the steps lie in `migrations`."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from denxanh.controller.centre.store.engine import WRITES
from denxanh.controller.centre.store.schema import metadata
from denxanh.errors import StoreError

VERSION_TABLE = "denxanh_schema"
"""Holds the version of the schema; by it a database is known as ours."""
_STEPS = Path(__file__).parent / "migrations"
_LOCK = 0x44584E48
"""PostgreSQL's advisory lock while the schema changes: two centres may start at the same time."""


def upgrade(engine: Engine, name: str, revision: str = "head") -> None:
    """Go up to a version (the newest), in one transaction: a killed upgrade leaves everything as it was.

    Raises:
        StoreError: the database was written by a newer version of the program.
    """
    with _alone(engine) as connection:
        found = version(connection)
        if found is not None and not known(found):
            raise StoreError(
                f"was written by a newer version of this program (schema {found}, this one has {newest()})",
                where=name,
                fix="install that version again, or restore a backup that this one made",
            )
        if found != (newest() if revision == "head" else revision):
            command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Go down to an older version, or to `base`: nothing. What the tables held that go is lost."""
    with _alone(engine) as connection:
        command.downgrade(_config(connection), revision)


def turn_to(engine: Engine, name: str, revision: str) -> None:
    """Go up or down to a version. What tables held that go is lost.

    Raises:
        StoreError: the database was written by a newer version of the program.
    """
    with engine.connect() as connection:
        found = version(connection)
    script = ScriptDirectory(str(_STEPS))
    if found is not None and revision != found and revision in _below(script, found):
        downgrade(engine, revision)
    else:
        upgrade(engine, name, revision)


def version(connection: Connection) -> str | None:
    """The version of the schema that a database has; None: it is empty."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def newest() -> str:
    """The version of the schema that this program works with."""
    return ScriptDirectory(str(_STEPS)).get_current_head() or ""


def known(revision: str) -> bool:
    """Whether this program has the step that leads to a version."""
    return revision in {step.revision for step in ScriptDirectory(str(_STEPS)).walk_revisions()}


def tables(connection: Connection) -> frozenset[str]:
    """Names of the tables in a database."""
    return frozenset(inspect(connection).get_table_names())


def ours(names: Collection[str]) -> frozenset[str]:
    """Those of the names that our tables have, too."""
    return frozenset(metadata.tables) & frozenset(names)


def _below(script: ScriptDirectory, revision: str) -> frozenset[str]:
    """The versions that a version was built on."""
    return frozenset(step.revision for step in script.iterate_revisions(revision, "base"))


@contextlib.contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process's change of the schema can run beside."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
