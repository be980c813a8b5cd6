"""Rows of a street that a test makes up, minute by minute, and the hours that they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import alarms, minutes, quarter_hours, spans
from denxanh.controller.localtime import HOUR_MS, midnight_ms
from denxanh.controller.mode import Mode
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor

MINUTE_MS = 60_000


class Writer:
    """Fills a store's tables of the street."""

    def __init__(self, store: Store, corridor: Corridor) -> None:
        self.store, self.corridor = store, corridor
        self.place = corridor.intersections[0]

    def at(self, day: date, hour: int = 0, minute: int = 0) -> int:
        """Local time as the store's."""
        return midnight_ms(day) + hour * HOUR_MS + minute * MINUTE_MS

    def hour(
        self,
        day: date,
        hour: int,
        queue: float,
        mode: Mode = Mode.ADAPTIVE,
        *,
        place: str | None = None,
        confidence: float = 0.9,
        minutes_of: int = 60,
    ) -> None:
        """An hour in which every lane queues so many pcu, in one mode, a span each five minutes."""
        name, begin = place or self.place.id, self.at(day, hour)
        lanes = len(self.corridor.intersection(name).lanes)
        made: list[dict[str, Any]] = [
            {
                "intersection": name,
                "minute_ms": begin + number * MINUTE_MS,
                "lane": lane,
                "seconds": 60,
                "queued_mean": queue,
                "queued_max": queue * 2,
                "moving_mean": 1.0,
                "confidence_min": confidence,
            }
            for number in range(minutes_of)
            for lane in range(lanes)
        ]
        shown = [
            self.span(name, begin + number * MINUTE_MS, begin + (number + 5) * MINUTE_MS, mode)
            for number in range(0, minutes_of, 5)
        ]
        with self.store.writing() as connection:
            connection.execute(insert(minutes), made)
            connection.execute(insert(spans), shown)

    def span(self, place: str, began_ms: int, ended_ms: int | None, mode: Mode) -> dict[str, Any]:
        """A row of `spans`."""
        return {
            "run": 1,
            "intersection": place,
            "began_ms": began_ms,
            "ended_ms": ended_ms,
            "aspects": "Gr",
            "stage": 0,
            "in_interstage": False,
            "mode": mode.value,
            "plan": 1,
        }

    def spans(self, *rows: dict[str, Any]) -> None:
        """Store spans."""
        with self.store.writing() as connection:
            connection.execute(insert(spans), list(rows))

    def alarm(self, cause: str, raised_ms: int, cleared_ms: int | None, place: str | None = None) -> None:
        """An alarm of the street."""
        row = {
            "run": 1,
            "intersection": place or self.place.id,
            "cause": cause,
            "text_vi": "Cảnh báo",
            "text_en": "Alarm",
            "raised_ms": raised_ms,
            "cleared_ms": cleared_ms,
        }
        with self.store.writing() as connection:
            connection.execute(insert(alarms), row)

    def quarter(
        self, begin_ms: int, phase: int, volume: int | None, arrivals: int | None, green: int
    ) -> None:
        """A quarter of an hour of a phase."""
        row = {
            "intersection": self.place.id,
            "begin_ms": begin_ms,
            "phase": phase,
            "known_s": 900.0,
            "cycles": 10,
            "green_s": 300.0,
            "yellow_s": 30.0,
            "gap_outs": 0,
            "max_outs": 0,
            "force_offs": 0,
            "volume": volume,
            "arrivals": arrivals,
            "arrivals_on_green": None if arrivals is None else green,
        }
        with self.store.writing() as connection:
            connection.execute(insert(quarter_hours), row)


@pytest.fixture
def corridor() -> Corridor:
    return crossroads_corridor(2)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite store."""
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield store
    store.close()


@pytest.fixture
def writer(kept: Store, corridor: Corridor) -> Writer:
    return Writer(kept, corridor)


@pytest.fixture(scope="session")
def make_writer() -> Callable[[Store], Writer]:
    """For another store."""
    return lambda store: Writer(store, crossroads_corridor(2))


def _hours(
    first: date, days: int, hours: range, queue: float, mode: Mode = Mode.ADAPTIVE, place: str = "one"
) -> list[Hour]:
    made = []
    for number in range(days):
        day = first + timedelta(days=number)
        for hour in hours:
            seconds = {Mode.ADAPTIVE: "adaptive_s", Mode.PLAN: "plan_s", Mode.LOCAL: "local_s"}
            made.append(
                Hour(
                    place,
                    midnight_ms(day) + hour * HOUR_MS,
                    lanes=2,
                    lane_s=7200,
                    trusted_s=7200,
                    congested_s=0,
                    queued_pcu_s=queue * 7200,
                    **{seconds.get(mode, "other_s"): 3600.0},  # type: ignore[arg-type]
                )
            )
    return made


@pytest.fixture(scope="session")
def hours() -> Callable[..., list[Hour]]:
    """`hours(first, days, hours of the day, queue per lane, mode, place)`: every hour alike."""
    return _hours
