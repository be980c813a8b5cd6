"""What a comparison reads: the same from rows as from sums of hours, and the same as second by second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from denxanh.controller.centre.desk import compared_rows
from denxanh.controller.centre.desk.comparison import CONTROL, Control, Minute
from denxanh.controller.centre.indicators.hours import gather
from denxanh.controller.centre.indicators.settings import Indicators
from denxanh.controller.centre.store import queries, schema
from denxanh.controller.centre.store.archive import open_store
from denxanh.controller.localtime import HOUR_MS
from denxanh.controller.mode import Mode
from denxanh.networks.model import Corridor

BEGIN = int(datetime(2026, 11, 22, 17, tzinfo=UTC).timestamp() * 1000)
"""Midnight in Việt Nam."""
HOURS = 30
STEP_MS = 60_000
NUMBERS = count()
STRETCHES = st.lists(
    st.tuples(
        st.sampled_from([*Mode, None]),
        st.one_of(st.integers(1, 200), st.sampled_from([60, 120, 240, 1440])),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=25,
)
"""What follows each other: a mode (None: nothing is known), minutes, and into how many rows it is cut."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, empty_database: Callable[[str], str]) -> Any:
    made = open_store(empty_database(request.param))
    yield made
    made.close()


def rows(name: str, stretches: Any, early: int) -> tuple[list[dict[str, Any]], list[Mode | None]]:
    """Rows of spans, the first beginning `early` minutes too soon; what each minute from `BEGIN` on is."""
    made: list[dict[str, Any]] = []
    told: list[Mode | None] = []
    at = BEGIN - early * STEP_MS
    for mode, minutes, pieces in stretches:
        told += [mode] * minutes
        end = at + minutes * STEP_MS
        while mode is not None and at < end:
            until = min(end, at + max(1, minutes // pieces) * STEP_MS)
            made.append(
                {
                    "intersection": name, "began_ms": at, "ended_ms": until, "aspects": "G", "stage": 0,
                    "in_interstage": False, "mode": mode.value,
                }
            )  # fmt: skip
            at = until
        at = end
    return made, told[early:]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    stretches=[(Mode.ADAPTIVE, 30, 3), (None, 30, 1), (Mode.ADAPTIVE, 30, 3)], early=0, lasts=False, odd_ms=0
)
@example(
    stretches=[(Mode.PLAN, 90, 3), (Mode.LOCAL, 90, 3), (Mode.FLASH, 1, 1), (Mode.ADAPTIVE, 118, 9)],
    early=0,
    lasts=False,
    odd_ms=0,
)
@given(stretches=STRETCHES, early=st.integers(0, 90), lasts=st.booleans(), odd_ms=st.integers(0, HOUR_MS))
def test_sums_of_hours_and_rows_tell_the_same_controls(
    store: Any, corridor: Corridor, stretches: Any, early: int, lasts: bool, odd_ms: int
) -> None:
    name = f"X{next(NUMBERS)}"
    made, told = rows(name, stretches, early)
    if lasts and made and stretches[-1][0] is not None:
        made[-1]["ended_ms"] = None
        told += [stretches[-1][0]] * (HOURS * 60)
    if made:
        with store.writing() as connection:
            connection.execute(insert(schema.spans), made)
    end = BEGIN + HOURS * HOUR_MS - odd_ms
    of_rows = _controls(store, name, end)
    assert of_rows == _told(told, end)
    place = replace(corridor.intersections[0], id=name)
    gather(store, replace(corridor, intersections=(place,)), Indicators())
    assert _controls(store, name, end) == of_rows


def _controls(store: Any, name: str, end: int) -> list[Control | None]:
    """What is in charge in each whole minute; spans neither overlap nor come out of order."""
    found = compared_rows.spans(store, name, BEGIN, end)
    assert all(one.began_ms < one.ended_ms <= end for one in found)
    assert all(a.ended_ms <= b.began_ms for a, b in pairwise(found))
    controls: list[Control | None] = [None] * ((end - BEGIN) // STEP_MS)
    for one in found:
        for minute in range(
            -(-(one.began_ms - BEGIN) // STEP_MS), min((one.ended_ms - BEGIN) // STEP_MS, len(controls))
        ):
            controls[minute] = CONTROL[one.mode]
    return controls


def _told(told: list[Mode | None], end: int) -> list[Control | None]:
    length = (end - BEGIN) // STEP_MS
    return [None if mode is None else CONTROL[mode] for mode in (told + [None] * length)[:length]]


def test_an_hour_of_one_kind_is_not_read_from_its_rows(
    store: Any, corridor: Corridor, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = corridor.intersections[0].id
    made, _ = rows(name, [(Mode.ADAPTIVE, 90, 40), (Mode.PLAN, 90, 40)], 0)
    with store.writing() as connection:
        connection.execute(insert(schema.spans), made)
    gather(store, corridor, Indicators())
    asked: list[tuple[int, int]] = []
    known = queries.modes

    def modes(of: Any, place: str, from_ms: int, to_ms: int) -> Any:
        asked.append((from_ms, to_ms))
        return known(of, place, from_ms, to_ms)

    monkeypatch.setattr(queries, "modes", modes)
    found = compared_rows.spans(store, name, BEGIN, BEGIN + 3 * HOUR_MS)
    assert [(one.mode, one.ended_ms - one.began_ms) for one in found] == [
        (Mode.ADAPTIVE, HOUR_MS),
        (Mode.ADAPTIVE, HOUR_MS // 2),
        (Mode.PLAN, HOUR_MS // 2),
        (Mode.PLAN, HOUR_MS),
    ]
    assert asked == [(BEGIN + HOUR_MS, BEGIN + 2 * HOUR_MS)]


def test_each_approach_has_the_sum_of_its_lanes_and_the_minute_the_least_confidence(
    store: Any, corridor: Corridor
) -> None:
    place = corridor.intersections[0]
    approaches = list(dict.fromkeys(lane.approach for lane in place.lanes))
    silent = approaches[-1]
    made = [
        {
            "intersection": place.id, "minute_ms": BEGIN + minute * STEP_MS, "lane": index, "seconds": 60,
            "queued_mean": float(index + minute), "queued_max": 9.0, "moving_mean": 0.0,
            "confidence_min": 0.9 - index / 100,
        }
        for minute in range(3)
        for index, lane in enumerate(place.lanes)
        if lane.approach != silent or minute
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(schema.minutes), made)
    found = list(compared_rows.minutes(store, place, BEGIN + STEP_MS // 2, BEGIN + 2 * STEP_MS))
    assert found == [_minute(corridor, approaches, 1)]
    assert set(next(compared_rows.minutes(store, place, BEGIN, BEGIN + 1)).queued_pcu) == {*approaches[:-1]}


def _minute(corridor: Corridor, approaches: list[str], minute: int) -> Minute:
    lanes = corridor.intersections[0].lanes
    sums = {
        approach: float(sum(index + minute for index, lane in enumerate(lanes) if lane.approach == approach))
        for approach in approaches
    }
    return Minute(BEGIN + minute * STEP_MS, sums, 0.9 - (len(lanes) - 1) / 100)
