"""Fixed-time plans by Webster's method, coordinated along the streets.

Webster (1958), Road Research Technical Paper 39: with the critical flow ratio y of each stage, Y their
sum and L the lost time of a cycle, delay is least near the cycle

    C = (1.5 L + 5) / (1 - Y)

and the effective green C - L is shared in proportion to y. Here the lost time of a stage is its
interstage (two seconds lost at the start and two seconds of yellow that are used cancel: assumed).
All signals of a corridor take one cycle, the longest that one of them needs, within bounds.
Offsets: `coordination.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.errors import CorridorError
from denxanh.networks import flows
from denxanh.networks.build import BuiltCorridor, build
from denxanh.networks.coordination import offsets
from denxanh.networks.corridor_files import ScenarioForm
from denxanh.networks.model import Aspect, GroupKind, Intersection, Lane, Plan, Split, Turn
from denxanh.networks.plan_text import plan_block
from denxanh.networks.sumonet import Net, read_net
from denxanh.networks.timing import interstage_s, least_split_s

MIN_CYCLE_S = 60
MAX_CYCLE_S = 120
"""Bounds of the common cycle: assumed; longer cycles let queues block pockets."""
FULL_STAGE = 0.9
"""Degree of saturation (v/c) beyond which a stage queues from cycle to cycle: practice."""
MAX_FLOW_RATIO = 0.95
"""Y above which Webster's cycle is meaningless and the longest cycle is taken."""
PROTECTED_FACTOR = {Turn.STRAIGHT: 1.0, Turn.RIGHT: 0.85, Turn.LEFT: 0.8, Turn.UTURN: 0.5}
"""Saturation flow of a lane by turn, relative to straight on. Left: from oversaturated sublane runs of the
arterial (6 s to 22 s of green). Right and U-turns: assumed."""
YIELDING_FACTOR = {Turn.STRAIGHT: 1.0, Turn.RIGHT: 0.6, Turn.LEFT: 0.25, Turn.UTURN: 0.2}
"""The same where the turn yields: right turns to pedestrians, left turns to oncoming traffic (0.1 to 0.35 in
the same runs, by the oncoming flow; where there is none, as protected). U-turns: assumed."""


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
    """For stages in this cyclic order the least split that keeps the plan in step (see `timing.py`).

    Args:
        intersection: its groups' limits, intergreens and commitment.
        order: stage positions as a plan runs them.
    """
    return tuple(
        least_split_s(intersection, stage, order[(place + 1) % len(order)])
        for place, stage in enumerate(order)
    )


def _lost(intersection: Intersection, order: Sequence[int]) -> list[int]:
    """The interstage that ends each stage of the order."""
    return [
        interstage_s(intersection, stage, order[(place + 1) % len(order)])
        for place, stage in enumerate(order)
    ]


def lane_loads(intersection: Intersection, net: Net, volumes: flows.Volumes) -> tuple[LaneLoad, ...]:
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
    others do not give already, from the stage that serves it best.
    """
    needs: list[tuple[dict[int, float], float]] = []
    for load in loads:
        factors = {
            place: _factor(intersection, load.lane, stage)
            for place, stage in enumerate(order)
            if _served(intersection, load.lane, stage)
        }
        if factors:
            needs.append((factors, load.flow_h / saturation_h))
    ratios = [0.0] * len(order)
    for factors, needed in sorted(needs, key=lambda need: len(need[0])):
        short = needed - sum(ratios[place] * factor for place, factor in factors.items())
        best = max(factors, key=lambda place: (factors[place], -place))
        if short > 0:
            ratios[best] += short / factors[best]
    return tuple(ratios)


def _served(intersection: Intersection, lane: Lane, stage: int) -> bool:
    return all(intersection.stages[stage].serves(part.group) for part in lane.groups)


def _factor(intersection: Intersection, lane: Lane, stage: int) -> float:
    """Saturation of the lane in the stage relative to a straight-on lane, by its groups' shares."""
    total = 0.0
    for part in lane.groups:
        turn = part.turns[0]
        yields = intersection.stages[stage].aspects[part.group] is Aspect.YIELDING
        if turn is Turn.LEFT and yields:
            yields = _opposed(intersection, part.group, stage)
        factor = (YIELDING_FACTOR if yields else PROTECTED_FACTOR)[turn]
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


def timing(intersection: Intersection, net: Net, volumes: flows.Volumes, saturation_h: float) -> Timing:
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
    scenario: ScenarioForm = flows.scenario_of(built.files, name)
    volumes = flows.volumes(flows.routes(net, scenario))
    saturation = built.files.demand.saturation_vehicles_h
    figures = {one.id: timing(one, net, volumes, saturation) for one in built.corridor.intersections}
    cycle = _common_cycle(built.corridor.intersections, figures)
    found = {
        one.id: _plan(one, figures[one.id], cycle, number if number is not None else scenario.plan, name)
        for one in built.corridor.intersections
    }
    speed = built.files.demand.arterial_speed_kmh / 3.6
    found_offsets = offsets(built.corridor.intersections, found, net, volumes, speed, cycle)
    return ScenarioPlans(
        name,
        cycle,
        {key: Plan(plan.number, plan.name, found_offsets[key], plan.splits) for key, plan in found.items()},
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


def plans_text(built: BuiltCorridor) -> str:
    """`plans.toml` with Webster's plans; where scenarios share one, the first makes it and all name it."""
    lines = [
        "# Fixed-time plans: Webster's method on the assumed volumes of demand.toml, offsets by travel time.",
        "# Written by the build and kept as text, so that an engineer can change them.",
        'source = "Webster 1958 on assumed volumes; offsets by travel time; our own computation"',
    ]
    sharing: dict[int, list[tuple[str, ScenarioForm]]] = {}
    for name, scenario in built.files.demand.scenario.items():
        sharing.setdefault(scenario.plan, []).append((name, scenario))
    for number, scenarios in sharing.items():
        found = scenario_plans(built, scenarios[0][0])
        vi = _together([one.name_vi for _, one in scenarios])
        en = _together([one.name_en for _, one in scenarios])
        lines += [
            "",
            f"# Plan {number}: {en}, cycle {found.cycle_s} s, critical v/c {found.critical_saturation:.2f}",
        ]
        for form in built.files.signals.intersection:
            plan = found.plans[form.id]
            splits = [(form.stage[split.stage].id, split.split_s) for split in plan.splits]
            lines += plan_block(form.id, plan.number, vi, plan.offset_s, splits, en)
    return "\n".join(lines) + "\n"


def _together(names: Sequence[str]) -> str:
    """One name of several: "Off-peak, night"."""
    return ", ".join([names[0], *(name[:1].lower() + name[1:] for name in names[1:])])


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
