"""The centre's database: SQLite or PostgreSQL; opened, checked, brought to the newest schema.

Every call is short, synchronous and safe from any thread; the centre runs them by `asyncio.to_thread`.
What a `writing` block has committed survives a power cut (SQLite: WAL, full syncs; PostgreSQL: its default).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from denxanh.controller.centre.store import migrate
from denxanh.controller.centre.store.engine import APPLICATION_ID, FIRST_START, WRITES, engine_of
from denxanh.controller.centre.store.schema import AUDIT_REFUSAL
from denxanh.errors import StoreError


class Store:
    """An open database at the newest schema; see `open_store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = engine.url.render_as_string(hide_password=True)
        """For people: where it is, without the password."""

    @property
    def sqlite(self) -> bool:
        """Whether it is SQLite; PostgreSQL otherwise."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot: every statement in the block sees the same state.

        Raises:
            StoreError: the database does not answer, or is damaged.
        """
        level = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _errors(self.name), self.engine.connect() as raw:
            connection = raw.execution_options(**level)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block and rolled back by any exception.

        SQLite takes its one write lock at once, so that what the block has read stays true until it writes.

        Raises:
            StoreError: the database does not answer, another writer holds it too long, the disk is full.
            IntegrityError: a row breaks a rule of the schema (a name that is taken).
        """
        with _errors(self.name), self.engine.connect() as raw:
            connection = raw.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_store(url: str, *, make: bool = True) -> Store:
    """Open a database and bring it to the newest schema.

    Args:
        url: `sqlite:///PATH`, or `postgresql+psycopg://USER:PASSWORD@HOST/NAME`.
        make: make it if it is not there, fill it with tables if it is empty; else that is an error.

    Raises:
        StoreError: it cannot be opened or written, belongs to another program, or to a newer version.
        MissingExtraError: PostgreSQL is asked for and psycopg is not installed.
    """
    store = connect(url, make=make)
    try:
        with _errors(store.name):
            if not make:
                _refuse_empty(store)
            migrate.upgrade(store.engine, store.name)
    except BaseException:
        store.close()
        raise
    return store


def connect(url: str, *, make: bool = True) -> Store:
    """As `open_store`, but the schema stays as it is: for the migrations' own commands.

    Raises:
        StoreError: as `open_store`.
        MissingExtraError: as `open_store`.
    """
    engine = engine_of(url, make=make)
    store = Store(engine)
    try:
        with _errors(store.name):
            _ours(engine, store.name)
    except BaseException:
        store.close()
        raise
    return store


def _refuse_empty(store: Store) -> None:
    with store.reading() as connection:
        if migrate.version(connection) is None:
            raise StoreError("holds nothing yet", where=store.name, fix=FIRST_START)


def _ours(engine: Engine, name: str) -> None:
    """Refuse a database that another program has filled; mark an empty SQLite file as ours."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        tables = migrate.tables(connection)
        if engine.dialect.name == "sqlite":
            mark = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            ours = mark == APPLICATION_ID or (mark == 0 and not tables)
            if ours and mark == 0:
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        else:
            ours = migrate.VERSION_TABLE in tables or not migrate.ours(tables)
    if not ours:
        raise StoreError(
            "is the database of another program",
            where=name,
            fix="name an empty one, or a file that is not there yet, in [console] store",
        )


@contextlib.contextmanager
def _errors(name: str) -> Iterator[None]:
    """What the driver says, as an error of ours; broken rules of the schema stay what they are."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, IntegrityError) and AUDIT_REFUSAL not in str(error.orig):
            raise
        said = str(error.orig).strip().splitlines()
        what = said[0] if said else type(error.orig).__name__
        raise StoreError(f"the database refuses: {what}", where=name, fix=_fix(what)) from error
    except PoolTimeoutError as error:
        raise StoreError("every connection to the database is in use", where=name, fix="try again") from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be used: {error}", where=name) from error


def _fix(what: str) -> str:
    for words, fix in _FIXES:
        if words in what:
            return fix
    return "see that the database runs and can be reached; the centre tries again by itself"


_FIXES = (
    ("is full", "free space on the disk; what was acknowledged is safe"),
    ("is locked", "another process writes for too long; try again"),
    ("not a database", "it is no SQLite file: name another one in [console] store"),
    ("malformed", "the file is damaged: restore a backup (denxanh store restore)"),
    ("readonly", "give the centre's account the right to write the file and its folder"),
    (AUDIT_REFUSAL, "nothing may change or remove entries of the audit log"),
)
