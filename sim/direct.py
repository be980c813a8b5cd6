"""A scenario under control without sockets: SUMO, estimate, policy and guard in one process.

The same code as on the street, and the same latency: a commitment that the guard makes in second t counts
from t, as it does when a cabinet adopts it from the command block of tick t.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from denxanh.agents.policy import Policy
from denxanh.controller.health import HealthLimits
from denxanh.networks.model import Aspect
from denxanh.networks.schedule import active_plan
from denxanh.plc.contract import Readings
from denxanh.sim import references
from denxanh.sim.faults import DetectorErrors
from denxanh.sim.metrics import TripSummary
from denxanh.sim.mind import Mind
from denxanh.sim.plant import Plant, PlantSummary
from denxanh.sim.scenario import Scenario
from denxanh.sim.signal_log import SignalLog

_DAY_S = 86_400


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
    measured_s: int
    """Length of the window that `trips` speaks of; the rest was warm-up."""
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
    longest_wait: float
    """The longest wait of a called group for its best aspect, as a share of the guard's bound (max red and
    one stage's service, G5); above 1: a call was starved. 0 without guard."""
    longest_wait_s: int
    """The same wait in seconds."""
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
    events: Path | None = None,
) -> DirectResult:
    """Simulate a scenario with every controlled intersection under this policy and the guard.

    Reproducible for a seed in a fresh process: libsumo 1.28 carries random state from one simulation of a
    process into the next.

    Args:
        scenario: what to simulate.
        policy: asked by every intersection; stateless, so one serves all.
        seed: of SUMO.
        errors: detector errors; perfect detection if not given.
        limits: detector health thresholds; the corridor's if not given.
        events: where to write the high-resolution events (`signal_log`), if anywhere.

    Raises:
        SimulationError: SUMO refuses the scenario or fails.
        OSError: the events cannot be written.
        GuardError: an intersection's timings cannot hold the guard's invariants together.
    """
    begun = time.perf_counter()
    pcu = scenario.corridor.pcu_per_vehicle
    asked = [
        _Asked(Mind(one, pcu, limits or scenario.corridor.health), policy) for one in scenario.intersections
    ]
    with Plant(scenario, seed, errors) as plant, _log(events, scenario, policy) as log:
        while not plant.over:
            second = plant.clock_s
            plan = _plan(scenario, second)
            for place, (one, readings) in enumerate(zip(asked, plant.readings(), strict=True)):
                plant.show(place, one.second(readings, second % _DAY_S, plan))
                if log is not None:
                    log.second(place, plant.date, second % _DAY_S, one.mind, readings)
            plant.step()
        summary = plant.finish()
    refusals: Counter[str] = Counter()
    minds = [one.mind for one in asked]
    for mind in minds:
        refusals.update(mind.refusals)
    return _result(
        scenario, policy.name, seed, summary, begun, refusals,
        switches=sum(mind.switches for mind in minds), starved=sum(mind.starved for mind in minds),
        longest_wait=max((mind.waiting.longest() for mind in minds), default=(0.0, 0)),
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


@contextlib.contextmanager
def _log(path: Path | None, scenario: Scenario, policy: Policy) -> Iterator[SignalLog | None]:
    """Where the events go; a run that fails leaves no file that looks whole."""
    if path is None:
        yield None
        return
    log, whole = SignalLog(path, scenario.intersections, policy), False
    try:
        yield log
        whole = True
    finally:
        log.close(whole=whole)


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
    longest_wait: tuple[float, int] = (0.0, 0),
) -> DirectResult:
    return DirectResult(
        scenario=scenario.id,
        policy=policy,
        seed=seed,
        seconds=summary.seconds,
        measured_s=summary.measured_s,
        trips=summary.trips,
        gridlock=summary.gridlock,
        teleports=summary.teleports,
        conflicts=summary.conflicts,
        short_intergreens=summary.short_intergreens,
        cut_clearances=summary.cut_clearances,
        refusals=dict(refusals),
        switches=switches,
        starved=starved,
        longest_wait=longest_wait[0],
        longest_wait_s=longest_wait[1],
        wall_s=time.perf_counter() - begun,
    )


class _Asked:
    """A mind and the policy that it asks, once per decision interval."""

    def __init__(self, mind: Mind, policy: Policy) -> None:
        self.mind = mind
        self._policy = policy
        self._request: int | None = None
        self._tick = 0

    def second(self, readings: Readings, clock_s: float, plan: int | None) -> tuple[Aspect, ...]:
        """The lamps for the second that begins now."""
        traffic = self.mind.sense(readings, clock_s, plan)
        if self._request is None or self._tick % self._policy.interval_s == 0:
            self._request = self._policy.decide(traffic).stage
        self._tick += 1
        return self.mind.act(self._request)
