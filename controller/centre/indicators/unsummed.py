"""From where hours are to be summed up: the first that has rows and no sum, or a sum that may be too small.

What is newest says little: one row from a clock that ran ahead would lie behind all that comes after it.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from denxanh.controller.centre.store import signal_events
from denxanh.controller.centre.store.schema import hours, minutes, quarter_hours, spans
from denxanh.controller.localtime import HOUR_MS

REDO_MS = 48 * HOUR_MS
"""So far back every run sums up anew: what was recorded late still counts (assumed: an outage of two
days)."""


def begin_of(connection: Connection, intersection: str, oldest: int, newest: int) -> int:
    """The hour from which an intersection's rows are to be summed up anew, ms.

    Args:
        connection: to the store.
        intersection: whose.
        oldest: when its first row that makes an hour begins, ms.
        newest: the last, ms.
    """
    first = _hour(oldest)
    summed = hours.c.hour_ms
    of_it = hours.c.intersection == intersection
    known = connection.execute(select(func.max(summed)).where(of_it)).scalar_one()
    if known is None:
        return first
    redo = min(known, _told_last(connection, known)) - REDO_MS
    gap = _gap(connection, intersection, first, newest)
    begin = redo if gap is None else min(redo, gap - REDO_MS)  # the hour before it may be half summed up
    late = _counted_late(connection, intersection, begin)
    begin = begin if late is None else late
    return max(first, _begin_of_span(connection, intersection, begin))


def first_row(connection: Connection, intersection: str, from_ms: int, to_ms: int) -> int | None:
    """When the first row that makes an hour begins, of those that begin in `[from_ms, to_ms)`."""
    lane, shown = minutes.c, spans.c
    each = [
        select(lane.minute_ms)
        .where(lane.intersection == intersection, lane.minute_ms >= from_ms, lane.minute_ms < to_ms)
        .order_by(lane.minute_ms),
        select(shown.began_ms)
        .where(shown.intersection == intersection, shown.began_ms >= from_ms, shown.began_ms < to_ms)
        .where(shown.ended_ms > shown.began_ms)
        .order_by(shown.began_ms),
    ]
    found = [at for one in each if (at := connection.execute(one.limit(1)).scalar()) is not None]
    return min(found, default=None)


def _told_last(connection: Connection, otherwise: int) -> int:
    """What the site's clock said when the last span was stored."""
    last = connection.execute(select(spans.c.began_ms).order_by(spans.c.id.desc()).limit(1)).scalar()
    return otherwise if last is None else _hour(last)


def _gap(connection: Connection, intersection: str, first: int, newest: int) -> int | None:
    """The first hour with rows and without a sum; one of quarters alone is none."""
    at = hours.c.hour_ms
    told = hours.c.lane_s + hours.c.adaptive_s + hours.c.plan_s + hours.c.local_s + hours.c.other_s
    there = connection.execute(
        select(at).where(hours.c.intersection == intersection, at >= first, told > 0).order_by(at)
    ).scalars()
    expected = first
    for hour_ms in (*there, _hour(newest) + HOUR_MS):
        if hour_ms > expected:
            found = first_row(connection, intersection, expected, hour_ms)
            if found is not None:
                return _hour(found)
        expected = hour_ms + HOUR_MS
    return None


def _counted_late(connection: Connection, intersection: str, before_ms: int) -> int | None:
    """The first hour of which more vehicles were counted after it had been summed up.

    Looked for as long as the events are here of which quarters are worked out.
    """
    events = signal_events.extent(connection, intersection)
    if events is None:
        return None
    hour, quarter = hours.c, quarter_hours.c
    counted = (
        select(func.sum(quarter.volume))
        .where(
            quarter.intersection == intersection,
            quarter.begin_ms >= hour.hour_ms,
            quarter.begin_ms < hour.hour_ms + HOUR_MS,
        )
        .scalar_subquery()
    )
    found: int | None = connection.execute(
        select(func.min(hour.hour_ms)).where(
            hour.intersection == intersection,
            hour.hour_ms > events[0] - HOUR_MS,
            hour.hour_ms < before_ms,
            counted > func.coalesce(hour.volume, -1),
        )
    ).scalar()
    return found


def _begin_of_span(connection: Connection, intersection: str, at_ms: int) -> int:
    """The hour in which the lamps' state of a moment began, if it has ended: only then it can be counted."""
    shown = spans.c
    last = connection.execute(
        select(shown.began_ms, shown.ended_ms)
        .where(shown.intersection == intersection, shown.began_ms < at_ms)
        .order_by(shown.began_ms.desc())
        .limit(1)
    ).first()
    lasted = last is not None and last.ended_ms is not None and last.ended_ms > at_ms
    return _hour(last.began_ms) if last is not None and lasted else at_ms


def _hour(at_ms: int) -> int:
    return at_ms - at_ms % HOUR_MS
