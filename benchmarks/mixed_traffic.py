"""Motorbike traffic in two fidelities: saturation flow against published figures, delay, cost.

    python benchmarks/mixed_traffic.py --seeds 3 --seconds 900 --out mixed.json

Saturation: an approach of n lanes of 3.5 m, always queued, 90 s red and 40 s green; vehicles over the stop
line between the 8th and the 30th second of green, per hour of green and lane. Published: 13,358, 21,725 and
24,335 motorcycles/h for 2, 3 and 4 lanes per direction (Cao and Sano 2012, ASCE Journal of Transportation
Engineering 138(6)): 6,084 to 7,242 per lane. Theirs is mid-block capacity; stop-line figures for Vietnam
could not be read.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from denxanh.agents.registry import policy
from denxanh.networks.demand import UNIT_SIZE, VEHICLE_TYPES, Fidelity, sumo_options
from denxanh.sim.direct import run
from denxanh.sim.scenario import catalogue_scenario
from denxanh.sim.session import sumo_binary

PUBLISHED_PER_LANE = (24_335 / 4, 21_725 / 3)
"""Lowest and highest motorcycles per hour and lane of Cao and Sano 2012."""
RED_S, GREEN_S = 90, 40
WINDOW_S = (8, 30)
CYCLES = 6
APPROACH_M = 250.0
MIX = {"mc": 0.83, "ebike": 0.03, "car": 0.115, "bus": 0.005, "truck": 0.02}
"""The catalogue's synthetic mix."""


def saturation(lanes: int, fidelity: Fidelity, mix: dict[str, float], seed: int) -> float:
    """Simulated vehicles (a proxy unit is one) per hour of green and lane."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_net(folder, lanes)
        _write_demand(folder, lanes, fidelity, mix)
        end = CYCLES * (RED_S + GREEN_S)
        _call(
            "sumo", "-n", folder / "net.xml", "-r", folder / "rou.xml", "-a", folder / "add.xml",
            "--end", end, "--seed", seed, "--no-step-log", "--no-warnings",
            *sumo_options(fidelity),
        )  # fmt: skip
        counted = sum(_counted(folder / "loops.xml"))
    hours = (CYCLES - 1) * (WINDOW_S[1] - WINDOW_S[0]) / 3600
    return counted / hours / lanes


def _write_net(folder: Path, lanes: int) -> None:
    (folder / "n.nod.xml").write_text(
        f'<nodes><node id="a" x="0" y="0"/><node id="s" x="{APPROACH_M}" y="0" type="traffic_light"/>'
        f'<node id="b" x="{APPROACH_M + 200}" y="0"/></nodes>'
    )
    edge = 'speed="13.89" width="3.5"'
    (folder / "n.edg.xml").write_text(
        f'<edges><edge id="in" from="a" to="s" numLanes="{lanes}" {edge}/>'
        f'<edge id="out" from="s" to="b" numLanes="{lanes}" {edge}/></edges>'
    )
    _call(
        "netconvert", "-n", folder / "n.nod.xml", "-e", folder / "n.edg.xml", "-o", folder / "net.xml",
        "--no-turnarounds", "--no-warnings",
    )  # fmt: skip
    loops = "".join(
        f'<inductionLoop id="d{k}" lane="out_{k}" pos="0.5" period="1" file="{folder / "loops.xml"}"/>'
        for k in range(lanes)
    )
    colours = [("r" * lanes, RED_S), ("G" * lanes, GREEN_S)]
    phases = "".join(f'<phase duration="{length}" state="{state}"/>' for state, length in colours)
    (folder / "add.xml").write_text(
        f'<additional><tlLogic id="s" type="static" programID="bench" offset="0">{phases}</tlLogic>'
        f"{loops}</additional>"
    )


def _write_demand(folder: Path, lanes: int, fidelity: Fidelity, mix: dict[str, float]) -> None:
    """More than can pass, from the first second on."""
    kinds = VEHICLE_TYPES[fidelity]
    shares = dict(mix)
    if fidelity is Fidelity.PROXY:
        shares = {kind: share for kind, share in mix.items() if kind in kinds}
        shares["unit"] = sum(share for kind, share in mix.items() if kind not in kinds) / UNIT_SIZE
    types = "".join(f'<vType id="{kind}" {_attributes(kinds[kind])}/>' for kind in shares)
    total = sum(shares.values())
    spread = " ".join(f"{shares[kind] / total:.6f}" for kind in shares)
    types += f'<vTypeDistribution id="mix" vTypes="{" ".join(shares)}" probabilities="{spread}"/>'
    flow = (
        f'<flow id="f" type="mix" from="in" to="out" begin="0" end="99999" vehsPerHour="{9000 * lanes}" '
        'departLane="random" departSpeed="avg" departPosLat="random"/>'
    )
    (folder / "rou.xml").write_text(f"<routes>{types}{flow}</routes>")


def _attributes(values: Mapping[str, str]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in values.items())


def _counted(loops: Path) -> Iterator[float]:
    """Vehicles over the line within the window of each cycle but the first."""
    for _, element in ET.iterparse(loops):
        if element.tag != "interval":
            continue
        cycle, second = divmod(float(element.attrib["begin"]), RED_S + GREEN_S)
        if cycle >= 1 and WINDOW_S[0] <= second - RED_S < WINDOW_S[1]:
            yield float(element.attrib["nVehContrib"])
        element.clear()


def _call(program: str, *arguments: object) -> None:
    done = subprocess.run(
        [sumo_binary(program), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{program}: {done.stderr.strip()[-800:]}")


def delay(
    corridor: str, scenario: str, seconds: int, name: str, fidelity: str, seed: int
) -> dict[str, object]:
    """One run in a process of its own: libsumo carries random state from one simulation to the next."""
    start = time.process_time()
    setting = catalogue_scenario(corridor, scenario, Fidelity(fidelity), seed, seconds=seconds)
    result = run(setting, policy(name), seed)
    return {
        "policy": name,
        "fidelity": fidelity,
        "seed": seed,
        "mean_delay_s": result.mean_delay_s,
        "vehicles": result.vehicles,
        "never_departed": result.never_departed,
        "gridlock": result.gridlock,
        "cpu_s": time.process_time() - start,
    }


def main() -> None:
    """Run both parts, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1..N for every figure")
    parser.add_argument("--seconds", type=int, default=900, help="simulated seconds per delay run")
    parser.add_argument("--corridor", default="truc-30-4-hoa-binh")
    parser.add_argument("--scenario", default="am")
    parser.add_argument("--policies", default="fixed,max-pressure")
    parser.add_argument("--out", type=Path, help="write everything as JSON")
    given = parser.parse_args()
    seeds = range(1, given.seeds + 1)
    console = Console()

    rows: list[dict[str, object]] = []
    cases = [
        (lanes, fidelity, label, mix)
        for label, mix in (("motorbikes only", {"mc": 1.0}), ("mix", MIX))
        for fidelity in Fidelity
        for lanes in (1, 2, 3)
    ]
    for lanes, fidelity, label, mix in track(cases, "saturation", console=Console(stderr=True)):
        flows = [_weighted(lanes, fidelity, mix, seed) for seed in seeds]
        rows.append(
            {
                "traffic": label, "fidelity": fidelity.value, "lanes": lanes,
                "vehicles_per_lane_h": statistics.mean(flows), "min": min(flows), "max": max(flows),
            }
        )  # fmt: skip
    low, high = PUBLISHED_PER_LANE
    table = Table(
        title=f"Saturation flow, vehicles per hour of green and lane (published: {low:,.0f}-{high:,.0f})"
    )
    for column in ("traffic", "fidelity", "lanes", "mean", "min", "max"):
        table.add_column(column)
    for row in rows:
        figures = [f"{row[key]:,.0f}" for key in ("vehicles_per_lane_h", "min", "max")]
        table.add_row(str(row["traffic"]), str(row["fidelity"]), str(row["lanes"]), *figures)
    console.print(table)

    runs = [
        (given.corridor, given.scenario, given.seconds, name, fidelity.value, seed)
        for name in given.policies.split(",")
        for fidelity in Fidelity
        for seed in seeds
    ]
    with ProcessPoolExecutor(2, get_context("spawn"), max_tasks_per_child=1) as pool:
        results = pool.map(delay, *zip(*runs, strict=True))
        delays = list(track(results, "delay", len(runs), console=Console(stderr=True)))
    table = Table(
        title=f"Mean delay, {given.corridor} {given.scenario}, {given.seconds} s, seeds 1..{given.seeds}"
    )
    for column in ("policy", "fidelity", "delay s (each seed)", "mean", "never departed", "CPU s"):
        table.add_column(column)
    for name in given.policies.split(","):
        for fidelity in Fidelity:
            mine = [d for d in delays if d["policy"] == name and d["fidelity"] == fidelity.value]
            each = [float(str(d["mean_delay_s"])) for d in mine]
            table.add_row(
                name, fidelity.value, " ".join(f"{d:.1f}" for d in each), f"{statistics.mean(each):.1f}",
                f"{statistics.mean(float(str(d['never_departed'])) for d in mine):.0f}",
                f"{statistics.mean(float(str(d['cpu_s'])) for d in mine):.1f}",
            )  # fmt: skip
    console.print(table)

    if given.out:
        given.out.write_text(
            json.dumps(
                {
                    "machine": platform.machine(), "python": platform.python_version(),
                    "sumo": metadata.version("eclipse-sumo"), "seeds": list(seeds),
                    "published_per_lane": PUBLISHED_PER_LANE, "saturation": rows, "delay": delays,
                },
                indent=1,
            )
        )  # fmt: skip


def _weighted(lanes: int, fidelity: Fidelity, mix: dict[str, float], seed: int) -> float:
    """Saturation in real vehicles: a proxy unit stands for several."""
    counted = saturation(lanes, fidelity, mix, seed)
    if fidelity is Fidelity.SUBLANE:
        return counted
    kinds = VEHICLE_TYPES[fidelity]
    merged = sum(share for kind, share in mix.items() if kind not in kinds) / UNIT_SIZE
    kept = sum(share for kind, share in mix.items() if kind in kinds)
    return counted * (merged * UNIT_SIZE + kept) / (merged + kept)


if __name__ == "__main__":
    main()
