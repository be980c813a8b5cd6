"""One simulation of a search in a process of its own, and the memory of those that are done.

Fixed plans run quickest as SUMO's own programmes, without detectors, estimate and guard; whatever decides in
the end is run behind the guard, as everything else that is compared.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from denxanh.agents.policy import Policy
from denxanh.errors import ConfigError, SimulationError
from denxanh.eval import optimise_local, provenance
from denxanh.eval.optimise_processes import Failure, run_each
from denxanh.networks.sumonet import read_net
from denxanh.networks.tllogic import write_programmes
from denxanh.sim import direct, references
from denxanh.sim.scenario import Scenario

EVALUATIONS = "evaluations.jsonl"
CODE = "code.json"


@dataclass(frozen=True, slots=True)
class Job:
    """One simulation to make.

    Attributes:
        key: what decides its outcome, but for the code, in one word.
        scenario: with the plans to run already in its corridor.
        seed: of SUMO.
        plan: number of the plan that runs as SUMO's own programme where there is no policy.
        policy: asked behind the guard; None: SUMO runs the plan alone.
        per_person: count delay per person, pedestrians included; else per vehicle.
        counted: bring volumes and links back.
    """

    key: str
    scenario: Scenario
    seed: int
    plan: int
    policy: Policy | None
    per_person: bool
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one simulation came to; delays in seconds."""

    delay_s: float
    """What the search goes by."""
    vehicle_delay_s: float
    """Mean per vehicle, as the public benchmarks count."""
    gridlock: bool
    refusals: Mapping[str, int]
    wall_s: float
    local: Mapping[str, float]
    """Sums by intersection (`optimise_local.Local.delay`)."""
    links: tuple[tuple[str, str, float], ...] = ()
    volumes: tuple[tuple[str, str, float], ...] = ()


def simulate(job: Job) -> tuple[Outcome, dict[str, str]]:
    """Run a job in this process, and the source files that it ran on; reproducible in a fresh process.

    Raises:
        DenXanhError: SUMO or the guard refuses.
    """
    scenario = job.scenario
    with tempfile.TemporaryDirectory(prefix="denxanh-search-") as name:
        routes, programmes = Path(name) / "routes.xml", Path(name) / "plans.add.xml"
        told = replace(scenario, options=(*scenario.options, *optimise_local.options(routes)))
        if job.policy is None:
            driven = replace(scenario.corridor, intersections=scenario.intersections)
            write_programmes(driven, job.plan, programmes)
            told = replace(told, additional=(*scenario.additional, programmes))
            result = direct.run_reference(told, references.SUMO_PROGRAM, job.seed)
        else:
            result = direct.run(told, job.policy, job.seed)
        weights = optimise_local.person_weights(scenario) if job.per_person else dict(scenario.weights)
        where = optimise_local.local(routes, scenario, read_net(scenario.net), weights)
    counts = job.counted
    outcome = Outcome(
        delay_s=result.trips.everybody_delay_s if job.per_person else result.trips.mean_delay_s,
        vehicle_delay_s=result.trips.mean_delay_s,
        gridlock=result.gridlock,
        refusals=dict(result.refusals),
        wall_s=result.wall_s,
        local=where.delay,
        links=tuple((*pair, count) for pair, count in sorted(where.links.items())) if counts else (),
        volumes=tuple((*pair, count) for pair, count in sorted(where.volumes.items())) if counts else (),
    )
    return outcome, provenance.loaded_code()


_LINE = TypeAdapter(
    tuple[str, Outcome], config=ConfigDict(extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null")
)


@dataclass(slots=True)
class Memory:
    """Finished simulations by key, kept in a folder if there is one.

    They count only while the source files that made them are unchanged; `forgotten` says how many did not.
    """

    folder: Path | None = None
    known: dict[str, Outcome] = field(default_factory=dict)
    forgotten: int = 0

    def __post_init__(self) -> None:
        """Read what the folder has.

        Raises:
            ConfigError: the folder cannot be made or read.
        """
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / EVALUATIONS
            lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
            lines = [line for line in lines if line]
            if not self._is_current():
                self.forgotten = len(lines)
                path.unlink(missing_ok=True)
                (self.folder / CODE).unlink(missing_ok=True)
                return
        except OSError as error:
            raise ConfigError(
                f"cannot be used: {error.strerror}", where=f"--out {self.folder}", fix="name another folder"
            ) from error
        for line in lines:
            try:
                key, outcome = _LINE.validate_json(line)
            except ValidationError:  # half written when it was stopped
                continue
            self.known[key] = outcome

    def keep(self, key: str, outcome: Outcome, code: Mapping[str, str]) -> None:
        """Remember a finished simulation."""
        self.known[key] = outcome
        if self.folder is None:
            return
        if not (self.folder / CODE).exists():
            (self.folder / CODE).write_text(json.dumps(dict(code), indent=1) + "\n", encoding="utf-8")
        with (self.folder / EVALUATIONS).open("a", encoding="utf-8") as out:
            out.write(_LINE.dump_json((key, outcome)).decode() + "\n")

    def _is_current(self) -> bool:
        assert self.folder is not None
        try:
            code = json.loads((self.folder / CODE).read_text(encoding="utf-8"))
            return provenance.unchanged({str(path): str(sha) for path, sha in code.items()})
        except (OSError, ValueError, AttributeError):
            return False


@dataclass(slots=True)
class Bench:
    """Runs jobs beside each other and skips those that are done; equal jobs run once.

    Attributes:
        memory: of finished simulations.
        jobs: processes at a time.
        done: told after each simulation; whether it was remembered.
        failed: told of each simulation that failed.
        failures: how many did.
    """

    memory: Memory
    jobs: int
    done: Callable[[bool], None] = lambda _remembered: None
    failed: Callable[[str], None] = lambda _text: None
    failures: int = 0

    def run(self, wanted: Sequence[Job]) -> list[Outcome | None]:
        """Outcomes in the jobs' order; None where a simulation failed.

        Raises:
            SimulationError: every one of several simulations failed: then it is not the plans.
        """
        missing = list({job.key: job for job in wanted if not self._has(job)}.values())
        for _ in range(len(wanted) - len(missing)):
            self.done(True)
        said = ""
        lost = 0
        for place, made in run_each(simulate, missing, self.jobs):
            if isinstance(made, Failure):
                said, lost = made.what, lost + 1
                self.failed(made.what)
            else:
                self.memory.keep(missing[place].key, *made)
            self.done(False)
        self.failures += lost
        if missing and lost == len(wanted):
            raise SimulationError(f"every simulation failed: {said}", fix="run it alone to see why")
        return [self.memory.known.get(job.key) for job in wanted]

    def _has(self, job: Job) -> bool:
        known = self.memory.known.get(job.key)
        return known is not None and (not job.counted or bool(known.volumes))


def digest(value: object) -> str:
    """A short name for anything that JSON can write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]
