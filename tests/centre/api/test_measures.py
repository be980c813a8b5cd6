"""Measures over the API: figures, pictures, stored quarters."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import insert

from denxanh.controller.centre.store import schema
from denxanh.controller.centre.store.quarters import catch_up
from denxanh.controller.measures.duties import duties
from denxanh.controller.measures.quarters import QUARTER_MS
from denxanh.controller.operator.message import Role

BEGIN_MS = 1_764_000_000_000 - 1_764_000_000_000 % QUARTER_MS
GREENS = 29


@pytest.fixture(scope="module")
def told(town: Any) -> Any:
    """29 minutes: phase 1 is green for 20 s of each and two vehicles arrive, one of them on green."""
    rows = [(BEGIN_MS, 911, 0)]
    for at in range(BEGIN_MS, BEGIN_MS + GREENS * 60_000, 60_000):
        rows += [(at + 10_000, 1, 1), (at + 30_000, 4, 1), (at + 30_000, 8, 1), (at + 33_000, 10, 1)]
        rows += [(at + 12_000, 82, 6), (at + 12_500, 81, 6), (at + 45_000, 82, 6), (at + 45_500, 81, 6)]
    rows.append((BEGIN_MS + GREENS * 60_000, 501, 60))
    with town.store.writing() as connection:
        connection.execute(
            insert(schema.signal_events),
            [
                {"intersection": "X1", "at_ms": at, "code": code, "parameter": parameter}
                for at, code, parameter in sorted(rows)
            ],
        )
    catch_up(town.store, [duties(town.street.corridor.intersections[0])], {})
    return town


def test_figures_of_the_last_hour(told: Any) -> None:
    found = told.get("intersections/X1/measures")
    assert found["known_s"] == GREENS * 60
    assert found["until"] == "2025-11-24T23:29:00.001000+07:00"
    main = found["phases"][0]
    assert (main["group"], main["greens"], main["gap_outs"], main["green_s"]) == (
        "main",
        GREENS,
        GREENS,
        20.0,
    )
    assert (main["arrivals"], main["share_on_green"]) == (2 * GREENS, 0.5)
    assert main["pedestrian_calls"] is None
    advance = next(one for one in found["detectors"] if one["channel"] == 6)
    assert (advance["actuations"], advance["suspicion"]) == (2 * GREENS, "none")
    assert found["losses"] == []


@pytest.mark.parametrize("name", ["coordination", "splits", "terminations"])
def test_pictures(told: Any, name: str) -> None:
    answer = told.ask("GET", f"intersections/X1/measures/{name}.svg?phase=1", Role.VIEWER)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    root = ElementTree.fromstring(answer.text)
    marks = {"coordination": "circle", "splits": "rect", "terminations": "circle"}[name]
    count = sum(one.tag.endswith(marks) for one in root.iter())
    # Of the last cycle nobody knows the end.
    assert count == {"coordination": 2 * (GREENS - 1), "splits": GREENS, "terminations": GREENS}[name]


def test_what_is_not_there(told: Any) -> None:
    assert told.ask("GET", "intersections/X2/measures").status_code == 404  # no events yet
    for wrong in ("coordination.svg?phase=5", "splits.svg?phase=99"):
        assert told.ask("GET", f"intersections/X1/measures/{wrong}").status_code == 404
    for wrong in ("terminations.svg?hours=25", "everything.svg", "splits.svg?phase=0"):
        assert told.ask("GET", f"intersections/X1/measures/{wrong}").status_code == 422


def test_stored_quarters(told: Any) -> None:
    rows = told.get("intersections/X1/measures/quarters")
    first = next(row for row in rows if row["phase"] == 1)
    assert (first["begin_ms"], first["cycles"], first["known_s"]) == (BEGIN_MS, 15, 900.0)
    assert (first["arrivals"], first["arrivals_on_green"]) == (30, 15)
    assert {row["begin_ms"] for row in rows} == {BEGIN_MS}
    none = told.get(
        "intersections/X1/measures/quarters", **{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    )
    assert none == []
