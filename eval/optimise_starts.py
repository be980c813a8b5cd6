"""Where a search for fixed plans starts: Webster's plans at several cycles, and the plans that are there.

For a corridor of the catalogue the volumes are those of its demand file; for a foreign net they are counted
in one simulation under the plans that are there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from denxanh.errors import CorridorError
from denxanh.eval.optimise_moves import resized
from denxanh.eval.plans import frame, plan_defects
from denxanh.networks import coordination, flows, webster
from denxanh.networks.build import build
from denxanh.networks.model import Intersection, Plan, Split
from denxanh.networks.sumonet import Net, read_net
from denxanh.sim.scenario import Scenario

OWN = "own"
WEBSTER = "webster"
CYCLE_SHARES = (1.0, 0.8, 0.9, 1.15, 1.3)
"""Cycles that are tried, relative to Webster's; the first is Webster's plan itself."""
LONGEST_CYCLE_S = 150
"""Longest cycle that a start has: assumed; longer ones let queues block pockets."""
FOREIGN_SATURATION_H = 1800.0
"""Vehicles per hour of green and lane in a foreign net: SUMO's default car discharges about so many."""
FOREIGN_SPEED_MS = 11.0
"""Speed of progression in a foreign net: assumed."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What Webster's method needs to know. Vehicles per hour; speed in m/s."""

    net: Net
    volumes: flows.Volumes
    saturation_h: float
    speed_ms: float


def catalogue_traffic(name: str, demand: str) -> Traffic:
    """A catalogue corridor's traffic in one of its scenarios.

    Raises:
        CorridorError: the corridor or the scenario does not exist or is wrong.
    """
    built = build(name)
    net = read_net(built.net)
    scenario = flows.scenario_of(built.files, demand)
    return Traffic(
        net,
        flows.volumes(flows.routes(net, scenario)),
        built.files.demand.saturation_vehicles_h,
        built.files.demand.arterial_speed_kmh / 3.6,
    )


def counted_traffic(scenario: Scenario, volumes: Mapping[tuple[str, str], float]) -> Traffic:
    """A foreign net's traffic, as it was counted in a simulation."""
    return Traffic(read_net(scenario.net), volumes, FOREIGN_SATURATION_H, FOREIGN_SPEED_MS)


def starts(scenario: Scenario, number: int, traffic: Traffic) -> dict[str, dict[str, Plan]]:
    """Plans to start from, by name; those with a broken limit or no plan somewhere are left out.

    Args:
        scenario: what the plans are for.
        number: of the plan that is searched.
        traffic: Webster's input.
    """
    own = {one.id: one.plan(number) for one in scenario.intersections}
    broken = any(any(plan_defects(one, own[one.id])) for one in scenario.intersections)
    found: dict[str, dict[str, Plan]] = {} if broken else {OWN: own}
    base = common_cycle(scenario.intersections, own, traffic)
    for share in CYCLE_SHARES:
        cycle = max(_least_cycle(scenario.intersections, own), min(LONGEST_CYCLE_S, round(base * share)))
        name = WEBSTER if share == 1.0 else f"{WEBSTER} {cycle} s"
        plans = webster_plans(scenario.intersections, own, traffic, cycle)
        if plans is not None and plans not in found.values():
            found[name] = plans
    return found


def _least_cycle(intersections: Sequence[Intersection], own: Mapping[str, Plan]) -> int:
    return max(sum(frame(one, _order(own[one.id])).least) for one in intersections)


def _order(plan: Plan) -> list[int]:
    return [split.stage for split in plan.splits]


def common_cycle(intersections: Sequence[Intersection], own: Mapping[str, Plan], traffic: Traffic) -> int:
    """Webster's cycle for all: the longest that one of them needs, within his bounds."""
    wanted = []
    for one in intersections:
        order = _order(own[one.id])
        if order == list(range(len(one.stages))):
            figure = webster.timing(one, traffic.net, traffic.volumes, traffic.saturation_h)
            wanted.append(min(figure.optimum_s, webster.MAX_CYCLE_S))
    longest = math.ceil(max(wanted, default=float(webster.MIN_CYCLE_S)))
    return max(webster.MIN_CYCLE_S, longest, _least_cycle(intersections, own))


def webster_plans(
    intersections: Sequence[Intersection], own: Mapping[str, Plan], traffic: Traffic, cycle_s: int
) -> dict[str, Plan] | None:
    """Webster's splits and travel-time offsets at a cycle; None where a limit breaks.

    An intersection whose own plan runs its stages in another turn than their order keeps its own shares.
    """
    found: dict[str, Plan] = {}
    for one in intersections:
        plan = own[one.id]
        if _order(plan) == list(range(len(one.stages))):
            figure = webster.timing(one, traffic.net, traffic.volumes, traffic.saturation_h)
            try:
                lengths = webster.splits(one, figure.ratios, cycle_s)
            except CorridorError:
                return None
            plan = replace(plan, offset_s=0, splits=tuple(Split(s, t) for s, t in enumerate(lengths)))
        else:
            other = resized(frame(one, _order(plan)), plan, cycle_s)
            if other is None:
                return None
            plan = other
        if any(plan_defects(one, plan)):
            return None
        found[one.id] = plan
    shifts = coordination.offsets(
        intersections, found, traffic.net, traffic.volumes, traffic.speed_ms, cycle_s
    )
    return {key: replace(plan, offset_s=shifts[key]) for key, plan in found.items()}
