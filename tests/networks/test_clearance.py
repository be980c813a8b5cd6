"""All-red from geometry, against cases worked out by hand."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.clearance import (
    ENTRY_SPEED_MS,
    all_red_s,
    conflict_points,
    walking_clearance_s,
    with_fixed_intergreens,
)
from denxanh.networks.foreign import from_net
from denxanh.networks.links import Movement
from denxanh.networks.model import Conflict, GroupKind, Point, Turn
from denxanh.networks.sumonet import Net, NetLane

NetBuilder = Callable[..., Path]
EVERYONE: frozenset[str] = frozenset()
TWO_WHEELERS = frozenset({"bicycle", "motorcycle"})


def lane(
    name: str,
    shape: Sequence[Point],
    speed: float = 30.0,
    function: str = "",
    barred: frozenset[str] = EVERYONE,
) -> NetLane:
    length = sum(math.dist(a, b) for a, b in pairwise(shape))
    return NetLane(name, name, 0, length, speed, 4.0, tuple(shape), function, False, barred)


def net(*lanes: NetLane) -> Net:
    return Net(
        Path("made.net.xml"),
        False,
        {one.id: one for one in lanes},
        {},
        {},
        {},
        {},
        {},
        (),
        {},
        {},
        {},
        {},
        {},
    )


def movement(link: int, start: str, path: str, end: str, *, crossing: bool = False) -> Movement:
    return Movement(link, start, end, (path,), Turn.STRAIGHT, crossing, start, end, "J", link)


def crossroads(speed: float = 30.0, barred: frozenset[str] = EVERYONE) -> tuple[Net, Movement, Movement]:
    """West to east over 40 m, south to north over 20 m; they meet 30 m and 5 m behind their stop lines."""
    streets = net(
        lane("w", [(-100, 0), (0, 0)], barred=barred),
        lane("s", [(30, -100), (30, -5)], barred=barred),
        lane(":we", [(0, 0), (40, 0)], speed, "internal"),
        lane(":sn", [(30, -5), (30, 15)], speed, "internal"),
        lane("e", [(40, 0), (90, 0)]),
        lane("n", [(30, 15), (30, 90)]),
    )
    return streets, movement(0, "w", ":we", "e"), movement(1, "s", ":sn", "n")


def test_the_slowest_class_that_may_drive_there_decides() -> None:
    """Bicycle: 1 s into the yellow, 31.75 m at 5 m/s; bus: 39 m at 10 m/s; entry: 5 m at 11.1 m/s."""
    streets, we, sn = crossroads()
    entry = 5 / ENTRY_SPEED_MS
    assert all_red_s(streets, we, sn, 3) == math.ceil(1 + 31.75 / 5 - entry - 3)
    streets, we, sn = crossroads(barred=TWO_WHEELERS)
    assert all_red_s(streets, we, sn, 3) == math.ceil(39 / 10 - entry)
    streets, we, sn = crossroads(barred=frozenset({"bicycle", "motorcycle", "bus", "passenger"}))
    assert all_red_s(streets, we, sn, 3) == math.ceil(36 / 10 - entry)


def test_a_slow_turn_clears_slowly() -> None:
    streets, we, sn = crossroads(speed=4.0, barred=TWO_WHEELERS)
    assert all_red_s(streets, we, sn, 3) == math.ceil(39 / 4 - 5 / ENTRY_SPEED_MS)


def test_yellow_beyond_what_the_speed_limit_needs_already_clears() -> None:
    """At 50 km/h nobody passes later than 3 s into the yellow; above 70 km/h all of it is used."""
    entry = 5 / ENTRY_SPEED_MS
    streets, we, sn = crossroads(barred=TWO_WHEELERS)
    assert all_red_s(streets, we, sn, 5) == math.ceil(39 / 10 - entry)
    slow = {name: replace(one, speed_ms=13.89) for name, one in streets.lanes.items()}
    assert all_red_s(replace(streets, lanes=slow), we, sn, 3) == math.ceil(39 / 10 - entry)
    assert all_red_s(replace(streets, lanes=slow), we, sn, 5) == math.ceil(39 / 10 - entry - 2)


def test_never_under_one_second_where_the_other_arrives_late() -> None:
    streets, we, sn = crossroads(barred=TWO_WHEELERS)
    assert all_red_s(streets, sn, we, 3) == 1


def test_a_crossing_is_cleared_to_its_far_edge_and_entered_at_once() -> None:
    streets, we, _ = crossroads(barred=TWO_WHEELERS)
    walk = lane(":c", [(30, -10), (30, 10)], 2.0, "crossing")
    streets = replace(streets, lanes={**streets.lanes, ":c": walk})
    crossing = movement(2, ":w", ":c", ":c", crossing=True)
    assert all_red_s(streets, we, crossing, 3) == math.ceil((30 + 2 + 9) / 10)
    assert walking_clearance_s(streets, [":c"]) == math.ceil(20 / 1.2)
    assert walking_clearance_s(streets, [":c"], 1.0) == 20


def test_merging_paths_meet_at_their_ends() -> None:
    points = conflict_points([(0, 0), (10, 0), (20, 5)], [(20, -20), (20, 5)], merging=True)
    assert points[-1] == pytest.approx((10 + math.hypot(10, 5), 25))


def test_paths_that_do_not_touch_meet_where_they_are_closest() -> None:
    ((along, entered),) = conflict_points([(0, 0), (10, 2), (20, 0)], [(0, 5), (20, 5)], merging=False)
    assert (along, entered) == pytest.approx((math.hypot(10, 2), 10))


coordinates = st.tuples(st.integers(-50, 50), st.integers(-50, 50)).map(lambda p: (float(p[0]), float(p[1])))
paths = st.lists(coordinates, min_size=2, max_size=5)


@given(paths, paths, st.booleans())
def test_conflict_points_lie_on_both_paths(leave: list[Point], enter: list[Point], merging: bool) -> None:
    lengths = [sum(math.dist(a, b) for a, b in pairwise(path)) for path in (leave, enter)]
    points = conflict_points(leave, enter, merging=merging)
    assert points
    for along, entered in points:
        assert -1e-6 <= along <= lengths[0] + 1e-6
        assert -1e-6 <= entered <= lengths[1] + 1e-6


@given(st.integers(3, 6))
def test_a_longer_yellow_never_needs_more_all_red(yellow: int) -> None:
    streets, we, sn = crossroads()
    assert all_red_s(streets, we, sn, yellow + 1) <= all_red_s(streets, we, sn, yellow)


def test_fixed_intergreens_replace_every_one_and_no_other(netgenerate: NetBuilder) -> None:
    grid = ("--grid", "--grid.number", "2", "--grid.length", "80", "--grid.attach-length", "60", "-L", "2")
    corridor = from_net(netgenerate(*grid, "--sidewalks.guess", "--crossings.guess"))
    for before in corridor.intersections:
        after = with_fixed_intergreens(before, 4, 0)
        assert after.conflicts == before.conflicts
        for row, column in product(range(len(before.groups)), repeat=2):
            walker = before.groups[row].kind is GroupKind.PEDESTRIAN
            conflict = before.conflicts[row][column] is not Conflict.NONE
            assert after.intergreens[row][column] == (conflict and (1 if walker else 4))
        assert {group.yellow_s for group in after.groups if group.kind is GroupKind.VEHICLE} == {4}
