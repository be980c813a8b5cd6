"""From runs to tables: per scenario and policy, against a reference, and over all scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from denxanh.eval import statistics
from denxanh.eval.results import Results, Run
from denxanh.sim.fleet import RoadUser

Figure = Callable[[Run], float | None]
FIGURES: Mapping[str, Figure] = {
    "mean_delay_s": lambda run: run.mean_delay_s,
    "person_weighted_delay_s": lambda run: run.person_weighted_delay_s,
    "pcu_delay_s": lambda run: run.pcu_delay_s,
    "median_delay_s": lambda run: run.median_delay_s,
    "p95_delay_s": lambda run: run.p95_delay_s,
    "stops": lambda run: run.stops,
    "queue": lambda run: run.queue,
    "throughput_h": lambda run: run.throughput_h,
    "never_departed": lambda run: run.never_departed,
    "switches_h": lambda run: run.switches_h,
    "starved_s": lambda run: float(run.starved_s),
    "co2_kg": lambda run: run.co2_kg,
    "fuel_kg": lambda run: run.fuel_kg,
}
"""What is averaged over seeds."""
SAFETY: Sequence[str] = ("conflicts", "short_intergreens", "cut_clearances", "teleports")
"""What is added up over seeds."""


def headline(foreign: bool) -> str:
    """The figure by which policies are compared: per vehicle on anyone's net, per person on our corridors."""
    return "mean_delay_s" if foreign else "person_weighted_delay_s"


def rows(results: Results) -> list[dict[str, Any]]:
    """One row per scenario and policy, in the order of the runs."""
    return [_row(some, results.foreign[some[0].scenario]) for some in _grouped(results.runs).values()]


def _grouped(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.scenario, run.policy), []).append(run)
    return groups


def _row(some: Sequence[Run], foreign: bool) -> dict[str, Any]:
    first = some[0]
    vehicle = _spread(some, "mean_delay_s")
    person = _spread(some, "person_weighted_delay_s")
    chosen = vehicle if foreign else person
    refusals: dict[str, int] = {}
    for run in some:
        for reason, number in run.refusals.items():
            refusals[reason] = refusals.get(reason, 0) + number
    row: dict[str, Any] = {
        "scenario": first.scenario,
        "policy": first.policy,
        "setting": first.setting,
        "guarded": first.guarded,
        "seeds": len(some),
        "mean_delay_s": vehicle.mean,
        "ci95": list(vehicle.ci95),
        "person_weighted_delay_s": person.mean,
        "person_weighted_ci95": list(person.ci95),
        "headline": headline(foreign),
        "headline_mean": chosen.mean,
        "headline_ci95": list(chosen.ci95),
        "headline_sd": chosen.sd,
        "headline_median": chosen.median,
        "headline_iqr": [chosen.q25, chosen.q75],
        "headline_worst": chosen.worst,
        "gridlocks": sum(run.gridlock for run in some),
        "gridlock_rate": sum(run.gridlock for run in some) / len(some),
    }
    for name, figure in FIGURES.items():
        values = [value for run in some if (value := figure(run)) is not None]
        row.setdefault(name, sum(values) / len(values) if values else None)
    row.update({name: sum(getattr(run, name) for run in some) for name in SAFETY})
    row["longest_wait"] = max(run.longest_wait for run in some)
    row["refusals"] = dict(sorted(refusals.items()))
    row["classes"] = _classes(some)
    return row


def _spread(some: Sequence[Run], name: str) -> statistics.Spread:
    return statistics.spread([value for run in some if (value := FIGURES[name](run)) is not None])


def _classes(some: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Per class: mean number and, over the seeds that have it, mean delay with its interval."""
    found: dict[str, dict[str, Any]] = {}
    for user in RoadUser:
        figures = [run.classes[user] for run in some if user in run.classes]
        if figures:
            delays = statistics.spread([one.mean_delay_s for one in figures])
            found[user.value] = {
                "number": sum(one.number for one in figures) / len(some),
                "mean_delay_s": delays.mean,
                "ci95": list(delays.ci95),
            }
    return found


def by_seed(results: Results, scenario: str, policy: str) -> dict[int, float]:
    """The headline figure of one policy at one scenario, by seed."""
    name = headline(results.foreign[scenario])
    return {
        run.seed: value
        for run in results.runs
        if (run.scenario, run.policy) == (scenario, policy) and (value := FIGURES[name](run)) is not None
    }
