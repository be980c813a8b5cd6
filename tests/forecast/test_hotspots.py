from __future__ import annotations

import numpy as np
import pytest

from denxanh.controller.forecast.congestion import Level, filling, level
from denxanh.controller.forecast.hotspots import by_approach, by_intersection
from denxanh.controller.forecast.panel import Approach, Panel

from .conftest import MONDAY

PLACES = (
    Approach("A", "north", (0,), 20.0),
    Approach("A", "south", (1,), 20.0),
    Approach("B", "north", (0,), 20.0),
)


def made(*queues: float, minutes: int = 60) -> Panel:
    return Panel(PLACES, MONDAY, np.tile(np.array(queues, dtype=float), (minutes, 1)))


def test_the_most_waiting_comes_first():
    found = by_approach(made(3.0, 12.0, 6.0))
    assert [(one.rank, one.intersection, one.approach) for one in found] == [
        (1, "A", "south"),
        (2, "B", "north"),
        (3, "A", "north"),
    ]
    assert found[0].queue_pcu_h == pytest.approx(12.0)
    assert (found[0].congested_min, found[1].congested_min) == (57, 0)
    assert found[0].worst_pcu == 12.0


def test_an_intersection_is_the_sum_of_its_approaches():
    first, second = by_intersection(made(3.0, 12.0, 16.0))
    assert (first.intersection, first.queue_pcu_h) == ("B", pytest.approx(16.0))
    assert (second.intersection, second.queue_pcu_h) == ("A", pytest.approx(15.0))
    assert second.congested_min == 57


def test_what_is_hardly_known_is_told_and_not_ranked():
    panel = made(3.0, 12.0, 6.0)
    panel.queue[10:, 1] = np.nan
    found = by_approach(panel)
    assert [(one.approach, one.rank) for one in found] == [("north", 1), ("north", 2), ("south", None)]
    assert found[-1].coverage == pytest.approx(1 / 6)
    assert found[-1].queue_pcu_h == pytest.approx(2.0)  # not extrapolated


def test_a_gap_makes_no_place_better():
    panel = made(3.0, 12.0, 6.0)
    panel.queue[:25, 1] = np.nan
    assert by_approach(panel)[0].approach == "south"


@pytest.mark.parametrize("minutes", [0, 60])
def test_nothing_known_is_no_rank(minutes):
    panel = made(np.nan, np.nan, np.nan, minutes=minutes)
    assert {one.rank for one in (*by_approach(panel), *by_intersection(panel))} == {None}


def test_levels_begin_where_they_are_published():
    assert [level(filling(queue, 20.0)) for queue in (0.0, 4.99, 5.0, 9.99, 10.0, 400.0)] == [
        Level.FREE,
        Level.FREE,
        Level.DENSE,
        Level.DENSE,
        Level.CONGESTED,
        Level.CONGESTED,
    ]
    assert level(filling(float("nan"), 20.0)) is Level.UNKNOWN
    assert level(float("inf")) is Level.UNKNOWN
    with pytest.raises(ValueError, match="above 0"):
        filling(1.0, 0.0)
