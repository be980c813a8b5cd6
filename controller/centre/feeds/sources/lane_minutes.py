"""Queues of each lane and minute as `TrafficFlowObserved`. No intensity: nothing is counted by lane."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from denxanh.controller.centre.exports.congestion import filled
from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.sources.ngsi import Entities
from denxanh.controller.centre.feeds.sources.timed import TimedSource, Told
from denxanh.controller.centre.store.schema import minutes
from denxanh.controller.forecast.congestion import Level
from denxanh.controller.forecast.panel import MINUTE_MS
from denxanh.networks.model import Corridor

NAME = "flow-1min"


def source(corridor: Corridor) -> Source:
    """Bodies by `schemas/flow-1min-v1.schema.json`; topics `flow-1min/PLACE`."""
    return TimedSource(NAME, _Minutes(corridor))


def complete_ms(connection: Connection, corridor: Corridor) -> int | None:
    """Until when a corridor's minutes, and all that is stored of the same seconds, are complete.

    A minute is written by the first second of the next one, at every intersection in the same second; the
    newest one may still get a second piece, when the controller is started again.
    """
    newest = [
        connection.execute(select(func.max(minutes.c.minute_ms)).where(minutes.c.intersection == one.id))
        for one in corridor.intersections
    ]
    return max((found for one in newest if (found := one.scalar_one()) is not None), default=None)


class _Minutes:
    """See `timed.Stretches`."""

    length_ms = MINUTE_MS

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        self._entities = Entities(corridor)

    def first(self, connection: Connection, from_ms: int) -> int | None:
        table = minutes.c
        starts = [
            connection.execute(
                select(func.min(table.minute_ms)).where(
                    table.intersection == one.id, table.minute_ms >= from_ms
                )
            ).scalar_one()
            for one in self._corridor.intersections
        ]
        return min((one for one in starts if one is not None), default=None)

    def complete_ms(self, connection: Connection) -> int | None:
        return complete_ms(connection, self._corridor)

    def read(self, connection: Connection, begin_ms: int) -> Sequence[Told]:
        end_ms = begin_ms + MINUTE_MS
        levels = {
            (one.of.intersection, one.of.approach): one.level
            for one in filled(connection, self._corridor, end_ms)
        }
        told = []
        for place in self._corridor.intersections:
            here = select(minutes).where(minutes.c.intersection == place.id, minutes.c.minute_ms == begin_ms)
            for row in connection.execute(here.order_by(minutes.c.lane)):
                if not 0 <= row.lane < len(place.lanes):
                    continue
                lane = place.lanes[row.lane]
                level = levels[place.id, lane.approach]
                body = self._entities.entity(
                    place.id,
                    f"lane:{lane.id}",
                    lane.approach,
                    begin_ms,
                    end_ms,
                    {
                        "laneId": row.lane,
                        "laneDirection": "forward",
                        "congested": None if level is Level.UNKNOWN else level is Level.CONGESTED,
                        "queueMean": _finite(row.queued_mean),
                        "queueMax": _finite(row.queued_max),
                        "movingMean": _finite(row.moving_mean),
                        "confidence": _finite(row.confidence_min),
                        "knownSeconds": row.seconds,
                    },
                )
                told.append(Told(f"{NAME}-{place.id}-{row.lane}-{begin_ms}", f"{NAME}/{place.id}", body))
        return told


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
