"""What control costs: the environment's step against bare SUMO, and against sumo-rl.

    python benchmarks/environment_cost.py
    python benchmarks/environment_cost.py --sumocfg NAME.sumocfg --sumo-rl /path/to/other/venv/bin/python

*Against bare SUMO.* `environment` is `CorridorParallelEnv.step` with SUMO in the same process: simulated
detectors, estimate, guard, observer, observations and rewards of every intersection. `bare` steps the same
scenario with the same seed and the same detector file by libsumo, reads nothing, and shows the lamps that the
environment showed, so that exactly the same traffic is simulated. `programme` does the same without touching
the lamps: SUMO's own programmes run, with other queues.

*Against sumo-rl* (`--sumo-rl`: a Python that has it, and libsumo): decisions per second on the same net,
routes, window and decision interval, all its signals as agents, its default observation and reward, 3 s of
yellow. Once as it is installed (SUMO in a process of its own, by socket) and once with LIBSUMO_AS_TRACI=1.
It reads SUMO's lanes once per decision; there are no detectors, no estimate and no guard in it.

Everywhere the agents ask for their stages (sumo-rl: green phases) in turn, the next one every `TURN_S`. Time
is processor time of all processes that take part, from the first step to the last; starting and loading are
left out (by socket: SUMO's loading is in it). Every run has a process of its own. Runs of the arms alternate;
each is cut into pieces, and each piece counts with the fastest of its `--rounds`: other work on the machine
can only make it slower.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from denxanh.eval import provenance
from denxanh.networks.demand import Fidelity
from denxanh.networks.sumocfg import read_configuration
from denxanh.sim.detector_files import detector_xml
from denxanh.sim.environments import CorridorParallelEnv
from denxanh.sim.plant import Plant
from denxanh.sim.session import Session
from denxanh.sim.sources import Catalogue, Foreign, Source

DECISION_S = 5
TURN_S = 20
PIECE = 10
"""Decisions whose time is taken together."""
YELLOW_S = 3

Lamps = list[tuple[int, str, str]]
"""(Second of the run, SUMO's signal, state) whenever a state changes."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run's pieces in seconds of processor time, and how much was in them."""

    pieces: tuple[float, ...]
    decisions: int = 0
    vehicles: int = 0
    """In the net at the end: how crowded it was."""
    lamps: Lamps = field(default_factory=list, repr=False)


class Stopwatch:
    """Processor time of this process, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[float] = []
        self._begun = time.process_time()

    def piece(self) -> None:
        """End a piece and begin the next."""
        now = time.process_time()
        self.pieces.append(now - self._begun)
        self._begun = now


def environment(source: Source, seed: int) -> Run:
    """Step the environment to the end of its scenario."""
    import libsumo

    lamps = _record(Plant)
    env = CorridorParallelEnv(source, decision_s=DECISION_S, backend="inside")
    _, infos = env.reset(seed=seed)
    decisions = 0
    vehicles = 0
    watch = Stopwatch()
    while env.agents:
        turn = decisions // len(env.agents) * DECISION_S // TURN_S
        wanted = {agent: turn % len(infos[agent]["stages"]) for agent in env.agents}
        decisions += len(wanted)
        vehicles = libsumo.vehicle.getIDCount()
        _, _, _, _, infos = env.step(wanted)
        if decisions // len(wanted) % PIECE == 0 and env.agents:
            watch.piece()
    env.close()
    return Run(tuple(watch.pieces), decisions, vehicles, lamps)


def _record(plant: type[Plant]) -> Lamps:
    """Note every lamp that a plant of this process is told to show."""
    lamps: Lamps = []
    shown: dict[str, tuple[object, ...]] = {}
    show = plant.show

    def noted(self: Plant, place: int, aspects: Sequence[object]) -> None:
        show(self, place, aspects)  # type: ignore[arg-type]
        tls = self.intersections[place].tls
        if shown.get(tls) != tuple(aspects):
            shown[tls] = tuple(aspects)
            lamps.append((self.seconds, tls, self.session.sumo.trafficlight.getRedYellowGreenState(tls)))

    plant.show = noted  # type: ignore[method-assign]
    return lamps


def bare(source: Source, seed: int, lamps: Lamps | None) -> Run:
    """Step the same scenario by libsumo and nothing else.

    Args:
        source: as for the environment.
        seed: likewise.
        lamps: what to show when; None: SUMO's own programmes.
    """
    changes: dict[int, list[tuple[str, str]]] = {}
    for second, tls, state in lamps or ():
        changes.setdefault(second, []).append((tls, state))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario = source(seed, folder)
        detectors = folder / "detectors.add.xml"
        detectors.write_text(detector_xml(scenario.intersections), encoding="utf-8")
        with Session.start(scenario.arguments(seed, (detectors,), folder / "trips.xml")) as session:
            step, show = session.sumo.simulationStep, session.sumo.trafficlight.setRedYellowGreenState  # type: ignore[attr-defined]
            watch = Stopwatch()
            for second in range(scenario.end_s - scenario.begin_s):
                for tls, state in changes.get(second, ()):
                    show(tls, state)
                for _ in range(session.second):
                    step()
                if (second + 1) % (PIECE * DECISION_S) == 0:
                    watch.piece()
            vehicles = int(session.sumo.vehicle.getIDCount())
    return Run(tuple(watch.pieces), vehicles=vehicles)


def alone(call: Callable[..., Run], *arguments: object) -> Run:
    """A run in a process of its own: libsumo carries random state from one simulation into the next."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


SUMO_RL = """
import json, os, resource, sys, time
import sumo
os.environ["SUMO_HOME"] = sumo.SUMO_HOME
import sumo_rl
given = json.loads(sys.argv[1])
env = sumo_rl.SumoEnvironment(
    net_file=given["net"], route_file=given["routes"], begin_time=given["begin"],
    num_seconds=given["seconds"], delta_time=given["decision"], yellow_time=given["yellow"],
    sumo_seed=given["seed"], sumo_warnings=False, single_agent=False,
    additional_sumo_cmd="--no-step-log true",
)
seen = env.reset(seed=given["seed"])
decisions, steps, pieces, over = 0, 0, [], False
begun = time.process_time()
while not over:
    turn = steps * given["decision"] // given["turn"]
    wanted = {one: turn % env.traffic_signals[one].num_green_phases for one in seen}
    decisions += len(wanted)
    steps += 1
    seen, rewards, dones, info = env.step(wanted)
    over = dones["__all__"]
    if steps % given["piece"] == 0:
        now = time.process_time()
        pieces.append(now - begun)
        begun = now
vehicles = len(env.sumo.vehicle.getIDList())
env.close()
child = resource.getrusage(resource.RUSAGE_CHILDREN)
if "LIBSUMO_AS_TRACI" not in os.environ:
    pieces.append(child.ru_utime + child.ru_stime)
from importlib.metadata import version
versions = {name: version(name) for name in ("sumo-rl", "eclipse-sumo")}
print(json.dumps({"pieces": pieces, "decisions": decisions, "vehicles": vehicles, "versions": versions}))
"""


def sumo_rl(
    python: Path, sumocfg: Path, seconds: int, seed: int, *, libsumo: bool
) -> tuple[Run, dict[str, str]]:
    """One run of sumo-rl, and which versions ran."""
    given = read_configuration(sumocfg)
    order = {
        "net": str(given.net), "routes": ",".join(str(one) for one in given.routes),
        "begin": int(given.begin_s or 0), "seconds": seconds, "decision": DECISION_S, "yellow": YELLOW_S,
        "turn": TURN_S, "piece": PIECE, "seed": seed,
    }  # fmt: skip
    surroundings = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SUMO_HOME")}
    if libsumo:
        surroundings["LIBSUMO_AS_TRACI"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", SUMO_RL, json.dumps(order)],
            env=surroundings, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"sumo-rl: {done.stderr.strip()[-800:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Run(tuple(told["pieces"]), told["decisions"], told["vehicles"]), told["versions"]


@dataclass(frozen=True, slots=True)
class Cost:
    """One arm under one seed."""

    arm: str
    seed: int
    cpu_s: float
    decisions: int
    vehicles: int


def fastest(runs: Sequence[Run]) -> float:
    """Seconds of all pieces, each as in the round in which it was fastest."""
    return sum(min(pieces) for pieces in zip(*(run.pieces for run in runs), strict=True))


def measure(given: argparse.Namespace, source: Source) -> tuple[list[Cost], dict[str, str]]:
    """Every arm under every seed, its rounds alternating with those of the others."""
    costs: list[Cost] = []
    versions: dict[str, str] = {}
    for seed in range(1, given.seeds + 1):
        runs: dict[str, list[Run]] = {}
        for _ in track(range(given.rounds), f"seed {seed}", console=Console(stderr=True)):
            first = alone(environment, source, seed)
            runs.setdefault("environment", []).append(first)
            runs.setdefault("bare", []).append(alone(bare, source, seed, first.lamps))
            runs.setdefault("programme", []).append(alone(bare, source, seed, None))
            for arm, libsumo in (
                (("sumo-rl, libsumo", True), ("sumo-rl, socket", False)) if given.sumo_rl else ()
            ):
                run, versions = sumo_rl(given.sumo_rl, given.sumocfg, given.seconds, seed, libsumo=libsumo)
                runs.setdefault(arm, []).append(run)
        costs += [
            Cost(arm, seed, fastest(some), some[0].decisions, some[0].vehicles) for arm, some in runs.items()
        ]
    return costs, versions


def compared(costs: Sequence[Cost]) -> Iterator[tuple[str, list[float]]]:
    """What is compared, and its figure under each seed."""
    by_arm = {
        arm: [one for one in costs if one.arm == arm] for arm in dict.fromkeys(one.arm for one in costs)
    }
    ours = by_arm["environment"]
    for arm, theirs in by_arm.items():
        pairs = list(zip(ours, theirs, strict=True))
        if arm in ("bare", "programme"):
            yield f"time of the environment / {arm}", [mine.cpu_s / other.cpu_s for mine, other in pairs]
        elif arm != "environment":
            yield (
                f"decisions per second of the environment / {arm}",
                [(mine.decisions / mine.cpu_s) / (other.decisions / other.cpu_s) for mine, other in pairs],
            )


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corridor", default="mang-thi-diem-12", help="of the catalogue (default: the pilot)"
    )
    parser.add_argument("--scenario", default="am", help="of the corridor's demand")
    parser.add_argument("--fidelity", choices=list(Fidelity), default=Fidelity.SUBLANE)
    parser.add_argument("--sumocfg", type=Path, help="a foreign scenario instead of a corridor")
    parser.add_argument("--seconds", type=int, default=1200, help="simulated, from the scenario's begin")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1..N")
    parser.add_argument("--rounds", type=int, default=3, help="runs of every arm under every seed")
    parser.add_argument("--sumo-rl", type=Path, help="a Python with sumo-rl and libsumo; needs --sumocfg")
    parser.add_argument("--out", type=Path, help="JSON file")
    given = parser.parse_args()
    given.fidelity = Fidelity(given.fidelity)
    if given.sumo_rl and not given.sumocfg:
        parser.error("sumo-rl is compared on a foreign scenario: name one with --sumocfg")
    if given.seconds < 2 * PIECE * DECISION_S:
        parser.error(f"--seconds must be at least {2 * PIECE * DECISION_S}")
    source: Source = Catalogue(given.corridor, given.scenario, given.fidelity, given.seconds)
    if given.sumocfg:
        begin = int(read_configuration(given.sumocfg).begin_s or 0)
        source = Foreign(str(given.sumocfg), end_s=begin + given.seconds)
    costs, versions = measure(given, source)
    console = Console()
    table = Table("arm", "seed", "CPU s", "decisions", "decisions / CPU s", "vehicles at the end")
    for one in costs:
        rate = f"{one.decisions / one.cpu_s:,.0f}" if one.decisions else ""
        table.add_row(
            one.arm, str(one.seed), f"{one.cpu_s:.2f}", str(one.decisions or ""), rate, str(one.vehicles)
        )
    console.print(table)
    table = Table("ratio", "mean", "of each seed")
    for name, figures in compared(costs):
        table.add_row(name, f"{statistics.mean(figures):.2f}", " ".join(f"{one:.2f}" for one in figures))
    console.print(table)
    about = {
        "scenario": str(given.sumocfg or f"{given.corridor}/{given.scenario}/{given.fidelity}"),
        "seconds": given.seconds, "seeds": given.seeds, "rounds": given.rounds, "decision_s": DECISION_S,
        "load_average": os.getloadavg()[0], **provenance.machine(),
        "versions": {**provenance.versions(), **{f"beside: {name}": one for name, one in versions.items()}},
    }  # fmt: skip
    console.print_json(data=about)
    if given.out:
        record = {**about, "costs": [asdict(one) for one in costs], "ratios": dict(compared(costs))}
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
