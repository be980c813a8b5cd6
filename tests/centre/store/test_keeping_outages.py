"""The database goes away, the disk is full: control is not touched, nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from denxanh.controller.centre.store import audit, journalreader, keeping, ledger
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.keeping import Keeping
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

Content = Callable[[Store], Any]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 (another process's state has no event)
            await asyncio.sleep(0.02)


async def test_a_server_that_dies_and_comes_back_misses_nothing(
    own_postgres: Any,
    tmp_path: Path,
    corridor: Corridor,
    street: Any,
    opened: dict[str, Any],
    content: Content,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "FIRST_RETRY_S", 0.05)
    store = open_store(own_postgres.database())
    journal = Journal(tmp_path / JOURNAL_NAME)
    journal.append(opened)
    loop = Keeping(store, corridor, tmp_path, period_s=0.02)
    task = asyncio.create_task(loop.run())
    seconds = street.seconds(90)
    for second in range(90):
        if second == 30:
            await _until(lambda: loop.status.behind_bytes == 0)
            own_postgres.stop()
        if second == 60:
            await _until(lambda: loop.alarm is not None)
            assert "control goes on" in (loop.alarm or ("", ""))[1]
            own_postgres.start()
        for _ in corridor.intersections:
            journal.append(next(seconds))
        await asyncio.sleep(0.005)
    size = journal.path.stat().st_size
    await _until(lambda: loop.alarm is None and _stored_to(store) == size)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    journal.close()
    undisturbed = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    with contextlib.closing(Keeping(undisturbed, corridor, tmp_path)) as other:
        while other.step():
            pass
    assert content(store) == content(undisturbed)
    store.close()
    undisturbed.close()


def _stored_to(store: Store) -> int | None:
    try:
        with store.reading() as connection:
            return connection.exec_driver_sql('SELECT "offset" FROM bookmarks').scalar_one_or_none()
    except StoreError:
        return None


async def test_a_bug_does_not_end_the_recording(
    tmp_path: Path, corridor: Corridor, street: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIRST_RETRY_S", 0.02)
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    journal = Journal(tmp_path / JOURNAL_NAME)
    for record in street.seconds(3):
        journal.append(record)
    failures = iter([True, True])
    real = keeping.Recorder.take

    def take(self: Any, *arguments: Any) -> None:
        if next(failures, False):
            raise ZeroDivisionError
        real(self, *arguments)

    monkeypatch.setattr(keeping.Recorder, "take", take)
    loop = Keeping(store, corridor, tmp_path, period_s=0.02)
    task = asyncio.create_task(loop.run())
    await _until(lambda: _stored_to(store) == journal.path.stat().st_size)
    await _until(lambda: loop.status.available)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    journal.close()
    store.close()


def test_a_database_that_may_not_grow_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 8}")
    acknowledged: list[int] = []
    detail = {"words": "x" * 3000}
    one = {"actor": "a", "role": "", "action": "x.y", "target": "", "outcome": "done", "detail": detail}
    while len(acknowledged) < 1000:
        try:
            acknowledged.append(audit.append(store, **one))  # type: ignore[arg-type]
        except StoreError as error:
            assert "free space" in str(error)  # noqa: PT017
            break
    assert 0 < len(acknowledged) < 1000
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    acknowledged.append(audit.append(store, **one))  # type: ignore[arg-type]
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    found = audit.verify(store)
    store.close()
    assert (found.rows, found.first_broken) == (acknowledged[-1], None)


async def test_a_full_disk_is_an_alarm_and_what_was_missed_is_stored_when_there_is_space(
    tmp_path: Path,
    corridor: Corridor,
    street: Any,
    opened: dict[str, Any],
    content: Content,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(journalreader, "CHUNK_BYTES", 100_000)
    journal = Journal(tmp_path / JOURNAL_NAME)
    for record in (opened, *street.seconds(500)):
        journal.append(record)
    journal.close()
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    disk = _Disk(store, spare_pages=2)
    loop = Keeping(store, corridor, tmp_path, period_s=0.02)
    task = asyncio.create_task(loop.run())
    await _until(lambda: loop.alarm is not None)
    assert "free space" in loop.status.error
    disk.grows()
    await _until(lambda: loop.alarm is None and _stored_to(store) == journal.path.stat().st_size)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    undisturbed = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    with contextlib.closing(Keeping(undisturbed, corridor, tmp_path)) as other:
        while other.step():
            pass
    assert content(store) == content(undisturbed)
    store.close()
    undisturbed.close()


class _Disk:
    """Lets an SQLite database grow by so many pages and no further, on every connection."""

    def __init__(self, store: Store, spare_pages: int) -> None:
        with store.engine.connect() as connection:
            self._pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + spare_pages
        event.listen(store.engine, "begin", self._limit)

    def grows(self) -> None:
        """There is space again."""
        self._pages = 1_000_000

    def _limit(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self._pages}")


def test_orders_and_audit_survive_a_full_disk_under_load(tmp_path: Path) -> None:
    """Files may not grow any more: what fails is not acknowledged, what was acknowledged is there."""
    program = textwrap.dedent(
        """
        import resource, signal, sys
        from concurrent.futures import ThreadPoolExecutor
        from denxanh.controller.centre.store import audit, ledger
        from denxanh.controller.centre.store.archive import open_store
        from denxanh.errors import StoreError
        store = open_store(sys.argv[1])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

        def give(number):
            key = f"order-{number}"
            common = {"actor": "lan", "role": "operator"}
            try:
                with store.writing() as connection:
                    ledger.enter(connection, key=key, intersection="x", kind="hold", reason="r" * 2000,
                                 body={}, until_ms=None, **common)
                print(f"{key}\\n", end="", flush=True)  # one write: threads print at once
                seq = audit.append(store, action="order.hold", target="x", outcome="given",
                                   detail={"key": key}, **common)
                print(f"{seq}\\n", end="", flush=True)
                return True
            except StoreError:
                return False

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(give, range(600)))
        print("full" if not all(done) else "never full", flush=True)
        """
    )
    url = f"sqlite:///{tmp_path / 'centre.db'}"
    child = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, timeout=120, check=True
    )
    *acknowledged, end = child.stdout.split("\n")[:-1]
    assert end == "full"
    store = open_store(url)
    orders = [line for line in acknowledged if line.startswith("order-")]
    assert orders
    assert all(ledger.get(store, key) is not None for key in orders)
    found = audit.verify(store)
    store.close()
    assert found.first_broken is None
    assert found.rows >= max(int(line) for line in acknowledged if line.isdecimal())
