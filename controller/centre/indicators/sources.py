"""From where the sums of an hour come: rows of minutes, spans, quarters of an hour and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal_column, select

from denxanh.controller.centre.desk.comparison import LEAST_CONFIDENCE
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.schema import alarms, minutes, quarter_hours, spans
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.mode import Mode
from denxanh.networks.model import Intersection

LONGEST_MS = 31 * 24 * HOUR_MS
"""A span that began longer ago is not looked for (assumed: no signal shows the same for a month)."""
_FIELD_OF: Mapping[Mode, str] = {Mode.ADAPTIVE: "adaptive_s", Mode.PLAN: "plan_s", Mode.LOCAL: "local_s"}


def names_in(connection: Connection, column: ColumnElement[str]) -> set[str]:
    """Intersections of a table, by jumps through the index that the column leads."""
    names: set[str] = set()
    name = connection.execute(select(func.min(column))).scalar_one()
    while name is not None:
        names.add(name)
        name = connection.execute(select(func.min(column)).where(column > name)).scalar_one()
    return names


def extent_of(connection: Connection, intersection: str) -> tuple[int, int] | None:
    """When the first and the last row that make an hour begin: each a look at one end of an index."""
    lane, shown = minutes.c, spans.c
    of_lanes, of_lamps = lane.intersection == intersection, shown.intersection == intersection
    first = [
        select(lane.minute_ms).where(of_lanes).order_by(lane.minute_ms),
        # One that lasts makes no hour yet: taken for the oldest, all would be summed up every time.
        select(shown.began_ms).where(of_lamps, shown.ended_ms > shown.began_ms).order_by(shown.began_ms),
    ]
    last = [
        select(lane.minute_ms).where(of_lanes).order_by(lane.minute_ms.desc()),
        select(shown.began_ms).where(of_lamps).order_by(shown.began_ms.desc()),
    ]
    lows, highs = (
        [at for one in ends if (at := connection.execute(one.limit(1)).scalar()) is not None]
        for ends in (first, last)
    )
    return (min(lows or highs), max(highs)) if highs else None


def sources(
    connection: Connection, place: Intersection, rules: Indicators, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """What the rows between two times add to an hour: (its begin, fields of `hours.Hour`)."""
    yield from _lanes(connection, place, rules.congested_share, from_ms, to_ms)
    yield from _modes(connection, place.id, from_ms, to_ms)
    yield from _counts(connection, place.id, from_ms, to_ms)
    yield from _faults(connection, place.id, rules, from_ms, to_ms)


def _lanes(
    connection: Connection, place: Intersection, share: float, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    at = minutes.c
    full = {index: share * lane.storage_pcu for index, lane in enumerate(place.lanes)}
    trusted = at.confidence_min >= LEAST_CONFIDENCE
    # A lane that the corridor no longer has has no zone: it is never congested.
    congested = and_(trusted, at.queued_mean >= case(full, value=at.lane, else_=1e9))
    query = (
        select(
            _hour(at.minute_ms).label("hour"),
            func.sum(at.seconds),
            func.sum(case((trusted, at.seconds), else_=0)),
            func.sum(case((congested, at.seconds), else_=0)),
            func.sum(case((trusted, at.seconds * at.queued_mean), else_=0.0)),
        )
        .where(at.intersection == place.id, at.minute_ms >= from_ms, at.minute_ms < to_ms)
        .group_by("hour")
    )
    for hour_ms, lane_s, trusted_s, congested_s, queued in connection.execute(query):
        yield (
            hour_ms,
            {
                "lane_s": int(lane_s),
                "trusted_s": int(trusted_s),
                "congested_s": int(congested_s),
                "queued_pcu_s": float(queued),
            },
        )


def _modes(
    connection: Connection, intersection: str, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Seconds in each mode; the database sums up spans within one hour, the others are cut here."""
    at = spans.c
    meets = and_(
        at.intersection == intersection,
        at.began_ms >= from_ms - LONGEST_MS,
        at.began_ms < to_ms,
        at.ended_ms > from_ms,
    )
    within = and_(at.began_ms >= from_ms, _hour(at.began_ms) == _hour(at.ended_ms - 1))
    whole = (
        select(_hour(at.began_ms).label("hour"), at.mode, func.sum(at.ended_ms - at.began_ms))
        .where(meets, within)
        .group_by("hour", at.mode)
    )
    for hour_ms, mode, lasted_ms in connection.execute(whole):
        yield hour_ms, {_field(mode): float(lasted_ms) / 1000}
    # One that lasts is counted once it has ended: until then its end is not known.
    cut = select(at.began_ms, at.ended_ms, at.mode).where(meets, ~within)
    for began_ms, ended_ms, mode in connection.execute(cut):
        begin = max(began_ms, from_ms)
        while begin < min(ended_ms, to_ms):
            end = min(begin - begin % HOUR_MS + HOUR_MS, ended_ms, to_ms)
            yield begin - begin % HOUR_MS, {_field(mode): (end - begin) / 1000}
            begin = end


def _counts(
    connection: Connection, intersection: str, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Counted vehicles, and those that did not arrive on green."""
    at = quarter_hours.c
    query = (
        select(
            _hour(at.begin_ms).label("hour"),
            func.sum(at.volume),
            func.sum(at.arrivals - at.arrivals_on_green),
        )
        .where(at.intersection == intersection, at.begin_ms >= from_ms, at.begin_ms < to_ms)
        .group_by("hour")
    )
    for hour_ms, volume, stops in connection.execute(query):
        counted = {"volume": volume, "stops": stops}
        yield hour_ms, {name: int(value) for name, value in counted.items() if value is not None}


def _faults(
    connection: Connection, intersection: str, rules: Indicators, from_ms: int, to_ms: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    at = alarms.c
    query = select(at.cause, at.raised_ms, at.cleared_ms).where(
        at.intersection == intersection, at.cleared_ms >= from_ms, at.cleared_ms < to_ms
    )
    for cause, raised_ms, cleared_ms in connection.execute(query):
        if rules.is_fault(cause):
            lasted_s = max(0, cleared_ms - raised_ms) / 1000
            yield cleared_ms - cleared_ms % HOUR_MS, {"faults": 1, "fault_s": lasted_s}


def _hour(at_ms: ColumnElement[Any]) -> ColumnElement[Any]:
    return at_ms - at_ms % literal_column(str(HOUR_MS))


def _field(mode: str) -> str:
    return _FIELD_OF.get(Mode(mode), "other_s")
