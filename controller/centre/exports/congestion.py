"""How full each approach was at a moment, from what the store keeps of its lanes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from denxanh.controller.centre.store.schema import minutes
from denxanh.controller.forecast.congestion import WINDOW_MIN, Level, filling, level
from denxanh.controller.forecast.panel import LEAST_CONFIDENCE, LEAST_KNOWN, MINUTE_MS, Approach, approaches
from denxanh.networks.model import Corridor

LEAST_SECONDS = 48
"""Of a minute that must be recorded for its mean to be (as `LEAST_KNOWN` of a window's minutes)."""


@dataclass(frozen=True, slots=True)
class Filled:
    """An approach over the window that ends at `until_ms`.

    Attributes:
        of: the approach.
        until_ms: end of the last whole minute in the window.
        share: mean queue as a share of the storage; NaN: not known.
        queue_pcu: mean queue; NaN: not known.
        known_min: minutes of the window that are known.
    """

    of: Approach
    until_ms: int
    share: float
    queue_pcu: float
    known_min: int

    @property
    def level(self) -> Level:
        """By the published definition (`controller.forecast.congestion`)."""
        return level(self.share)


def filled(connection: Connection, corridor: Corridor, at_ms: int) -> tuple[Filled, ...]:
    """Every approach over the last `WINDOW_MIN` whole minutes before a moment, in the corridor's order.

    Args:
        connection: to the store.
        corridor: whose.
        at_ms: milliseconds since 1970 UTC, by the site's clock.

    Raises:
        StoreError: the database does not answer.
    """
    until_ms = at_ms - at_ms % MINUTE_MS
    begin_ms = until_ms - WINDOW_MIN * MINUTE_MS
    query = select(minutes).where(
        minutes.c.intersection.in_([one.id for one in corridor.intersections]),
        minutes.c.minute_ms >= begin_ms,
        minutes.c.minute_ms < until_ms,
    )
    found: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for row in connection.execute(query):
        if row.seconds >= LEAST_SECONDS and row.confidence_min >= LEAST_CONFIDENCE:
            found[row.intersection, row.minute_ms][row.lane] = row.queued_mean
    times = range(begin_ms, until_ms, MINUTE_MS)
    return tuple(
        _filled(one, until_ms, [found.get((one.intersection, at), {}) for at in times])
        for one in approaches(corridor)
    )


def _filled(one: Approach, until_ms: int, each_minute: Iterable[Mapping[int, float]]) -> Filled:
    queues = [
        math.fsum(lanes[lane] for lane in one.lanes)
        for lanes in each_minute
        if all(lane in lanes for lane in one.lanes)
    ]
    known = len(queues) >= LEAST_KNOWN * WINDOW_MIN
    queue = math.fsum(queues) / len(queues) if known else math.nan
    return Filled(one, until_ms, filling(queue, one.storage_pcu), queue, len(queues))
