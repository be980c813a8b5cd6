"""The three values: decided on a straight line to the target, never without one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.indicators.settings import Goal, Indicators
from denxanh.controller.centre.indicators.status import Status, judge

RULES = Indicators()
GOAL = Goal(targets={2026: 10.0, 2027: 20.0}, period_target=50.0)
MIDDLE, END = date(2026, 7, 2), date(2026, 12, 31)


@pytest.mark.parametrize(
    ("progress", "day", "status"),
    [
        (10.0, MIDDLE, Status.REACHED),
        (5.1, MIDDLE, Status.NOT_REACHED),  # on the line
        (4.2, MIDDLE, Status.NOT_REACHED),  # below it, within the tolerance
        (3.9, MIDDLE, Status.AT_RISK),
        (-20.0, MIDDLE, Status.AT_RISK),
        (9.99, END, Status.NOT_REACHED),  # too late to be at risk
        (10.0, END, Status.REACHED),
        (14.5, date(2027, 7, 2), Status.NOT_REACHED),  # the line begins at the target before
        (13.0, date(2027, 7, 2), Status.AT_RISK),
        (0.0, date(2028, 1, 1), Status.AT_RISK),  # no target of the year: the period's
        (49.0, date(2031, 1, 1), Status.NOT_REACHED),
    ],
)
def test_against_the_line(progress: float, day: date, status: Status) -> None:
    assert judge(progress, GOAL, RULES, day, 0.0).status is status


def test_what_is_not_known_has_no_status() -> None:
    assert judge(None, GOAL, RULES, MIDDLE, 0.0).status is None
    nothing = judge(5.0, Goal(), RULES, MIDDLE, 0.0)
    assert (nothing.status, nothing.why.vi) == (None, "chưa có mục tiêu")


@given(st.floats(-100, 100), st.floats(-100, 100), st.dates(date(2026, 1, 1), END))
def test_more_progress_is_never_worse(one: float, other: float, day: date) -> None:
    order = [Status.AT_RISK, Status.NOT_REACHED, Status.REACHED]
    low, high = (judge(value, GOAL, RULES, day, 0.0).status for value in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert order.index(low) <= order.index(high)


def test_a_count_begins_at_its_baseline() -> None:
    assert judge(12.0, Goal(targets={2026: 20.0}), RULES, date(2026, 1, 5), 12.0).status is Status.NOT_REACHED
    assert judge(12.0, Goal(targets={2026: 20.0}), RULES, date(2026, 1, 5), 16.0).status is Status.AT_RISK
