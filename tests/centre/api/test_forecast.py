from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from denxanh.controller.centre.store import schema


def test_forecast_without_a_fit_says_why(town: Any) -> None:
    found = town.get("forecast")
    assert found["fit"] is None
    assert "no forecast" in found["trouble"]
    assert {one["refusal"] for one in found["approaches"]} == {"no-fit"}
    assert town.get("warnings") == {"known": False, "warnings": []}


def test_hotspots_rank_what_is_stored(town: Any, place: str) -> None:
    item = town.street.corridor.intersection(place)
    begin = datetime(2026, 11, 3, tzinfo=UTC)
    rows = [
        {
            "intersection": place, "minute_ms": int(begin.timestamp() * 1000) + minute * 60_000, "lane": lane,
            "seconds": 60, "queued_mean": 6.0 if lane == 0 else 0.5, "queued_max": 6.0, "moving_mean": 0.0,
            "confidence_min": 0.9,
        }
        for minute in range(30)
        for lane in range(len(item.lanes))
    ]  # fmt: skip
    with town.store.writing() as connection:
        connection.execute(insert(schema.minutes), rows)
    end = begin + timedelta(hours=1)
    found = town.get("hotspots", **{"from": begin.isoformat(), "to": end.isoformat()})
    first = found["approaches"][0]
    assert (first["rank"], first["intersection"], first["approach"]) == (1, place, item.lanes[0].approach)
    assert first["coverage"] == 0.5
    assert found["intersections"][0]["queue_pcu_h"] >= first["queue_pcu_h"] >= 3.0


def test_a_period_of_hotspots_is_bounded_and_never_backwards(town: Any) -> None:
    long = town.get("hotspots", **{"from": "0001-01-01T00:00:00Z", "to": "2026-11-05T00:00:00Z"})
    assert long["begin"].startswith("2026-10-29")
    back = town.get("hotspots", **{"from": "2026-11-06T00:00:00Z", "to": "2026-11-05T00:00:00Z"})
    assert back["begin"] == back["end"]
    assert back["approaches"][0]["rank"] is None
