"""The outcome of one run and of a whole matrix, and the rows of `results.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from denxanh.sim.fleet import RoadUser

if TYPE_CHECKING:
    from denxanh.sim.direct import DirectResult

SECONDS_PER_HOUR = 3600.0


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClassFigures(_Record):
    """One class of road users: number due, mean delay in seconds."""

    number: float
    mean_delay_s: float


class Run(_Record):
    """One run's figures; docs/evaluate.md says what each means. Times in seconds."""

    scenario: str
    policy: str
    setting: str
    """What really ran: the policy, or the rule at its tuned settings."""
    seed: int
    guarded: bool
    mean_delay_s: float
    median_delay_s: float
    p95_delay_s: float
    person_weighted_delay_s: float
    pcu_delay_s: float
    stops: float
    queue: float
    throughput_h: float
    vehicles: float
    people: float
    never_departed: float
    gridlock: bool
    teleports: int
    classes: dict[RoadUser, ClassFigures]
    co2_kg: float | None
    fuel_kg: float | None
    conflicts: int
    short_intergreens: int
    cut_clearances: int
    refusals: dict[str, int]
    starved_s: int
    longest_wait: float
    """Share of the guard's bound; above 1: a call was starved. See `DirectResult`."""
    longest_wait_s: int
    switches_h: float
    """Changes of stage per hour and intersection."""
    failed_detectors: int
    intersections: int
    seconds: int
    measured_s: int
    wall_s: float
    code: str
    """State of the source files that it ran on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that ended with an error instead of figures."""

    scenario: str
    policy: str
    setting: str
    seed: int
    error: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that figures rest on: of a scenario, or (with `policy`) a model or searched plans."""

    scenario: str
    policy: str | None
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a matrix; `runs` in its order, each of them complete."""

    runs: tuple[Run, ...]
    failures: tuple[Failure, ...] = ()
    foreign: Mapping[str, bool] = field(default_factory=dict)
    """Per scenario, in order: whether it is anyone's net, compared per vehicle, or ours, per person."""
    files: tuple[InputFile, ...] = ()
    """As they were when the matrix began."""
    resumed: int = 0
    """How many of the runs were finished before."""
    wall_s: float = 0.0

    changed: tuple[str, ...] = ()
    """Source files that were not the same for all runs: somebody changed them meanwhile."""


def run_of(
    result: DirectResult,
    *,
    scenario: str,
    policy: str,
    setting: str,
    guarded: bool,
    intersections: int,
    failed_detectors: int,
    code: str,
) -> Run:
    """A simulation's outcome in the words of the tables."""
    trips = result.trips
    hours = max(result.seconds, 1) / SECONDS_PER_HOUR
    return Run(
        scenario=scenario,
        policy=policy,
        setting=setting,
        seed=result.seed,
        guarded=guarded,
        mean_delay_s=trips.mean_delay_s,
        median_delay_s=trips.median_delay_s,
        p95_delay_s=trips.p95_delay_s,
        person_weighted_delay_s=trips.everybody_delay_s,
        pcu_delay_s=trips.pcu_delay_s,
        stops=trips.stops,
        queue=trips.queue,
        throughput_h=trips.throughput_h,
        vehicles=trips.vehicles,
        people=trips.everybody,
        never_departed=trips.never_departed,
        gridlock=result.gridlock,
        teleports=result.teleports,
        classes={
            user: ClassFigures(number=one.number, mean_delay_s=one.mean_delay_s)
            for user, one in trips.classes
        },
        co2_kg=trips.co2_kg,
        fuel_kg=trips.fuel_kg,
        conflicts=result.conflicts,
        short_intergreens=result.short_intergreens,
        cut_clearances=result.cut_clearances,
        refusals=dict(result.refusals),
        starved_s=result.starved,
        longest_wait=result.longest_wait,
        longest_wait_s=result.longest_wait_s,
        switches_h=result.switches / hours / max(intersections, 1),
        failed_detectors=failed_detectors,
        intersections=intersections,
        seconds=result.seconds,
        measured_s=result.measured_s,
        wall_s=result.wall_s,
        code=code,
    )


CLASSES = tuple(RoadUser)
_NESTED = ("classes", "refusals")


def flat(run: Run) -> dict[str, Any]:
    """One run as a row: per class its number and delay, refusals by reason in one field."""
    row: dict[str, Any] = {
        name: value for name, value in run.model_dump(mode="json").items() if name not in _NESTED
    }
    for user in CLASSES:
        figures = run.classes.get(user)
        row[f"{user}_number"] = figures.number if figures else None
        row[f"{user}_delay_s"] = figures.mean_delay_s if figures else None
    row["refusals"] = " ".join(f"{reason}={number}" for reason, number in sorted(run.refusals.items()))
    return row


def to_csv(runs: Iterable[Run]) -> str:
    """One row per run, with a head."""
    rows = [flat(run) for run in runs]
    names = [name for name in Run.model_fields if name not in _NESTED]
    names += [f"{user}_{what}" for user in CLASSES for what in ("number", "delay_s")] + ["refusals"]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
