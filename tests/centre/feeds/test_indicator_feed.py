"""Indicator records as a stream: each day and each month once, when they are over and summed up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import insert

from denxanh.controller.centre.city import load
from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.sources.indicators import LATE_MS, IndicatorSource
from denxanh.controller.centre.indicators.costs import Costs
from denxanh.controller.centre.indicators.hours import HOUR_MS, gather
from denxanh.controller.centre.indicators.observing import observed
from denxanh.controller.centre.indicators.period import Period, midnight_ms
from denxanh.controller.centre.indicators.records import records
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.indicators.told import told
from denxanh.controller.centre.reports.basis import basis
from denxanh.controller.centre.store.archive import Store, open_store
from denxanh.controller.centre.store.schema import hours, minutes
from denxanh.controller.clock import VIETNAM
from denxanh.errors import StoreError
from denxanh.networks.example import crossroads_corridor
from denxanh.networks.register import junctions

CORRIDOR = crossroads_corridor(2)
ONE, TWO = (one.id for one in CORRIDOR.intersections)
FIRST = date(2026, 10, 29)
CITY = """
[indicators.its_intersections]
baseline = 0
targets = { 2026 = 2 }
[indicators.fault_time]
baseline = 90
period_target = 20
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(f"sqlite:///{tmp_path / 'centre.db'}")
    yield found
    found.close()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    text = files("denxanh.controller.centre").joinpath("schemas/indicators-v1.schema.json").read_text("utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


def source(rules: Indicators | None = None) -> IndicatorSource:
    return IndicatorSource(CORRIDOR, rules or Indicators(), Costs(), simulated=True)


def read(store: Store, after: str | None = None, limit: int = 100) -> Sequence[Message]:
    with store.reading() as connection:
        found = source().read(connection, after, limit)
        assert source().read(connection, after, limit) == found
    return found


def ids(store: Store, after: str | None = None) -> list[str]:
    return [one.id.removeprefix("indicators-") for one in read(store, after)]


def summed(store: Store, place: str, from_ms: int, to_ms: int) -> None:
    """Hours of an intersection as `gather` leaves them."""
    whole = {"lanes": 4, "lane_s": 14_400, "trusted_s": 14_400, "congested_s": 0, "queued_pcu_s": 9.0}
    modes = {"adaptive_s": 3600.0, "plan_s": 0.0, "local_s": 0.0, "other_s": 0.0}
    rest = {"faults": 0, "fault_s": 0.0, "congested_share": 0.3}
    rows = [
        {"intersection": place, "hour_ms": at, **whole, **modes, **rest}
        for at in range(from_ms, to_ms, HOUR_MS)
    ]
    with store.writing() as connection:
        connection.execute(insert(hours), rows)


def seen(store: Store, place: str, minute_ms: int) -> None:
    """A stored minute that may not be summed up yet."""
    of_lane = {"lane": 0, "seconds": 60, "queued_mean": 1, "queued_max": 1, "moving_mean": 1}
    row = {"intersection": place, "minute_ms": minute_ms, "confidence_min": 0.9, **of_lane}
    with store.writing() as connection:
        connection.execute(insert(minutes), row)


def begin(day: int) -> int:
    """Local midnight of the day with this number, 0: the first."""
    return midnight_ms(FIRST + timedelta(days=day))


def test_days_in_order_and_each_month_behind_its_last_day(store: Store) -> None:
    assert ids(store) == []
    summed(store, ONE, begin(0), begin(5) + LATE_MS + HOUR_MS)
    periods = ["2026-10-29", "2026-10-30", "2026-10-31", "2026-10", "2026-11-01", "2026-11-02"]
    assert ids(store) == periods
    whole = read(store)
    for number, one in enumerate(whole):
        assert ids(store, one.position) == periods[number + 1 :]
        assert [other.id for other in read(store, one.position, 1)] == [
            other.id for other in whole[number + 1 : number + 2]
        ]
    assert {one.topic for one in whole} == {"indicators"}
    assert {one.place for one in whole} == {None}


def test_a_day_waits_until_late_rows_are_summed_up(store: Store) -> None:
    summed(store, ONE, begin(0), begin(1) + LATE_MS)
    assert ids(store) == []
    summed(store, ONE, begin(1) + LATE_MS, begin(1) + LATE_MS + HOUR_MS)
    assert ids(store) == ["2026-10-29"]


def test_an_intersection_that_is_not_summed_up_yet_is_awaited(store: Store) -> None:
    summed(store, ONE, begin(0), begin(3))
    seen(store, TWO, begin(0) + 600_000)
    assert ids(store) == [], "nothing of it is summed up"
    summed(store, TWO, begin(0), begin(0) + HOUR_MS)
    assert ids(store) == ["2026-10-29", "2026-10-30"], "it is silent since then: nobody waits for it"
    seen(store, TWO, begin(1) + 7_200_000)
    assert ids(store) == [], "it is back, and its day must be summed up first"
    summed(store, TWO, begin(0) + HOUR_MS, begin(1) + 3 * HOUR_MS)
    assert ids(store) == ["2026-10-29", "2026-10-30"]


def test_days_and_months_without_data_are_left_out(store: Store) -> None:
    summed(store, ONE, begin(0), begin(0) + HOUR_MS)
    summed(store, ONE, midnight_ms(date(2027, 2, 10)), midnight_ms(date(2027, 2, 11)))
    assert ids(store) == ["2026-10-29", "2026-10"]


def test_hours_of_a_wrong_clock_are_nobodys(store: Store) -> None:
    summed(store, ONE, begin(0), begin(2))
    for wrong in (0, 2**52):
        summed(store, TWO, wrong - wrong % HOUR_MS, wrong - wrong % HOUR_MS + HOUR_MS)
        seen(store, TWO, wrong)
    assert ids(store) == ["2026-10-29"]


def test_where_a_feed_without_history_starts(store: Store) -> None:
    with store.reading() as connection:
        assert source().end(connection) is None
    summed(store, ONE, begin(0), begin(3) + 12 * HOUR_MS)
    with store.reading() as connection:
        end = source().end(connection)
    assert end == "2026-10", "the month is behind its last day"
    assert ids(store, end) == []
    summed(store, ONE, begin(3) + 12 * HOUR_MS, begin(4) + 12 * HOUR_MS)
    assert ids(store, end) == ["2026-11-01"]


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "x", "2026", "2026-13", "2026-02-30", "1800-01-01", "9999-12", "2026-10-29 ", "20261029"),
        *("٢٠٢٦-10-29", "2026-W44-4", "[1,2]", "9" * 5000),
    ],
)
def test_a_damaged_position_is_refused(store: Store, wrong: str) -> None:
    summed(store, ONE, begin(0), begin(2))
    with store.reading() as connection:
        with pytest.raises(StoreError, match="is no position of indicators"):
            source().read(connection, wrong, 10)
        with pytest.raises(StoreError, match="is no position of indicators"):
            source().gap(connection, wrong)


def test_a_position_of_another_store_is_refused(store: Store) -> None:
    summed(store, ONE, begin(0), begin(2))
    with store.reading() as connection:
        for far in ("2026-11-02", "2026-12"):
            with pytest.raises(StoreError, match="further than the store goes"):
                source().read(connection, far, 10)


def test_the_records_are_those_of_the_report_and_valid(
    store: Store, tmp_path: Path, validator: jsonschema.Draft202012Validator
) -> None:
    path = tmp_path / "city.toml"
    path.write_text(CITY, encoding="utf-8")
    city = load(path)
    rows = [
        {"intersection": place, "minute_ms": at, "lane": lane, "seconds": 60, "queued_mean": 2.0}
        | {"queued_max": 4.0, "moving_mean": 1.0, "confidence_min": 0.9}
        for place in (ONE, TWO)
        for lane in range(2)
        for at in range(begin(2), begin(3) + LATE_MS + HOUR_MS, 60_000)
    ]
    with store.writing() as connection:
        connection.execute(insert(minutes), rows)
    gather(store, CORRIDOR, city.indicators)
    with store.reading() as connection:
        day, month = source(city.indicators).read(connection, None, 10)
    for one in (day, month):
        validator.validate(json.loads(json.dumps(dict(one.body), allow_nan=False)))
    assert [one.body["kind"] for one in (day, month)] == ["day", "month"]
    assert day.body["period"] == "2026-10-31"
    assert day.body["simulated"] is True
    period = Period.day(date(2026, 10, 31))
    report = basis(
        store,
        CORRIDOR,
        city,
        period,
        register=junctions(CORRIDOR),
        made=datetime(2026, 11, 1, tzinfo=VIETNAM),
    )
    sent: list[dict[str, Any]] = day.body["records"]
    assert [one["id"] for one in sent] == [one.definition.id.value for one in report.records]
    assert [one["level"] for one in sent] == [
        None if one.level is None else round(one.level, 4) for one in report.records
    ]
    its = sent[0]
    assert (its["lead_unit"], its["coordinating_unit"]) == ("Sở Xây dựng", "UBND xã, phường")
    assert (its["baseline"], its["target_year"]) == (0, 2)
    faults = next(one for one in sent if one["id"] == "fault_time")
    assert (faults["status"], faults["note_en"]) == (None, "no fault ended in the period")


def test_nothing_but_the_records_gets_through(
    store: Store, validator: jsonschema.Draft202012Validator
) -> None:
    summed(store, ONE, begin(0), begin(2))
    body = dict(read(store)[0].body)
    validator.validate(body)
    smuggled: tuple[dict[str, Any], ...] = (
        {"plate": "65A-123.45"},
        {"records": [{**body["records"][0], "driver": "x"}, *body["records"][1:]]},
        {"records": [{**body["records"][0], "status": "tốt"}, *body["records"][1:]]},
        {"records": body["records"][:4]},
        {"kind": "quarter"},
    )
    for wrong in smuggled:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**body, **wrong})


def test_a_number_that_is_none_is_null(store: Store) -> None:
    summed(store, ONE, begin(0), begin(2))
    period = Period.day(FIRST)
    with store.reading() as connection:
        rules = Indicators()
        seen_ = observed(connection, period, {ONE: 4}, CORRIDOR.schedule, rules, FIRST)
    one = records(seen_, rules, Costs())[1]
    assert told(replace(one, level=float("inf")), period)["level"] is None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_both_databases_give_the_same(empty_database: Callable[[str], str], kind: str) -> None:
    found = open_store(empty_database(kind))
    summed(found, ONE, begin(0), begin(4))
    assert ids(found) == ["2026-10-29", "2026-10-30", "2026-10-31", "2026-10"]
    with found.reading() as connection:
        assert source().end(connection) == "2026-10"
    found.close()


def test_no_day_is_given_before_it_is_over_by_the_computers_clock(store: Store) -> None:
    """The controller's clock ran a day ahead for a minute: its sum is of no day that is over."""
    clock = begin(1) + 6 * HOUR_MS
    real = IndicatorSource(CORRIDOR, Indicators(), Costs(), simulated=False, clock=lambda: clock)
    summed(store, ONE, begin(0), begin(1) + 6 * HOUR_MS)
    summed(store, ONE, begin(2) + 10 * HOUR_MS, begin(2) + 11 * HOUR_MS)
    with store.reading() as connection:
        (day,) = real.read(connection, None, 10)
        assert (day.position, real.end(connection)) == ("2026-10-29", "2026-10-29")
    seen(store, ONE, begin(1) + 7 * HOUR_MS)
    clock = begin(2) + 4 * HOUR_MS
    with store.reading() as connection:
        assert real.read(connection, day.position, 10) == [], "that minute is not summed up yet"
    summed(store, ONE, begin(1) + 6 * HOUR_MS, begin(2) + 4 * HOUR_MS)
    with store.reading() as connection:
        assert [one.position for one in real.read(connection, day.position, 10)] == ["2026-10-30"]


def test_a_position_beyond_the_computers_clock_is_told(store: Store) -> None:
    real = IndicatorSource(CORRIDOR, Indicators(), Costs(), simulated=False, clock=lambda: begin(1))
    summed(store, ONE, begin(0), begin(9))
    with store.reading() as connection:
        with pytest.raises(StoreError, match="further than the computer's clock"):
            real.read(connection, "2026-10-31", 10)
        assert real.read(connection, "2026-10-29", 10) == []
