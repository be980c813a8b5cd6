"""How long it takes to sum up days of the pilot network and to make a report: `python benchmarks/reports.py`.

Fills an SQLite store with made-up minutes and spans (queues are chance, no SUMO), as many rows as the street
makes, and prints seconds as JSON. Needs the extra `reports`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.reports.basis import basis
from denxanh.controller.centre.reports.files import write
from denxanh.controller.centre.reports.make import Name, make
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import minutes, spans
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import midnight_ms
from denxanh.networks import catalogue
from denxanh.networks.model import Corridor, Intersection

FIRST = date(2026, 10, 1)
SPAN_S = 15
"""Mean length of a span: stages and interstages of the pilot network (docs/store.md)."""


def main() -> int:
    """Fill, sum up, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corridor", default="mang-thi-diem-12", choices=catalogue.names())
    parser.add_argument("--days", type=int, default=3)
    options = parser.parse_args()
    corridor = catalogue.corridor(options.corridor)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/centre.db")
        rows = sum(_fill(store, corridor, FIRST + timedelta(days=day)) for day in range(options.days))
        took = {"days": options.days, "rows": rows}
        took |= _timed("sum_up_s", lambda: gather(store, corridor, CityFile().indicators))
        took |= _timed("sum_up_again_s", lambda: gather(store, corridor, CityFile().indicators))
        made = datetime.now(VIETNAM)
        read = basis(store, corridor, CityFile(), Period.month(2026, 10), made=made)
        report = make(Name.MONTHLY, read)
        for form in ("html", "pdf", "xlsx"):
            took |= _timed(f"{form}_s", lambda form=form: write(report, (form,), Path(folder)))
        store.close()
    sys.stdout.write(json.dumps(took) + "\n")
    return 0


def _timed(name: str, work: Any) -> dict[str, float]:
    began = time.perf_counter()
    work()
    return {name: round(time.perf_counter() - began, 2)}


def _fill(store: Store, corridor: Corridor, day: date) -> int:
    chance = random.Random(day.isoformat())
    count = 0
    with store.writing() as connection:
        for place in corridor.intersections:
            for table, made in ((minutes, _minutes(place, day, chance)), (spans, _spans(place, day, chance))):
                rows = list(made)
                connection.execute(insert(table), rows)
                count += len(rows)
    return count


def _minutes(place: Intersection, day: date, chance: random.Random) -> Iterator[dict[str, Any]]:
    for minute in range(1440):
        for lane in range(len(place.lanes)):
            queue = chance.random() * 8
            yield {
                "intersection": place.id,
                "minute_ms": midnight_ms(day) + minute * 60_000,
                "lane": lane,
                "seconds": 60,
                "queued_mean": queue,
                "queued_max": queue * 2,
                "moving_mean": 1.0,
                "confidence_min": 0.9,
            }


def _spans(place: Intersection, day: date, chance: random.Random) -> Iterator[dict[str, Any]]:
    at_ms, end_ms = midnight_ms(day), midnight_ms(day + timedelta(days=1))
    mode = chance.choice(("ADAPTIVE", "PLAN"))
    while at_ms < end_ms:
        until_ms = min(end_ms, at_ms + 1000 * chance.randrange(3, 2 * SPAN_S - 3))
        yield {
            "run": 1,
            "intersection": place.id,
            "began_ms": at_ms,
            "ended_ms": until_ms,
            "aspects": "G",
            "stage": 0,
            "in_interstage": False,
            "mode": mode,
            "plan": 1,
        }
        at_ms = until_ms


if __name__ == "__main__":
    sys.exit(main())
