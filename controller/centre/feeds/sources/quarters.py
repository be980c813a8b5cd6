"""Counts of each signal group and quarter of an hour as `TrafficFlowObserved`, where detectors count."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from denxanh.controller.centre.feeds.contract import Source
from denxanh.controller.centre.feeds.sources.ngsi import Entities
from denxanh.controller.centre.feeds.sources.timed import TimedSource, Told
from denxanh.controller.centre.store.schema import quarter_hours
from denxanh.networks.model import Corridor, GroupKind

NAME = "flow-15min"
QUARTER_MS = 900_000
PATIENCE_MS = 86_400_000
"""An intersection that is further behind the others than this is not awaited, ms (assumed): what is worked
out of it later is left out."""


def source(corridor: Corridor) -> Source:
    """Bodies by `schemas/flow-15min-v1.schema.json`; topics `flow-15min/PLACE`."""
    return TimedSource(NAME, _Quarters(corridor))


class _Quarters:
    """See `timed.Stretches`."""

    length_ms = QUARTER_MS

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        self._entities = Entities(corridor)

    def first(self, connection: Connection, from_ms: int) -> int | None:
        table = quarter_hours.c
        starts = [
            connection.execute(
                select(func.min(table.begin_ms)).where(
                    table.intersection == one.id, table.begin_ms >= from_ms
                )
            ).scalar_one()
            for one in self._corridor.intersections
        ]
        return min((one for one in starts if one is not None), default=None)

    def complete_ms(self, connection: Connection) -> int | None:
        """Quarters are worked out intersection by intersection; none is given before all have it."""
        table = quarter_hours.c
        newest = [
            connection.execute(select(func.max(table.begin_ms)).where(table.intersection == one.id))
            for one in self._corridor.intersections
        ]
        begins = [found for one in newest if (found := one.scalar_one()) is not None]
        awaited = [one for one in begins if one > max(begins) - PATIENCE_MS]
        return min(awaited) + QUARTER_MS if awaited else None

    def read(self, connection: Connection, begin_ms: int) -> Sequence[Told]:
        table, told = quarter_hours.c, []
        for place in self._corridor.intersections:
            here = select(quarter_hours).where(table.intersection == place.id, table.begin_ms == begin_ms)
            for row in connection.execute(here.order_by(table.phase)):
                if not 1 <= row.phase <= len(place.groups):
                    continue
                group = place.groups[row.phase - 1]
                if group.kind is GroupKind.PEDESTRIAN:
                    continue
                body = self._entities.entity(
                    place.id,
                    f"group:{group.id}",
                    group.approach,
                    begin_ms,
                    begin_ms + QUARTER_MS,
                    {
                        "signalGroup": group.id,
                        "laneDirection": "forward",
                        "intensity": row.volume,
                        "arrivalsOnGreen": row.arrivals_on_green,
                        "yellowEntries": row.yellow_entries,
                        "redEntries": row.red_entries,
                        "knownSeconds": round(row.known_s),
                    },
                )
                told.append(Told(f"{NAME}-{place.id}-{row.phase}-{begin_ms}", f"{NAME}/{place.id}", body))
        return told
