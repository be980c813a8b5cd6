"""Periods: their ends, their names, the same time a year before, the last one that is over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.indicators.period import Kind, Period, latest
from denxanh.errors import ReportError

DAY_MS = 86_400_000
DATES = st.dates(date(2001, 1, 1), date(2095, 12, 31))


@given(DATES, st.sampled_from(Kind))
def test_the_last_period_is_over_or_ends_with_the_newest_day(newest: date, kind: Kind) -> None:
    found = latest(kind, newest)
    assert found.kind is kind
    if kind is Kind.FIVE_YEARS:
        assert found.first <= newest <= found.last
    else:
        assert found.last <= newest
    if kind in (Kind.MONTH, Kind.QUARTER, Kind.YEAR):  # and no later one is
        assert newest < latest(kind, newest + timedelta(days=found.days + 3)).last + timedelta(days=400)
        after = found.last + timedelta(days=1)
        assert latest(kind, after).last >= found.last


@given(DATES, DATES)
def test_a_year_before_has_as_many_days_but_for_february_29(one: date, other: date) -> None:
    period = Period.span(min(one, other), max(one, other))
    before = period.before
    assert before.first.year == period.first.year - 1
    assert abs(before.days - period.days) <= 1
    assert period.end_ms - period.begin_ms == period.days * DAY_MS


def test_leap_days() -> None:
    assert Period.month(2028, 2).last == date(2028, 2, 29)
    assert Period.month(2028, 2).before.last == date(2027, 2, 28)
    assert Period.month(2029, 2).before.last == date(2028, 2, 29)
    assert Period.day(date(2028, 2, 29)).before.first == date(2027, 2, 28)
    assert Period.year(2028).days == 366


def test_names_and_ends() -> None:
    assert Period.month(2026, 11).name == ("Tháng 11/2026", "November 2026", None)
    assert Period.quarter(2026, 4).name.vi == "Quý IV/2026"
    assert Period.quarter(2026, 3).first == date(2026, 7, 1)
    assert Period.five_years(2026).last == date(2030, 12, 31)
    assert Period.five_years(2026).before == Period.five_years(2021)
    assert [Period.quarter(2026, 4).slug, Period.month(2026, 2).slug] == ["2026-Q4", "2026-02"]
    # Midnight in Vietnam is 17:00 UTC of the day before.
    assert Period.day(date(1970, 1, 2).replace(year=2026)).begin_ms % DAY_MS == 17 * 3_600_000


def test_the_default_of_a_month_is_the_last_whole_one() -> None:
    assert latest(Kind.MONTH, date(2026, 10, 31)) == Period.month(2026, 10)
    assert latest(Kind.MONTH, date(2026, 10, 30)) == Period.month(2026, 9)
    assert latest(Kind.QUARTER, date(2026, 2, 1)) == Period.quarter(2025, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Period.month(2026, 13),
        lambda: Period.month(2026, 0),
        lambda: Period.quarter(2026, 5),
        lambda: Period.year(0),
        lambda: Period.year(99_999),
        lambda: Period.year(1989),
        lambda: Period.span(date(2026, 2, 2), date(2026, 2, 1)),
        lambda: Period.five_years(2098),
    ],
)
def test_no_such_period(wrong: object) -> None:
    with pytest.raises(ReportError):
        wrong()  # type: ignore[operator]
