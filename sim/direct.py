"""A scenario under control without sockets: SUMO, estimate, policy and guard in one process.

The same code as on the street, and the same latency: a commitment that the guard makes in second t counts
from t, as it does when a cabinet adopts it from the command block of tick t.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.agents.policy import Decision, Policy
from denxanh.controller import guard
from denxanh.controller.estimate import Estimator, SignalView
from denxanh.controller.health import HealthLimits
from denxanh.controller.mode import Mode
from denxanh.controller.outlook import outlook
from denxanh.networks.model import Aspect, Intersection
from denxanh.networks.schedule import active_plan
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, Readings, Refusal, Report
from denxanh.sim import references
from denxanh.sim.faults import DetectorErrors
from denxanh.sim.metrics import TripSummary
from denxanh.sim.plant import Plant, PlantSummary
from denxanh.sim.scenario import Scenario

_DAY_S = 86_400
_NO_STATUS = CabinetStatus(
    map_version=1, junction=1, mode=CabinetMode.ADAPTIVE, faults=Fault.NONE, heartbeat=0, accepted_seq=0,
    refusal=Refusal.NONE, epoch=0, lease_ds=0, heard_ds=0, stage=0, stage_elapsed_ds=0, stage_next=0, plan=0,
    cycle_second=0, cycle_s=0, utc_s=0, green=0, yellow=0, red=0, flashing=0, lamp_fault=0, panel=0,
    config_crc=0, countdown_s=0, monitor=0, min_left_s=(),
)  # fmt: skip
"""There is no cabinet; the estimate reads detectors only."""


@dataclass(frozen=True, slots=True)
class DirectResult:
    """What one run came to; times in seconds, `trips` in vehicles (a proxy unit counts as its vehicles).

    `refusals` counts requests that the guard refused, by reason, once while the reason lasts. The
    observer's `conflicts`, `short_intergreens` and `cut_clearances` see only lamps; they are 0 for the
    unguarded references, whose lamps nobody watches.
    """

    scenario: str
    policy: str
    seed: int
    seconds: int
    trips: TripSummary
    gridlock: bool
    teleports: int
    conflicts: int
    short_intergreens: int
    cut_clearances: int
    refusals: Mapping[str, int]
    switches: int
    starved: int
    """Seconds in which some group's green did not discharge although called."""
    wall_s: float

    @property
    def mean_delay_s(self) -> float:
        """Mean of timeLoss + departDelay: the public benchmark's definition."""
        return self.trips.mean_delay_s

    @property
    def vehicles(self) -> float:
        """Due to depart in the measured window."""
        return self.trips.vehicles

    @property
    def never_departed(self) -> float:
        """Of these, those that never entered."""
        return self.trips.never_departed


def run(
    scenario: Scenario,
    policy: Policy,
    seed: int,
    *,
    errors: DetectorErrors | None = None,
    limits: HealthLimits | None = None,
) -> DirectResult:
    """Simulate a scenario with every controlled intersection under this policy and the guard.

    Reproducible for a seed in a fresh process: libsumo 1.28 carries random state from one simulation of a
    process into the next.

    Args:
        scenario: what to simulate.
        policy: asked by every intersection; stateless, so one serves all.
        seed: of SUMO.
        errors: detector errors; perfect detection if not given.
        limits: detector health thresholds.

    Raises:
        SimulationError: SUMO refuses the scenario or fails.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
    """
    begun = time.perf_counter()
    minds = [_Mind(one, policy, scenario.corridor.pcu_per_vehicle, limits) for one in scenario.intersections]
    with Plant(scenario, seed, errors) as plant:
        while not plant.over:
            second = plant.clock_s
            plan = _plan(scenario, second)
            for place, (mind, readings) in enumerate(zip(minds, plant.readings(), strict=True)):
                plant.show(place, mind.second(readings, second % _DAY_S, plan))
            plant.step()
        summary = plant.finish()
    refusals: Counter[str] = Counter()
    for mind in minds:
        refusals.update(mind.refusals)
    return _result(
        scenario, policy.name, seed, summary, begun, refusals,
        switches=sum(mind.switches for mind in minds), starved=sum(mind.starved for mind in minds),
    )  # fmt: skip


def run_reference(scenario: Scenario, name: str, seed: int) -> DirectResult:
    """Simulate a scenario under SUMO's own programmes, without our guard.

    Args:
        scenario: what to simulate.
        name: one of `references.NAMES`.
        seed: of SUMO.

    Raises:
        SimulationError: SUMO refuses the scenario or fails.
        NetworkError: the net or an additional file cannot be read.
    """
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="denxanh-reference-") as folder:
        uncontrolled = replace(scenario, controlled=())
        if name == references.SUMO_ACTUATED:
            extra = Path(folder) / "actuated.add.xml"
            text = references.actuated_xml(scenario.net, scenario.additional, scenario.tls)
            extra.write_text(text, encoding="utf-8")
            uncontrolled = replace(uncontrolled, additional=(*scenario.additional, extra))
        with Plant(uncontrolled, seed) as plant:
            while not plant.over:
                plant.step()
            summary = plant.finish()
    return _result(scenario, name, seed, summary, begun, {}, switches=0, starved=0)


def _plan(scenario: Scenario, second: float) -> int | None:
    """The scheduled plan's number at a second of the simulation."""
    schedule = scenario.corridor.schedule
    return active_plan(schedule, scenario.date, int(second) % _DAY_S) if schedule.entries else None


def _result(
    scenario: Scenario,
    policy: str,
    seed: int,
    summary: PlantSummary,
    begun: float,
    refusals: Mapping[str, int],
    *,
    switches: int,
    starved: int,
) -> DirectResult:
    return DirectResult(
        scenario=scenario.id,
        policy=policy,
        seed=seed,
        seconds=summary.seconds,
        trips=summary.trips,
        gridlock=summary.gridlock,
        teleports=summary.teleports,
        conflicts=summary.conflicts,
        short_intergreens=summary.short_intergreens,
        cut_clearances=summary.cut_clearances,
        refusals=dict(refusals),
        switches=switches,
        starved=starved,
        wall_s=time.perf_counter() - begun,
    )


class _Mind:
    """One intersection's estimate, policy and guard, second by second."""

    def __init__(
        self, intersection: Intersection, policy: Policy, pcu_per_vehicle: float, limits: HealthLimits | None
    ) -> None:
        self.refusals: Counter[str] = Counter()
        self.switches = 0
        self.starved = 0
        self._policy = policy
        self._estimator = Estimator(intersection, pcu_per_vehicle, limits)
        self._memory = self._estimator.initial()
        self._config = guard.guard_config(intersection)
        self._guard = guard.initial(self._config)
        self._decision: Decision | None = None
        self._refused: guard.GuardRefusal | None = None
        self._stage = -1
        self._tick = 0

    def second(self, readings: Readings, clock_s: float, plan: int | None) -> tuple[Aspect, ...]:
        """The lamps for the second that begins now."""
        state = self._guard
        view = SignalView(
            stage=state.stage,
            elapsed_s=0.0 if state.in_interstage else float(state.elapsed_s),
            in_interstage=state.in_interstage,
            commitment=state.commitment,
            aspects=state.aspects,
            stages=outlook(self._config, state),
        )
        self.switches += view.stage != self._stage
        self._stage = view.stage
        self._memory, estimate = self._estimator.update(
            self._memory, Report(_NO_STATUS, readings), clock_s, view, plan
        )
        if self._decision is None or self._tick % self._policy.interval_s == 0:
            self._decision = self._policy.decide(estimate.traffic)
        self._tick += 1
        heard = guard.GuardInput(Mode.ADAPTIVE, self._decision.stage, estimate.called, estimate.discharging)
        self._guard, out = guard.tick(self._config, self._guard, heard)
        if out.refusal is not None and out.refusal != self._refused:
            self.refusals[out.refusal.value] += 1
        self._refused = out.refusal
        self.starved += bool(out.starved)
        return out.aspects
