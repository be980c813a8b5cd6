"""What is old goes, table by table; the audit log, accounts and drafts stay for good."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    delete,
    exists,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from denxanh.controller.centre.store.archive import Store
from denxanh.controller.centre.store.ledger import State
from denxanh.controller.centre.store.quarters import missing
from denxanh.controller.centre.store.schema import (
    alarms,
    commands,
    deliveries,
    events,
    hours,
    minutes,
    notices,
    quarter_hours,
    sessions,
    signal_events,
    spans,
)
from denxanh.controller.centre.store.signal_events import intersections
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.measures.quarters import LEAD_MS
from denxanh.errors import StoreError

DAY_MS = 86_400_000
BATCH_ROWS = 2000
"""Rows that one transaction removes: other writers wait no longer than that takes."""
BREATH_S = 0.15
"""Between two transactions, s: a writer that waits for SQLite's lock looks again every 0.1 s at most."""


_SUMS: Final[Mapping[Table, tuple[Any, Table, Any, int]]] = {
    minutes: (minutes.c.minute_ms, hours, hours.c.hour_ms, HOUR_MS),
    spans: (spans.c.began_ms, hours, hours.c.hour_ms, HOUR_MS),
}
"""Where rows go into: when they begin, the table of their sums, when a sum begins and how long it is, ms."""


@dataclass(frozen=True, slots=True)
class Days:
    """How long each table's rows stay, days (assumed; the city sets its own). 0: for good."""

    events: int = 400
    spans: int = 100
    minutes: int = 400
    quarter_hours: int = 2200
    """Measures: small, and reports compare years (six)."""
    alarms: int = 400
    """Only those that no longer stand and were acknowledged."""
    notices: int = 400
    """Those that are over; what was told of them goes with the same age, telephone numbers included."""
    commands: int = 0
    """Orders of people are evidence, as the audit log is; those whose end is open stay in any case."""
    signal_events: int = 35
    """They take more room than all the rest; the measures of them stay."""


def retain(store: Store, days: Days, now_ms: int, summed: Collection[str] = ()) -> Mapping[str, int]:
    """Remove what is older than it may be, and login sessions that have expired.

    The newest row of a table whose rows are numbered stays, however old it is.

    Args:
        store: where.
        days: how long what stays.
        now_ms: the time to count back from.
        summed: intersections of which minutes, spans and signal events go only once the hours and quarters in
            which they began are summed up.

    Returns:
        Rows removed by table.

    Raises:
        StoreError: the database does not answer, or a number of days is negative. What was removed until
            then stays removed; doing it again goes on.
    """
    if min(asdict(days).values()) < 0:
        raise StoreError("a number of days cannot be negative", where="retention")
    with store.reading() as connection:
        limits = dict.fromkeys(intersections(connection), now_ms)
        for name in limits.keys() & set(summed):
            if (found := missing(connection, name)) is not None:
                limits[name] = found[0] - LEAD_MS
    removed: Counter[str] = Counter()
    for table, old in _old(days, now_ms, limits):
        removed[table.name] += _remove(store, table, old & _settled(table, summed))
    return dict(removed)


def _old(days: Days, now_ms: int, limits: Mapping[str, int]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """What may go of each table; signal events of an intersection only before its limit."""

    def before(number: int) -> int:
        return now_ms - number * DAY_MS

    if days.events:
        yield events, events.c.at_ms < before(days.events)
    if days.spans:
        # One that lasts has no end and stays.
        yield spans, spans.c.ended_ms < before(days.spans)
    if days.minutes:
        yield minutes, minutes.c.minute_ms < before(days.minutes)
    if days.quarter_hours:
        yield quarter_hours, quarter_hours.c.begin_ms < before(days.quarter_hours)
    if days.signal_events:
        of = signal_events.c
        for (
            name,
            limit,
        ) in limits.items():  # each by the index: nobody waits while the whole table is looked through
            yield (
                signal_events,
                (of.intersection == name) & (of.at_ms < min(limit, before(days.signal_events))),
            )
    if days.alarms:
        settled = alarms.c.acknowledged_ms.is_not(None) & (alarms.c.cleared_ms < before(days.alarms))
        yield alarms, settled
    if days.notices:
        yield notices, notices.c.cleared_ms < before(days.notices)
        waits = deliveries.c.sent_ms.is_(None) & deliveries.c.aside_ms.is_(None)
        yield deliveries, (deliveries.c.created_ms < before(days.notices)) & ~waits
    if days.commands:
        yield commands, (commands.c.at_ms < before(days.commands)) & (commands.c.state != State.GIVEN.value)
    yield sessions, sessions.c.expires_ms < now_ms


def _settled(table: Table, summed: Collection[str]) -> ColumnElement[bool]:
    """Whether a row has gone into the sum that outlives it, or into none."""
    if table not in _SUMS or not summed:
        return true()
    at, into, begin, length_ms = _SUMS[table]
    there = exists().where(
        into.c.intersection == table.c.intersection, begin == at - at % literal_column(str(length_ms))
    )
    return there | table.c.intersection.not_in(sorted(summed))


def _remove(store: Store, table: Table, old: ColumnElement[bool]) -> int:
    keys = table.primary_key.columns.values()
    key = tuple_(*keys) if len(keys) > 1 else keys[0]
    removed = 0
    if len(keys) == 1 and isinstance(keys[0].type, Integer):
        # SQLite would give the newest number again, to a row that a feed then takes for one it has sent.
        old = old & (keys[0] < select(func.max(keys[0])).scalar_subquery())
    while True:
        with store.writing() as connection:
            some = select(*keys).where(old).limit(BATCH_ROWS)
            count = connection.execute(delete(table).where(key.in_(some))).rowcount
        removed += count
        if count < BATCH_ROWS:
            return removed
        time.sleep(BREATH_S)
