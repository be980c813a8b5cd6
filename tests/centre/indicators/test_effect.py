"""Before and after: the interval holds the truth about as often as it says, and hours of a day are one
draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from denxanh.controller.centre.desk.comparison import Control
from denxanh.controller.centre.indicators.effect import control_of, days, effect
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.mode import Mode
from denxanh.networks.model import Schedule, ScheduleEntry

WEEK = Schedule(("work",) * 5 + ("rest",) * 2, (), (ScheduleEntry("work", 0, 1), ScheduleEntry("rest", 0, 1)))
MONDAY = date(2026, 10, 5)
Hours = Callable[..., list[Hour]]


def month(hours: Hours, truth: float, seed: int, spread: float = 0.2, count: int = 28) -> list[Hour]:
    """Days by turns adaptive and fixed, each with a factor of its own on all its hours."""
    chance, made = np.random.default_rng(seed), []
    for number in range(count):
        adaptive = number % 2 == 0
        day = float(np.exp(chance.normal(0, spread)))
        for hour in (7, 8, 12, 17):
            queue = 3.0 * (hour / 10) * day * (1 + truth if adaptive else 1)
            mode = Mode.ADAPTIVE if adaptive else Mode.PLAN
            made += hours(MONDAY + timedelta(days=number), 1, range(hour, hour + 1), queue, mode)
    return made


def test_a_clear_effect_is_found(hours: Hours) -> None:
    found = effect(month(hours, -0.3, 1, spread=0.02), WEEK)
    assert found is not None
    assert found.percent == pytest.approx(-30, abs=2)
    assert found.low <= found.percent <= found.high < 0
    assert found.clear
    assert (found.cells, found.adaptive_days, found.fixed_days) == (8, 14, 14)


def test_the_interval_covers_what_it_claims(hours: Hours) -> None:
    """Forty months of an effect of nothing: the 95 % interval misses zero rarely, not never tested."""
    found = [effect(month(hours, 0.0, seed), WEEK) for seed in range(40)]
    missed = sum(one is not None and (one.low > 0 or one.high < 0) for one in found)
    assert missed <= 6  # 2 of 40 expected; 200 such months missed 4 %


def test_one_day_with_many_hours_concludes_nothing(hours: Hours) -> None:
    made = hours(MONDAY, 1, range(24), 1.0, Mode.ADAPTIVE)
    made += hours(MONDAY + timedelta(days=1), 1, range(24), 5.0, Mode.PLAN)
    found = effect(made, WEEK)
    assert found is not None
    assert found.percent == pytest.approx(-80)
    assert not found.enough
    assert not found.clear


def test_nothing_to_compare(hours: Hours) -> None:
    assert effect([], WEEK) is None
    assert effect(hours(MONDAY, 5, range(24), 2.0, Mode.ADAPTIVE), WEEK) is None
    nobody = hours(MONDAY, 2, range(24), 0.0, Mode.ADAPTIVE)
    nobody += hours(MONDAY + timedelta(days=2), 2, range(24), 0.0, Mode.PLAN)
    assert effect(nobody, WEEK) is None
    weekend = hours(date(2026, 10, 10), 2, range(24), 2.0, Mode.PLAN)
    assert effect(hours(MONDAY, 3, range(24), 2.0) + weekend, WEEK) is None


def test_the_same_data_give_the_same_interval(hours: Hours) -> None:
    made = month(hours, -0.1, 3)
    assert effect(made, WEEK) == effect(list(reversed(made)), WEEK)


def test_who_stands_for_an_hour(hours: Hours) -> None:
    (one,) = hours(MONDAY, 1, range(1), 1.0, Mode.ADAPTIVE)
    assert control_of(one) is Control.ADAPTIVE
    assert control_of(replace(one, adaptive_s=3000, plan_s=600)) is None
    assert control_of(replace(one, adaptive_s=0, plan_s=1800, local_s=1800)) is Control.FIXED
    assert control_of(replace(one, adaptive_s=100)) is None


def test_days_by_control(hours: Hours) -> None:
    found = days([*hours(MONDAY, 2, range(24), 2.0), *hours(date(2026, 10, 7), 1, range(24), 3.0, Mode.PLAN)])
    assert [(one.control, one.queue_pcu) for one in found] == [
        (Control.ADAPTIVE, 4.0),
        (Control.ADAPTIVE, 4.0),
        (Control.FIXED, 6.0),
    ]
