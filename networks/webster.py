"""Fixed-time plans by Webster's method, coordinated along the streets.

Webster (1958), Road Research Technical Paper 39: with the critical flow ratio y of each stage, Y their
sum and L the lost time of a cycle, delay is least near the cycle

    C = (1.5 L + 5) / (1 - Y)

and the effective green C - L is shared in proportion to y. Here the lost time of a stage is its
interstage (two seconds lost at the start and two seconds of yellow that are used cancel: assumed).
All signals of a corridor take one cycle, the longest that one of them needs, within bounds.

Offsets: for each pair of neighbouring signals the relative offset with the greatest overlap of "green
upstream, shifted by the travel time" and "green downstream", both directions weighted by their flows;
along a maximum spanning tree of those weights (on a line: every pair). Travel time is distance over the
progression speed of `demand.toml`. This is simple travel-time coordination, not a bandwidth optimum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import CorridorError
from denxanh.networks import demand
from denxanh.networks.build import BuiltCorridor, build
from denxanh.networks.corridor_files import ScenarioForm
from denxanh.networks.model import Aspect, GroupKind, Intersection, Lane, Plan, Split, Turn
from denxanh.networks.sumonet import Net, read_net
from denxanh.networks.timing import bounded_green_s, interstage_s

MIN_CYCLE_S = 60
MAX_CYCLE_S = 120
"""Bounds of the common cycle: assumed; longer cycles let queues block pockets."""
FULL_STAGE = 0.9
"""Degree of saturation (v/c) beyond which a stage queues from cycle to cycle: practice."""
MAX_FLOW_RATIO = 0.95
"""Y above which Webster's cycle is meaningless and the longest cycle is taken."""
SATURATION_FACTOR = {Turn.STRAIGHT: 1.0, Turn.RIGHT: 0.6, Turn.LEFT: 0.8, Turn.UTURN: 0.5}
"""Saturation flow of a lane by turn, relative to straight on: from oversaturated sublane runs of the arterial
(6 s to 22 s of green); right turns yield to pedestrians. U-turns: assumed."""
YIELDING_LEFT_FACTOR = 0.25
"""Saturation flow of a left turn that yields to oncoming traffic, relative to straight on: from the same
runs, where it lay between 0.1 and 0.35 depending on the oncoming flow."""
CLEAR_QUEUE_S = 4
"""Green downstream should start this much before the platoon comes, so that standing vehicles are away."""


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """Flow of a lane in vehicles/h and its saturation flow in a stage that serves it."""

    lane: Lane
    flow_h: float


@dataclass(frozen=True, slots=True)
class Timing:
    """What Webster's method says of one intersection in one scenario."""

    intersection: str
    lost_s: int
    flow_ratio: float
    """Y, the sum of the stages' critical flow ratios."""
    optimum_s: float
    """Webster's optimum cycle before bounds; infinite where Y is too large."""

    ratios: tuple[float, ...]
    """The stages' critical flow ratios, in the stages' order."""
    interstages: tuple[int, ...]
    """The interstage that ends each stage, seconds."""

    def saturation(self, plan: Plan) -> float:
        """Critical degree of saturation (v/c) under a plan: the fullest stage's y C / g.

        `plan` runs the stages in their own order. Where no minimum binds it is Webster's Y C / (C - L).
        """
        return max(
            ratio * plan.cycle_s / (split.split_s - lost)
            for ratio, lost, split in zip(self.ratios, self.interstages, plan.splits, strict=True)
        )


def minimum_splits(intersection: Intersection, order: Sequence[int]) -> tuple[int, ...]:
    """For stages in this cyclic order the least legal split: bounded green (see `timing.py`) and interstage.

    Args:
        intersection: its groups' limits, intergreens and commitment.
        order: stage positions as a plan runs them.
    """
    return tuple(
        bounded_green_s(intersection, stage)
        + interstage_s(intersection, stage, order[(place + 1) % len(order)])
        for place, stage in enumerate(order)
    )


def _lost(intersection: Intersection, order: Sequence[int]) -> list[int]:
    """The interstage that ends each stage of the order."""
    return [
        interstage_s(intersection, stage, order[(place + 1) % len(order)])
        for place, stage in enumerate(order)
    ]


def lane_loads(intersection: Intersection, net: Net, volumes: demand.Volumes) -> tuple[LaneLoad, ...]:
    """Flows per incoming lane: movements with few lanes to choose from come first; lanes fill evenly."""
    flows = {lane.id: 0.0 for lane in intersection.lanes}
    by_edge: dict[str, dict[str, list[str]]] = {}
    for lane in intersection.lanes:
        ways = by_edge.setdefault(lane.approach, {})
        for target in dict.fromkeys(net.lanes[to].edge for to in lane.downstream):
            ways.setdefault(target, []).append(lane.id)
    for edge, ways in by_edge.items():
        for target, lanes in sorted(ways.items(), key=lambda way: (len(way[1]), way[0])):
            _fill(flows, lanes, volumes.get((edge, target), 0.0))
    return tuple(LaneLoad(lane, flows[lane.id]) for lane in intersection.lanes)


def _fill(flows: dict[str, float], lanes: Sequence[str], flow: float) -> None:
    """Pour a flow into lanes so that the fullest of them stays as low as possible."""
    left = flow
    level = sorted(lanes, key=lambda lane: flows[lane])
    for count in range(1, len(level) + 1):
        room = (flows[level[count]] - flows[level[0]]) * count if count < len(level) else math.inf
        step = min(left, room)
        for lane in level[:count]:
            flows[lane] += step / count
        left -= step
        if left <= 0:
            return


def stage_ratios(
    intersection: Intersection, loads: Sequence[LaneLoad], saturation_h: float, order: Sequence[int]
) -> tuple[float, ...]:
    """The flow ratio that each stage of the order has to carry.

    A lane that one stage serves asks that stage for its ratio; one that several serve asks for what the
    others do not give already, from its first stage.
    """
    needs: list[tuple[tuple[int, ...], float]] = []
    for load in loads:
        stages = tuple(place for place, stage in enumerate(order) if _served(intersection, load.lane, stage))
        if stages:
            factors = [_factor(intersection, load.lane, order[place]) for place in stages]
            best = max(factors)
            useful = tuple(place for place, factor in zip(stages, factors, strict=True) if factor == best)
            needs.append((useful, load.flow_h / (saturation_h * best)))
    ratios = [0.0] * len(order)
    for places, ratio in sorted(needs, key=lambda need: len(need[0])):
        short = ratio - sum(ratios[place] for place in places)
        if short > 0:
            ratios[places[0]] += short
    return tuple(ratios)


def _served(intersection: Intersection, lane: Lane, stage: int) -> bool:
    return all(intersection.stages[stage].serves(part.group) for part in lane.groups)


def _factor(intersection: Intersection, lane: Lane, stage: int) -> float:
    """Saturation of the lane in the stage relative to a straight-on lane, by its groups' shares."""
    total = 0.0
    for part in lane.groups:
        turn = part.turns[0]
        factor = SATURATION_FACTOR[turn]
        yields = intersection.stages[stage].aspects[part.group] is Aspect.YIELDING
        if turn is Turn.LEFT and yields and _opposed(intersection, part.group, stage):
            factor = YIELDING_LEFT_FACTOR
        total += part.share * factor
    return total


def _opposed(intersection: Intersection, group: int, stage: int) -> bool:
    """Whether the group yields to a vehicle group that is green in the stage."""
    return any(
        intersection.groups[other].kind is GroupKind.VEHICLE
        and intersection.stages[stage].serves(other)
        and intersection.conflicts[group][other].value == "yields"
        for other in range(len(intersection.groups))
    )


def timing(intersection: Intersection, net: Net, volumes: demand.Volumes, saturation_h: float) -> Timing:
    """Webster's figures of an intersection, its stages in their own order."""
    order = range(len(intersection.stages))
    ratios = stage_ratios(intersection, lane_loads(intersection, net, volumes), saturation_h, order)
    interstages = _lost(intersection, order)
    lost = sum(interstages)
    flow_ratio = sum(ratios)
    optimum = (1.5 * lost + 5) / (1 - flow_ratio) if flow_ratio < MAX_FLOW_RATIO else math.inf
    return Timing(intersection.id, lost, flow_ratio, optimum, ratios, tuple(interstages))


def splits(intersection: Intersection, ratios: Sequence[float], cycle_s: int) -> tuple[int, ...]:
    """Share a cycle among the stages in proportion to their ratios, none below its minimum.

    Raises:
        CorridorError: the minima do not fit into the cycle.
    """
    order = range(len(intersection.stages))
    least = minimum_splits(intersection, order)
    if sum(least) > cycle_s:
        raise CorridorError(
            f"the least splits add up to {sum(least)} s, the cycle is {cycle_s} s",
            where=intersection.id,
            fix="allow a longer cycle or fewer stages",
        )
    lost = _lost(intersection, order)
    fixed: dict[int, int] = {}
    while True:
        free = [stage for stage in order if stage not in fixed]
        room = cycle_s - sum(fixed.values()) - sum(lost[stage] for stage in free)
        total = sum(ratios[stage] for stage in free)
        wish = {
            stage: lost[stage] + room * (ratios[stage] / total if total > 0 else 1 / len(free))
            for stage in free
        }
        short = [stage for stage in free if wish[stage] < least[stage]]
        if not short:
            break
        fixed.update({stage: least[stage] for stage in short})
    whole = {stage: fixed.get(stage, math.floor(wish.get(stage, 0.0))) for stage in order}
    rest = sorted(free, key=lambda stage: (math.floor(wish[stage]) - wish[stage], stage))
    for stage in rest[: cycle_s - sum(whole.values())]:
        whole[stage] += 1
    return tuple(whole[stage] for stage in order)


@dataclass(frozen=True, slots=True)
class ScenarioPlans:
    """The plans of one scenario: the common cycle, a plan per intersection, Webster's figures beside."""

    scenario: str
    cycle_s: int
    plans: Mapping[str, Plan]
    timings: tuple[Timing, ...]

    @property
    def critical_saturation(self) -> float:
        """The largest critical degree of saturation (v/c) of all intersections."""
        return max(one.saturation(self.plans[one.intersection]) for one in self.timings)


def scenario_plans(built: BuiltCorridor, name: str, number: int | None = None) -> ScenarioPlans:
    """Webster's plans with offsets for one scenario of a built corridor.

    Raises:
        CorridorError: the scenario does not exist, or minima do not fit into `MAX_CYCLE_S`.
    """
    net = read_net(built.net)
    scenario: ScenarioForm = demand.scenario_of(built.files, name)
    volumes = demand.volumes(demand.routes(net, scenario))
    saturation = built.files.demand.saturation_vehicles_h
    figures = {one.id: timing(one, net, volumes, saturation) for one in built.corridor.intersections}
    cycle = _common_cycle(built.corridor.intersections, figures)
    found = {
        one.id: _plan(one, figures[one.id], cycle, number if number is not None else scenario.plan, name)
        for one in built.corridor.intersections
    }
    speed = built.files.demand.arterial_speed_kmh / 3.6
    offsets = _offsets(built.corridor.intersections, found, net, volumes, speed, cycle)
    return ScenarioPlans(
        name,
        cycle,
        {key: Plan(plan.number, plan.name, offsets[key], plan.splits) for key, plan in found.items()},
        tuple(figures.values()),
    )


def _plan(one: Intersection, figure: Timing, cycle_s: int, number: int, name: str) -> Plan:
    lengths = splits(one, figure.ratios, cycle_s)
    return Plan(number, name, 0, tuple(Split(stage, length) for stage, length in enumerate(lengths)))


def _common_cycle(intersections: Sequence[Intersection], figures: Mapping[str, Timing]) -> int:
    """The longest of Webster's cycles, longer still where minima take the green that traffic needs.

    Within the bounds the shortest such cycle at which no stage is fuller than `FULL_STAGE`; if there is
    none, the one at which the fullest stage is least full.
    """
    least = max(sum(minimum_splits(one, range(len(one.stages)))) for one in intersections)
    wanted = max(min(figure.optimum_s, MAX_CYCLE_S) for figure in figures.values())
    first = max(MIN_CYCLE_S, least, math.ceil(wanted))

    def fullest(cycle_s: int) -> float:
        return max(
            figures[one.id].saturation(_plan(one, figures[one.id], cycle_s, 1, "")) for one in intersections
        )

    candidates = range(min(first, max(MAX_CYCLE_S, least)), max(MAX_CYCLE_S, least) + 1)
    loads = {cycle_s: fullest(cycle_s) for cycle_s in candidates}
    good = [cycle_s for cycle_s, load in loads.items() if load <= FULL_STAGE]
    return min(good) if good else min(loads, key=lambda cycle_s: (loads[cycle_s], cycle_s))


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


def _offsets(
    intersections: Sequence[Intersection],
    plans: Mapping[str, Plan],
    net: Net,
    volumes: demand.Volumes,
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


def _main_exit(approach: str, volumes: demand.Volumes) -> str:
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


def plans_text(built: BuiltCorridor) -> str:
    """`plans.toml` with Webster's plans; where scenarios share a plan number, the first one makes it."""
    lines = [
        "# Fixed-time plans: Webster's method on the assumed volumes of demand.toml, offsets by travel time.",
        "# Written by the build and kept as text, so that an engineer can change them.",
        'source = "Webster 1958 on assumed volumes; offsets by travel time; our own computation"',
    ]
    done: set[int] = set()
    for name, scenario in built.files.demand.scenario.items():
        if scenario.plan in done:
            continue
        done.add(scenario.plan)
        found = scenario_plans(built, name)
        lines += [
            "",
            f"# Plan {scenario.plan}: {scenario.name_en}, cycle {found.cycle_s} s, "
            f"critical v/c {found.critical_saturation:.2f}",
        ]
        for form in built.files.signals.intersection:
            plan = found.plans[form.id]
            splits_text = ", ".join(
                f'["{form.stage[split.stage].id}", {split.split_s}]' for split in plan.splits
            )
            lines += [
                "[[plan]]",
                f'intersection = "{form.id}"',
                f"number = {plan.number}",
                f'name = "{scenario.name_vi}"',
                f"offset_s = {plan.offset_s}",
                f"splits = [{splits_text}]",
            ]
    return "\n".join(lines) + "\n"


def write_plans(name_or_dir: str | Path) -> Path:
    """Write Webster's plans into a corridor's `plans.toml`, replacing what is there.

    Raises:
        CorridorError: the corridor is wrong, or the minima do not fit into `MAX_CYCLE_S`.
        MissingExtraError: SUMO's netconvert is not installed.
    """
    built = build(name_or_dir)
    target = built.files.folder / "plans.toml"
    target.write_text(plans_text(built), encoding="utf-8")
    return target
