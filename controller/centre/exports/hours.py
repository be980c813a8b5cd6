"""What the store keeps, summed up by the hour: queues of approaches, counts of signal groups, modes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select

from denxanh.controller.centre.exports import lamps
from denxanh.controller.centre.store.schema import minutes, quarter_hours
from denxanh.controller.forecast.congestion import Level, filling, level
from denxanh.controller.forecast.panel import LEAST_CONFIDENCE, LEAST_KNOWN, approaches
from denxanh.controller.localtime import HOUR_MS
from denxanh.networks.model import Corridor, GroupKind, Intersection

HOUR_S = 3600


class Quality(StrEnum):
    """How much of an hour its figure stands on. Stable: data sets carry these."""

    FULL = "full"
    """At least `LEAST_KNOWN` of it."""
    PARTIAL = "partial"
    NONE = "none"
    """Nothing is known; the figure is empty."""


def quality(known: float) -> Quality:
    """By the share of the time that is known, in [0, 1]."""
    if known <= 0:
        return Quality.NONE
    return Quality.FULL if known >= LEAST_KNOWN else Quality.PARTIAL


@dataclass(frozen=True, slots=True)
class ApproachHour:
    """The queue of an approach in one hour; `queue_pcu` and `share` are NaN where nothing is known."""

    intersection: str
    approach: str
    begin_ms: int
    queue_pcu: float
    share: float
    known: float
    """Share of the hour in which every lane is known and trusted."""

    @property
    def level(self) -> Level:
        """By the published thresholds, over the hour."""
        return level(self.share)


@dataclass(frozen=True, slots=True)
class GroupHour:
    """What was counted for a vehicle signal group in one hour; `volume` None: nothing counts there."""

    intersection: str
    group: str
    approach: str
    begin_ms: int
    volume: int | None
    known: float


def approach_hours(
    connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int
) -> Iterator[ApproachHour]:
    """Every approach and hour of which something is stored, place by place, in time.

    Args:
        connection: to the store.
        corridor: whose.
        begin_ms: a whole hour.
        end_ms: a whole hour, exclusive.

    Raises:
        StoreError: the database does not answer.
    """
    by_place = defaultdict(list)
    for one in approaches(corridor):
        by_place[one.intersection].append(one)
    for place in corridor.intersections:
        sums = _queues(connection, place.id, begin_ms, end_ms)
        for at in sorted({hour for hour, _ in sums}):
            for one in by_place[place.id]:
                lanes = [sums.get((at, lane), (0.0, 0)) for lane in one.lanes]
                known_s = min(seconds for _, seconds in lanes)
                queue = math.fsum(total / s for total, s in lanes) if known_s else math.nan
                share = filling(queue, one.storage_pcu)
                yield ApproachHour(place.id, one.approach, at, queue, share, min(1.0, known_s / HOUR_S))


def group_hours(
    connection: Connection, corridor: Corridor, begin_ms: int, end_ms: int
) -> Iterator[GroupHour]:
    """Every vehicle group and hour of which something is stored; see `approach_hours`."""
    table = quarter_hours.c
    hour = (table.begin_ms // HOUR_MS).label("hour")
    for place in corridor.intersections:
        query = (
            select(
                hour,
                table.phase,
                func.sum(table.volume).label("volume"),
                func.sum(table.known_s).label("known_s"),
            )
            .where(table.intersection == place.id, table.begin_ms >= begin_ms, table.begin_ms < end_ms)
            .group_by(hour, table.phase)
            .order_by(hour, table.phase)
        )
        for row in connection.execute(query):
            if not 1 <= row.phase <= len(place.groups):
                continue
            group = place.groups[row.phase - 1]
            if group.kind is GroupKind.VEHICLE:
                volume = None if row.volume is None else int(row.volume)
                known = min(1.0, float(row.known_s) / HOUR_S)
                yield GroupHour(place.id, group.id, group.approach, row.hour * HOUR_MS, volume, known)


def mode_seconds(
    connection: Connection, place: Intersection, begin_ms: int, end_ms: int
) -> Mapping[str, float]:
    """Seconds of [begin, end) that an intersection was in each mode; what is not recorded is in none."""
    found, _ = lamps.read(connection, place.id, begin_ms, end_ms)
    sums: dict[str, float] = defaultdict(float)
    for start, end, mode, _plan in lamps.modes(found, begin_ms, end_ms):
        sums[mode] += (end - start) / 1000
    return dict(sums)


def _queues(
    connection: Connection, intersection: str, begin_ms: int, end_ms: int
) -> dict[tuple[int, int], tuple[float, int]]:
    """Per hour and lane: pcu-seconds of queue, and seconds, of the minutes that are trusted."""
    table = minutes.c
    hour = (table.minute_ms // HOUR_MS).label("hour")
    query = (
        select(
            hour,
            table.lane,
            func.sum(table.queued_mean * table.seconds).label("total"),
            func.sum(table.seconds).label("seconds"),
        )
        .where(
            table.intersection == intersection,
            table.minute_ms >= begin_ms,
            table.minute_ms < end_ms,
            table.confidence_min >= LEAST_CONFIDENCE,
        )
        .group_by(hour, table.lane)
    )
    return {
        (row.hour * HOUR_MS, row.lane): (float(row.total), int(row.seconds))
        for row in connection.execute(query)
    }
