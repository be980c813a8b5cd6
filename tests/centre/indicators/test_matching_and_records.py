"""Levels, like with like, and the records with what they say where nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.indicators.costs import Costs, factors
from denxanh.controller.centre.indicators.definitions import amounts
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.matching import change, level
from denxanh.controller.centre.indicators.records import (
    NO_FAULTS,
    Observed,
    Record,
    coverage,
    records,
    standings,
)
from denxanh.controller.centre.indicators.settings import Goal, Id, Indicators, Standing
from denxanh.controller.centre.indicators.status import Status
from denxanh.controller.mode import Mode
from denxanh.networks.model import Schedule, ScheduleEntry

WEEK = Schedule(("work",) * 5 + ("rest",) * 2, (), (ScheduleEntry("work", 0, 1), ScheduleEntry("rest", 0, 1)))
MONDAY = date(2026, 10, 5)
YEAR_BEFORE = date(2025, 10, 6)
Hours = Callable[..., list[Hour]]


def queued(hour: Hour) -> float:
    return hour.queued_pcu_s


def observed(hours: list[Hour], past: dict[Id, list[Hour]] | None = None, **more: Any) -> Observed:
    return Observed(
        hours=hours,
        baselines=past or {},
        places={"one": 2},
        schedule=WEEK,
        day=more.pop("day", date(2026, 10, 11)),
        seconds=7 * 86_400,
        entered=more.pop("entered", {}),
    )


def found(seen: Observed, rules: Indicators, indicator: Id) -> Record:
    return next(one for one in records(seen, rules, Costs()) if one.definition.id is indicator)


def test_only_like_hours_are_compared(hours: Hours) -> None:
    """The peaks alone were seen a year before; the quiet nights of now must not make the change better."""
    past = hours(YEAR_BEFORE, 5, range(7, 9), 10.0)
    now = hours(MONDAY, 5, range(7, 9), 8.0) + hours(MONDAY, 5, range(6), 0.0)
    changed = change(now, past, WEEK, queued)
    assert changed is not None
    assert changed.reduction_percent == pytest.approx(20)
    assert changed.share == pytest.approx(2 / 8)
    assert changed.cells == 2


def test_other_day_types_and_intersections_are_not_alike(hours: Hours) -> None:
    weekend = hours(date(2025, 10, 11), 2, range(24), 10.0)
    assert change(hours(MONDAY, 5, range(24), 8.0), weekend, WEEK, queued) is None
    elsewhere = hours(YEAR_BEFORE, 5, range(24), 10.0, place="two")
    assert change(hours(MONDAY, 5, range(24), 8.0), elsewhere, WEEK, queued) is None
    assert change([], [], WEEK, queued) is None


@given(st.lists(st.tuples(st.integers(0, 23), st.floats(0, 50)), min_size=1, max_size=30), st.floats(0.1, 5))
def test_a_factor_on_every_queue_is_the_change(parts: list[tuple[int, float]], factor: float) -> None:
    past = [
        Hour("one", hour * 3_600_000 + day * 7 * 86_400_000, 2, 7200, 7200, 0, queue * 7200)
        for day, (hour, queue) in enumerate(parts)
    ]
    now = [replace(one, queued_pcu_s=one.queued_pcu_s * factor) for one in past]
    changed = change(now, past, WEEK, queued)
    assert changed is not None
    if sum(one.queued_pcu_s for one in past) > 1:
        assert changed.reduction_percent == pytest.approx(100 * (1 - factor), abs=1e-6)


def test_a_level_is_per_trusted_lane_hour(hours: Hours) -> None:
    some = [replace(one, congested_s=720) for one in hours(MONDAY, 1, range(2), 1.0)]
    assert level(some, amounts(factors(Costs()))[Id.CONGESTION]) == pytest.approx(
        6.0
    )  # 12 min in 2 lane-hours
    assert level([], queued) is None
    assert level([replace(some[0], trusted_s=0)], queued) is None


def test_nothing_known_is_said_and_not_filled() -> None:
    for one in records(observed([]), Indicators(), Costs()):
        assert (one.level, one.progress, one.baseline, one.judged.status) == (None, None, None, None)
        assert one.note is not None
        assert one.coverage == 0


def test_no_value_in_the_plan_no_status(hours: Hours) -> None:
    seen = observed(hours(MONDAY, 5, range(24), 2.0))
    one = found(seen, Indicators(), Id.COST)
    assert one.level is not None
    assert (one.baseline, one.target_year, one.progress, one.judged.status) == (None, None, None, None)
    assert one.note is not None
    assert one.note.vi == "chưa có hiện trạng"
    its = found(seen, Indicators(), Id.ITS)
    assert (its.progress, its.judged.status, its.judged.why.vi) == (1, None, "chưa có mục tiêu")
    assert (one.lead_unit, one.coordinating_unit) == ("Sở Xây dựng", "UBND xã, phường")


def test_a_baseline_of_stored_days(hours: Hours) -> None:
    goal = Goal(baseline_from=YEAR_BEFORE, baseline_to=date(2025, 10, 10), targets={2026: 10.0})
    rules = Indicators(co2=goal)
    past = hours(YEAR_BEFORE, 5, range(7, 9), 4.0)
    one = found(observed(hours(MONDAY, 5, range(7, 9), 3.0), {Id.CO2: past}), rules, Id.CO2)
    assert one.progress == pytest.approx(25)
    assert one.judged.status is Status.REACHED
    assert one.compared == pytest.approx(1)
    other = found(observed(hours(MONDAY, 5, range(2), 3.0), {Id.CO2: past}), rules, Id.CO2)
    assert (other.progress, other.judged.status, other.compared) == (None, None, 0.0)


def test_a_plain_baseline_and_faults(hours: Hours) -> None:
    rules = Indicators(fault_time=Goal(baseline=60.0, targets={2026: 50.0}))
    made = hours(MONDAY, 1, range(2), 1.0)
    made[0] = replace(made[0], faults=2, fault_s=3600.0)
    made[1] = replace(made[1], faults=1, fault_s=0.0)
    one = found(observed(made), rules, Id.FAULTS)
    assert one.level == pytest.approx(20)
    assert one.progress == pytest.approx(100 * (1 - 20 / 60))
    quiet = found(observed(hours(MONDAY, 1, range(2), 1.0)), rules, Id.FAULTS)
    assert (quiet.level, quiet.note) == (None, NO_FAULTS)


def test_what_a_person_entered_counts_only_where_nothing_is_computed(hours: Hours) -> None:
    rules = Indicators(travel_cost=Goal(targets={2026: 5.0}))
    entered = {Id.COST: 7.0, Id.ITS: 99.0}
    seen = observed(hours(MONDAY, 5, range(24), 2.0), entered=entered)
    cost, its = found(seen, rules, Id.COST), found(seen, rules, Id.ITS)
    assert (cost.progress, cost.entered, cost.judged.status) == (7.0, True, Status.REACHED)
    assert (its.progress, its.entered) == (1.0, False)


def test_how_an_intersection_takes_part(hours: Hours) -> None:
    rules, places = Indicators(), dict.fromkeys(("a", "b", "c", "d"), 2)
    made = [
        *hours(MONDAY, 1, range(2), 1.0, Mode.ADAPTIVE, "a"),
        *hours(MONDAY, 1, range(2, 12), 1.0, Mode.PLAN, "a"),
        *hours(MONDAY, 1, range(12), 1.0, Mode.PLAN, "b"),
        *hours(MONDAY, 1, range(12), 1.0, Mode.LOCAL, "c"),
    ]
    assert standings(made, places, rules) == {
        "a": Standing.ADAPTIVE,
        "b": Standing.PLAN,
        "c": Standing.INSTALLED,
        "d": Standing.INSTALLED,
    }


def test_coverage_is_of_the_whole_period(hours: Hours) -> None:
    assert coverage(observed(hours(MONDAY, 7, range(24), 1.0))) == pytest.approx(1)
    assert coverage(observed(hours(MONDAY, 7, range(6), 1.0))) == pytest.approx(0.25)


def test_costs_are_what_the_parameters_come_to() -> None:
    costs, it = Costs(), factors(Costs())
    by_hand = sum(
        one.share * one.value_of_time * (1 + (one.occupancy - 1) * one.passenger_share)
        for one in costs.classes
    ) / sum(one.share * one.pcu for one in costs.classes)
    assert it.time_vnd_pcu_h == pytest.approx(by_hand)
    cars = Costs.model_validate(
        {
            "petrol_vnd_l": 20_000,
            "petrol_co2_kg_l": 2.0,
            "classes": [
                {
                    "name_vi": "Ô tô", "name_en": "Cars", "share": 1, "pcu": 1, "occupancy": 1,
                    "value_of_time": 1, "idle_l_h": 0.5, "stop_l": 0.01, "fuel": "petrol",
                }
            ],
        }
    )  # fmt: skip
    assert factors(cars).fuel_vnd_pcu_h == pytest.approx(10_000)
    assert factors(cars).co2_kg_pcu_h == pytest.approx(1.0)
    assert factors(cars).co2_kg_stop == pytest.approx(0.02)
