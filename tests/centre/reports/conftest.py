"""A site's store with a month of two peaks a day, adaptive by turns, and the same month a year before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.city import CityFile
from denxanh.controller.centre.indicators.period import Period
from denxanh.controller.centre.reports.basis import Basis, basis
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import alarms, hours, minutes
from denxanh.controller.clock import VIETNAM
from denxanh.controller.localtime import HOUR_MS, midnight_ms
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor
from denxanh.networks.register import junctions

MADE = datetime(2026, 12, 3, 9, 30, tzinfo=VIETNAM)
MONTH = Period.month(2026, 11)


def _hour(place: str, day: date, hour: int, queue: float, adaptive: bool) -> dict[str, Any]:
    return {
        "intersection": place,
        "hour_ms": midnight_ms(day) + hour * HOUR_MS,
        "lanes": 6,
        "lane_s": 21_600,
        "trusted_s": 21_000,
        "congested_s": int(1_000 * queue),
        "queued_pcu_s": queue * 21_000,
        "adaptive_s": 3600.0 if adaptive else 0.0,
        "plan_s": 0.0 if adaptive else 3600.0,
        "local_s": 0.0,
        "other_s": 0.0,
        "volume": 900,
        "stops": 400,
        "faults": 1 if hour == 17 else 0,
        "fault_s": 600.0 if hour == 17 else 0.0,
        "congested_share": 0.3,
    }


@pytest.fixture(scope="session")
def corridor() -> Corridor:
    return crossroads_corridor(2)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, corridor: Corridor) -> Iterator[Store]:
    """The store; read only."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'centre.db'}")
    made = []
    for first, factor in ((date(2025, 11, 1), 1.25), (date(2026, 11, 1), 1.0)):
        for number in range(30):
            day = first + timedelta(days=number)
            adaptive = number % 2 == 0 and first.year == 2026
            for one in corridor.intersections:
                for hour in (7, 8, 17):
                    queue = (
                        (2.0 + 0.1 * hour) * factor * (0.8 if adaptive else 1.0) * (1 + 0.02 * (number % 5))
                    )
                    made.append(_hour(one.id, day, hour, queue, adaptive))
    raised = midnight_ms(date(2026, 11, 5)) + 16 * HOUR_MS
    with store.writing() as connection:
        connection.execute(insert(hours), made)
        for cause, cleared in (("link-lost", raised + 600_000), ("detector-stuck", None), ("door", None)):
            row = {
                "intersection": corridor.intersections[0].id,
                "cause": cause,
                "text_vi": "Cảnh báo riêng",
                "text_en": "An alarm",
                "raised_ms": raised,
                "cleared_ms": cleared,
            }
            connection.execute(insert(alarms), row)
        last = {
            "intersection": corridor.intersections[0].id,
            "minute_ms": midnight_ms(date(2026, 11, 30)) + 18 * HOUR_MS,
            "lane": 0,
            "seconds": 60,
            "queued_mean": 1.0,
            "queued_max": 1.0,
            "moving_mean": 1.0,
            "confidence_min": 0.9,
        }
        connection.execute(insert(minutes), last)
    yield store
    store.close()


CITY = {
    "indicators": {
        "its_intersections": {"baseline": 0, "targets": {2026: 12}, "period_target": 54},
        "congestion_time": {
            "baseline_from": date(2025, 11, 1),
            "baseline_to": date(2025, 11, 30),
            "targets": {2026: 5},
            "period_target": 20,
        },
    }
}


@pytest.fixture(scope="session")
def read(filled: Store, corridor: Corridor) -> Callable[..., Basis]:
    """`read(period, city=…, simulated=…)`."""

    def reader(period: Period = MONTH, city: dict[str, Any] | None = None, **more: Any) -> Basis:
        settings = CityFile.model_validate(CITY if city is None else city)
        return basis(filled, corridor, settings, period, register=junctions(corridor), made=MADE, **more)

    return reader


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield store
    store.close()
