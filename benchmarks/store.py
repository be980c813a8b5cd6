"""A simulated day of the 12-intersection pilot network in the centre's store: size, rows, times of queries.

    denxanh simulate-month DIR --corridor mang-thi-diem-12 --days 1 --hours 0:15-24 --keep-journals
    python benchmarks/store.py DIR                                          # SQLite, in a temporary folder
    python benchmarks/store.py DIR --url postgresql+psycopg://USER@/NAME    # and an empty PostgreSQL database
    python benchmarks/store.py DIR --write                                  # the table into docs/store.md

The first day of DIR whose journal was kept is stored a minute at a time, as after an outage; its last minute
second by second, as in operation. Only storing and asking are timed, not reading the journal.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from denxanh.controller import site
from denxanh.controller.centre.store import audit, queries, signal_events
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.overview import overview
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.clock import VIETNAM
from denxanh.controller.journal import JOURNAL_NAME
from denxanh.networks.model import Corridor

PAGE = Path(__file__).resolve().parent.parent / "docs" / "store.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LIVE_S = 60
"""Seconds that are stored one by one, to time what a live second costs."""
CATCH_UP_S = 60
"""Seconds that are stored at once before."""
AUDIT_ROWS = 500
TRIES = 15
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """A day's journal and whose it is."""

    corridor: Corridor
    journal: Path

    @classmethod
    def of(cls, folder: Path) -> Day:
        """The first day of a simulated month whose journal was kept."""
        kept = sorted(folder.glob(f"days/*/{JOURNAL_NAME}"))
        if not kept:
            sys.exit(f"{folder}: no day has a journal; make it with --keep-journals")
        return cls(site.load(folder / "site.toml").corridor, kept[0])

    @property
    def date(self) -> str:
        """Local."""
        return self.journal.parent.name

    def seconds(self) -> Iterator[list[Record]]:
        """The records of each second; what comes between two goes with the later one."""
        found: list[Record] = []
        seen: set[str] = set()
        with self.journal.open(encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                if one["k"] == "tick" and one["i"] in seen:
                    yield found
                    found, seen = [], set()
                if one["k"] == "tick":
                    seen.add(one["i"])
                found.append(one)
        yield found


def record(store: Store, day: Day) -> dict[str, float]:
    """Store it all; what it took."""
    recorder = Recorder(store, day.corridor)
    recorder.resume()
    number, spent = 0, 0.0

    def take(records: list[Record]) -> float:
        nonlocal number
        number += 1
        begin = time.perf_counter()
        recorder.take(records, Bookmark(1, number, "benchmark", "h"))
        return time.perf_counter() - begin

    held: deque[list[Record]] = deque()
    coming = day.seconds()
    while more := list(islice(coming, CATCH_UP_S)):
        held += more
        while len(held) >= CATCH_UP_S + LIVE_S:
            spent += take([one for _ in range(CATCH_UP_S) for one in held.popleft()])
    while len(held) > LIVE_S:
        spent += take(held.popleft())
    live = [take(second) for second in held]
    return {
        "record_s": spent + sum(live),
        "live_ms": statistics.median(live) * 1000,
        "live_worst_ms": max(live) * 1000,
    }


def ask(store: Store, day: Day) -> dict[str, float]:
    """Milliseconds of each query, medians."""
    place = day.corridor.intersections[3].id
    begin = at_ms(day.date, 0.0)
    hour = 3_600_000
    morning = begin + 7 * hour
    tries: dict[str, Callable[[], object]] = {
        "newest 100 events": lambda: queries.events(store),
        "an hour's events of an intersection": lambda: queries.events(
            store, intersection=place, since_ms=morning, until_ms=morning + hour, limit=1000
        ),
        "words that no event has, in the whole day": lambda: queries.events(store, text="không có đâu"),
        "10 minutes of an intersection's signals": lambda: queries.spans(
            store, place, morning, morning + 600_000
        ),
        "a day of an intersection's lanes by minute": lambda: queries.minutes(
            store, place, begin, begin + 24 * hour
        ),
        "an hour's signal events of an intersection": lambda: _signal_events(store, place, morning, hour),
        "alarms that nobody took note of": lambda: queries.alarms(store, open_only=True),
        "what one person did, newest 100": lambda: audit.search(store, actor="lan"),
        f"verify the chain of {AUDIT_ROWS} audit rows": lambda: audit.verify(store),
    }
    return {name: statistics.median(_timed(act) for _ in range(TRIES)) for name, act in tries.items()}


def _signal_events(store: Store, place: str, since_ms: int, length_ms: int) -> int:
    with store.reading() as connection:
        return len(signal_events.read(connection, place, since_ms, since_ms + length_ms))


def _timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


def fill_audit(store: Store) -> float:
    """Milliseconds of one acknowledged entry, median."""
    one = {"role": "operator", "action": "order.hold", "target": "THN_304", "outcome": "done"}
    people = ("lan", "minh", "hoa")
    return statistics.median(
        _timed(lambda n=number: audit.append(store, actor=people[n % 3], detail={"n": n}, **one))  # type: ignore[misc]
        for number in range(AUDIT_ROWS)
    )


def size_mb(store: Store) -> float:
    """Of the whole database, MB."""
    if not store.sqlite:
        with store.reading() as connection:
            return (
                float(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
                / 1e6
            )
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(str(store.engine.url.database)).stat().st_size / 1e6


def measure(url: str, day: Day) -> dict[str, str]:
    """One database's column of the table."""
    store = open_store(url)
    try:
        found = {**record(store, day), "audit_ms": fill_audit(store)}
        asked = ask(store, day)
        rows = overview(store).rows
        kept = ("events", "spans", "minutes", "alarms", "signal_events")
        return {
            **{f"rows: {name}": f"{rows[name]:,}" for name in kept},
            "size": f"{size_mb(store):.0f} MB",
            "to store it all, a minute at a time": f"{found['record_s']:.0f} s",
            "to store one live second, median": f"{found['live_ms']:.1f} ms",
            "to store one live second, worst of 60": f"{found['live_worst_ms']:.0f} ms",
            "an entry of the audit log, on the disk": f"{found['audit_ms']:.1f} ms",
            **{name: f"{took:.1f} ms" for name, took in asked.items()},
        }
    finally:
        store.close()


def table(columns: dict[str, dict[str, str]], day: Day) -> str:
    """As Markdown, with what it was measured on."""
    names = list(next(iter(columns.values())))
    count = len(day.corridor.intersections)
    head = f"| a day of {count} intersections | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}\n"
    rows = "".join(
        f"| {name} | {' | '.join(column[name] for column in columns.values())} |\n" for name in names
    )
    url = "--url … " if "PostgreSQL" in columns else ""
    where = (
        f"{datetime.now(VIETNAM):%Y-%m-%d}, Python {platform.python_version()}, SQLAlchemy "
        f"{version('sqlalchemy')}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, other "
        f"work beside it (load average {os.getloadavg()[1]:.0f}); "
        f"`python benchmarks/store.py DIR {url}--write`."
    )
    return f"{head}{rows}\n{where}\n"


def main() -> None:
    """Measure, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a simulated month with a journal in it")
    parser.add_argument("--url", help="an empty PostgreSQL database, measured beside SQLite")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/store.md")
    wish = parser.parse_args()
    day = Day.of(wish.folder)
    with tempfile.TemporaryDirectory() as folder:
        columns = {"SQLite": measure(f"sqlite:///{folder}/centre.db", day)}
        if wish.url:
            columns["PostgreSQL"] = measure(wish.url, day)
    text = table(columns, day)
    if not wish.write:
        sys.stdout.write(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
