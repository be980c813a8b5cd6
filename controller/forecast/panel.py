"""Queues of all approaches of a corridor, minute by minute, with what is not known left unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.clock import VIETNAM
from denxanh.controller.forecast.congestion import WINDOW_MIN
from denxanh.networks.model import Corridor, Schedule
from denxanh.networks.schedule import day_type

MINUTE_MS = 60_000
DAY_MIN = 1440
LEAST_CONFIDENCE = 0.5
"""Minutes whose estimate was trusted less are unknown (assumed, as in the comparison of controls)."""
LEAST_KNOWN = 0.8
"""Share of a window's minutes that must be known for its mean to be (assumed: four of five)."""
_UTC_OFFSET_MIN = int(VIETNAM.utcoffset(None).total_seconds()) // 60

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Approach:
    """One way into an intersection: `lanes` are positions in `Intersection.lanes`; storage > 0, pcu."""

    intersection: str
    approach: str
    lanes: tuple[int, ...]
    storage_pcu: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A stretch of whole minutes.

    Attributes:
        approaches: the columns.
        begin_ms: the first minute's beginning, milliseconds since 1970 UTC, a whole minute.
        queue: mean queue of each minute, pcu, [minutes, approaches]; NaN: not known.
    """

    approaches: tuple[Approach, ...]
    begin_ms: int
    queue: Floats

    @property
    def minutes(self) -> int:
        """How many rows there are."""
        return int(self.queue.shape[0])

    @property
    def end_ms(self) -> int:
        """End of the last minute."""
        return self.begin_ms + self.minutes * MINUTE_MS

    @property
    def storage(self) -> Floats:
        """Of each approach, pcu."""
        return np.array([one.storage_pcu for one in self.approaches])


def approaches(corridor: Corridor) -> tuple[Approach, ...]:
    """Every approach of every intersection, in the corridor's order."""
    found = []
    for one in corridor.intersections:
        by_name: dict[str, list[int]] = {}
        for number, lane in enumerate(one.lanes):
            by_name.setdefault(lane.approach, []).append(number)
        found += [
            Approach(one.id, name, tuple(lanes), sum(one.lanes[n].storage_pcu for n in lanes))
            for name, lanes in by_name.items()
        ]
    return tuple(found)


def panel(
    columns: Sequence[Approach],
    begin_ms: int,
    end_ms: int,
    rows: Sequence[Sequence[tuple[int, float, float]]],
) -> Panel:
    """A panel from rows as the store gives them; what is missing, doubted or no number stays NaN.

    Args:
        columns: the approaches.
        begin_ms: rounded down to a whole minute.
        end_ms: exclusive, rounded down likewise; a minute that has not ended is not in.
        rows: per approach (minute_ms, queue in pcu, least confidence); any order; others are ignored.
    """
    begin = begin_ms // MINUTE_MS
    count = max(0, end_ms // MINUTE_MS - begin)
    queue = np.full((count, len(columns)), np.nan)
    for column, found in enumerate(rows):
        for minute_ms, queued, confidence in found:
            place = minute_ms // MINUTE_MS - begin
            if 0 <= place < count and confidence >= LEAST_CONFIDENCE and queued >= 0.0:
                queue[place, column] = queued
    queue[~np.isfinite(queue)] = np.nan
    return Panel(tuple(columns), begin * MINUTE_MS, queue)


def trailing(values: Floats, window: int = WINDOW_MIN) -> Floats:
    """Mean over the last `window` rows, the row itself included; NaN where too few are known.

    Args:
        values: [minutes, columns].
        window: rows, at least 1.
    """
    known = np.isfinite(values)
    sums = _running(np.where(known, values, 0.0), window)
    counts = _running(known.astype(np.float64), window)
    enough = counts >= LEAST_KNOWN * window - 1e-9
    return np.where(enough, sums / np.maximum(counts, 1.0), np.nan)


def local_minutes(begin_ms: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Local day (days since 1970) and minute of the day of each of `count` minutes from `begin_ms` on."""
    minutes = begin_ms // MINUTE_MS + _UTC_OFFSET_MIN + np.arange(count, dtype=np.int64)
    return minutes // DAY_MIN, minutes % DAY_MIN


def type_of_day(schedule: Schedule, day: int) -> str:
    """The day type of a local day, counted from 1970."""
    return day_type(schedule, datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())


def _running(values: Floats, window: int) -> Floats:
    """Sum over the last `window` rows; the first rows have fewer."""
    total = np.cumsum(values, axis=0)
    total[window:] -= total[:-window].copy()
    return total
