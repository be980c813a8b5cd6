"""How long the learned policy takes for 42 intersections on one core: observation, network, whole decision.

    python benchmarks/inference.py [--model FILE.onnx] [--seconds 900] [--rounds 500] [--out inference.json]

States come from the pilot network in the morning peak (12 intersections under a rule, detectors and estimate
as on the street), 42 at a time, all free to decide. `encode` makes 42 observations, `stack` pads them into
one batch, `network` scores them (onnxruntime, one thread). `decisions` is the policy's own `decide_all`, all
of that, and must stay under 5 ms. `explained` also reads the 42 reasons; `one explained` is what the
controller asks for: one intersection, with its reason in two languages. Wall time is what the clock says,
processor time what this process used: on a machine that does other things as well they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from denxanh.agents import registry
from denxanh.agents.encoding import batch, encode
from denxanh.agents.observation import TrafficState
from denxanh.agents.universal import OnnxScorer, Universal
from denxanh.eval import provenance
from denxanh.networks.demand import Fidelity
from denxanh.sim.episode import Episode
from denxanh.sim.scenario import catalogue_scenario

CORRIDOR, DEMAND, RULE = "mang-thi-diem-12", "am", "most-vehicles"
INTERSECTIONS = 42
DECISIONS = "decisions"
LIMIT_MS = 5.0
WARM_UP_S = 150
"""Simulated seconds before the first state: the streets fill."""
DRAWS = 50
"""Different sets of 42 states."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds per call; `cpu` is processor time."""

    what: str
    wall_p50: float
    wall_p99: float
    cpu_p50: float
    cpu_p99: float


def states(seconds: int) -> list[TrafficState]:
    """What the pilot network's intersections see, every 5 s."""
    scenario = catalogue_scenario(CORRIDOR, DEMAND, Fidelity.PROXY, seconds=seconds)
    rule = registry.policy(RULE)
    seen: list[TrafficState] = []
    with Episode(scenario, seed=1) as episode:
        begun = episode.states[0].clock_s
        while not episode.over:
            now = episode.states
            if now[0].clock_s - begun >= WARM_UP_S:
                seen += now
            episode.advance([rule.decide(one).stage for one in now])
    return seen


def timing(what: str, call: Callable[[int], object], rounds: int) -> Timing:
    """Time `call(0)`, `call(1)`, …; the first tenth is not counted."""
    wall: list[float] = []
    cpu: list[float] = []
    for number in range(-max(1, rounds // 10), rounds):
        wall_begun, cpu_begun = time.perf_counter(), time.thread_time()
        call(number)
        took = time.perf_counter() - wall_begun, time.thread_time() - cpu_begun
        if number >= 0:
            wall.append(1e3 * took[0])
            cpu.append(1e3 * took[1])
    return Timing(what, _share(wall, 0.5), _share(wall, 0.99), _share(cpu, 0.5), _share(cpu, 0.99))


def measure(model: Path, seen: Sequence[TrafficState], rounds: int) -> list[Timing]:
    """Every part on the same sets of states."""
    scorer = OnnxScorer(model)
    policy = Universal("universal", scorer)
    dice = random.Random(1)
    free = [one for one in seen if one.commitment is None and not one.in_interstage]
    sets = [dice.sample(free, INTERSECTIONS) for _ in range(DRAWS)]
    encoded = [[encode(state) for state in some] for some in sets]
    stacked = [batch(some) for some in encoded]
    return [
        timing("encode", lambda n: [encode(state) for state in sets[n % DRAWS]], rounds),
        timing("stack", lambda n: batch(encoded[n % DRAWS]), rounds),
        timing("network", lambda n: scorer(stacked[n % DRAWS]), rounds),
        timing(DECISIONS, lambda n: policy.decide_all(sets[n % DRAWS]), rounds),
        timing("explained", lambda n: [one.why for one in policy.decide_all(sets[n % DRAWS])], rounds),
        timing("one explained", lambda n: policy.decide(free[n % len(free)]).why, rounds),
    ]


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def main() -> int:
    """Measure and print; status 1 when the median of the decisions takes more processor time than it may."""
    parser = argparse.ArgumentParser(description="How long the learned policy takes, on one core.")
    parser.add_argument("--model", type=Path, default=registry.SHIPPED, help="default: the shipped one")
    parser.add_argument("--seconds", type=int, default=900, help="simulated, of the pilot network")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--out", type=Path, help="JSON file")
    options = parser.parse_args()
    if not options.model.is_file():
        parser.error(f"no model at {options.model}: name one with --model")
    seen = states(options.seconds)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = measure(options.model, seen, options.rounds)
    table = Table("ms per call", "wall p50", "wall p99", "processor p50", "processor p99")
    for one in found:
        figures = (one.wall_p50, one.wall_p99, one.cpu_p50, one.cpu_p99)
        table.add_row(one.what, *(f"{figure:.2f}" for figure in figures))
    console = Console()
    console.print(table)
    about = {
        "model": options.model.name,
        "intersections": INTERSECTIONS,
        "states": len(seen),
        "rounds": options.rounds,
        "load_average": os.getloadavg()[0],
        **provenance.machine(),
        "versions": provenance.versions(),
    }
    console.print_json(data=about)
    if options.out is not None:
        options.out.write_text(
            json.dumps({**about, "timings": [asdict(one) for one in found]}, indent=1) + "\n",
            encoding="utf-8",
        )
    decisions = next(one for one in found if one.what == DECISIONS)
    return 0 if decisions.cpu_p50 < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
