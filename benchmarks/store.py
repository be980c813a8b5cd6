"""A day of the 12-intersection pilot network in the centre's store: size, rows, and how long queries take.

    python benchmarks/store.py                                          # SQLite, in a temporary folder
    python benchmarks/store.py --url postgresql+psycopg://USER@/NAME    # and an empty PostgreSQL database
    python benchmarks/store.py --write                                  # the table into docs/store.md

The records are made up, second by second, as the controller would write them: stages of 20 to 50 s, an
interstage of 5 s, an event per switch, a few mode changes and alarms; no SUMO, so queues are chance, and each
loop lets a vehicle pass every 10 s on average (360 an hour). They are stored a minute at a time, as after an
outage; how long a live second takes is measured apart.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from denxanh.controller.centre.store import audit, queries, signal_events
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.journalreader import Bookmark
from denxanh.controller.centre.store.overview import overview
from denxanh.controller.centre.store.recorder import Recorder
from denxanh.controller.centre.store.said import at_ms
from denxanh.controller.clock import VIETNAM
from denxanh.networks import catalogue
from denxanh.networks.model import Aspect, Corridor, GroupKind, Intersection
from denxanh.plc.modbus.layout import STATUS_FIELDS, Layout, layout

PAGE = Path(__file__).resolve().parent.parent / "docs" / "store.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
CORRIDOR = "mang-thi-diem-12"
DAY = "2026-11-23"
LIVE_S = 60
"""Seconds that are stored one by one, to time what a live second costs."""
AUDIT_ROWS = 500
TRIES = 15
VEHICLES_PER_S = 0.1
"""At each loop."""
Record = dict[str, Any]


class Junction:
    """One intersection's made-up day."""

    def __init__(self, intersection: Intersection, chance: random.Random) -> None:
        self._one = intersection
        self._chance = chance
        self._stage = 0
        self._left = chance.randint(1, 50)
        self._interstage = 0
        self._mode = "PLAN"
        self._polled = Polled(intersection, chance)

    def second(self, number: int) -> Record:
        """The tick record of one second of the day."""
        chance, events = self._chance, []
        if self._interstage:
            self._interstage -= 1
        elif self._left == 0:
            self._stage = (self._stage + 1) % len(self._one.stages)
            self._interstage, self._left = 5, chance.randint(20, 50)
            events.append(
                _event("switch", "policy", f"Chuyển sang pha {self._stage}", f"Stage {self._stage} follows")
            )
        else:
            self._left -= 1
        if chance.random() < 2e-4:
            self._mode = "ADAPTIVE" if self._mode == "PLAN" else "PLAN"
            events.append(_event("mode", "detectors", "Đổi chế độ", "The mode changes"))
        if chance.random() < 5e-5:
            events.append(_event("detector", "detector-stale", "Bộ dò im lặng", "A detector is silent"))
            events.append(
                _event("alarm-cleared", "detector-stale", "Hết cảnh báo", "Cleared: A detector is silent")
            )
        shown = self._aspects()
        lanes = [
            {
                "queued": round(chance.random() * 9, 2),
                "moving": round(chance.random() * 4, 2),
                "confidence": 0.9,
            }
            for _ in self._one.lanes
        ]
        return {
            "k": "tick",
            "i": self._one.id,
            "in": {
                "tick": number,
                "clock_s": float(number),
                "date": DAY,
                "words": self._polled.words(number, self._stage, shown),
            },
            "out": {
                "mode": self._mode,
                "aspects": shown,
                "stage": self._stage,
                "in_interstage": self._interstage > 0,
                "plan": 1 + number // 21_600,
                "lanes": lanes,
                "events": events,
            },
        }

    def _aspects(self) -> str:
        """Green in a stage; in the interstage 3 s yellow, 2 s red, for the groups that it serves."""
        letters = []
        for aspect, group in zip(self._one.stages[self._stage].aspects, self._one.groups, strict=True):
            walks = group.kind is GroupKind.PEDESTRIAN
            if aspect is Aspect.RED or 0 < self._interstage <= 2:
                letters.append("r")
            elif self._interstage:
                letters.append("C" if walks else "y")
            else:
                letters.append("W" if walks else aspect.value)
        return "".join(letters)


class Polled:
    """A cabinet's registers: a heartbeat, the lamps, loops that count by chance."""

    def __init__(self, intersection: Intersection, chance: random.Random) -> None:
        self._chance = chance
        self._layout: Layout = layout(intersection)
        self._loops = [0] * (4 * self._layout.loops)
        self._rest = ([0] * self._layout.lengths[2], [0] * self._layout.lengths[3])
        self._at = {field.name: field.offset for field in STATUS_FIELDS}

    def words(self, number: int, stage: int, shown: str) -> list[list[int]]:
        """The four blocks of one poll."""
        status = [0] * self._layout.lengths[0]
        values = {
            "map_version": 1,
            "junction": self._layout.junction,
            "mode": 3,
            "heartbeat": number % 65_536,
        }
        for name, value in {**values, "stage": stage, "stage_next": stage}.items():
            status[self._at[name]] = value
        for name, lit in (("green", "GgW"), ("yellow", "y"), ("red", "r"), ("flashing", "C")):
            mask = sum(1 << group for group, letter in enumerate(shown) if letter in lit)
            status[self._at[name] : self._at[name] + 2] = divmod(mask, 65_536)
        for at in range(0, len(self._loops), 4):
            if self._chance.random() < VEHICLES_PER_S:
                self._loops[at] = (self._loops[at] + 1) % 65_536
                self._loops[at + 1] = (self._loops[at + 1] + self._chance.randint(2, 5)) % 65_536
        return [status, list(self._loops), *self._rest]


def _event(kind: str, cause: str, text_vi: str, text_en: str) -> Record:
    return {"kind": kind, "cause": cause, "text_vi": text_vi, "text_en": text_en}


def seconds(corridor: Corridor, count: int) -> Iterator[list[Record]]:
    """The records of each second of the day, the same at every call."""
    chance = random.Random(20261123)
    junctions = [Junction(one, chance) for one in corridor.intersections]
    for number in range(count):
        yield [junction.second(number) for junction in junctions]


def record(store: Store, corridor: Corridor, hours: float) -> dict[str, float]:
    """Store it all; what it took."""
    recorder = Recorder(store, corridor)
    recorder.resume()
    opened = {"k": "open", "site": "s", "corridor": corridor.id, "policy": "max-pressure", "epoch": 1}
    batch: list[Record] = [{**opened, "t": f"{DAY}T00:00:00+07:00"}]
    count, spent, live = int(hours * 3600), 0.0, []
    for number, records in enumerate(seconds(corridor, count), start=1):
        batch += records
        alone = number > count - LIVE_S
        if alone or number % 60 == 0 or number == count - LIVE_S:
            begin = time.perf_counter()
            recorder.take(batch, Bookmark(1, number, "made-up", "h"))
            took = time.perf_counter() - begin
            spent += took
            batch = []
            if alone:
                live.append(took)
    return {"record_s": spent, "live_ms": statistics.median(live) * 1000, "live_worst_ms": max(live) * 1000}


def ask(store: Store, corridor: Corridor, hours: float) -> dict[str, float]:
    """Milliseconds of each query, medians."""
    place = corridor.intersections[3].id
    begin = at_ms(DAY, 0.0)
    middle = begin + int(hours * 1_800_000)
    hour = 3_600_000
    tries: dict[str, Callable[[], object]] = {
        "newest 100 events": lambda: queries.events(store),
        "an hour's events of an intersection": lambda: queries.events(
            store, intersection=place, since_ms=middle, until_ms=middle + hour, limit=1000
        ),
        "words that no event has, in the whole day": lambda: queries.events(store, text="không có đâu"),
        "10 minutes of an intersection's signals": lambda: queries.spans(
            store, place, middle, middle + 600_000
        ),
        "a day of an intersection's lanes by minute": lambda: queries.minutes(
            store, place, begin, begin + 24 * hour
        ),
        "an hour's signal events of an intersection": lambda: _signal_events(store, place, middle, hour),
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


def measure(url: str, hours: float) -> dict[str, str]:
    """One database's column of the table."""
    corridor = catalogue.load(CORRIDOR)
    store = open_store(url)
    try:
        found = {**record(store, corridor, hours), "audit_ms": fill_audit(store)}
        asked = ask(store, corridor, hours)
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


def table(columns: dict[str, dict[str, str]], hours: float) -> str:
    """As Markdown, with what it was measured on."""
    names = list(next(iter(columns.values())))
    head = f"| {hours:g} h of 12 intersections | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}\n"
    rows = "".join(
        f"| {name} | {' | '.join(column[name] for column in columns.values())} |\n" for name in names
    )
    url = "--url … " if "PostgreSQL" in columns else ""
    where = (
        f"{datetime.now(VIETNAM):%Y-%m-%d}, Python {platform.python_version()}, SQLAlchemy "
        f"{version('sqlalchemy')}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, other "
        f"work beside it (load average {os.getloadavg()[1]:.0f}); `python benchmarks/store.py {url}--write`."
    )
    return f"{head}{rows}\n{where}\n"


def main() -> None:
    """Measure, then print or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", help="an empty PostgreSQL database, measured beside SQLite")
    parser.add_argument("--hours", type=float, default=24.0, help="length of the day")
    parser.add_argument("--write", action="store_true", help="replace the table in docs/store.md")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        columns = {"SQLite": measure(f"sqlite:///{folder}/centre.db", wish.hours)}
        if wish.url:
            columns["PostgreSQL"] = measure(wish.url, wish.hours)
    text = table(columns, wish.hours)
    if not wish.write:
        sys.stdout.write(text)
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
