"""Offsets between the plans of neighbouring signals.

For each pair of neighbouring signals the relative offset with the greatest overlap of "green upstream,
shifted by the travel time" and "green downstream", both directions weighted by their flows; along a
maximum spanning tree of those weights (on a line: every pair). Travel time is distance over the
progression speed of `demand.toml`. This is simple travel-time coordination, not a bandwidth optimum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from denxanh.networks.flows import Volumes
from denxanh.networks.model import Intersection, Plan
from denxanh.networks.sumonet import Net
from denxanh.networks.timing import interstage_s

CLEAR_QUEUE_S = 4
"""Green downstream should start this much before the platoon comes, so that standing vehicles are away."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A street from one signal's junction to the next one's approach."""

    start: str
    end: str
    first_edge: str
    approach: str
    length_m: float


def _links(intersections: Sequence[Intersection], net: Net) -> tuple[_Link, ...]:
    at = {one.tls: one.id for one in intersections}
    found: dict[tuple[str, str, str], _Link] = {}
    for one in intersections:
        for first in sorted({net.lanes[to].edge for lane in one.lanes for to in lane.downstream}):
            edge, length = first, 0.0
            while True:
                length += net.lanes[net.edge_lanes[edge][0]].length_m
                end = net.edge_ends[edge][1]
                if end in at:
                    found[one.id, at[end], edge] = _Link(one.id, at[end], first, edge, length)
                    break
                onward = {
                    net.lanes[way.to_lane].edge
                    for lane in net.edge_lanes[edge]
                    for way in net.out_of.get(lane, ())
                    if not net.lanes[way.to_lane].function
                }
                if len(onward) != 1:
                    break
                edge = onward.pop()
    return tuple(found.values())


def offsets(
    intersections: Sequence[Intersection],
    plans: Mapping[str, Plan],
    net: Net,
    volumes: Volumes,
    speed_ms: float,
    cycle_s: int,
) -> dict[str, int]:
    """Offsets along a maximum spanning tree of the streets between signals; the first signal has offset 0."""
    by_id = {one.id: one for one in intersections}
    gains: dict[tuple[str, str], list[float]] = {}
    for link in _links(intersections, net):
        start, end = by_id[link.start], by_id[link.end]
        feeders = {
            edge: flow for (edge, target), flow in volumes.items() if target == link.first_edge and flow > 0
        }
        if not feeders or link.start == link.end:
            continue
        main = max(feeders, key=lambda edge: (feeders[edge], edge))
        leaving = _green(start, plans[start.id], net, main, link.first_edge, cycle_s)
        straight = [flow for (edge, _), flow in volumes.items() if edge == link.approach]
        target = _main_exit(link.approach, volumes)
        arriving = _green(end, plans[end.id], net, link.approach, target, cycle_s)
        weight = min(feeders[main], max(straight, default=0.0))
        shift = round(link.length_m / speed_ms)
        key, sign = ((start.id, end.id), 1) if start.id < end.id else ((end.id, start.id), -1)
        row = gains.setdefault(key, [0.0] * cycle_s)
        for relative in range(cycle_s):
            # The end's clock runs `relative` seconds behind the start's.
            overlap = sum(
                leaving[second] and arriving[(second + shift - sign * relative) % cycle_s]
                for second in range(cycle_s)
            )
            early = sum(
                leaving[second] and arriving[(second + shift - CLEAR_QUEUE_S - sign * relative) % cycle_s]
                for second in range(cycle_s)
            )
            row[relative] += weight * (overlap + 0.1 * early)
    offsets = {intersections[0].id: 0}
    while len(offsets) < len(intersections):
        edges = [
            (max(row), pair, row)
            for pair, row in sorted(gains.items())
            if (pair[0] in offsets) != (pair[1] in offsets)
        ]
        if not edges:
            offsets[next(one.id for one in intersections if one.id not in offsets)] = 0
            continue
        _, (first, second), row = max(edges, key=lambda edge: edge[0])
        relative = max(range(cycle_s), key=lambda value: (row[value], -value))
        if first in offsets:
            offsets[second] = (offsets[first] + relative) % cycle_s
        else:
            offsets[first] = (offsets[second] - relative) % cycle_s
    return offsets


def _main_exit(approach: str, volumes: Volumes) -> str:
    ways = {target: flow for (edge, target), flow in volumes.items() if edge == approach}
    return max(ways, key=lambda way: (ways[way], way), default="")


def _green(
    intersection: Intersection, plan: Plan, net: Net, edge: str, target: str, cycle_s: int
) -> list[bool]:
    """Whether the movement from `edge` to `target` is green, by second since the plan's first green."""
    groups = {
        part.group
        for lane in intersection.lanes
        if lane.approach == edge and target in {net.lanes[to].edge for to in lane.downstream}
        for part in lane.groups
    }
    main = min(groups, default=0)
    lit = [False] * cycle_s
    clock = 0
    for place, split in enumerate(plan.splits):
        after = plan.splits[(place + 1) % len(plan.splits)].stage
        stage = intersection.stages[split.stage]
        dark = interstage_s(intersection, split.stage, after)
        stays = intersection.stages[after].serves(main)
        if stage.serves(main):
            for second in range(split.split_s if stays else split.split_s - dark):
                lit[(clock + second) % cycle_s] = True
        clock += split.split_s
    return lit
