"""The months that the page of indicators offers."""

from __future__ import annotations

from datetime import date

import pytest

from denxanh.controller.centre.indicator_page import MOST_MONTHS, months
from denxanh.controller.centre.indicators.period import Period


@pytest.mark.parametrize(
    ("oldest", "newest", "asked", "slugs"),
    [
        (date(2026, 11, 23), date(2026, 11, 23), (2026, 11), ["2026-11"]),
        (date(2025, 11, 30), date(2026, 1, 1), (2025, 12), ["2026-01", "2025-12", "2025-11"]),
        (date(2026, 11, 1), date(2026, 12, 1), (2024, 2), ["2026-12", "2026-11", "2024-02"]),
    ],
)
def test_every_month_with_data_newest_first_and_the_one_asked_for(
    oldest: date, newest: date, asked: tuple[int, int], slugs: list[str]
) -> None:
    assert [one.slug for one in months(oldest, newest, Period.month(*asked))] == slugs


def test_an_old_row_of_a_wrong_clock_does_not_fill_the_list() -> None:
    found = months(date(1970, 1, 1), date(2026, 11, 1), Period.month(2026, 11))
    assert len(found) == MOST_MONTHS
    assert found[-1].slug == "2021-12"
