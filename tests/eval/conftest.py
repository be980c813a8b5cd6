"""A small foreign scenario, and runs that nobody had to simulate."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from denxanh.eval.results import ClassFigures, Run
from denxanh.sim.fleet import RoadUser


@pytest.fixture(scope="session")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One crossroads with a signal, made by netgenerate; every entry has traffic. The .sumocfg."""
    sumo = pytest.importorskip("sumo", reason="SUMO is not installed (make setup)")
    folder = tmp_path_factory.mktemp("crossing")
    net = folder / "crossing.net.xml"
    command = [str(Path(sumo.SUMO_HOME) / "bin" / "netgenerate"), "--grid", "--no-turnarounds", "true"]
    command += ["--grid.x-number", "1", "--grid.y-number", "1", "--grid.attach-length", "150"]
    command += ["--default-junction-type", "traffic_light", "-L", "2", "--seed", "1"]
    subprocess.run([*command, "-o", str(net)], check=True, capture_output=True, timeout=60)
    edges = [
        edge for edge in ElementTree.parse(net).getroot().iter("edge") if edge.get("function") != "internal"
    ]
    entries = sorted(str(edge.get("id")) for edge in edges if edge.get("to") == "A0")
    exits = sorted(str(edge.get("id")) for edge in edges if edge.get("from") == "A0")
    ways = [(entry, leave) for entry in entries for leave in exits if _no_u_turn(entry, leave)]
    flows = "".join(
        f'<flow id="{number}" from="{entry}" to="{leave}" begin="0" end="600" probability="0.06"/>'
        for number, (entry, leave) in enumerate(ways)
    )
    (folder / "crossing.rou.xml").write_text(f"<routes>{flows}</routes>", encoding="utf-8")
    config = folder / "crossing.sumocfg"
    config.write_text(
        '<configuration><input><net-file value="crossing.net.xml"/><route-files value="crossing.rou.xml"/>'
        '</input><time><begin value="0"/><end value="600"/></time></configuration>',
        encoding="utf-8",
    )
    return config


def _no_u_turn(entry: str, leave: str) -> bool:
    """Whether a way through A0 is no U-turn (edges are named by their ends)."""
    return entry.removesuffix("A0") != leave.removeprefix("A0")


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Run]:
    """A run with these figures and plain ones for the rest."""

    def make(scenario: str, policy: str, seed: int, delay_s: float, **more: Any) -> Run:
        plain: dict[str, Any] = {
            "scenario": scenario,
            "policy": policy,
            "setting": policy,
            "seed": seed,
            "guarded": not policy.startswith("sumo-"),
            "mean_delay_s": delay_s,
            "median_delay_s": 0.8 * delay_s,
            "p95_delay_s": 3 * delay_s,
            "person_weighted_delay_s": 2 * delay_s,
            "pcu_delay_s": delay_s,
            "stops": 1.0,
            "queue": 5.0,
            "throughput_h": 1800.0,
            "vehicles": 900.0,
            "people": 1300.0,
            "never_departed": 0.0,
            "gridlock": False,
            "teleports": 0,
            "classes": {
                RoadUser.CAR: ClassFigures(number=800, mean_delay_s=delay_s),
                RoadUser.BUS: ClassFigures(number=10, mean_delay_s=1.5 * delay_s),
            },
            "co2_kg": None,
            "fuel_kg": None,
            "conflicts": 0,
            "short_intergreens": 0,
            "cut_clearances": 0,
            "refusals": {},
            "starved_s": 0,
            "longest_wait": 0.5,
            "longest_wait_s": 60,
            "switches_h": 120.0,
            "failed_detectors": 0,
            "intersections": 1,
            "seconds": 600,
            "measured_s": 600,
            "wall_s": 1.0,
            "code": "abc",
        }
        return Run.model_validate({**plain, **more})

    return make
