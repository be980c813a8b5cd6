"""Measures by quarter of an hour: worked out from stored events once the quarter is over, and read back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from denxanh.controller.centre.store import signal_events as stored_events
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.schema import quarter_hours, signal_events
from denxanh.controller.highres.log import EventLog
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.quarters import (
    LEAD_MS,
    QUARTER_MS,
    TRAIL_MS,
    PhaseQuarter,
    quarter_of,
    quarters,
)

STEP_MS = 24 * 4 * QUARTER_MS
"""Most that one transaction works out: a day, so that other writers wait for a moment only."""
_LOG = logging.getLogger(__name__)
_NAMES = tuple(field.name for field in fields(PhaseQuarter))


def window(connection: Connection, intersection: str, since_ms: int, until_ms: int) -> EventLog:
    """Events of `[since_ms, until_ms)`, with the last one before and the first one after.

    The two at the edges say whether the time next to them is known.
    """
    at, number = signal_events.c.at_ms, signal_events.c.id
    one = select(at, signal_events.c.code, signal_events.c.parameter)
    one = one.where(signal_events.c.intersection == intersection).limit(1)
    before = connection.execute(one.where(at < since_ms).order_by(at.desc(), number.desc())).all()
    within = stored_events.read(connection, intersection, since_ms, until_ms)
    after = connection.execute(one.where(at >= until_ms).order_by(at, number)).all()
    low, high = (np.array([tuple(row) for row in rows], np.int64).reshape(-1, 3) for rows in (before, after))
    return EventLog(
        np.concatenate((low[:, 0], within.at_ms, high[:, 0])),
        np.concatenate((low[:, 1], within.code, high[:, 1])).astype(np.int16),
        np.concatenate((low[:, 2], within.parameter, high[:, 2])).astype(np.int32),
    )


def missing(
    connection: Connection, intersection: str, done_ms: int | None = None, now_ms: int | None = None
) -> tuple[int, int] | None:
    """From when until when quarters are over and not worked out; None: there are none.

    A quarter is over when an event well after it is stored, for the journal is stored in its order, and when
    it is over by the computer's clock: events may be of a clock that ran ahead. If there are quarters that
    are not over, such a clock has made them, and some that are over by now without their events: then all
    are worked out anew whose events are here.

    Args:
        connection: to the store.
        intersection: whose.
        done_ms: until when the caller knows that nothing is missing.
        now_ms: the computer's clock; None: the street has one of its own (a simulated one).
    """
    known = _known(connection, intersection, now_ms)
    if known is None:
        return None
    begin_ms = known.reached
    if done_ms is not None and done_ms <= known.end + QUARTER_MS:
        begin_ms = max(known.first, done_ms)
    elif known.ahead:
        begin_ms = known.whole
    return (begin_ms, known.end) if begin_ms < known.end else None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored of an intersection: the quarter of its first event, those that are over, those done."""

    first: int
    end: int
    reached: int

    @property
    def ahead(self) -> bool:
        """More is worked out than is over. A clock that is set back a little makes a quarter of it."""
        return self.reached > self.end + QUARTER_MS

    @property
    def whole(self) -> int:
        """From here on all events are here that a quarter needs."""
        return self.first + QUARTER_MS + LEAD_MS


def _known(connection: Connection, intersection: str, now_ms: int | None) -> _Known | None:
    found = stored_events.extent(connection, intersection)
    if found is None:
        return None
    first, newest = found
    if now_ms is not None and newest > now_ms:
        before = stored_events.last(connection, intersection, now_ms)
        if before is None:
            return None  # the computer's clock is wrong
        newest = before
    stored = connection.execute(
        select(func.max(quarter_hours.c.begin_ms)).where(quarter_hours.c.intersection == intersection)
    ).scalar_one()
    begin, end = quarter_of(first), quarter_of(newest - TRAIL_MS)
    return _Known(begin, end, begin if stored is None else max(begin, stored + QUARTER_MS))


def _forget(store: Store, intersection: str, known: _Known) -> None:
    """Remove quarters that are not over; once they are, their events are still here."""
    these = quarter_hours.c.begin_ms >= max(known.end, known.whole)
    with store.writing() as connection:
        found = delete(quarter_hours).where(quarter_hours.c.intersection == intersection, these)
        count = connection.execute(found).rowcount
    if count:
        _LOG.warning("%s: a clock that ran ahead had worked out quarters that are not over", intersection)


def work_out(store: Store, duties: Duties, begin_ms: int, end_ms: int) -> int:
    """Work out the quarters of `[begin_ms, end_ms)` and put them in the place of what was stored of them.

    Doing it again, or in two processes at once, comes to the same. A day is one transaction.

    Args:
        store: where the events are and the measures go.
        duties: the intersection's.
        begin_ms: begin of the first quarter.
        end_ms: end of the last.

    Returns:
        Rows stored.

    Raises:
        StoreError: the database does not answer. What was stored until then stays; doing it again goes on.
        ValueError: no whole quarters.
    """
    intersection = duties.numbering.intersection
    stored = 0
    for begin in range(begin_ms, end_ms, STEP_MS):
        end = min(begin + STEP_MS, end_ms)
        with store.reading() as connection:
            log = window(connection, intersection, begin - LEAD_MS, end + TRAIL_MS)
        rows = [{"intersection": intersection, **asdict(row)} for row in quarters(log, duties, begin, end)]
        try:
            with store.writing() as connection:
                connection.execute(delete(quarter_hours).where(*_within(intersection, begin, end)))
                if rows:
                    connection.execute(insert(quarter_hours), rows)
        except IntegrityError:
            continue  # another centre has stored the same at the same moment
        stored += len(rows)
    return stored


def catch_up(store: Store, every: Iterable[Duties], done: dict[str, int], now_ms: int | None = None) -> int:
    """Work out at most a day of each intersection's missing quarters.

    Args:
        store: where.
        every: the intersections.
        done: by intersection, until when nothing is missing; moved on. Start with an empty one.
        now_ms: see `missing`.

    Returns:
        Quarters that were worked out; 0: nothing was missing.

    Raises:
        StoreError: the database does not answer.
    """
    count = 0
    for duties in every:
        intersection = duties.numbering.intersection
        with store.reading() as connection:
            found = missing(connection, intersection, done.get(intersection), now_ms)
            known = _known(connection, intersection, now_ms)
        if found is None:
            if known is not None and known.ahead:  # only now: whoever is killed before begins again
                _forget(store, intersection, known)
            continue
        begin_ms, end_ms = found
        end_ms = min(end_ms, begin_ms - begin_ms % HOUR_MS + STEP_MS)  # whole hours: they are summed up next
        work_out(store, duties, begin_ms, end_ms)
        done[intersection] = end_ms
        count += (end_ms - begin_ms) // QUARTER_MS
    return count


def read(
    connection: Connection, since_ms: int, until_ms: int, intersection: str | None = None
) -> Mapping[str, list[PhaseQuarter]]:
    """Stored quarters that begin in `[since_ms, until_ms)`, by intersection; in order of time and phase.

    Args:
        connection: to the store.
        since_ms: from.
        until_ms: until.
        intersection: of one only.
    """
    query = select(quarter_hours).where(*_within(intersection, since_ms, until_ms))
    query = query.order_by(quarter_hours.c.intersection, quarter_hours.c.begin_ms, quarter_hours.c.phase)
    found: dict[str, list[PhaseQuarter]] = {}
    for row in connection.execute(query).mappings():
        values = {name: row[name] for name in _NAMES}
        found.setdefault(row["intersection"], []).append(PhaseQuarter(**values))
    return found


def _within(intersection: str | None, begin_ms: int, end_ms: int) -> list[ColumnElement[bool]]:
    begin = quarter_hours.c.begin_ms
    of = [] if intersection is None else [quarter_hours.c.intersection == intersection]
    return [*of, begin >= begin_ms, begin < end_ms]
