"""One intersection's estimate and guard without a cabinet, second by second: the street's own code."""

from __future__ import annotations

from collections import Counter

from denxanh.agents.observation import TrafficState
from denxanh.controller import guard
from denxanh.controller.estimate import Estimate, Estimator, SignalView
from denxanh.controller.health import HealthLimits
from denxanh.controller.mode import Mode
from denxanh.controller.outlook import outlook
from denxanh.networks.model import Aspect, Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, Readings, Refusal, Report
from denxanh.sim.waiting import Waiting

_NO_STATUS = CabinetStatus(
    map_version=1, junction=1, mode=CabinetMode.ADAPTIVE, faults=Fault.NONE, heartbeat=0, accepted_seq=0,
    refusal=Refusal.NONE, epoch=0, lease_ds=0, heard_ds=0, stage=0, stage_elapsed_ds=0, stage_next=0, plan=0,
    cycle_second=0, cycle_s=0, utc_s=0, green=0, yellow=0, red=0, flashing=0, lamp_fault=0, panel=0,
    config_crc=0, countdown_s=0, monitor=0, min_left_s=(),
)  # fmt: skip
"""There is no cabinet; the estimate reads detectors only."""


class Mind:
    """Per second: `sense` what the detectors say, then `act` on a request.

    Attributes:
        intersection: whose.
        refusals: requests that the guard refused, by reason, counted once while a reason lasts.
        switches: changes of stage.
        starved: seconds in which some group's green did not discharge although called.
        waiting: how long called groups waited for their green.
        decided: what the guard has said last; None before the first second.
    """

    def __init__(
        self, intersection: Intersection, pcu_per_vehicle: float, limits: HealthLimits | None = None
    ) -> None:
        self.intersection = intersection
        self.refusals: Counter[str] = Counter()
        self.switches = 0
        self.starved = 0
        self._estimator = Estimator(intersection, pcu_per_vehicle, limits)
        self._memory = self._estimator.initial()
        self._config = guard.guard_config(intersection)
        self._guard = guard.initial(self._config)
        self.waiting = Waiting(intersection)
        self._estimate: Estimate | None = None
        self._refused: guard.GuardRefusal | None = None
        self._stage = -1
        self.decided: guard.GuardOutput | None = None

    def sense(self, readings: Readings, clock_s: float, plan: int | None) -> TrafficState:
        """The traffic at the boundary before the coming second."""
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
        self._memory, self._estimate = self._estimator.update(
            self._memory, Report(_NO_STATUS, readings), clock_s, view, plan
        )
        return self._estimate.traffic

    @property
    def estimate(self) -> Estimate:
        """What was sensed last."""
        if self._estimate is None:
            raise AssertionError("a mind must sense before it acts")
        return self._estimate

    @property
    def state(self) -> guard.GuardState:
        """How the intersection stands after the last second."""
        return self._guard

    def act(
        self, request: int | None, *, mode: Mode = Mode.ADAPTIVE, called: tuple[bool, ...] | None = None
    ) -> tuple[Aspect, ...]:
        """The lamps for the coming second; call `sense` first.

        Args:
            request: the stage wanted.
            mode: who wants it.
            called: instead of what was sensed (`controller/priority/attendant.py`).
        """
        estimate = self.estimate
        heard = guard.GuardInput(
            mode, request, estimate.called if called is None else called, estimate.discharging
        )
        self._guard, out = guard.tick(self._config, self._guard, heard)
        self.decided = out
        if out.refusal is not None and out.refusal != self._refused:
            self.refusals[out.refusal.value] += 1
        self._refused = out.refusal
        self.starved += bool(out.starved)
        self.waiting.second(estimate.called, out.aspects)
        return out.aspects
