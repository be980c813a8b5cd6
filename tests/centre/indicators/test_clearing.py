"""What is removed was summed up before: nothing that a report needs goes with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from denxanh.controller.centre.indicators.hours import Hour, gather, load
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.indicators.summing import clear, sum_up
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.retention import DAY_MS, Days, retain
from denxanh.controller.centre.store.schema import minutes, quarter_hours, signal_events, spans
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.measures.duties import duties
from denxanh.controller.measures.quarters import QUARTER_MS
from denxanh.controller.mode import Mode

FIRST, DAYS, KEPT = date(2026, 9, 1), 40, 35
LIMITS = Days(events=KEPT, spans=KEPT, minutes=KEPT, quarter_hours=KEPT, alarms=KEPT, signal_events=KEPT)
RULES = Indicators()


def fill(writer: Any) -> int:
    """Some of an hour of each of forty days, with vehicles on a stop line; the end of the last day, ms."""
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        writer.hour(day, 7, 2.0 + number % 3, Mode.PLAN if number % 2 else Mode.ADAPTIVE, minutes_of=10)
        begin = writer.at(day, 7)
        with writer.store.writing() as connection:
            connection.execute(insert(signal_events), list(_vehicles(writer, begin)))
    writer.alarm("link-lost", writer.at(FIRST, 7, 10), writer.at(FIRST, 7, 25))
    return int(writer.at(FIRST + timedelta(days=DAYS)))


def _vehicles(writer: Any, begin_ms: int) -> Any:
    """Each minute of an hour the first phase is green for 20 s and one vehicle leaves the stop line."""
    numbering = duties(writer.place).numbering
    rows = [(begin_ms, 911, 0)]
    for at in range(begin_ms + 10_000, begin_ms + HOUR_MS, 60_000):
        rows += [
            (at, 1, 1),
            (at + 20_000, 8, 1),
            (at + 23_000, 10, 1),
            (at + 1000, 82, 5),
            (at + 29_000, 81, 5),
        ]
    rows.append((begin_ms + HOUR_MS + 60_000, 1, 1))
    for at, code, parameter in rows:
        yield {
            "intersection": numbering.intersection,
            "at_ms": at,
            "code": code,
            "parameter": parameter,
        }


def sums(store: Store) -> dict[int, Hour]:
    return {one.hour_ms: one for one in load(store, 0, 2**62)}


def oldest(store: Store, column: Any) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.min(column))).scalar_one())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: Any, make_writer: Callable[..., Any]) -> dict[int, Hour]:
    """What a centre has that never removes anything and was asked for every report."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'centre.db'}")
    fill(make_writer(store))
    sum_up(store, make_writer(store).corridor, RULES)
    found = sums(store)
    store.close()
    return found


def test_forty_days_that_nobody_asked_a_report_of_stay_as_sums(
    writer: Any, kept: Store, whole: dict[int, Hour]
) -> None:
    now_ms = fill(writer)
    removed = clear(kept, writer.corridor, RULES, LIMITS, now_ms)
    for table in ("minutes", "spans", "signal_events", "quarter_hours"):
        assert removed[table] > 0
    border = now_ms - KEPT * DAY_MS
    for column in (minutes.c.minute_ms, spans.c.began_ms, quarter_hours.c.begin_ms, signal_events.c.at_ms):
        assert oldest(kept, column) >= border - HOUR_MS
    assert sums(kept) == whole
    assert [one.volume for one in whole.values() if one.when.hour == 7] == [60] * DAYS
    assert sum(one.faults for one in whole.values()) == 1
    clear(kept, writer.corridor, RULES, LIMITS, now_ms)
    assert sums(kept) == whole, "a second time changes nothing"


def test_vehicles_that_are_counted_late_come_into_hours_of_long_ago(
    writer: Any, kept: Store, whole: dict[int, Hour]
) -> None:
    """A report was made while no centre had worked out quarters."""
    now_ms = fill(writer)
    gather(kept, writer.corridor, RULES)
    assert {one.volume for one in sums(kept).values()} == {None}
    clear(kept, writer.corridor, RULES, LIMITS, now_ms)
    assert sums(kept) == whole


def test_after_a_clock_that_ran_ahead_nothing_goes_that_is_not_summed_up(
    writer: Any, kept: Store, whole: dict[int, Hour]
) -> None:
    """A minute from 200 days ahead is stored and summed up first; then come forty days."""
    writer.hour(FIRST - timedelta(days=1), 7, 1.0, minutes_of=1)
    writer.hour(FIRST + timedelta(days=200), 4, 1.0, minutes_of=1)
    sum_up(kept, writer.corridor, RULES)
    now_ms = fill(writer)
    clear(kept, writer.corridor, RULES, LIMITS, now_ms)
    found = sums(kept)
    assert {hour_ms: one for hour_ms, one in found.items() if writer.at(FIRST) <= hour_ms < now_ms} == whole


def test_rows_without_a_sum_stay(writer: Any, kept: Store) -> None:
    fill(writer)
    place, far = writer.place.id, writer.at(FIRST + timedelta(days=400))
    retain(kept, LIMITS, far, [place])
    assert oldest(kept, signal_events.c.at_ms) == writer.at(FIRST, 7)
    assert oldest(kept, minutes.c.minute_ms) == oldest(kept, spans.c.began_ms) == writer.at(FIRST, 7)
    removed = retain(kept, LIMITS, far, ["another"])
    assert removed["minutes"] > 0 < removed["spans"], (
        "of an intersection that is no more nothing is summed up"
    )


def test_the_unfinished_last_quarter_of_a_place_that_stays_silent_goes_with_its_events(
    writer: Any, kept: Store
) -> None:
    """As docs/store.md says: nothing later is stored that would show that the quarter is over."""
    now_ms = fill(writer)
    last = writer.at(FIRST + timedelta(days=DAYS - 1), 8)
    clear(kept, writer.corridor, RULES, replace(LIMITS, quarter_hours=0), now_ms + 2 * KEPT * DAY_MS)
    assert oldest(kept, signal_events.c.at_ms) == last + 60_000, "the newest row stays for its number"
    with kept.reading() as connection:
        assert connection.execute(select(func.count()).select_from(signal_events)).scalar_one() == 1
        newest = connection.execute(select(func.max(quarter_hours.c.begin_ms))).scalar_one()
    assert newest == last - QUARTER_MS
