"""What the signals make of a flooded street that they are told of, against signals that know nothing.

    python benchmarks/flood.py --street nguyen-van-cu --seeds 3 --out flood.json

Morning peak, motorbikes as proxy units, seeds paired, each run a fresh process. Two streets:

- `tran-van-hoai`: a side street of the arterial with a stage of its own at 30 Tháng 4. It is under water for
  420 s of 720: nobody comes from there (who would have set out there stays away, in every arm), and who
  drives there creeps at 1 m/s.
- `nguyen-van-cu`: in the pilot network, between Mậu Thân and Cách Mạng Tháng Tám, under water all the time
  (900 s, the first 300 are not measured): nobody drives there (who would have, stays away, in every arm).

A gauge reports it once a minute. Arms: who decides, whether the gauge is heard, and whether the intersections
hold plans that were made for floods. Figures: green that the closed approach still gets, vehicles that stand
on the other approaches there, everybody's delay in the whole network.
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
from dataclasses import dataclass, replace
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from denxanh.agents.registry import policy
from denxanh.controller.priority.closures import made_for_floods
from denxanh.controller.priority.message import Message, Water
from denxanh.controller.priority.settings import Settings
from denxanh.controller.priority.tables import RequestTables, settings
from denxanh.networks.demand import Fidelity
from denxanh.sim.plant import Plant
from denxanh.sim.requested import run
from denxanh.sim.scenario import Scenario, catalogue_scenario

GAUGE = "gauge"
LEVEL_CM = 40.0
CREEP_MS = 1.0


@dataclass(frozen=True)
class Arm:
    """Who decides, who decides in the flood, what is known of it."""

    normal: str
    flood: str
    told: bool
    made: bool = True
    """Whether the intersections hold the flood plans that the catalogue has for them."""


@dataclass(frozen=True)
class Street:
    """A street that floods.

    Attributes:
        site: where it ends.
        links: its edges, as the gauge names them; the first one is the approach at `site`.
        group: of `site`, serves the closed approach.
        gone: whoever has one of these edges in the route stays away; with `origins`, only who starts there.
        begin_s: when the water comes, within the run.
    """

    corridor: str
    site: str
    links: tuple[str, ...]
    group: str
    gone: tuple[str, ...]
    origins: bool
    begin_s: int
    lasts_s: int
    seconds: int
    arms: dict[str, Arm]


STREETS = {
    "tran-van-hoai": Street(
        corridor="truc-30-4-hoa-binh",
        site="TVH_304",
        links=("TVH_304_nw", "TVH_304_nw_out"),
        group="nw_l",
        gone=("TVH_304_nw_in",),
        origins=True,
        begin_s=180,
        lasts_s=420,
        seconds=720,
        arms={
            "fixed, not told": Arm("fixed", "fixed", told=False),
            "fixed, flood plans": Arm("fixed", "fixed", told=True),
            "max-pressure, not told": Arm("max-pressure", "max-pressure", told=False),
            "max-pressure, told": Arm("max-pressure", "max-pressure", told=True),
        },
    ),
    "nguyen-van-cu": Street(
        corridor="mang-thi-diem-12",
        site="NVC_CMT8",
        links=("NVC_CMT8_sw", "NVC_CMT8-MT_NVC", "MT_NVC_ne"),
        group="sw_l",
        gone=("NVC_CMT8_sw", "NVC_CMT8-MT_NVC"),
        origins=False,
        begin_s=0,
        lasts_s=900,
        seconds=900,
        arms={
            "fixed, not told": Arm("fixed", "fixed", told=False),
            "fixed, the catalogue's flood plans": Arm("fixed", "fixed", told=True),
            "fixed, plans worked out": Arm("fixed", "fixed", told=True, made=False),
        },
    ),
}


class Flood:
    """The water, and the gauge that reports it."""

    def __init__(self, street: Street, begin_s: float, *, told: bool) -> None:
        self.green_s = 0
        """Seconds of green for the closed approach while it was closed."""
        self.standing = 0
        """Vehicles that stood on the other approaches there meanwhile, summed over the seconds."""
        self.seconds = 0
        self._street = street
        self._begin_s = begin_s
        self._told = told
        self._seq = 0
        self._speeds: dict[str, float] = {}

    def second(self, plant: Plant) -> Iterator[Message]:
        """See `requested.Sender`."""
        street, since = self._street, plant.clock_s - self._begin_s
        under = 0 <= since < street.lasts_s
        if under and not self._speeds:
            self._creep(plant)
        if since == street.lasts_s:
            for edge, speed in self._speeds.items():
                plant.session.sumo.edge.setMaxSpeed(edge, speed)
        if under and plant.seconds:
            self._look(plant)
        if self._told and since >= 0 and since % 60 == 0:
            self._seq += 1
            yield Water(
                source="frmis",
                seq=self._seq,
                issued_s=plant.clock_s,
                gauge=GAUGE,
                level_cm=LEVEL_CM if under else 0.0,
                valid_s=150,
            )

    def _creep(self, plant: Plant) -> None:
        """Who drives into the water does so slowly; only where the water comes and goes."""
        if self._street.origins:
            away = self._street.links[1]
            self._speeds[away] = plant.session.sumo.lane.getMaxSpeed(f"{away}_1")
            plant.session.sumo.edge.setMaxSpeed(away, CREEP_MS)

    def _look(self, plant: Plant) -> None:
        place = next(n for n, one in enumerate(plant.intersections) if one.id == self._street.site)
        site = plant.intersections[place]
        group = next(g for g, one in enumerate(site.groups) if one.id == self._street.group)
        self.green_s += plant.shown(place)[group].is_green
        others = {lane.approach for lane in site.lanes} - {self._street.links[0]}
        halting = plant.session.sumo.edge.getLastStepHaltingNumber
        self.standing += sum(halting(edge) for edge in sorted(others))
        self.seconds += 1


def set_up(scenario: Scenario, street: Street) -> Settings:
    """The site's settings: one gauge for the street."""
    tables = RequestTables.model_validate(
        {"flood": {"on": True, "gauge": [{"id": GAUGE, "links": list(street.links)}]}}
    )
    found, defects = settings(tables, scenario.corridor, scenario.corridor.intersections, "benchmark")
    if defects:
        raise SystemExit("\n".join(str(one) for one in defects))
    return found


def without(routes: Path, street: Street, begin_s: float, out: Path) -> None:
    """The demand without the vehicles that stay away while the street is closed."""
    tree = ET.parse(routes)
    root = tree.getroot()
    away = {
        route.attrib["id"]
        for route in root.iter("route")
        if set(street.gone) & set(route.attrib["edges"].split()[: 1 if street.origins else None])
    }
    end_s = begin_s + street.lasts_s
    for vehicle in root.findall("vehicle"):
        if vehicle.attrib["route"] in away and begin_s - 60 <= float(vehicle.attrib["depart"]) < end_s:
            root.remove(vehicle)
    tree.write(out)


def unmade(scenario: Scenario) -> Scenario:
    """The same with intersections that hold no plans for floods."""
    corridor = scenario.corridor
    places = tuple(
        replace(one, plans=tuple(plan for plan in one.plans if not made_for_floods(plan)))
        for one in corridor.intersections
    )
    return replace(scenario, corridor=replace(corridor, intersections=places))


def one(job: tuple[str, str, int]) -> dict[str, Any]:
    """One run: a street, an arm and a seed."""
    name, label, seed = job
    begun = time.perf_counter()
    street, arm = STREETS[name], STREETS[name].arms[label]
    scenario = catalogue_scenario(street.corridor, "am", Fidelity.PROXY, seed, seconds=street.seconds)
    scenario = scenario if arm.made else unmade(scenario)
    begin_s = scenario.begin_s + street.begin_s
    with tempfile.TemporaryDirectory() as folder:
        routes = Path(folder) / "flood.rou.xml"
        without(scenario.routes[0], street, begin_s, routes)
        scenario = replace(scenario, routes=(routes,))
        flood = Flood(street, begin_s, told=arm.told)
        wanted = set_up(scenario, street)
        result = run(scenario, policy(arm.normal), seed, wanted, [flood], policy(arm.flood))
    figures = result.plant.trips
    return {
        "street": name,
        "arm": label,
        "seed": seed,
        "closed_green_s": flood.green_s,
        "standing": flood.standing / max(1, flood.seconds),
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
    parser.add_argument("--street", choices=STREETS, default="nguyen-van-cu")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    arms = STREETS[given.street].arms
    jobs = [(given.street, arm, seed) for seed in range(1, given.seeds + 1) for arm in arms]
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
    heads = ("arm", "green for the closed street s", "standing there", "person delay s", "on foot s")
    for head in (*heads, "arrivals/h"):
        table.add_column(head)
    for arm in arms:
        mine = [run_ for run_ in runs if run_["arm"] == arm]
        keys = ("closed_green_s", "standing", "everybody_delay_s", "pedestrian_delay_s", "throughput_h")
        table.add_row(arm, *(_spread([float(run_[key]) for run_ in mine]) for key in keys))
    Console().print(table)


def _spread(values: Sequence[float]) -> str:
    wide = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.1f} ± {wide:.1f}"


if __name__ == "__main__":
    main()
