"""What the signals make of a flooded street that they are told of, against signals that know nothing.

    python benchmarks/flood.py --seeds 3 --out flood.json

The arterial of the catalogue, morning peak, 720 s. After 180 s Trần Văn Hoài (a side street with a stage of
its own at 30 Tháng 4) is under water for 420 s: nobody comes from there (who would have set out there stays
away, in every arm), and who drives there creeps at 1 m/s. A gauge reports it once a minute. Motorbikes as
proxy units. Seeds are paired; each run is a fresh process. Arms: who decides, and whether the gauge is heard.
Figures: green that the closed approach still gets, everybody's delay.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from denxanh.agents.registry import policy
from denxanh.controller.priority.message import Message, Water
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.tables import RequestTables, settings
from denxanh.networks.demand import Fidelity
from denxanh.sim.plant import Plant
from denxanh.sim.requested import run
from denxanh.sim.scenario import Scenario, catalogue_scenario

CORRIDOR = "truc-30-4-hoa-binh"
SITE = "TVH_304"
COMES, LEAVES = "TVH_304_nw", "TVH_304_nw_out"
ENTRY = "TVH_304_nw_in"
BEGIN_S, LASTS_S, SECONDS = 180, 420, 720
CREEP_MS = 1.0
LEVEL_CM = 40.0
ARMS = {
    "fixed, not told": ("fixed", "fixed", False),
    "fixed, flood plans": ("fixed", "fixed", True),
    "max-pressure, not told": ("max-pressure", "max-pressure", False),
    "max-pressure, told": ("max-pressure", "max-pressure", True),
}
"""Policy, policy in the flood, whether the gauge is heard."""


class Flood:
    """The water, and the gauge that reports it."""

    def __init__(self, begin_s: float, *, told: bool) -> None:
        self.green_s = 0
        """Seconds of green for the closed approach's left turns while it was closed."""
        self._begin_s = begin_s
        self._told = told
        self._seq = 0
        self._speed: float | None = None

    def second(self, plant: Plant) -> Iterator[Message]:
        """See `requested.Sender`."""
        since = plant.clock_s - self._begin_s
        under = 0 <= since < LASTS_S
        lanes = plant.session.sumo.lane
        if under and self._speed is None:
            self._speed = lanes.getMaxSpeed(f"{LEAVES}_1")
            plant.session.sumo.edge.setMaxSpeed(LEAVES, CREEP_MS)
        if since == LASTS_S and self._speed is not None:
            plant.session.sumo.edge.setMaxSpeed(LEAVES, self._speed)
        place = next(n for n, one in enumerate(plant.intersections) if one.id == SITE)
        site = plant.intersections[place]
        if under and plant.seconds:
            shown = plant.shown(place)
            group = next(g for g, one in enumerate(site.groups) if one.id == "nw_l")
            self.green_s += shown[group].is_green
        if self._told and since >= 0 and since % 60 == 0:
            self._seq += 1
            yield Water(
                source="frmis",
                seq=self._seq,
                issued_s=plant.clock_s,
                gauge="tran-van-hoai",
                level_cm=LEVEL_CM if under else 0.0,
                valid_s=150,
            )


def set_up(scenario: Scenario) -> Settings:
    """The site's settings: one gauge for both directions of the street."""
    tables = RequestTables.model_validate(
        {"flood": {"on": True, "gauge": [{"id": "tran-van-hoai", "links": [COMES, LEAVES]}]}}
    )
    found, defects = settings(tables, scenario.corridor, scenario.corridor.intersections, "benchmark")
    if defects:
        raise SystemExit("\n".join(str(one) for one in defects))
    return found


def without(routes: Path, begin_s: float, end_s: float, out: Path) -> None:
    """The demand without the vehicles that would set out in the flooded street while it is closed."""
    tree = ET.parse(routes)
    root = tree.getroot()
    away = {route.attrib["id"] for route in root.iter("route") if route.attrib["edges"].split()[0] == ENTRY}
    for vehicle in root.findall("vehicle"):
        if vehicle.attrib["route"] in away and begin_s - 60 <= float(vehicle.attrib["depart"]) < end_s:
            root.remove(vehicle)
    tree.write(out)


def one(job: tuple[str, int]) -> dict[str, Any]:
    """One run: an arm and a seed."""
    arm, seed = job
    begun = time.perf_counter()
    normal, flooded, told = ARMS[arm]
    scenario = catalogue_scenario(CORRIDOR, "am", Fidelity.PROXY, seed, seconds=SECONDS)
    begin_s = scenario.begin_s + BEGIN_S
    with tempfile.TemporaryDirectory() as folder:
        routes = Path(folder) / "flood.rou.xml"
        without(scenario.routes[0], begin_s, begin_s + LASTS_S, routes)
        scenario = replace(scenario, routes=(routes,))
        flood = Flood(begin_s, told=told)
        result = run(scenario, policy(normal), seed, set_up(scenario), [flood], policy(flooded))
    figures = result.plant.trips
    return {
        "arm": arm,
        "seed": seed,
        "closed_green_s": flood.green_s,
        "everybody_delay_s": figures.everybody_delay_s,
        "vehicle_delay_s": figures.mean_delay_s,
        "pedestrian_delay_s": figures.person_delay_s,
        "throughput_h": figures.throughput_h,
        "longest_wait_s": result.longest_wait_s,
        "conflicts": result.plant.conflicts,
        "short_intergreens": result.plant.short_intergreens,
        "cut_clearances": result.plant.cut_clearances,
        "gridlock": result.plant.gridlock,
        "wall_s": time.perf_counter() - begun,
    }


def main() -> None:
    """Run it, print the table, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    jobs = [(arm, seed) for seed in range(1, given.seeds + 1) for arm in ARMS]
    versions = {name: metadata.version(name) for name in ("denxanh", "eclipse-sumo")}
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    runs: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        for run_ in track(pool.map(one, jobs), total=len(jobs), console=Console(stderr=True)):
            runs.append(run_)
            if given.out is not None:
                document = {"machine": machine, "versions": versions, "runs": runs}
                given.out.write_text(json.dumps(document, indent=1) + "\n")
    table = Table(title="flood: mean ± standard deviation over seeds")
    for head in ("arm", "green for the closed street s", "person delay s", "on foot s", "arrivals/h"):
        table.add_column(head)
    for arm in ARMS:
        mine = [run_ for run_ in runs if run_["arm"] == arm]
        keys = ("closed_green_s", "everybody_delay_s", "pedestrian_delay_s", "throughput_h")
        table.add_row(arm, *(_spread([float(run_[key]) for run_ in mine]) for key in keys))
    Console().print(table)


def _spread(values: Sequence[float]) -> str:
    wide = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.1f} ± {wide:.1f}"


if __name__ == "__main__":
    main()
