"""What the page draws: lane centre lines with widths, and street names where they belong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from denxanh.networks.links import internal_chain
from denxanh.networks.model import MapLane, Point
from denxanh.networks.sumonet import Net

DECIMALS = 2
"""Of a drawn coordinate: centimetres."""


def map_lanes(net: Net, tls: Iterable[str]) -> tuple[MapLane, ...]:
    """Every street lane, and inside the named signals' junctions the ways across (flagged internal).

    Sidewalks and walking areas are left out; crossings count as internal.
    """
    inside = _inside(net, set(tls))
    return tuple(
        MapLane(
            lane.id,
            tuple(_rounded(point) for point in lane.shape),
            lane.width_m,
            internal=bool(lane.function),
        )
        for lane in net.lanes.values()
        if len(lane.shape) >= 2 and (lane.id in inside if lane.function else not lane.walkers_only)
    )


def street_labels(net: Net) -> tuple[tuple[str, Point], ...]:
    """Each street name once, half-way along the longest edge that carries it."""
    best: dict[str, tuple[float, Point]] = {}
    for edge, name in net.street_names.items():
        shapes = [net.lanes[lane].shape for lane in net.edge_lanes.get(edge, ())]
        shape = max(shapes, key=_length, default=())
        length = _length(shape)
        if len(shape) >= 2 and (name not in best or length > best[name][0]):
            best[name] = (length, _rounded(_halfway(shape, length)))
    return tuple((name, point) for name, (_, point) in sorted(best.items()))


def centre(points: Iterable[Point]) -> Point:
    """The mean of some points, or the origin of none."""
    known = list(points)
    if not known:
        return (0.0, 0.0)
    return _rounded(
        (sum(point[0] for point in known) / len(known), sum(point[1] for point in known) / len(known))
    )


def _inside(net: Net, tls: set[str]) -> set[str]:
    found: set[str] = set()
    for signal in tls:
        for connection in net.controlled.get(signal, ()):
            found.update(internal_chain(net, connection))
            found |= {end for end in (connection.from_lane, connection.to_lane) if _is_crossing(net, end)}
    return found


def _is_crossing(net: Net, lane: str) -> bool:
    return net.lanes[lane].function == "crossing"


def _rounded(point: Point) -> Point:
    return (round(point[0], DECIMALS), round(point[1], DECIMALS))


def _length(shape: Iterable[Point]) -> float:
    return sum(math.dist(start, end) for start, end in pairwise(shape))


def _halfway(shape: tuple[Point, ...], length: float) -> Point:
    left = length / 2
    for start, end in pairwise(shape):
        span = math.dist(start, end)
        if span >= left and span > 0:
            part = left / span
            return (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
        left -= span
    return shape[-1]
