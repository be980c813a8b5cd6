"""Where delay arises: which signal a vehicle waited for, from SUMO's own route output.

A vehicle's time on an edge, over what it needs on the free edge, is put down to the next signal that it comes
to; waiting to enter counts on its first edge. So a change of one signal can be judged by the delay around it,
and several signals can be changed in one simulation. The sums compare two runs of the same traffic; they are
not the delay that is reported.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from denxanh.errors import SimulationError
from denxanh.networks.sumonet import Net
from denxanh.sim.scenario import Scenario

EXIT = ""
"""In place of a signal: behind the last one on a vehicle's way."""
NOT_REACHED = -1.0
"""SUMO's exit time of an edge that a vehicle has not left."""


@dataclass(frozen=True, slots=True)
class Local:
    """Sums over the vehicles due in the measured window.

    Attributes:
        delay: weighted delay in seconds by intersection, `EXIT` behind the last one.
        links: vehicles that came from one intersection straight to the next.
        volumes: vehicles by (edge, next edge), per hour.
    """

    delay: Mapping[str, float]
    links: Mapping[tuple[str, str], float]
    volumes: Mapping[tuple[str, str], float]


def options(path: Path) -> tuple[str, ...]:
    """SUMO's options that write what `local` reads."""
    name = "--vehroute-output"
    return (
        *(name, str(path)),
        *(f"{name}.write-unfinished", "true"),
        *(f"{name}.exit-times", "true"),
        *(f"{name}.intended-depart", "true"),
    )


def person_weights(scenario: Scenario) -> dict[str, float]:
    """How many people one vehicle of each known type stands for."""
    riders = scenario.fleet.people()
    count = dict(scenario.weights)
    types = {*count, *(kind for kind, _ in scenario.fleet.classes)}
    return {kind: count.get(kind, 1.0) * riders[scenario.fleet.user(kind, {})] for kind in types}


def local(path: Path, scenario: Scenario, net: Net, weights: Mapping[str, float] | None = None) -> Local:
    """Read SUMO's route output of one run of a scenario.

    Args:
        path: the file, complete (session closed).
        scenario: what was run, to its end.
        net: its net.
        weights: what a vehicle of a type counts for in `delay`; 1 where absent.

    Raises:
        SimulationError: the file is not SUMO's route output.
    """
    at = {lane.approach: one.id for one in scenario.intersections for lane in one.lanes}
    free_s = {edge: _free_s(net, edge) for edge in net.edge_lanes}
    begin, end = scenario.measured_from(scenario.end_s), scenario.end_s
    delay: dict[str, float] = defaultdict(float)
    links: dict[tuple[str, str], float] = defaultdict(float)
    volumes: dict[tuple[str, str], float] = defaultdict(float)
    try:
        for _, element in ET.iterparse(path, events=("end",)):
            if element.tag != "vehicle":
                continue
            due = float(element.attrib["depart"])
            *_, route = element.iter("route")  # the last one is the one that was driven
            edges = route.attrib["edges"].split()
            exits = [float(value) for value in route.get("exitTimes", "").split()]
            weight = (weights or {}).get(element.get("type", ""), 1.0)
            element.clear()
            if not begin <= due < end:
                continue
            passed = [at[edge] for edge in edges if edge in at]
            for pair in pairwise(passed):
                links[pair] += 1
            for turn in pairwise(edges):
                volumes[turn] += 3600 / (end - begin)
            ahead = iter([*passed, EXIT])
            signal, since = next(ahead), due
            for edge, left in zip(edges, exits, strict=False):
                until = end if left == NOT_REACHED else left
                delay[signal] += weight * max(0.0, until - since - free_s.get(edge, 0.0))
                if left == NOT_REACHED:
                    break
                since = left
                if edge in at:
                    signal = next(ahead)
    except (ET.ParseError, OSError, KeyError, ValueError) as cause:
        raise SimulationError(f"SUMO's route output cannot be read: {cause}", where=str(path)) from cause
    return Local(dict(delay), dict(links), dict(volumes))


def _free_s(net: Net, edge: str) -> float:
    lane = net.lanes[net.edge_lanes[edge][-1]]  # lane 0 may be a sidewalk
    return lane.length_m / lane.speed_ms
