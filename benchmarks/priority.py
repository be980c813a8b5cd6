"""What a green corridor does for an ambulance and bus priority for a bus, and what both cost everybody else.

    python benchmarks/priority.py --seeds 3 --out priority.json

The arterial of the catalogue, morning peak, 900 s of which 300 s warm-up; policy `max-pressure` behind the
guard. Motorbikes as proxy units (three ride as one); `--sublane` has them singly, at several times the cost.
The same ambulances (three, the whole arterial, both ways) and buses (six) drive in every arm; only who sends
requests differs. Seeds are paired. Each run is a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from denxanh.agents.registry import policy
from denxanh.controller.priority.settings import Route, Settings
from denxanh.controller.priority.tables import RequestTables, settings
from denxanh.networks.demand import Fidelity
from denxanh.networks.model import Corridor
from denxanh.sim.journeys import Journeys, Kind, Trip
from denxanh.sim.requested import run
from denxanh.sim.scenario import Scenario, catalogue_scenario

CORRIDOR = "truc-30-4-hoa-binh"
WAYS = {"up": ("THN_304_sw_in", "HB_LTT_ne_out"), "down": ("HB_LTT_ne_in", "THN_304_sw_out")}
SPEED_MS = 13.0
SECONDS = 900
AMBULANCES = ((200, "up"), (320, "down"), (440, "up"))
BUSES = ((120, "down"), (170, "up"), (220, "down"), (270, "up"), (320, "down"), (370, "up"))
ARMS: dict[str, frozenset[Kind]] = {
    "no requests": frozenset(),
    "green corridor": frozenset({"emergency"}),
    "bus priority": frozenset({"bus"}),
}


def way(net: Path, begin: str, end: str) -> list[tuple[str, float]]:
    """The edges of the fastest way, each with its length in metres."""
    import sumolib

    read = sumolib.net.readNet(str(net))
    edges, _ = read.getShortestPath(read.getEdge(begin), read.getEdge(end), vClass="passenger")
    return [(edge.getID(), float(edge.getLength())) for edge in edges]


def set_up(scenario: Scenario, ways: dict[str, list[tuple[str, float]]]) -> Settings:
    """The site's settings: a route per way, both kinds on, every limit at its default."""
    tables = RequestTables.model_validate(
        {
            "priority": {"emergency": True, "bus": True},
            "route": [{"id": name, "step": _steps(scenario.corridor, edges)} for name, edges in ways.items()],
        }
    )
    found, defects = settings(tables, scenario.corridor, scenario.corridor.intersections, "benchmark")
    if defects:
        raise SystemExit("\n".join(str(one) for one in defects))
    return found


def _steps(corridor: Corridor, edges: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """One step per signal on the way; its stage is the first that lets the approach go straight on."""
    steps: list[dict[str, Any]] = []
    since_m = 0.0
    for edge, length_m in edges:
        since_m += length_m
        for site in corridor.intersections:
            if edge in {lane.approach for lane in site.lanes}:
                stage = site.stages[0].id
                travel_s = round(since_m / SPEED_MS)
                steps.append(
                    {"intersection": site.id, "approach": edge, "stage": stage, "travel_s": travel_s}
                )
                since_m = 0.0
    return steps


def one(job: tuple[str, int, Fidelity]) -> dict[str, Any]:
    """One run: an arm, a seed, a fidelity."""
    arm, seed, fidelity = job
    begun = time.perf_counter()
    scenario = catalogue_scenario(CORRIDOR, "am", fidelity, seed, seconds=SECONDS)
    ways = {name: way(scenario.net, *ends) for name, ends in WAYS.items()}
    site = set_up(scenario, ways)
    trips = tuple(
        Trip(kind, scenario.begin_s + due, tuple(edge for edge, _ in ways[name]), _route(site, name))
        for kind, plan in (("emergency", AMBULANCES), ("bus", BUSES))
        for due, name in plan
    )
    journeys = Journeys(trips, ARMS[arm])
    result = run(scenario, policy("max-pressure"), seed, site, [journeys])
    figures = result.plant.trips
    return {
        "arm": arm,
        "seed": seed,
        "ambulance_s": journeys.travel_s("emergency"),
        "bus_s": journeys.travel_s("bus"),
        "everybody_delay_s": figures.everybody_delay_s,
        "vehicle_delay_s": figures.mean_delay_s,
        "pedestrian_delay_s": figures.person_delay_s,
        "longest_wait_s": result.longest_wait_s,
        "preempt_s": result.preempt_s,
        "helped_s": result.helped_s,
        "conflicts": result.plant.conflicts,
        "short_intergreens": result.plant.short_intergreens,
        "cut_clearances": result.plant.cut_clearances,
        "gridlock": result.plant.gridlock,
        "wall_s": time.perf_counter() - begun,
    }


def _route(site: Settings, name: str) -> Route:
    route = site.route(name)
    assert route is not None
    return route


def main() -> None:
    """Run it, print the table, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sublane", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    fidelity = Fidelity.SUBLANE if given.sublane else Fidelity.PROXY
    jobs = [(arm, seed, fidelity) for seed in range(1, given.seeds + 1) for arm in ARMS]
    versions = {name: metadata.version(name) for name in ("denxanh", "eclipse-sumo")}
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    runs: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        for run_ in track(pool.map(one, jobs), total=len(jobs), console=Console(stderr=True)):
            runs.append(run_)
            if given.out is not None:
                document = {"machine": machine, "versions": versions, "fidelity": str(fidelity), "runs": runs}
                given.out.write_text(json.dumps(document, indent=1) + "\n")
    Console().print(_table(runs))


def _table(runs: Sequence[dict[str, Any]]) -> Table:
    """Means over seeds with their sample standard deviation; vehicles that arrived in every arm."""
    table = Table(title="priority: mean ± standard deviation over seeds")
    for head in ("arm", "ambulance s", "bus s", "person delay s", "on foot s", "longest wait s", "PREEMPT s"):
        table.add_column(head)
    for arm in ARMS:
        mine = [run_ for run_ in runs if run_["arm"] == arm]
        table.add_row(
            arm,
            *(_spread([_arrived(runs, run_, key) for run_ in mine]) for key in ("ambulance_s", "bus_s")),
            *(
                _spread([float(run_[key]) for run_ in mine])
                for key in ("everybody_delay_s", "pedestrian_delay_s", "longest_wait_s", "preempt_s")
            ),
        )
    return table


def _arrived(runs: Sequence[dict[str, Any]], mine: dict[str, Any], key: str) -> float:
    """Mean travel time of the vehicles that arrived in every arm of this seed."""
    same = [set(one[key]) for one in runs if one["seed"] == mine["seed"]]
    return statistics.fmean(mine[key][name] for name in sorted(set.intersection(*same)))


def _spread(values: Sequence[float]) -> str:
    wide = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.1f} ± {wide:.1f}"


if __name__ == "__main__":
    main()
