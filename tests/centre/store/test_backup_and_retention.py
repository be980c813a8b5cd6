"""The recovery drill: kill, restore, go on recording; and what retention and export take."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from denxanh.controller.centre.store import audit, backup, drafts, ledger, parquet, queries, retention
from denxanh.controller.centre.store.archive import Store, connect, open_store
from denxanh.controller.centre.store.keeping import Keeping
from denxanh.controller.centre.store.rows import now_ms
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.centre.store.schema import sessions, users
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

Content = Callable[[Store], Any]


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """Where it makes no difference which kind the backup is of."""
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield store
    store.close()


def _append(store: Store) -> int:
    one = {"actor": "lan", "role": "operator", "action": "order.hold", "target": "x", "outcome": "done"}
    return audit.append(store, **one, detail={"lý do": "diễn tập"})


def _record(store: Store, corridor: Corridor, folder: Path) -> None:
    with contextlib.closing(Keeping(store, corridor, folder)) as keeping:
        while keeping.step():
            pass


def _filled(store: Store) -> None:
    """One row of everything that people write."""
    _append(store)
    with store.writing() as connection:
        drafts.save(connection, kind="plan", target="X/1", body={"cycle_s": 90}, author="lan", reason="Thử")
    order = {"actor": "lan", "role": "operator", "intersection": "X1", "kind": "hold", "reason": "Thử"}
    with store.writing() as connection:
        ledger.enter(connection, key="k", body={}, until_ms=None, **order)
    with store.writing() as connection:
        person = {"name": "lan", "display": "Lan", "role": "operator", "disabled": False, "must_change": True}
        connection.execute(insert(users), {**person, "created_ms": 1})
        session = {"token_hash": "h", "user": "lan", "csrf": "c", "created_ms": 1, "seen_ms": 1}
        connection.execute(insert(sessions), {**session, "expires_ms": 1_900_000_000_000})


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_recovery_drill(
    store: Store,
    into: str,
    empty_database: Callable[[str], str],
    tmp_path: Path,
    corridor: Corridor,
    street: Any,
    opened: dict[str, Any],
    content: Content,
) -> None:
    """Back up while recording, lose the database, restore into either kind, go on: nothing is missing."""
    folder = tmp_path / "state"
    folder.mkdir()
    journal = Journal(folder / JOURNAL_NAME, max_part_bytes=40_000)
    journal.append(opened)
    for record in street.seconds(40):
        journal.append(record)
    _record(store, corridor, folder)
    _filled(store)
    made = backup.make(store, tmp_path / "centre.tar.gz")
    assert made.rows["users"] == 1
    # Life goes on after the backup, and then the database is lost.
    for record in street.seconds(40):
        journal.append(record)
    _record(store, corridor, folder)
    lost = content(store)

    again = connect(empty_database(into))
    backup.restore(again, tmp_path / "centre.tar.gz")
    _record(again, corridor, folder)
    restored = content(again)
    assert lost.pop("sessions")
    assert restored.pop("sessions") == []
    assert restored == lost
    # New rows get new numbers, and the chain goes on.
    assert _append(again) == 2
    assert audit.verify(again).first_broken is None
    with again.writing() as connection:
        saved = drafts.save(connection, kind="plan", target="X/1", body={}, author="lan", reason="Thử")
    assert saved == 2
    for record in street.seconds(5):
        journal.append(record)
    _record(again, corridor, folder)
    journal.close()
    again.close()


def test_a_backup_is_of_one_moment(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that comes while it is being written is not half in it."""
    _append(store)
    real = backup._dump

    def dump(connection: Any, table: Any, file: Any) -> Any:
        if table.name == "alarms":
            _append(store)
        return real(connection, table, file)

    monkeypatch.setattr(backup, "_dump", dump)
    made = backup.make(store, tmp_path / "b.tar.gz")
    assert made.rows["audit"] == 1
    assert audit.verify(store).rows == 2


def test_a_backup_never_replaces_anything(store: Store, tmp_path: Path) -> None:
    _append(store)
    path = tmp_path / "b.tar.gz"
    backup.make(store, path)
    with pytest.raises(StoreError, match="not empty"):
        backup.restore(store, path)
    assert audit.verify(store).rows == 1


def _rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The backup with some of its files changed; None leaves one out."""
    other = path.with_name("changed.tar.gz")
    with tarfile.open(path) as old, tarfile.open(other, "w:gz") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            data = change(member.name, file.read())
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return other


def _newer(name: str, data: bytes) -> bytes:
    return re.sub(rb'"schema": "\d+"', b'"schema": "999"', data) if name == backup.MANIFEST else data


def _forged(name: str, data: bytes) -> bytes:
    """An entry of the audit log changed together with its hash in the manifest."""
    import hashlib

    if name == "audit.jsonl":
        return data.replace("diễn tập".encode(), b"nothing")
    if name == backup.MANIFEST:
        manifest = json.loads(data)
        manifest["sha256"]["audit"] = hashlib.sha256(_forged.audit).hexdigest()  # type: ignore[attr-defined]
        return json.dumps(manifest).encode()
    return data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: data.replace(b"lan", b"nam") if name == "users.jsonl" else data, "users is not"),
        (lambda name, data: b"" if name == "drafts.jsonl" else data, "drafts is not"),
        (lambda name, data: None if name == "commands.jsonl" else data, "commands"),
        (lambda name, data: None if name == backup.MANIFEST else data, "manifest"),
        (lambda name, data: b"{" if name == backup.MANIFEST else data, "no whole backup"),
        (_newer, "newer version"),
        (_forged, "audit log is broken at row 1"),
    ],
)
def test_a_damaged_backup_fills_nothing(sqlite_store: Store, tmp_path: Path, change: Any, said: str) -> None:
    _filled(sqlite_store)
    path = tmp_path / "b.tar.gz"
    backup.make(sqlite_store, path)
    with tarfile.open(path) as tar:
        file = tar.extractfile("audit.jsonl")
        assert file is not None
        _forged.audit = _forged("audit.jsonl", file.read())  # type: ignore[attr-defined]
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(StoreError, match=said):
        backup.restore(other, _rewritten(path, change))
    backup.restore(other, path)  # still empty, so the good one fits
    assert audit.verify(other).rows == 1
    other.close()


@pytest.mark.parametrize("part", [0, 0.001, 0.5, 0.9])
def test_a_torn_backup_fills_nothing(sqlite_store: Store, tmp_path: Path, part: float) -> None:
    _filled(sqlite_store)
    path = tmp_path / "b.tar.gz"
    backup.make(sqlite_store, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(StoreError, match="no whole backup"):
        backup.restore(other, path)
    other.close()


def test_a_broken_audit_log_is_not_backed_up_as_if_it_were_whole(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        _append(store)
    trigger = "audit_refuses_update" if store.sqlite else "audit_refuses_change ON audit"
    with store.writing() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 1"))
    with pytest.raises(StoreError, match="broken at row 1"):
        backup.make(store, tmp_path / "b.tar.gz")
    assert list(tmp_path.glob("*.gz")) == []


@pytest.fixture
def days_old(store: Store, tmp_path: Path, corridor: Corridor, street: Any, opened: dict[str, Any]) -> Store:
    """A store with 70 seconds of 2026-11-23, 06:30, all alarms of which were acknowledged."""
    journal = Journal(tmp_path / JOURNAL_NAME)
    for record in [opened, *street.seconds(70)]:
        journal.append(record)
    journal.close()
    _record(store, corridor, tmp_path)
    _filled(store)
    for row in queries.alarms(store).rows:
        with store.writing() as connection:
            queries.acknowledge(connection, row["id"], by="lan")
    return store


def test_only_what_is_old_goes(days_old: Store, content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 2)
    monkeypatch.setattr(retention, "BREATH_S", 0.0)
    before = content(days_old)
    now = at_ms("2026-11-24", 23_400.0) + 30_000
    days = retention.Days(events=1, spans=1, minutes=1, alarms=1, commands=1, signal_events=1)
    removed = retention.retain(days_old, days, now)
    after = content(days_old)
    assert removed["events"] > 0
    assert removed["spans"] > 2
    assert removed["signal_events"] > 0
    assert all(row[1] >= now - 86_400_000 for row in after["signal_events"])
    assert {row[2] for row in after["events"]} == {
        row[2] for row in before["events"] if row[2] >= now - 86_400_000
    }
    assert all(row[3] is None or row[3] >= now - 86_400_000 for row in after["spans"])
    for name in ("audit", "users", "drafts", "commands", "runs", "bookmarks"):
        assert after[name] == before[name]
    assert retention.retain(days_old, days, now) == dict.fromkeys(removed, 0)


def test_what_still_matters_stays_however_old(days_old: Store) -> None:
    far = now_ms() + 4000 * retention.DAY_MS
    newest = queries.events(days_old, limit=1).rows[0]["id"]
    retention.retain(days_old, retention.Days(), far)
    assert all(row["cleared_ms"] is None for row in queries.alarms(days_old).rows)
    assert [row["ended_ms"] for row in queries.spans(days_old, "X1", 0, 2**53)] == [None]
    assert ledger.get(days_old, "k") is not None
    # The newest keeps its number from being given again.
    assert [row["id"] for row in queries.events(days_old).rows] == [newest]


def test_days_of_nothing_keep_for_good(days_old: Store, content: Content) -> None:
    before = content(days_old)
    never = retention.Days(*[0] * len(fields(retention.Days)))
    retention.retain(days_old, never, now_ms() + 4000 * retention.DAY_MS)
    after = content(days_old)
    assert before.pop("sessions")
    assert after.pop("sessions") == []
    assert after == before
    with pytest.raises(StoreError, match="negative"):
        retention.retain(days_old, retention.Days(events=-1), 0)


def test_parquet_holds_the_same_rows(days_old: Store, tmp_path: Path, content: Content) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed (make setup)")
    written = list(parquet.export(days_old, tmp_path / "out", tuple(parquet.TIMES), date.min, date.max))
    by_name = {one.path.name: one for one in written}
    assert "spans-2026-11-23.parquet" in by_name
    assert not list((tmp_path / "out").glob("*.unfinished"))
    frame = polars.read_parquet(tmp_path / "out" / "spans-2026-11-23.parquet")
    rows = content(days_old)["spans"]
    assert sorted(frame["began_ms"].to_list()) == sorted(row[2] for row in rows)
    assert frame.schema["in_interstage"] == polars.Boolean
    assert frame.schema["plan"] == polars.Int64
    assert sum(one.rows for one in written if one.path.name.startswith("audit")) == 1
    told = polars.read_parquet(tmp_path / "out" / "signal_events-2026-11-23.parquet")
    assert told.columns == ["TimeStamp", "DeviceId", "EventId", "Parameter"]
    epoch = datetime(1970, 1, 1) + timedelta(hours=7)
    ours = [((at - epoch) // timedelta(milliseconds=1), *rest) for at, *rest in told.rows()]
    stored = content(days_old)["signal_events"]
    assert sorted(ours) == sorted(
        (at, name, code + 1000 if code >= 900 else code, number) for name, at, code, number in stored
    )
    assert any(code >= 900 for _, _, code, _ in stored)


def test_only_the_days_that_are_wanted_are_exported(days_old: Store, tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="polars is not installed (make setup)")
    day = date(2026, 11, 24)
    assert list(parquet.export(days_old, tmp_path, ("spans",), day, day)) == []
    with pytest.raises(StoreError, match="no table 'users'"):
        list(parquet.export(days_old, tmp_path, ("users",), day, day))
