"""One file with all that the centre knows; made while the centre runs, the same from either kind of database.

A tar of one JSON-lines file per table, and a manifest: the schema's version, rows and SHA-256 of each file,
the audit log's head. It comes from one snapshot. It holds hashes of passwords and of tokens: keep it as you
keep the database.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import BigInteger, Connection, MetaData, Table, func, insert, select

from denxanh.controller.centre.store import audit, migrate
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.audit import Anchor
from denxanh.controller.centre.store.rows import canonical, now_ms, values
from denxanh.errors import StoreError

FORMAT = 1
MANIFEST = "manifest.json"
_STEP = 1000
_NEVER = frozenset(("sessions",))
"""Whoever was logged in logs in again."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    made_ms: int
    schema: str
    rows: Mapping[str, int]
    """By table."""
    sha256: Mapping[str, str]
    """By table."""
    head: Anchor | None
    """The audit log's."""


def make(store: Store, path: Path) -> Backup:
    """Write a backup; it takes its name when it is whole and on the disk.

    Raises:
        StoreError: the database does not answer, or its audit log is broken (back up the file itself then).
        OSError: it cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        unfinished = Path(folder) / path.name
        with store.reading() as connection, tarfile.open(unfinished, "w:gz", compresslevel=6) as tar:
            tables = _tables(connection)
            found = audit.verify_on(connection)
            if found.first_broken is not None:
                raise StoreError(
                    f"the audit log is broken at row {found.first_broken}: {found.why}",
                    where=store.name,
                    fix="keep a copy of the database itself as evidence; then restore an earlier backup",
                )
            rows, sums = {}, {}
            for table in tables:
                with tempfile.TemporaryFile(dir=folder) as file:
                    rows[table.name], sums[table.name] = _dump(connection, table, file)
                    _add(tar, f"{table.name}.jsonl", file)
            version = migrate.version(connection) or ""
            made = Backup(now_ms(), version, rows, sums, found.head)
            _add(tar, MANIFEST, io.BytesIO(_manifest(made)))
        unfinished.chmod(0o600)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)
    return made


def restore(store: Store, path: Path) -> Backup:
    """Fill an empty store from a backup, in one transaction, and bring it to the newest schema.

    Whoever was logged in logs in again. The recorder goes on behind the last line of the journal that the
    backup knows of.

    Args:
        store: empty (`archive.connect` or `open_store`).
        path: the backup.

    Raises:
        StoreError: the store is not empty; the backup is damaged, or from a newer version.
        OSError: it cannot be read.
    """
    try:
        with tarfile.open(path, "r:gz") as tar:
            found = _manifest_in(tar)
            if not migrate.known(found.schema):
                raise StoreError(
                    f"was made by a newer version of this program (schema {found.schema})", where=str(path)
                )
            _refuse_filled(store)
            migrate.turn_to(store.engine, store.name, found.schema)
            with store.writing() as connection:
                for table in _tables(connection):
                    if table.name in found.rows:
                        _fill(connection, table, tar, found)
                _check_audit(connection, found)
    except (tarfile.TarError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"is no whole backup: {error}", where=str(path), fix="take another one") from error
    migrate.upgrade(store.engine, store.name)
    return found


def _tables(connection: Connection) -> list[Table]:
    """Our tables as the database has them: a backup may be older than this program."""
    found = MetaData()
    found.reflect(connection, only=sorted(migrate.ours(migrate.tables(connection)) - _NEVER))
    return [found.tables[name] for name in sorted(found.tables)]


def _dump(connection: Connection, table: Table, file: IO[bytes]) -> tuple[int, str]:
    """Write a table as JSON lines; the number of rows and the hash."""
    digest, count = hashlib.sha256(), 0
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=_STEP).execute(query):
        line = (canonical(values(row)) + "\n").encode()
        digest.update(line)
        file.write(line)
        count += 1
    return count, digest.hexdigest()


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.size = file.seek(0, os.SEEK_END)
    member.mode = 0o600
    member.mtime = now_ms() // 1000
    file.seek(0)
    tar.addfile(member, file)


def _manifest(made: Backup) -> bytes:
    return (json.dumps({"format": FORMAT, **asdict(made)}, indent=2) + "\n").encode()


def _manifest_in(tar: tarfile.TarFile) -> Backup:
    found = json.loads(_member(tar, MANIFEST).read())
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']!r}, this program reads {FORMAT}")
    head = found["head"]
    return Backup(
        int(found["made_ms"]),
        str(found["schema"]),
        dict(found["rows"]),
        dict(found["sha256"]),
        None if head is None else Anchor(int(head["seq"]), str(head["hash"])),
    )


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file


def _refuse_filled(store: Store) -> None:
    with store.reading() as connection:
        for table in _tables(connection):
            if connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise StoreError(
                    "is not empty, and a backup replaces nothing",
                    where=f"{store.name}: {table.name}",
                    fix="move it away first, or name another store in [console]",
                )


def _fill(connection: Connection, table: Table, tar: tarfile.TarFile, found: Backup) -> None:
    digest, count = hashlib.sha256(), 0
    with _member(tar, f"{table.name}.jsonl") as file:
        while lines := list(itertools.islice(file, _STEP)):
            for line in lines:
                digest.update(line)
            connection.execute(insert(table), [json.loads(line) for line in lines])
            count += len(lines)
    if digest.hexdigest() != found.sha256[table.name] or count != found.rows[table.name]:
        raise ValueError(f"{table.name} is not what was written")
    counted = [column.name for column in table.primary_key.columns if column.name == "id"]
    if connection.dialect.name == "postgresql" and counted and isinstance(table.c.id.type, BigInteger):
        # Rows that come with their numbers do not move PostgreSQL's own counter.
        connection.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
            f"(SELECT coalesce(max(id), 0) + 1 FROM {table.name}), false)"
        )


def _check_audit(connection: Connection, found: Backup) -> None:
    held = audit.verify_on(connection)
    if held.first_broken is not None:
        raise ValueError(f"its audit log is broken at row {held.first_broken}: {held.why}")
    if held.head != found.head:
        raise ValueError("its audit log does not end where it says")
