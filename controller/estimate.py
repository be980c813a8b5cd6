"""From detector readings to `TrafficState`: the same code in training, in simulation and on the street.

`Estimator.update` is pure and total: whatever the wire says, the result is finite and in range. Counters
are free-running u16, so a lost poll loses nothing; a detector that health condemns is replaced by what
its lane's other detectors, its approach's other lanes or its own history say, with lowered confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.agents.observation import NO_GAP_S, Commitment, LaneState, StageState, TrafficState
from denxanh.controller.health import DetectorHealth, HealthLimits, Symptom
from denxanh.controller.judging import judge
from denxanh.controller.lane_memory import DISCHARGE_MEMORY_S, LaneMemory, Seen, follow
from denxanh.controller.readings import LoopDelta, Zone, loop_delta, read_zones
from denxanh.controller.wiring import wire
from denxanh.networks.model import Aspect, DetectorKind, GroupKind, Intersection
from denxanh.plc.contract import LoopReading, Report

_DAY_S = 86_400.0
_LONG_GAP_S = 600.0
"""A longer silence, or a clock that jumped, empties the windows, s."""
_SHORT_S = 10
"""Shorter window of counts in `LaneState`, s."""
_CALL_HOLD_S = 3.0
"""A call on a group that is not green outlives a gap of detection by this, s [J]: two lost looks."""
_AGEING_S = 10.0
"""Confidence falls to 1/e when nothing has been heard for this long, s."""
_BY_LOOPS, _BY_SIBLINGS, _BY_HISTORY = 0.6, 0.4, 0.2
"""Confidence in a lane whose zone is replaced by its loops, by its approach's lanes, by history [J]."""
_WITHOUT_STOP_LINE = 0.8
"""Confidence factor of a lane whose stop-line loop is bad [J]."""


@dataclass(frozen=True, slots=True)
class SignalView:
    """What the cabinet shows, as the guard's re-synchronised state sees it.

    `stage` is the running one, or the coming one during an interstage; `stages` and `aspects` align with
    the intersection's tuples.
    """

    stage: int
    elapsed_s: float
    in_interstage: bool
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]
    stages: tuple[StageState, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One update's result. `called` and `discharging` align with the groups and go to the guard."""

    traffic: TrafficState
    called: tuple[bool, ...]
    discharging: tuple[bool, ...]
    blind: tuple[str, ...]
    """Called approaches without one believed detector: no adaptive control there."""


@dataclass(frozen=True, slots=True)
class EstimateState:
    """Everything that the estimate remembers. `health` aligns with `Intersection.detectors`."""

    clock_s: float | None
    counters: tuple[tuple[int, int] | None, ...]
    """(count, occupied_ds) per loop in register order, None before the first reading."""
    health: tuple[DetectorHealth, ...]
    lanes: tuple[LaneMemory, ...]
    wait_s: tuple[float, ...]
    uncalled_s: tuple[float, ...]
    """Per group, since a detector last saw demand."""
    unheard_s: float
    """Since the last report."""


class Estimator:
    """The estimate of one intersection.

    Args:
        intersection: whose detectors these are.
        pcu_per_vehicle: mean passenger-car units of a counted vehicle, > 0.
        limits: detector health thresholds.
    """

    def __init__(
        self, intersection: Intersection, pcu_per_vehicle: float = 1.0, limits: HealthLimits | None = None
    ) -> None:
        self.intersection = intersection
        self.pcu_per_vehicle = pcu_per_vehicle
        self.limits = limits or HealthLimits()
        self._wiring = wire(intersection)

    def initial(self) -> EstimateState:
        """Nothing seen yet; detectors are believed until they show otherwise."""
        return EstimateState(
            clock_s=None,
            counters=(None,) * len(self._wiring.loops),
            health=(DetectorHealth(),) * len(self.intersection.detectors),
            lanes=(LaneMemory(),) * len(self.intersection.lanes),
            wait_s=(0.0,) * len(self.intersection.groups),
            uncalled_s=(NO_GAP_S,) * len(self.intersection.groups),
            unheard_s=0.0,
        )

    def update(
        self,
        state: EstimateState,
        report: Report | None,
        clock_s: float,
        view: SignalView,
        plan: int | None = None,
    ) -> tuple[EstimateState, Estimate]:
        """One tick.

        Args:
            state: before.
            report: this tick's poll, None when it was lost.
            clock_s: local seconds since midnight; may wrap at midnight.
            view: what the cabinet shows at the start of this tick.
            plan: number of the scheduled plan, passed through.
        """
        dt = _elapsed(state.clock_s, clock_s)
        if dt > _LONG_GAP_S:
            state = EstimateState(
                clock_s, (None,) * len(state.counters), state.health,
                tuple(LaneMemory(past_queued=m.past_queued, past_moving=m.past_moving) for m in state.lanes),
                state.wait_s, state.uncalled_s, 0.0,
            )  # fmt: skip
            dt = 0.0
        wiring = self._wiring
        served = _served(self.intersection, view.aspects)
        if report is None:
            unheard = state.unheard_s + dt
            counters, health, lanes, pressed = state.counters, state.health, state.lanes, frozenset[int]()
            if unheard > self.limits.stale_s:
                health = tuple(
                    h._replace(symptom=Symptom.STALE, clean_s=0.0) if h.good else h for h in health
                )
            lanes = tuple(
                lane._replace(
                    gap_s=min(NO_GAP_S, lane.gap_s + dt), discharge_s=min(NO_GAP_S, lane.discharge_s + dt)
                )
                for lane in lanes
            )
        else:
            unheard = 0.0
            span = state.unheard_s + dt
            counters, loops = self._read_loops(state.counters, report.readings.loops, span)
            zones = read_zones(wiring.zones, report.readings.zones, self.limits.max_speed_kmh)
            pressed = frozenset(
                d for d, on in zip(wiring.buttons, report.readings.buttons, strict=False) if on is True
            )
            health = judge(
                wiring, state.health, report.readings, loops, zones, pressed,
                zone_vehicles=[lane.zone_vehicles for lane in state.lanes], span=span, limits=self.limits,
            )  # fmt: skip
            good = [one.symptom is Symptom.NONE for one in health]
            lanes = self._lanes(state, good, loops, zones, served, span)
        good = [one.symptom is Symptom.NONE for one in health]
        seen = self._called(good, lanes, pressed)
        uncalled = tuple(
            0.0 if call else min(NO_GAP_S, since + dt)
            for call, since in zip(seen, state.uncalled_s, strict=True)
        )
        called = tuple(
            since <= _CALL_HOLD_S if not _shows_green(view, g) else call
            for g, (call, since) in enumerate(zip(seen, uncalled, strict=True))
        )
        discharging = self._discharging(good, lanes, view)
        wait = tuple(
            0.0 if not call or done else before + dt
            for before, call, done in zip(state.wait_s, called, discharging, strict=True)
        )
        after = EstimateState(clock_s, counters, health, lanes, wait, uncalled, unheard)
        return after, self._estimate(after, view, called, discharging, plan)

    def _read_loops(
        self, before: Sequence[tuple[int, int] | None], readings: Sequence[LoopReading], span: float
    ) -> tuple[tuple[tuple[int, int] | None, ...], dict[int, LoopDelta]]:
        """Counter differences since the last report."""
        counters: list[tuple[int, int] | None] = []
        deltas: dict[int, LoopDelta] = {}
        for position, (detector, last) in enumerate(zip(self._wiring.loops, before, strict=True)):
            if position >= len(readings):
                counters.append(last)
                deltas[detector] = LoopDelta(0, 0.0, valid=False, occupied=False)
                continue
            counter, deltas[detector] = loop_delta(last, readings[position], span)
            counters.append(counter)
        return tuple(counters), deltas

    def _lanes(
        self,
        state: EstimateState,
        good: Sequence[bool],
        loops: dict[int, LoopDelta],
        zones: dict[int, Zone],
        served: Sequence[bool],
        span: float,
    ) -> tuple[LaneMemory, ...]:
        """Every lane's memory after this report; blind lanes are filled in a second pass."""
        wiring = self._wiring
        lanes = []
        seen = []
        for n, before in enumerate(state.lanes):
            lane, sees = follow(
                before,
                Seen(
                    stops=[loops[d] for d in wiring.stop_line[n] if good[d]],
                    advances=[loops[d] for d in wiring.advance[n] if good[d]],
                    zones=[zones[d] for d in wiring.zone[n] if good[d]],
                    downstream=[zones[d].occupancy for d in wiring.downstream[n] if good[d]],
                ),
                served=served[n],
                span=span,
                pcu=self.pcu_per_vehicle,
                room=self.intersection.lanes[n].storage_pcu,
            )
            lanes.append(lane)
            seen.append(sees)
        for n, sees in enumerate(seen):
            if sees:
                continue
            siblings = [s for s in self._wiring.siblings[n] if seen[s]]
            if siblings:
                rooms = [max(1.0, lane.storage_pcu) for lane in self.intersection.lanes]
                queued = sum(lanes[s].queued / rooms[s] for s in siblings) / len(siblings)
                moving = sum(lanes[s].moving / rooms[s] for s in siblings) / len(siblings)
                lanes[n] = lanes[n]._replace(queued=queued * rooms[n], moving=moving * rooms[n])
            else:
                lanes[n] = lanes[n]._replace(queued=lanes[n].past_queued, moving=lanes[n].past_moving)
        return tuple(lanes)

    def _called(
        self, good: Sequence[bool], lanes: Sequence[LaneMemory], pressed: frozenset[int]
    ) -> tuple[bool, ...]:
        """Groups with demand; a bad detector is demand."""
        detectors = self.intersection.detectors
        result = []
        for callers in self._wiring.callers:
            call = False
            for d in callers:
                detector = detectors[d]
                if not good[d] or d in pressed:
                    call = True
                elif detector.kind is DetectorKind.ZONE:
                    call = lanes[detector.lane].zone_vehicles > 0
                elif detector.kind is DetectorKind.STOP_LINE:
                    lane = lanes[detector.lane]
                    call = lane.gap_s <= 0.0 or (lane.latched and not self._wiring.zone[detector.lane])
                elif detector.kind is DetectorKind.ADVANCE:
                    call = lanes[detector.lane].latched and not self._wiring.zone[detector.lane]
                if call:
                    break
            result.append(call)
        return tuple(result)

    def _discharging(
        self, good: Sequence[bool], lanes: Sequence[LaneMemory], view: SignalView
    ) -> tuple[bool, ...]:
        """Green groups whose traffic really leaves; where nobody can tell, `G` is trusted and `g` is not."""
        wiring = self._wiring
        result = []
        for g, group in enumerate(self.intersection.groups):
            aspect = view.aspects[g] if g < len(view.aspects) else Aspect.RED
            if not aspect.is_green:
                result.append(False)
            elif group.kind is GroupKind.PEDESTRIAN:
                result.append(True)
            else:
                served = wiring.group_lanes[g]
                leaves = min([lanes[n].discharge_s for n in served], default=NO_GAP_S) <= DISCHARGE_MEMORY_S
                seen = leaves or any(good[d] for n in served for d in (*wiring.stop_line[n], *wiring.zone[n]))
                result.append(leaves if seen else aspect is Aspect.PROTECTED)
        return tuple(result)

    def _estimate(
        self,
        state: EstimateState,
        view: SignalView,
        called: tuple[bool, ...],
        discharging: tuple[bool, ...],
        plan: int | None,
    ) -> Estimate:
        """The policy's and the guard's view of a finished update."""
        ageing = math.exp(-state.unheard_s / _AGEING_S)
        lanes = []
        trusted = []
        for n, (memory, lane) in enumerate(zip(state.lanes, self.intersection.lanes, strict=True)):
            trust = self._confidence(n, state) * ageing
            trusted.append(trust)
            lanes.append(
                LaneState(
                    queued=memory.queued,
                    moving=memory.moving,
                    occupancy=memory.occupancy,
                    arrivals_10s=sum(memory.arrivals[-_SHORT_S:]),
                    arrivals_30s=sum(memory.arrivals),
                    discharge_10s=sum(memory.discharge[-_SHORT_S:]),
                    gap_s=memory.gap_s,
                    red_call_s=max((state.wait_s[part.group] for part in lane.groups), default=0.0),
                    downstream_occupancy=memory.downstream,
                    confidence=trust,
                )
            )
        traffic = TrafficState(
            intersection=self.intersection,
            clock_s=state.clock_s or 0.0,
            stage=view.stage,
            elapsed_s=view.elapsed_s,
            in_interstage=view.in_interstage,
            commitment=view.commitment,
            aspects=view.aspects,
            called=called,
            wait_s=state.wait_s,
            lanes=tuple(lanes),
            stages=view.stages,
            plan=plan,
            confidence=sum(trusted) / len(trusted) if trusted else ageing,
        )
        return Estimate(traffic, called, discharging, self._blind(state, called))

    def _confidence(self, n: int, state: EstimateState) -> float:
        """How far lane n's figures can be trusted, in [0, 1]."""
        wiring, health = self._wiring, state.health
        stops = any(health[d].good for d in wiring.stop_line[n])
        if any(health[d].good for d in wiring.zone[n]):
            return 1.0 if stops or not wiring.stop_line[n] else _WITHOUT_STOP_LINE
        if stops and any(health[d].good for d in wiring.advance[n]):
            return _BY_LOOPS
        if any(health[d].good for s in wiring.siblings[n] for d in wiring.zone[s]):
            return _BY_SIBLINGS
        return _BY_HISTORY

    def _blind(self, state: EstimateState, called: Sequence[bool]) -> tuple[str, ...]:
        """Called approaches that no believed detector watches."""
        seen: dict[str, bool] = {}
        for n, lane in enumerate(self.intersection.lanes):
            if not any(called[part.group] for part in lane.groups):
                continue
            wiring = self._wiring
            sees = any(
                state.health[d].good for d in (*wiring.stop_line[n], *wiring.advance[n], *wiring.zone[n])
            )
            seen[lane.approach] = seen.get(lane.approach, False) or sees
        return tuple(approach for approach, sees in seen.items() if not sees)


def _elapsed(before: float | None, now: float) -> float:
    """Seconds since the last reading of a clock that wraps at midnight; one that went back is a long gap."""
    if before is None or not math.isfinite(now):
        return 0.0
    return (now - before) % _DAY_S


def _shows_green(view: SignalView, group: int) -> bool:
    """Whether a group is green now."""
    return group < len(view.aspects) and view.aspects[group].is_green


def _served(intersection: Intersection, aspects: Sequence[Aspect]) -> list[bool]:
    """Per lane: whether any of its groups is green."""
    green = [g < len(aspects) and aspects[g].is_green for g in range(len(intersection.groups))]
    return [any(green[part.group] for part in lane.groups) for lane in intersection.lanes]
