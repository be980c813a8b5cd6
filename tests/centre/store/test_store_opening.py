"""Opening a database: both kinds, migrations up and down, and what must be refused."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from denxanh.controller.centre.store import audit, migrate
from denxanh.controller.centre.store.archive import Store, connect, open_store
from denxanh.controller.centre.store.schema import metadata
from denxanh.errors import StoreError


@pytest.fixture(autouse=True)
def steps(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here every database is made by the steps themselves."""
    monkeypatch.setattr(migrate, "upgrade", tables.steps)


def _made(store: Store) -> list[tuple[Any, ...]]:
    """Everything that a database knows of its tables, and the version."""
    asked = (
        ["SELECT type, name, tbl_name, sql FROM sqlite_master"]
        if store.sqlite
        else [
            "SELECT table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conrelid > 0",
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        ]
    )
    with store.reading() as connection:
        found = [tuple(row) for each in asked for row in connection.exec_driver_sql(each)]
        return [(migrate.version(connection),), *sorted(found, key=repr)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_tables_that_other_tests_have_are_those_of_the_steps(
    kind: str, empty_database: Callable[[str], str], tables: Any
) -> None:
    made = []
    for upgrade in (tables.steps, tables.upgrade, tables.upgrade):  # the second at the latest repeats
        store = connect(empty_database(kind))
        upgrade(store.engine, store.name)
        made.append(_made(store))
        store.close()
    assert made[0] == made[1] == made[2]
    assert len(made[0]) > 40


def test_the_steps_lead_to_exactly_the_schema(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        assert migrate.version(connection) == migrate.newest()


def test_every_step_can_be_taken_back_and_again(store: Store) -> None:
    migrate.downgrade(store.engine, "base")
    with store.reading() as connection:
        assert migrate.ours(migrate.tables(connection)) == frozenset()
    migrate.upgrade(store.engine, store.name)
    assert audit.append(store, actor="a", role="", action="x.y", target="", outcome="done", detail={}) == 1


def test_opening_again_keeps_what_is_there(store_url: str) -> None:
    for expected in (1, 2):
        store = open_store(store_url)
        assert (
            audit.append(store, actor="a", role="", action="x.y", target="", outcome="done", detail={})
            == expected
        )
        store.close()


def test_a_newer_schema_is_refused_and_left_alone(store_url: str) -> None:
    store = open_store(store_url)
    with store.writing() as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '999'"))
    store.close()
    with pytest.raises(StoreError, match=r"newer version .*999"):
        open_store(store_url)
    again = connect(store_url)
    with again.reading() as connection:
        assert migrate.version(connection) == "999"
    again.close()


def test_another_programs_database_is_refused(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE users (name text)"))
    engine.dispose()
    with pytest.raises(StoreError, match="another program"):
        open_store(store_url)


def test_an_sqlite_file_with_another_mark_is_refused_even_when_empty(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id=77")
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:///{path}")


def test_what_is_no_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Ghi chú của ca trực " * 100, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no SQLite file"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/centre\.db: cannot be opened for writing"):
        open_store(f"sqlite:///{tmp_path}/file/centre.db")


def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://someone:s3cret@/centre?host={tmp_path}"
    with pytest.raises(StoreError, match="the database refuses") as failure:
        open_store(url)
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize(
    "url", ["centre.db", "mysql://host/centre", "sqlite://", "postgresql://host/centre", ""]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///PATH"):
        open_store(url)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "centre.db"
    store = open_store(f"sqlite:///{path}")
    audit.append(store, actor="a", role="", action="x.y", target="", outcome="done", detail={})
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    store.close()
    assert modes == {0o600}


def test_who_only_looks_makes_nothing(store_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="denxanh store migrate"):
        open_store(store_url, make=False)
    assert list(tmp_path.iterdir()) == []
    open_store(store_url).close()
    open_store(store_url, make=False).close()


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/centre.db")
    with store.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    store.close()


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    def append() -> int:
        return audit.append(store, actor="a", role="", action="x.y", target="", outcome="done", detail={})

    append()
    with store.reading() as connection:
        before = audit.head(connection)
        append()
        assert audit.head(connection) == before
