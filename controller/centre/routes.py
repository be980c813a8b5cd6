"""Streets along which intersections follow each other, for the time–space diagram; pure.

A route goes straight on at each intersection, from one signal to the next. Distances are measured between
the intersections' middles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from denxanh.networks.model import Corridor, Intersection, MapLane, Plan, Point, Turn
from denxanh.networks.timing import interstage_s

JOIN_M = 45.0
"""A lane goes on in one that begins this near to its end, across a small junction without signals, metres."""
STRAIGHT = math.radians(60)
"""Largest bend at which traffic still counts as going straight on."""
MAX_PIECES = 12
"""Lanes between two signals after which the search ends."""

_At = tuple[int, str]
"""(Position of the intersection in the corridor, approach)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """An intersection on a route: the groups that let its traffic go, and the lanes where it arrives."""

    intersection: str
    at_m: float
    groups: tuple[int, ...]
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One street: outbound, and inbound as far as it runs both ways. Stops are in outbound order in both."""

    out: tuple[Stop, ...]
    back: tuple[Stop, ...]


def routes(corridor: Corridor) -> list[Route]:
    """Every street with at least two signals, longest first."""
    following = dict(_following(corridor))
    chains = sorted(_chains(following), key=len, reverse=True)
    found: list[Route] = []
    taken: set[tuple[int, ...]] = set()
    for chain in chains:
        places = tuple(place for place, _ in chain)
        if places in taken:
            continue
        other = next((one for one in chains if _runs_back(one, places)), ())
        taken |= {places, tuple(place for place, _ in other)}
        metres = dict(zip(places, _distances(corridor, places), strict=True))
        out, back = (tuple(_stop(corridor, at, metres[at[0]]) for at in one) for one in (chain, other[::-1]))
        found.append(Route(out, back))
    return found


def _runs_back(chain: tuple[_At, ...], places: tuple[int, ...]) -> bool:
    """Whether the chain is the same street against the traffic, or a part of it."""
    against = tuple(place for place, _ in reversed(chain))
    return any(
        against == places[first : first + len(against)] for first in range(len(places) - len(against) + 1)
    )


def plan_greens(intersection: Intersection, plan: Plan) -> list[list[tuple[int, int]]]:
    """For each group, when it is green in the plan: (from, until), cycle seconds."""
    starts = [0]
    for split in plan.splits:
        starts.append(starts[-1] + split.split_s)
    greens: list[list[tuple[int, int]]] = [[] for _ in intersection.groups]
    for position, split in enumerate(plan.splits):
        following = plan.splits[(position + 1) % len(plan.splits)].stage
        between = interstage_s(intersection, split.stage, following)
        for group in range(len(intersection.groups)):
            if not intersection.stages[split.stage].serves(group):
                continue
            stays = intersection.stages[following].serves(group)
            greens[group].append((starts[position], starts[position + 1] - (0 if stays else between)))
    return greens


def told(route: Route) -> dict[str, Any]:
    """As the page reads it."""
    return {
        side: [
            {"id": stop.intersection, "at": stop.at_m, "groups": stop.groups, "lanes": stop.lanes}
            for stop in stops
        ]
        for side, stops in (("out", route.out), ("back", route.back))
    }


def _following(corridor: Corridor) -> Iterator[tuple[_At, _At]]:
    """Where traffic that goes straight on at an intersection comes next."""
    shapes = {lane.id: lane for lane in corridor.lanes if not lane.internal and len(lane.shape) > 1}
    arriving: dict[str, _At] = {
        lane.id: (place, lane.approach)
        for place, intersection in enumerate(corridor.intersections)
        for lane in intersection.lanes
    }
    for place, intersection in enumerate(corridor.intersections):
        done: set[str] = set()
        for lane in intersection.lanes:
            shape = shapes.get(lane.id) if lane.approach not in done else None
            if shape is None or not any(Turn.STRAIGHT in part.turns for part in lane.groups):
                continue
            ways = [shapes[name] for name in lane.downstream if name in shapes]
            ahead = min(ways, key=lambda way: _bend(shape, way), default=None)
            if ahead is None or _bend(shape, ahead) > STRAIGHT:
                continue
            found = _arrival(ahead, shapes, arriving)
            if found is not None and found[0] != place:
                done.add(lane.approach)
                yield (place, lane.approach), found


def _arrival(lane: MapLane, shapes: Mapping[str, MapLane], arriving: Mapping[str, _At]) -> _At | None:
    """The signal that the lane leads to, across junctions without signals."""
    seen: set[str] = set()
    for _ in range(MAX_PIECES):
        if lane.id in arriving:
            return arriving[lane.id]
        seen.add(lane.id)
        near = [
            other
            for other in shapes.values()
            if other.id not in seen
            and math.dist(other.shape[0], lane.shape[-1]) < JOIN_M
            and _bend(lane, other) < STRAIGHT
        ]
        if not near:
            return None
        end = lane
        lane = min(near, key=lambda other: (_bend(end, other), math.dist(other.shape[0], end.shape[-1])))
    return None


def _chains(following: Mapping[_At, _At]) -> Iterator[tuple[_At, ...]]:
    reached = set(following.values())
    for first in following:
        if first in reached:
            continue
        chain = [first]
        while chain[-1] in following and following[chain[-1]][0] not in {place for place, _ in chain}:
            chain.append(following[chain[-1]])
        yield tuple(chain)


def _stop(corridor: Corridor, at: _At, metres: float) -> Stop:
    place, approach = at
    intersection = corridor.intersections[place]
    lanes = tuple(index for index, lane in enumerate(intersection.lanes) if lane.approach == approach)
    groups = {
        part.group
        for index in lanes
        for part in intersection.lanes[index].groups
        if Turn.STRAIGHT in part.turns
    }
    if not groups:  # the route's end, where the street goes on only sideways
        groups = {part.group for index in lanes for part in intersection.lanes[index].groups}
    return Stop(intersection.id, round(metres, 1), tuple(sorted(groups)), lanes)


def _distances(corridor: Corridor, places: tuple[int, ...]) -> list[float]:
    metres = [0.0]
    for one, two in pairwise(places):
        here, there = corridor.intersections[one].position, corridor.intersections[two].position
        metres.append(metres[-1] + math.dist(here, there))
    return metres


def _bend(lane: MapLane, other: MapLane) -> float:
    """Angle between the end of one lane and the start of another, radians in [0, π]."""
    one, two = _direction(lane.shape[-2], lane.shape[-1]), _direction(other.shape[0], other.shape[1])
    return abs(math.remainder(one - two, math.tau))


def _direction(start: Point, end: Point) -> float:
    return math.atan2(end[1] - start[1], end[0] - start[0])
