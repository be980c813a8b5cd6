"""The rules against the public RESCO networks: one table, one JSON file.

    python benchmarks/resco.py --data DIR [--networks cologne1,...] [--policies ...] [--seeds 1,2,3]
                               [--insertion own,classic] [--clearance built,3+0] [--jobs 2] [--out FILE]

DIR holds one folder per network with its `.sumocfg`. Delay is the public benchmark's: timeLoss + departDelay
over all vehicles due in the window, with the whole wait of those that never departed; teleporting is off.
Insertion `own` is SUMO's default, `classic` is `--default.departspeed 0 --default.departlane first`, as in
the published tables. Clearance `built` is what the street's geometry needs, `Y+R` fixes yellow and all-red in
every intersection (the published "10/3" rows are 3+0). `sumo-program` and `sumo-actuated` are unguarded and
keep their programme's own clearances.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from denxanh.agents import registry
from denxanh.networks.clearance import with_fixed_intergreens
from denxanh.sim import direct, references
from denxanh.sim.scenario import Scenario, foreign_scenario

NETWORKS = ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7")
INSERTION = {
    "own": (),
    "classic": ("--default.departspeed=0", "--default.departlane=first"),
}
PACKAGES = ("denxanh", "eclipse-sumo", "libsumo")


@dataclass(frozen=True, slots=True)
class Cell:
    """One run to make."""

    network: str
    sumocfg: str
    policy: str
    seed: int
    insertion: str
    clearance: str
    seconds: int | None

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What the seeds of one table entry share."""
        return (self.insertion, self.clearance, self.policy, self.network)


def run_cell(cell: Cell) -> dict[str, Any]:
    """Simulate one cell, in a process of its own.

    A second simulation in one libsumo draws other random numbers than a first with the same seed (measured on
    1.28: 1 % of delay under fixed programmes, 30 % under SUMO's actuated ones).
    """
    scenario = cleared(
        foreign_scenario(Path(cell.sumocfg), options=INSERTION[cell.insertion]), cell.clearance
    )
    if cell.seconds is not None:
        scenario = scenario.until(cell.seconds)
    if cell.policy in references.NAMES:
        result = direct.run_reference(scenario, cell.policy, cell.seed)
    else:
        result = direct.run(scenario, registry.policy(cell.policy), cell.seed)
    figures = asdict(result)
    figures.pop("trips")
    return {
        **asdict(cell),
        **figures,
        "sumocfg": Path(cell.sumocfg).name,
        "network": cell.network,
        "mean_delay_s": result.mean_delay_s,
        "median_delay_s": result.trips.median_delay_s,
        "p95_delay_s": result.trips.p95_delay_s,
        "stops": result.trips.stops,
        "vehicles": result.vehicles,
        "never_departed": result.never_departed,
    }


def cleared(scenario: Scenario, clearance: str) -> Scenario:
    """The scenario with these clearances in every intersection."""
    if clearance in ("built", "own"):
        return scenario
    yellow_s, all_red_s = (int(part) for part in clearance.split("+"))
    intersections = tuple(
        with_fixed_intergreens(one, yellow_s, all_red_s) for one in scenario.corridor.intersections
    )
    return replace(scenario, corridor=replace(scenario.corridor, intersections=intersections))


def cells(options: argparse.Namespace) -> list[Cell]:
    """Every run of the table; references do not depend on our clearances."""
    made = []
    for network in options.networks:
        sumocfg = options.data / network / f"{network}.sumocfg"
        if not sumocfg.is_file():
            sys.exit(f"{sumocfg} does not exist; give the folder that holds the networks with --data")
        for insertion in options.insertion:
            for policy in options.policies:
                clearances = ["own"] if policy in references.NAMES else options.clearance
                for clearance in clearances:
                    made += [
                        Cell(network, str(sumocfg), policy, seed, insertion, clearance, options.seconds)
                        for seed in options.seeds
                    ]
    return made


def summary(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per table entry: mean, standard deviation and median over seeds, and what a mean hides."""
    rows: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for run in runs:
        key = (run["insertion"], run["clearance"], run["policy"], run["network"])
        rows.setdefault(key, []).append(run)
    found = []
    for (insertion, clearance, policy, network), some in rows.items():
        delays = [run["mean_delay_s"] for run in some]
        found.append(
            {
                "insertion": insertion,
                "clearance": clearance,
                "policy": policy,
                "network": network,
                "seeds": len(delays),
                "mean_s": statistics.fmean(delays),
                "sd_s": statistics.stdev(delays) if len(delays) > 1 else 0.0,
                "median_s": statistics.median(delays),
                "gridlocks": sum(run["gridlock"] for run in some),
                "never_departed": sum(run["never_departed"] for run in some),
                "conflicts": sum(run["conflicts"] + run["short_intergreens"] for run in some),
            }
        )
    return found


def table(rows: Iterable[dict[str, Any]], networks: Sequence[str]) -> str:
    """Mean ± sd in seconds; the median in brackets and the gridlocks where there are any."""
    by_line: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        text = f"{row['mean_s']:.1f} ± {row['sd_s']:.1f}"
        if row["gridlocks"]:
            text += f" (med {row['median_s']:.1f}, {row['gridlocks']} gridlock)"
        by_line.setdefault((row["insertion"], row["clearance"], row["policy"]), {})[row["network"]] = text
    lines = [
        "| insertion | clearance | policy | " + " | ".join(networks) + " |",
        "|---" * (3 + len(networks)) + "|",
    ]
    lines += [
        "| " + " | ".join([*line, *(entries.get(network, "") for network in networks)]) + " |"
        for line, entries in sorted(by_line.items())
    ]
    return "\n".join(lines)


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def listed(text: str) -> list[str]:
        return [part for part in text.split(",") if part]

    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per network")
    parser.add_argument("--networks", type=listed, default=list(NETWORKS))
    parser.add_argument("--policies", type=listed, default=[*references.NAMES, *registry.names()])
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in listed(text)], default=[1, 2, 3])
    parser.add_argument("--insertion", type=listed, default=["own"], help="own, classic")
    parser.add_argument("--clearance", type=listed, default=["built"], help="built, or Y+R such as 3+0")
    parser.add_argument("--seconds", type=int, default=None, help="shorter window, for a quick look")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=Path("resco.json"))
    options = parser.parse_args(argv)
    unknown = set(options.policies) - {*references.NAMES, *registry.names()}
    if unknown or set(options.insertion) - set(INSERTION):
        parser.error(f"unknown {', '.join(unknown) or 'insertion'}")
    return options


def main(argv: Sequence[str] | None = None) -> None:
    """Run the table and write it."""
    options = arguments(argv)
    work = cells(options)
    begun = time.time()
    runs = []
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=1) as pool:
        for done, run in enumerate(pool.imap_unordered(run_cell, work), start=1):
            runs.append(run)
            sys.stderr.write(
                f"{done}/{len(work)} {run['network']} {run['policy']} seed {run['seed']}"
                f" {run['insertion']} {run['clearance']}: {run['mean_delay_s']:.1f} s"
                f"{' GRIDLOCK' if run['gridlock'] else ''} ({run['wall_s']:.0f} s)\n"
            )
    rows = summary(runs)
    record = {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), **{p: metadata.version(p) for p in PACKAGES}},
        "seeds": options.seeds,
        "wall_s": time.time() - begun,
        "summary": rows,
        "runs": sorted(runs, key=lambda run: (run["network"], run["policy"], run["insertion"], run["seed"])),
    }
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(rows, options.networks))  # noqa: T201


if __name__ == "__main__":
    main()
