"""The city's indicators over the API: the fields that the IOC asks for, and null where nothing is known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store.schema import minutes
from denxanh.controller.localtime import midnight_ms


@pytest.fixture(scope="module")
def told(town: Any) -> Any:
    """The town after an hour of queues in November 2026."""
    place = town.street.corridor.intersections[0]
    begin = midnight_ms(date(2026, 11, 12)) + 7 * 3_600_000
    made = [
        {
            "intersection": place.id,
            "minute_ms": begin + 60_000 * minute,
            "lane": lane,
            "seconds": 60,
            "queued_mean": 2.0,
            "queued_max": 3.0,
            "moving_mean": 1.0,
            "confidence_min": 0.9,
        }
        for minute in range(60)
        for lane in range(len(place.lanes))
    ]
    with town.store.writing() as connection:
        connection.execute(insert(minutes), made)
    gather(town.store, town.street.corridor, Indicators())
    return town


def test_every_indicator_has_a_record(told: Any) -> None:
    found = told.get("indicators", month="2026-11")
    assert found["period"] == {"first": "2026-11-01", "last": "2026-11-30"}
    assert len(found["records"]) == 5
    cost = found["records"][2]
    assert (cost["lead_unit"], cost["coordinating_unit"]) == ("Sở Xây dựng", "UBND xã, phường")
    assert cost["level"] > 0
    assert (cost["baseline"], cost["target_year"], cost["progress"], cost["status"]) == (None,) * 4
    assert cost["note_vi"] == "chưa có hiện trạng"


def test_a_month_without_data_knows_nothing(told: Any) -> None:
    found = told.get("indicators", month="2024-02")
    assert {one["level"] for one in found["records"]} == {None}
    assert {one["coverage"] for one in found["records"]} == {0}


@pytest.mark.parametrize("month", ["2026-13", "2026", "2026-1", "x", "1899-01"])
def test_no_such_month(told: Any, month: str) -> None:
    assert told.ask("GET", f"indicators?month={month}").status_code == 422
