"""A store with mornings of the crossroads: queues by minute, greens and departures as events."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from denxanh.controller.centre.store import schema
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.clock import VIETNAM
from denxanh.controller.highres.codes import Code
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.model import Corridor, DetectorKind

MINUTE_MS = 60_000
MONDAY = datetime(2026, 11, 2, 6, tzinfo=VIETNAM)
MINUTES = 110


def begin_ms(day: int) -> int:
    return int((MONDAY + timedelta(days=day)).timestamp() * 1000)


def fill(store: Store, corridor: Corridor, days: tuple[int, ...], *, stuck: tuple[int, int] = (0, 0)) -> None:
    """Write mornings from 6:00; in the minutes `stuck` of each the first lane lets nothing go."""
    site = corridor.intersections[0]
    dice = np.random.default_rng(4)
    minutes, events = [], []
    for day in days:
        factor = float(np.exp(dice.normal(0.0, 0.2)))
        for minute in range(MINUTES):
            at = begin_ms(day) + minute * MINUTE_MS
            for lane in range(len(site.lanes)):
                queue = factor * (2.0 + 3.0 * np.exp(-(((minute - 75) / 30.0) ** 2))) + dice.random()
                minutes.append(
                    {
                        "intersection": site.id,
                        "minute_ms": at,
                        "lane": lane,
                        "seconds": 60,
                        "queued_mean": float(queue),
                        "queued_max": float(queue),
                        "moving_mean": 0.0,
                        "confidence_min": 0.9,
                    }
                )
            for group in {part.group for lane in site.lanes for part in lane.groups}:
                for after_s, code in ((5, Code.BEGIN_GREEN), (35, Code.GREEN_TERMINATION)):
                    events.append((at + after_s * 1000, code, group + 1))
            for channel, one in enumerate(site.detectors, start=1):
                blocked = one.lane == 0 and stuck[0] <= minute < stuck[1]
                if one.kind is DetectorKind.STOP_LINE and not blocked:
                    for after_s in range(6, 34, 2):
                        events.append((at + after_s * 1000, Code.DETECTOR_ON, channel))
                        events.append((at + after_s * 1000 + 500, Code.DETECTOR_OFF, channel))
    rows = [
        {"intersection": site.id, "at_ms": at, "code": int(code), "parameter": parameter}
        for at, code, parameter in sorted(events)
    ]
    with store.writing() as connection:
        connection.execute(insert(schema.minutes), minutes)
        connection.execute(insert(schema.signal_events), rows)


@pytest.fixture(scope="module")
def corridor() -> Corridor:
    return crossroads_corridor()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(open_store(f"sqlite:///{tmp_path}/centre.db")) as opened:
        yield opened
