"""The journal into the database: each record exactly once, wherever the recorder or the database dies."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from denxanh.controller.centre.store import journalreader, queries
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.keeping import Keeping
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.journal import JOURNAL_NAME, Journal
from denxanh.errors import StoreError
from denxanh.networks.model import Corridor

Content = Callable[[Store], Any]
CLOSE = {"k": "close", "cause": "released", "ticks": 1}


def _journal(folder: Path, street: Any, opened: dict[str, Any], seconds: int = 60) -> None:
    """Two runs of a street in several parts."""
    journal = Journal(folder / JOURNAL_NAME, max_part_bytes=40_000)
    for _ in range(2):
        journal.append(opened)
        for record in street.seconds(seconds):
            journal.append(record)
    journal.append(CLOSE)
    journal.close()


@pytest.fixture
def recorded(tmp_path: Path, street: Any, opened: dict[str, Any]) -> Path:
    """A state folder with a journal that is not stored yet."""
    folder = tmp_path / "state"
    folder.mkdir()
    _journal(folder, street, opened)
    return folder


@contextlib.contextmanager
def _keeping(store: Store, corridor: Corridor, folder: Path) -> Iterator[Keeping]:
    with contextlib.closing(Keeping(store, corridor, folder)) as keeping:
        yield keeping


@pytest.fixture
def undisturbed(tmp_path: Path, recorded: Path, corridor: Corridor, content: Content) -> Any:
    """What the journal comes to when nothing goes wrong."""
    store = open_store(f"sqlite:///{tmp_path / 'undisturbed.db'}")
    with _keeping(store, corridor, recorded) as keeping:
        while keeping.step():
            pass
    found = content(store)
    store.close()
    return {name: rows for name, rows in found.items() if name != "bookmarks"}


def _without_bookmark(found: dict[str, Any]) -> dict[str, Any]:
    return {name: rows for name, rows in found.items() if name != "bookmarks"}


def test_everything_is_there(
    store: Store, recorded: Path, corridor: Corridor, undisturbed: Any, content: Content
) -> None:
    with _keeping(store, corridor, recorded) as keeping:
        while keeping.step():
            pass
        assert keeping.status.skipped == 0
        assert keeping.status.behind_bytes == 0
    assert _without_bookmark(content(store)) == undisturbed
    assert len(undisturbed["runs"]) == 2
    assert sum(row[3] for row in undisturbed["minutes"]) == 2 * 60 * sum(
        len(one.lanes) for one in corridor.intersections
    )
    assert all(undisturbed[name] for name in ("events", "spans", "alarms"))


class _Trouble:
    """Lets every n-th statement or commit of a database fail, before or after it was done."""

    def __init__(self, store: Store, seed: int) -> None:
        self._chance = random.Random(seed)
        self.failures = 0
        self.lasts = True
        event.listen(store.engine, "before_cursor_execute", self._statement)
        event.listen(store.engine, "commit", self._commit)

    def _statement(self, *_: Any) -> None:
        self._perhaps(0.05)

    def _commit(self, connection: Connection) -> None:
        if self.lasts and self._chance.random() < 0.1:
            # The answer to a commit is lost: it was done, and nobody heard.
            connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
            self.failures += 1
            raise ConnectionError("the line broke after the commit")
        self._perhaps(0.1)

    def _perhaps(self, often: float) -> None:
        if self.lasts and self._chance.random() < often:
            self.failures += 1
            raise ConnectionError("the line broke")


@pytest.mark.parametrize("seed", range(3))
def test_each_record_counts_once_however_the_database_fails(
    store: Store,
    recorded: Path,
    corridor: Corridor,
    undisturbed: Any,
    content: Content,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journalreader, "CHUNK_BYTES", 9_000)
    trouble = _Trouble(store, seed)
    with _keeping(store, corridor, recorded) as keeping:
        more = True
        while more:
            try:
                more = keeping.step()
            except ConnectionError:
                keeping.close()  # as `run` does
    trouble.lasts = False
    assert trouble.failures > 3
    assert _without_bookmark(content(store)) == undisturbed


def test_a_killed_recorder_goes_on_where_the_store_is(
    store_url: str,
    recorded: Path,
    corridor: Corridor,
    undisturbed: Any,
    content: Content,
) -> None:
    program = textwrap.dedent(
        """
        import os, sys, time
        from pathlib import Path
        from denxanh.controller.centre.store import journalreader
        from denxanh.controller.centre.store.archive import open_store
        from denxanh.controller.centre.store.keeping import Keeping
        from denxanh.networks.example import crossroads_corridor
        journalreader.CHUNK_BYTES = 9_000
        for _ in sys.stdin:
            recorder = os.fork()  # a process of its own that need not load everything anew
            if recorder == 0:
                print(os.getpid(), flush=True)
                keeping = Keeping(open_store(sys.argv[1]), crossroads_corridor(2), Path(sys.argv[2]))
                while keeping.step():
                    print(flush=True)
                print("all", flush=True)
                time.sleep(60)
            os.waitpid(recorder, 0)
            print("dead", flush=True)
        """
    )
    chance = random.Random(7)
    said = ""
    kills = 0
    with subprocess.Popen(
        [sys.executable, "-c", program, store_url, str(recorded)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        while said != "all":
            print(file=nursery.stdin, flush=True)
            recorder = int(nursery.stdout.readline())
            for _ in range(chance.randrange(8, 16)):
                said = nursery.stdout.readline().strip()
                if said == "all":
                    break
            time.sleep(chance.random() * 0.01)
            os.kill(recorder, signal.SIGKILL)
            while nursery.stdout.readline().strip() != "dead":
                pass
            kills += 1
        nursery.stdin.close()
    assert kills > 2
    store = open_store(store_url)
    assert _without_bookmark(content(store)) == undisturbed
    store.close()


def test_two_recorders_do_not_store_twice(
    store: Store,
    recorded: Path,
    corridor: Corridor,
    undisturbed: Any,
    content: Content,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journalreader, "CHUNK_BYTES", 9_000)
    refused = 0
    with _keeping(store, corridor, recorded) as one, _keeping(store, corridor, recorded) as other:
        busy = [one, other]
        while busy:
            for keeping in list(busy):
                try:
                    more = keeping.step()
                except StoreError as error:
                    assert "another centre" in str(error)  # noqa: PT017
                    refused += 1
                    keeping.close()
                else:
                    if not more:
                        busy.remove(keeping)
    assert refused > 0
    assert _without_bookmark(content(store)) == undisturbed


def test_the_recorder_follows_a_journal_that_grows(
    store: Store, tmp_path: Path, corridor: Corridor, street: Any, opened: dict[str, Any]
) -> None:
    journal = Journal(tmp_path / JOURNAL_NAME)
    with _keeping(store, corridor, tmp_path) as keeping:
        assert not keeping.step()
        journal.append(opened)
        for number, record in enumerate(street.seconds(30), start=1):
            journal.append(record)
            keeping.step()
            if number == 20:
                assert queries.spans(store, corridor.intersections[0].id, 0, 2**53)[-1]["ended_ms"] is None
    journal.close()
    assert [row["closed_ms"] for row in queries.runs(store).rows] == [None]


def test_the_journal_is_on_the_disk_before_the_store_knows_of_it(
    store: Store, recorded: Path, corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could leave a bookmark past the end of the journal, and new lines would be missed."""
    done: list[str] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (done.append("synced"), real(fd)))
    event.listen(store.engine, "commit", lambda _: done.append("committed"))
    with _keeping(store, corridor, recorded) as keeping:
        keeping.step()
    stored = done.index("synced")
    assert "committed" in done[stored:]
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM bookmarks").scalar_one() == 1
    assert done[:stored].count("committed") == 1  # reading the bookmark


def test_a_minute_in_two_runs_is_one_minute(
    store: Store, tmp_path: Path, corridor: Corridor, street: Any, opened: dict[str, Any]
) -> None:
    begin = at_ms("2026-11-23", 23_400.0)
    ticks = list(street.seconds(59))
    journal = Journal(tmp_path / JOURNAL_NAME)
    with _keeping(store, corridor, tmp_path) as keeping:
        for piece in ([opened, *ticks[:40]], [opened, *ticks[40:], CLOSE]):
            for record in piece:
                journal.append(record)
            keeping.step()
    journal.close()
    lane = queries.minutes(store, "X1", begin, begin + 60_000)[0]
    seen = [tick["out"]["lanes"][0] for tick in ticks if tick["i"] == "X1"]
    assert lane["seconds"] == len(seen) == 59
    assert lane["queued_mean"] == pytest.approx(sum(one["queued"] for one in seen) / 59, abs=0.002)
    assert lane["queued_max"] == pytest.approx(max(one["queued"] for one in seen), abs=0.001)
    assert lane["confidence_min"] == pytest.approx(min(one["confidence"] for one in seen), abs=0.001)


def test_a_missing_part_is_an_alarm(
    store: Store, tmp_path: Path, corridor: Corridor, street: Any, opened: dict[str, Any]
) -> None:
    path = tmp_path / JOURNAL_NAME
    journal = Journal(path, max_part_bytes=10_000)
    journal.append(opened)
    with _keeping(store, corridor, tmp_path) as keeping:
        keeping.step()
    for record in street.seconds(30):
        journal.append(record)
    journal.close()
    (tmp_path / "journal-000001.jsonl").unlink()
    with _keeping(store, corridor, tmp_path) as keeping:
        while keeping.step():
            pass
    assert [row["cause"] for row in queries.alarms(store).rows].count("journal-gap") == 1


def test_records_of_another_corridor_are_counted_not_stored(
    store: Store, corridor: Corridor, street: Any
) -> None:
    recorder = Recorder(store, corridor)
    recorder.resume()
    record = {**street.tick("X1"), "i": "elsewhere"}
    recorder.take([record, json.loads(json.dumps(record))], Bookmark(1, 100, "m", "h"))
    assert recorder.skipped == 2
    assert not queries.spans(store, "elsewhere", 0, 2**53)


def test_a_damaged_state_is_said(store: Store, corridor: Corridor) -> None:
    recorder = Recorder(store, corridor)
    recorder.resume()
    recorder.take([], Bookmark(1, 100, "m", "h"))
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE bookmarks SET state = '{}x'")
    with pytest.raises(StoreError, match="damaged"):
        Recorder(store, corridor).resume()
