"""Connections to both kinds of database, set so that what is committed stays and nothing waits for ever."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from denxanh.errors import MissingExtraError, StoreError

APPLICATION_ID = 0x44584E48
"""SQLite's mark for our files: "DXNH"."""
MAX_WAL_BYTES = 64 * 1024 * 1024
"""What SQLite's log may keep of the disk after it has been worked off."""
BUSY_S = 5
"""How long a writer waits for another one before it gives up, s."""
CONNECT_S = 3
"""How long a PostgreSQL server may take to answer at all, s."""
STATEMENT_S = 30
"""Longest statement at a PostgreSQL server, s; an upgrade of the schema has no such limit."""

FIRST_START = "the centre makes it at its first start; so does denxanh store migrate"
"""How a database comes about."""
WRITES = "denxanh_writes"
"""Execution option of a connection whose transactions write."""


def engine_of(url: str, *, make: bool) -> Engine:
    """Connections for a URL; nothing is connected yet, but an SQLite file is there afterwards.

    Raises:
        StoreError: it is no URL of ours, the file cannot be written, or is not to be made and not there.
        MissingExtraError: psycopg is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "is no URL of a database",
            where="store",
            fix="sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME",
        ) from error
    if parsed.drivername == "sqlite":
        path = Path(parsed.database or "")
        _prepare(path, make=make)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.drivername != "postgresql+psycopg":
        raise StoreError(
            f"{parsed.drivername} is no database that the centre can use",
            where="store",
            fix="sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME",
        )
    try:
        return create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_S,
                # A server whose machine has vanished must not hold a thread of the centre for minutes.
                "tcp_user_timeout": STATEMENT_S * 1000,
                "options": f"-c statement_timeout={STATEMENT_S}s -c lock_timeout={BUSY_S}s",
                "application_name": "denxanh centre",
            },
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("psycopg", "postgres") from error


def _prepare(path: Path, *, make: bool) -> None:
    """The file, readable by its owner alone: it holds hashes of passwords."""
    if not path.name:
        raise StoreError("names no file", where="store: sqlite", fix="sqlite:///PATH")
    if not make and not path.exists():
        raise StoreError("is not there yet", where=str(path), fix=FIRST_START)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"cannot be opened for writing: {error.strerror}",
            where=str(path),
            fix="the centre needs a folder that it may write in; name another file in [console] store",
        ) from error


def _sqlite_settings(connection: Any, _: ConnectionPoolEntry) -> None:
    # Transactions are begun by `_sqlite_begin`, not by the driver's guess.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA journal_size_limit={MAX_WAL_BYTES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
