from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from denxanh.controller.forecast.panel import MINUTE_MS
from denxanh.controller.forecast.warning import (
    History,
    Kind,
    LanePlace,
    Limits,
    usual_discharge,
    warnings,
)

LANES = (LanePlace("A", "north", 0, 20.0), LanePlace("A", "north", 1, 20.0), LanePlace("A", "east", 2, 20.0))
LIMITS = Limits()
USUAL = np.array([0.5, 0.5, 0.5])


def quiet(minutes: int = 60) -> History:
    """Every lane has half the green and lets go what is usual; a car stands at the end of each red."""
    shape = (minutes, len(LANES))
    return History(
        LANES,
        0,
        queued=np.full(shape, 4.0),
        departed=np.full(shape, 15.0),
        green_s=np.full(shape, 30.0),
        present=np.full(shape, 0.5),
    )


def stopped(history: History, lane: int, first: int, last: int, present: float = 0.1) -> History:
    for name, value in (("departed", 1.0), ("present", present)):
        values = getattr(history, name).copy()
        values[first:last, lane] = value
        history = replace(history, **{name: values})
    return history


def test_free_exit_is_an_incident_and_full_exit_is_spillback():
    for present, kind in ((0.1, Kind.INCIDENT), (1.0, Kind.SPILLBACK)):
        (found,) = warnings(stopped(quiet(), 0, 20, 30, present), USUAL, LIMITS)
        assert (found.kind, found.intersection, found.approach, found.lanes) == (kind, "A", "north", (0,))
        latest = 20 + LIMITS.window_min - 1 + LIMITS.raise_min
        assert (20 + LIMITS.raise_min) * MINUTE_MS <= found.raised_ms <= latest * MINUTE_MS
        assert found.until_ms is not None
        assert found.until_ms > 30 * MINUTE_MS


def test_one_full_exit_makes_the_approach_spill_back():
    both = stopped(stopped(quiet(), 0, 20, 30, 1.0), 1, 20, 30, 0.1)
    (found,) = warnings(both, USUAL, LIMITS)
    assert (found.kind, found.lanes) == (Kind.SPILLBACK, (0, 1))


def test_unseen_exit_leaves_the_cause_open():
    (found,) = warnings(stopped(quiet(), 2, 20, 30, np.nan), USUAL, LIMITS)
    assert found.kind is Kind.BLOCKED


def test_quiet_street_is_not_warned_of():
    assert warnings(quiet(), USUAL, LIMITS) == ()


def test_without_a_queue_or_without_green_nothing_is_wrong():
    history = stopped(quiet(), 0, 20, 30)
    assert warnings(replace(history, queued=np.zeros((60, 3))), USUAL, LIMITS) == ()
    assert warnings(replace(history, green_s=np.zeros((60, 3))), USUAL, LIMITS) == ()


def test_what_lasts_has_no_end():
    (found,) = warnings(stopped(quiet(), 0, 50, 60), USUAL, LIMITS)
    assert found.until_ms is None


def test_one_minute_more_or_less_does_not_flap():
    history = stopped(stopped(quiet(), 0, 10, 30), 0, 32, 50)
    assert len(warnings(history, USUAL, LIMITS)) == 1


def test_unknown_minutes_raise_nothing():
    history = stopped(quiet(), 0, 20, 40)
    for name in ("queued", "departed", "green_s"):
        values = getattr(history, name).copy()
        values[:] = np.nan
        assert warnings(replace(history, **{name: values}), USUAL, LIMITS) == ()
    assert warnings(history, np.full(3, np.nan), LIMITS) == ()


@pytest.mark.parametrize("minutes", [0, 1, 3])
def test_short_stretches_are_no_trouble(minutes):
    assert warnings(quiet(minutes), USUAL, LIMITS) == ()


def test_usual_discharge_is_that_of_queues_on_green():
    history = quiet()
    history.departed[:, 1] = 6.0
    history.departed[::7, 1] = 30.0
    history.queued[:, 2] = 0.0
    assert usual_discharge(history) == pytest.approx([0.5, 0.2, 0.35])
    assert np.isnan(usual_discharge(quiet(5))).all()


numbers = st.floats(0, 1e6) | st.just(float("nan"))
table = arrays(np.float64, (25, 3), elements=numbers)


@given(table, table, table, table)
@settings(max_examples=60, deadline=None)
def test_any_history_gives_ordered_warnings_and_a_prefix_never_more(queued, departed, green, present):
    history = History(LANES, 0, queued, departed, green, present)
    found = warnings(history, USUAL, LIMITS)
    for one in found:
        assert one.since_ms < one.raised_ms
        assert one.until_ms is None or one.until_ms > one.raised_ms
    # What is told of a minute does not change by what comes later.
    part = History(LANES, 0, queued[:15], departed[:15], green[:15], present[:15])
    raised = {(one.kind, one.approach, one.raised_ms) for one in warnings(part, USUAL, LIMITS)}
    whole = {(o.kind, o.approach, o.raised_ms) for o in found if o.raised_ms <= 15 * MINUTE_MS}
    assert raised == whole
