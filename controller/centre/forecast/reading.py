"""From the store's rows to what `controller.forecast` computes with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sqlalchemy import select

from denxanh.controller.centre.store import queries
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import minutes as minutes_table
from denxanh.controller.centre.store.schema import signal_events as events_table
from denxanh.controller.forecast import evidence
from denxanh.controller.forecast.panel import MINUTE_MS, Panel, approaches, panel
from denxanh.controller.forecast.warning import History
from denxanh.controller.highres.log import EventLog
from denxanh.networks.model import Corridor, Intersection

LEAD_MS = 15 * MINUTE_MS
"""Events are read from so much earlier on, so that what is green at the beginning is known."""
_QUEUES_STEP_MS = 7 * 86_400_000
_MINUTES_STEP_MS = 6 * 3_600_000
"""An answer of the store has a limit; these stay below it (up to 55 lanes)."""


def queues(store: Store, corridor: Corridor, begin_ms: int, end_ms: int) -> Panel:
    """Queues of every approach, minute by minute; both ends are rounded down to whole minutes.

    Raises:
        StoreError: the database does not answer.
    """
    begin_ms, end_ms = _whole(begin_ms), _whole(end_ms)
    columns = approaches(corridor)
    rows = [
        [
            row
            for first, last in _steps(begin_ms, end_ms, _QUEUES_STEP_MS)
            for row in queries.queues(store, one.intersection, one.lanes, first, last)
        ]
        for one in columns
    ]
    return panel(columns, begin_ms, end_ms, rows)


def history(
    store: Store, intersection: Intersection, begin_ms: int, end_ms: int, pcu_per_vehicle: float
) -> History:
    """An intersection's lanes, minute by minute, with what its high-resolution events say.

    Raises:
        StoreError: the database does not answer.
    """
    begin_ms, end_ms = _whole(begin_ms), _whole(end_ms)
    rows = [
        (row["minute_ms"], row["lane"], row["queued_mean"], row["confidence_min"])
        for first, last in _steps(begin_ms, end_ms, _MINUTES_STEP_MS)
        for row in queries.minutes(store, intersection.id, first, last)
    ]
    log = _events(store, intersection.id, begin_ms - LEAD_MS, end_ms)
    return evidence.lane_minutes(intersection, log, rows, begin_ms, end_ms, pcu_per_vehicle)


def extent(store: Store) -> tuple[int, int] | None:
    """The first minute's beginning and the last one's end; None: there is no minute yet.

    Raises:
        StoreError: the database does not answer.
    """
    column = minutes_table.c.minute_ms
    with store.reading() as connection:
        first = connection.execute(select(column).order_by(column).limit(1)).scalar()
        last = connection.execute(select(column).order_by(column.desc()).limit(1)).scalar()
    return None if first is None or last is None else (first, last + MINUTE_MS)


def _events(store: Store, intersection: str, begin_ms: int, end_ms: int) -> EventLog:
    table = events_table.c
    query = (
        select(table.at_ms, table.code, table.parameter)
        .where(
            table.intersection == intersection,
            table.at_ms >= begin_ms,
            table.at_ms < end_ms,
            table.code.in_([int(code) for code in evidence.CODES]),
        )
        .order_by(table.at_ms, table.id)
    )
    with store.reading() as connection:
        found = np.array(connection.execute(query).all(), dtype=np.int64).reshape(-1, 3)
    return EventLog(found[:, 0], found[:, 1].astype(np.int16), found[:, 2].astype(np.int32))


def _steps(begin_ms: int, end_ms: int, step_ms: int) -> Iterator[tuple[int, int]]:
    for first in range(begin_ms, end_ms, step_ms):
        yield first, min(end_ms, first + step_ms)


def _whole(at_ms: int) -> int:
    return at_ms - at_ms % MINUTE_MS
