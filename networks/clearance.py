"""All-red and intergreen times from the street's geometry.

For two conflicting movements the last vehicle of the first must have left the conflict point before the
first vehicle of the second reaches it:

    all-red >= (clearance distance + length) / clearance speed - entry distance / entry speed

with the largest value over vehicle classes and conflict points, at least `MIN_ALL_RED_S`. The formula lets
the last vehicle pass its stop line at the very end of yellow. Where the yellow is longer than a class needs
to stop, the rest of it already clears: motor vehicles need the usual yellow of their speed limit
(`NEEDED_YELLOW_S`), a bicycle only a few metres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from denxanh.networks.links import Movement, shape_of
from denxanh.networks.model import Conflict, GroupKind, Intersection, Point
from denxanh.networks.sumonet import Net


@dataclass(frozen=True, slots=True)
class ClearingClass:
    """A kind of vehicle leaving the junction; `name` is SUMO's.

    `overrun_s` is how long after the start of yellow its last one still passes the stop line; None: the
    yellow that its speed limit needs.
    """

    name: str
    length_m: float
    speed_ms: float
    overrun_s: float | None = None


CLEARING_CLASSES = (
    ClearingClass("passenger", 6.0, 10.0),
    ClearingClass("bus", 9.0, 10.0),
    ClearingClass("motorcycle", 1.9, 8.3),
    ClearingClass("bicycle", 1.75, 5.0, overrun_s=1.0),
)
"""Car: length and clearing speed of German signal practice (RiLSA). Bus and two-wheeler lengths: the types of
this project. Clearing speeds of motorbike (30 km/h) and bicycle (18 km/h), bicycle overrun 1 s:
assumed, to be confirmed on site."""
ENTRY_SPEED_MS = 11.1
"""First vehicle of the next stage: 40 km/h with a flying start (RiLSA), the earliest arrival."""
NEEDED_YELLOW_S = ((50 / 3.6, 3), (60 / 3.6, 4), (70 / 3.6, 5))
"""Yellow by speed limit (m/s, s) of German practice (RiLSA): whoever comes later could have stopped."""
MIN_ALL_RED_S = 1
"""Shortest all-red, whatever the geometry gives (assumed)."""
MIN_PEDESTRIAN_INTERGREEN_S = 1
"""From the end of pedestrian clearance to the start of a conflicting green."""
WALKING_SPEED_MS = 1.2
"""Walking speed that pedestrian clearance is laid out for."""
NEAR_MISS_M = 0.5
"""Centre lines that come this close count as crossing there."""


def all_red_s(net: Net, clearing: Movement, entering: Movement, yellow_s: int) -> int:
    """All-red from the end of `clearing`'s yellow to the start of `entering`, whole seconds, rounded up."""
    leave, enter = shape_of(net, clearing), shape_of(net, entering)
    margin = net.lanes[entering.path[0]].width_m / 2 if entering.crossing else 0.0
    limit = min((net.lanes[lane].speed_ms for lane in clearing.path), default=math.inf)
    barred = net.lanes[clearing.from_lane].barred
    kinds = [kind for kind in CLEARING_CLASSES if kind.name not in barred] or CLEARING_CLASSES[:1]
    approach = net.lanes[clearing.from_lane].speed_ms
    needed_yellow = next((enough for limit, enough in NEEDED_YELLOW_S if approach <= limit + 0.1), yellow_s)
    needed = float(MIN_ALL_RED_S)
    for clear_m, entry_m in conflict_points(leave, enter, merging=clearing.to_lane == entering.to_lane):
        entry_s = 0.0 if entering.crossing else entry_m / ENTRY_SPEED_MS
        for kind in kinds:
            speed = max(min(kind.speed_ms, limit), 1.0)
            overrun = min(needed_yellow if kind.overrun_s is None else kind.overrun_s, yellow_s)
            clear_s = (clear_m + margin + kind.length_m) / speed
            needed = max(needed, overrun + clear_s - entry_s - yellow_s)
    return math.ceil(needed - 1e-9)


def walking_clearance_s(net: Net, crossings: Iterable[str], speed_ms: float = WALKING_SPEED_MS) -> int:
    """Seconds to walk the longest of these crossing lanes, rounded up, at least 1."""
    longest = max((net.lanes[lane].length_m for lane in crossings), default=0.0)
    return max(1, math.ceil(longest / speed_ms - 1e-9))


def conflict_points(
    leave: Sequence[Point], enter: Sequence[Point], *, merging: bool
) -> list[tuple[float, float]]:
    """Distances along both paths to every point where they meet, metres; never empty.

    Paths that only come near each other (foes through the vehicles' width) meet where they are closest;
    merging paths meet at their ends too.
    """
    points: list[tuple[float, float]] = []
    along = 0.0
    for start, end in pairwise(leave):
        span = math.dist(start, end)
        entered = 0.0
        for other_start, other_end in pairwise(enter):
            other_span = math.dist(other_start, other_end)
            where = _crossing(start, end, other_start, other_end)
            if where is not None:
                points.append((along + where[0] * span, entered + where[1] * other_span))
            entered += other_span
        along += span
    if merging:
        points.append((_length(leave), _length(enter)))
    return points or [_closest(leave, enter)]


def with_fixed_intergreens(intersection: Intersection, yellow_s: int, all_red_s: int) -> Intersection:
    """The same intersection with one yellow and one all-red everywhere, for benchmarks only.

    After a pedestrian clearance the all-red alone passes, at least `MIN_PEDESTRIAN_INTERGREEN_S`.

    Args:
        intersection: as derived.
        yellow_s: 1 or more; the guard itself asks for 3.
        all_red_s: 0 or more.
    """
    after_walk = max(all_red_s, MIN_PEDESTRIAN_INTERGREEN_S)
    groups = tuple(
        replace(group, yellow_s=yellow_s) if group.kind is GroupKind.VEHICLE else group
        for group in intersection.groups
    )
    intergreens = tuple(
        tuple(
            0
            if conflict is Conflict.NONE
            else (yellow_s + all_red_s if groups[row].kind is GroupKind.VEHICLE else after_walk)
            for conflict in conflicts
        )
        for row, conflicts in enumerate(intersection.conflicts)
    )
    return replace(intersection, groups=groups, intergreens=intergreens)


def _length(path: Sequence[Point]) -> float:
    return sum(math.dist(start, end) for start, end in pairwise(path))


def _crossing(a: Point, b: Point, c: Point, d: Point) -> tuple[float, float] | None:
    """Where segment ab meets segment cd, as fractions of each; None where they are parallel or apart."""
    along, across = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1])
    turn = along[0] * across[1] - along[1] * across[0]
    if abs(turn) < 1e-12:
        return None
    offset = (c[0] - a[0], c[1] - a[1])
    first = (offset[0] * across[1] - offset[1] * across[0]) / turn
    second = (offset[0] * along[1] - offset[1] * along[0]) / turn
    return (first, second) if 0 <= first <= 1 and 0 <= second <= 1 else None


def _closest(leave: Sequence[Point], enter: Sequence[Point]) -> tuple[float, float]:
    """Where two paths that do not cross come closest, measured at their corners."""
    best = (math.inf, 0.0, 0.0)
    along = 0.0
    previous = leave[0]
    for point in leave:
        along += math.dist(previous, point)
        previous = point
        entered = 0.0
        for start, end in pairwise(enter):
            span = math.dist(start, end)
            part = 0.0 if span == 0 else _projection(point, start, end, span)
            foot = (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
            gap = math.dist(point, foot)
            # Of equally close places the farthest along the leaving path is the cautious one.
            if gap < best[0] - NEAR_MISS_M or (gap < best[0] + NEAR_MISS_M and along > best[1]):
                best = (min(gap, best[0]), along, entered + part * span)
            entered += span
    return best[1], best[2]


def _projection(point: Point, start: Point, end: Point, span: float) -> float:
    dot = (point[0] - start[0]) * (end[0] - start[0]) + (point[1] - start[1]) * (end[1] - start[1])
    return min(1.0, max(0.0, dot / (span * span)))
