"""Who goes where and when: origins and destinations at the net's fringe, in time slices, scaled to a load."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from denxanh.errors import NetworkError
from denxanh.networks import flows
from denxanh.networks.model import Corridor, Intersection
from denxanh.networks.sumonet import Net
from denxanh.sim.generator.fleet import Fleet
from denxanh.sim.generator.loads import load, webster_plan
from denxanh.sim.generator.recipe import Recipe

BALANCE = (0.5, 1.0)
"""How strongly the intersections of a net are made equally full; 1 is fully (drawn per scenario)."""
BALANCE_ROUNDS = 5
BALANCE_LEVEL = 0.7
MOST_PAIRS = 80
"""Most pairs of origin and destination."""
ENTRY_LIMIT_H = 1700.0
"""Most passenger-car units per hour and lane that want to enter at an edge of the fringe."""
STRAIGHT_ON = 2.5
"""How much more traffic goes straight on at a separate intersection."""
CURB_POSITION_M = 12.0
WALKERS_H = (20.0, 200.0)
"""Pedestrians per hour over one crossing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A way from fringe to fringe, its weight, and its bearing (where its traffic comes from), radians."""

    route: tuple[str, ...]
    weight: float
    bearing: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Flows in passenger-car units per hour: `flows_h[slice][pair]`; `bounds_s` has one entry more."""

    pairs: tuple[Pair, ...]
    bounds_s: tuple[int, ...]
    flows_h: tuple[tuple[float, ...], ...]
    walkers_h: float

    def volumes(self, part: int) -> dict[tuple[str, str], float]:
        """Passenger-car units per hour of every movement in a slice."""
        found = zip(self.pairs, self.flows_h[part], strict=True)
        return flows.volumes(tuple(flows.Route(pair.route, flow) for pair, flow in found))


def draw_traffic(recipe: Recipe, net: Net, corridor: Corridor, dice: random.Random) -> Traffic:
    """Draw flows and scale them.

    Raises:
        NetworkError: nothing can be reached from anywhere.
    """
    pairs = _balanced(_pairs(net, dice), net, corridor, dice)
    slices = dice.randint(2, 4)
    inner = sorted(dice.uniform(0.15, 0.85) for _ in range(slices - 1))
    bounds = (0, *(round(part * recipe.seconds) for part in inner), recipe.seconds)
    raw = _sliced(pairs, slices, dice)
    walkers = dice.uniform(*WALKERS_H)
    draft = Traffic(pairs, bounds, raw, walkers)
    factor = _factors(recipe, net, corridor, draft, dice)
    scaled = tuple(
        tuple(flow * part for flow, part in zip(one, factor, strict=True)) for one in draft.flows_h
    )
    return Traffic(pairs, bounds, _capped(net, pairs, scaled), walkers)


def _balanced(pairs: tuple[Pair, ...], net: Net, corridor: Corridor, dice: random.Random) -> tuple[Pair, ...]:
    """Less traffic through intersections that are much fuller than the others of the same net.

    Otherwise one bottleneck would take the whole load, and nothing would happen anywhere else.
    """
    through = [_passed(pair, corridor) for pair in pairs]
    if all(len(passed) < 2 for passed in through):
        return pairs
    strength = dice.uniform(*BALANCE)
    for _ in range(BALANCE_ROUNDS):
        flows_h = tuple(pair.weight for pair in pairs)
        volumes = Traffic(pairs, (0, 1), (flows_h,), 0.0).volumes(0)
        full = [load(one, net, volumes).fullness() for one in corridor.intersections]
        most = max(full)
        if most <= 0:
            break
        # To a load at which permissive turns are neither free nor shut.
        pairs = tuple(
            replace(
                pair,
                weight=pair.weight
                * BALANCE_LEVEL
                / most
                * math.prod(
                    (most / max(full[place], most / 10)) ** (strength / len(passed)) for place in passed
                ),
            )
            for pair, passed in zip(pairs, through, strict=True)
        )
    return pairs


def _passed(pair: Pair, corridor: Corridor) -> list[int]:
    """Which intersections a way passes."""
    edges = frozenset(pair.route)
    return [
        place
        for place, one in enumerate(corridor.intersections)
        if any(lane.approach in edges for lane in one.lanes)
    ]


def _sliced(pairs: Sequence[Pair], slices: int, dice: random.Random) -> tuple[tuple[float, ...], ...]:
    """Weights by slice: a peak from a drawn direction, and a level of its own."""
    found = []
    for _ in range(slices):
        peak, strength, level = (
            dice.uniform(-math.pi, math.pi),
            dice.uniform(0.0, 0.7),
            dice.uniform(0.55, 1.0),
        )
        found.append(
            tuple(pair.weight * level * (1 + strength * math.cos(pair.bearing - peak)) for pair in pairs)
        )
    return tuple(found)


def _factors(
    recipe: Recipe, net: Net, corridor: Corridor, draft: Traffic, dice: random.Random
) -> tuple[float, ...]:
    """By which factor each pair's flow is multiplied: one per connected part of the net."""
    parts = _parts(draft.pairs)
    volumes = [draft.volumes(part) for part in range(len(draft.flows_h))]
    part_of_edge = {edge: part for pair, part in zip(draft.pairs, parts, strict=True) for edge in pair.route}
    factor: dict[int, float] = {}
    for part in sorted(set(parts)):
        target = dice.uniform(*recipe.demand)
        bearable = [
            load(one, net, flows_h).factor_for(target)
            for one in corridor.intersections
            if part in _parts_of(one, part_of_edge)
            for flows_h in volumes
        ]
        least = min(bearable, default=math.inf)
        factor[part] = least if math.isfinite(least) else 0.0
    return tuple(factor[part] for part in parts)


def _parts_of(one: Intersection, part_of_edge: dict[str, int]) -> set[int]:
    return {part_of_edge[lane.approach] for lane in one.lanes if lane.approach in part_of_edge}


def _parts(pairs: Sequence[Pair]) -> list[int]:
    """Which connected part of the net each pair belongs to."""
    root: dict[str, str] = {}

    def find(edge: str) -> str:
        while root.setdefault(edge, edge) != edge:
            edge = root[edge]
        return edge

    for pair in pairs:
        for edge in pair.route[1:]:
            root[find(edge)] = find(pair.route[0])
    names = [find(pair.route[0]) for pair in pairs]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return [order[name] for name in names]


def _capped(
    net: Net, pairs: Sequence[Pair], found: tuple[tuple[float, ...], ...]
) -> tuple[tuple[float, ...], ...]:
    """No entry asked for more than it can let in."""
    capped = []
    for one in found:
        entering: dict[str, float] = {}
        for pair, flow in zip(pairs, one, strict=True):
            entering[pair.route[0]] = entering.get(pair.route[0], 0.0) + flow
        cut = {
            edge: min(1.0, ENTRY_LIMIT_H * len(_driven(net, edge)) / flow) if flow > 0 else 1.0
            for edge, flow in entering.items()
        }
        capped.append(tuple(flow * cut[pair.route[0]] for pair, flow in zip(pairs, one, strict=True)))
    return tuple(capped)


def _driven(net: Net, edge: str) -> list[str]:
    return [lane for lane in net.edge_lanes[edge] if not net.lanes[lane].walkers_only]


def _size(net: Net, edge: str) -> float:
    """How much traffic an edge of the fringe draws: wide and fast streets draw more than their lanes."""
    lanes = _driven(net, edge)
    return float(len(lanes) ** 1.4) * net.lanes[lanes[0]].speed_ms / 13.9


def _pairs(net: Net, dice: random.Random) -> tuple[Pair, ...]:
    ways = _ways(net)
    reached = {onward for found in ways.values() for onward in found}
    entries = sorted(edge for edge in ways if edge not in reached)
    exits = sorted(edge for edge in reached if not ways.get(edge))
    pull = {edge: _size(net, edge) * dice.lognormvariate(0.0, 0.6) for edge in exits}
    push = {edge: _size(net, edge) * dice.lognormvariate(0.0, 0.5) for edge in entries}
    middle = _middle([net.lanes[net.edge_lanes[edge][0]].shape[0] for edge in entries])
    drawn: list[Pair] = []
    for entry in entries:
        found = _shortest(net, ways, entry)
        goals = {
            edge: pull[edge]
            * dice.lognormvariate(0.0, 0.4)
            * (STRAIGHT_ON if _straight(net, found[edge]) else 1.0)
            for edge in exits
            if edge in found and net.edge_ends[edge][1] != net.edge_ends[entry][0]
        }
        total = sum(goals.values())
        x, y = net.lanes[net.edge_lanes[entry][0]].shape[0]
        bearing = math.atan2(y - middle[1], x - middle[0])
        drawn += [Pair(found[edge], push[entry] * pull_ / total, bearing) for edge, pull_ in goals.items()]
    if not drawn:
        raise NetworkError("no way leads through the net", where="generator")
    if len(drawn) > MOST_PAIRS:
        drawn = _thinned(drawn, dice)
    return tuple(sorted(drawn, key=lambda pair: pair.route))


def _thinned(drawn: Sequence[Pair], dice: random.Random) -> list[Pair]:
    """Fewer pairs, heavy ones sooner kept; every entry keeps one."""
    order = sorted(drawn, key=lambda pair: dice.random() ** (1 / max(pair.weight, 1e-9)), reverse=True)
    kept: dict[str, Pair] = {}
    for pair in order:
        kept.setdefault(pair.route[0], pair)
    rest = [pair for pair in order if pair is not kept[pair.route[0]]]
    return [*kept.values(), *rest[: max(0, MOST_PAIRS - len(kept))]]


def _middle(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    count = max(1, len(points))
    return sum(x for x, _ in points) / count, sum(y for _, y in points) / count


def _ways(net: Net) -> dict[str, dict[str, str]]:
    """Edge to the edges that vehicles can go on to, with SUMO's letter of the turn."""
    found: dict[str, dict[str, str]] = {
        edge: {} for edge in net.edge_lanes if not edge.startswith(":") and _driven(net, edge)
    }
    for edge, onward in found.items():
        for lane in _driven(net, edge):
            for connection in net.out_of.get(lane, ()):
                target = net.lanes[connection.to_lane]
                if target.edge in found and not target.walkers_only:
                    onward.setdefault(target.edge, connection.direction)
    return found


def _straight(net: Net, route: Sequence[str]) -> bool:
    """Whether a way through a single intersection goes straight on."""
    letters = [
        connection.direction
        for edge, onward in pairwise(route)
        for lane in net.edge_lanes[edge]
        for connection in net.out_of.get(lane, ())
        if net.lanes[connection.to_lane].edge == onward and connection.tls
    ]
    return bool(letters) and all(letter == "s" for letter in letters)


def _shortest(net: Net, ways: dict[str, dict[str, str]], entry: str) -> dict[str, tuple[str, ...]]:
    """The quickest way from an entry to every edge that can be reached."""
    done: dict[str, tuple[str, ...]] = {}
    queue: list[tuple[float, tuple[str, ...]]] = [(0.0, (entry,))]
    while queue:
        cost, route = heapq.heappop(queue)
        if route[-1] in done:
            continue
        done[route[-1]] = route
        for onward, letter in sorted(ways[route[-1]].items()):
            if onward not in done and letter != "t":
                lane = net.lanes[_driven(net, onward)[0]]
                turn_s = 0.0 if letter == "s" else 5.0
                heapq.heappush(queue, (cost + lane.length_m / lane.speed_ms + turn_s, (*route, onward)))
    return done


def with_plans(corridor: Corridor, net: Net, traffic: Traffic) -> Corridor:
    """Every intersection with one fixed plan, made for its mean flows."""
    length = traffic.bounds_s[-1]
    mean: dict[tuple[str, str], float] = {}
    for part in range(len(traffic.flows_h)):
        share = (traffic.bounds_s[part + 1] - traffic.bounds_s[part]) / length
        for way, flow in traffic.volumes(part).items():
            mean[way] = mean.get(way, 0.0) + share * flow
    return replace(
        corridor,
        intersections=tuple(
            replace(one, plans=(webster_plan(load(one, net, mean), 1),)) for one in corridor.intersections
        ),
    )


def write_traffic(traffic: Traffic, fleet: Fleet, net: Net, corridor: Corridor, path: Path) -> None:
    """Write a SUMO route file: types, routes, flows with Poisson arrivals drawn from SUMO's own seed."""
    lateral = ' departPosLat="random_free"' if fleet.fidelity == "sublane" else ""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n<routes>\n', fleet.xml()]
    lines += [
        f'    <route id="r{index}" edges="{" ".join(pair.route)}"/>\n'
        for index, pair in enumerate(traffic.pairs)
    ]
    for part, flows_h in enumerate(traffic.flows_h):
        begin, end = traffic.bounds_s[part], traffic.bounds_s[part + 1]
        if part == 0:
            lines += _walkers(traffic, net, corridor, traffic.bounds_s[-1])
        for index, flow in enumerate(flows_h):
            rate = flow / fleet.pcu / 3600
            if rate > 1e-5 and end > begin:
                lines.append(
                    f'    <flow id="f{part}.{index}" type="mix" route="r{index}" begin="{begin}" end="{end}"'
                    f' period="exp({rate:.6f})"{lateral}/>\n'
                )
    path.write_text("".join([*lines, "</routes>\n"]), encoding="utf-8")


def _walkers(traffic: Traffic, net: Net, corridor: Corridor, end: int) -> list[str]:
    """People over every crossing that joins the two sides of a street, in either direction."""
    junctions = {
        connection.via.lstrip(":").rpartition("_")[0].rpartition("_")[0]
        for one in corridor.intersections
        for connection in net.controlled.get(one.tls, ())
    }
    found: list[str] = []
    for _, edges in sorted(net.crossed.items()):
        into = [edge for edge in edges if net.edge_ends[edge][1] in junctions]
        out = [edge for edge in edges if net.edge_ends[edge][0] in junctions]
        if len(edges) != 2 or len(into) != 1 or len(out) != 1 or into == out:
            continue
        for start, goal, first, last in (
            (into[0], out[0], -CURB_POSITION_M, CURB_POSITION_M),
            (out[0], into[0], CURB_POSITION_M, -CURB_POSITION_M),
        ):
            found.append(
                f'    <personFlow id="p{len(found)}" begin="0" end="{end}"'
                f' period="exp({traffic.walkers_h / 2 / 3600:.6f})" departPos="{first:g}">'
                f'<walk from="{start}" to="{goal}" arrivalPos="{last:g}"/></personFlow>\n'
            )
    return found
