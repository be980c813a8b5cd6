"""From detector readings to `TrafficState`: the same code in training, in simulation and on the street.

`Estimator.update` is pure and total: whatever the wire says, the result is finite and in range. Counters
are free-running u16, so a lost poll loses nothing; a detector that health condemns is replaced by what
its lane's other detectors, its approach's other lanes or its own history say, with lowered confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from denxanh.agents.observation import NO_GAP_S, Commitment, LaneState, StageState, TrafficState
from denxanh.controller.health import DetectorHealth, HealthLimits, Sample, Symptom, assess
from denxanh.controller.readings import LoopDelta, Zone, age_s, loop_delta, read_zones
from denxanh.controller.wiring import wire
from denxanh.networks.model import Aspect, DetectorKind, GroupKind, Intersection
from denxanh.plc.contract import LoopReading, Report

_DAY_S = 86_400.0
_LONG_GAP_S = 600.0
"""A longer silence, or a clock that jumped, empties the windows, s."""
_WINDOW_S = 30
_SHORT_S = 10
_DISCHARGE_MEMORY_S = 5.0
"""A green group discharges if its stop line counted within this time: 2.5 saturation headways."""
_CALL_HOLD_S = 3.0
"""A call on a group that is not green outlives a gap of detection by this, s [J]: two lost looks."""
_HISTORY_S = 600.0
"""Time constant of the history that replaces a blind lane's counts, s."""
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


class _Lane(NamedTuple):
    """Memory of one lane; pcu except where it says vehicles."""

    arrivals: tuple[float, ...] = (0.0,) * _WINDOW_S
    """Per second, newest last."""
    discharge: tuple[float, ...] = (0.0,) * _WINDOW_S
    gap_s: float = NO_GAP_S
    discharge_s: float = NO_GAP_S
    """Since the last discharge."""
    balance: float = 0.0
    """Vehicles between the loops by their difference."""
    zone_vehicles: float = 0.0
    queued: float = 0.0
    moving: float = 0.0
    past_queued: float = 0.0
    past_moving: float = 0.0
    occupancy: float = 0.0
    downstream: float = 0.0
    latched: bool = False
    """A vehicle came on red and has not been let go; used where no zone can see it."""


@dataclass(frozen=True, slots=True)
class EstimateState:
    """Everything that the estimate remembers. `health` aligns with `Intersection.detectors`."""

    clock_s: float | None
    counters: tuple[tuple[int, int] | None, ...]
    """(count, occupied_ds) per loop in register order, None before the first reading."""
    health: tuple[DetectorHealth, ...]
    lanes: tuple[_Lane, ...]
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
            lanes=(_Lane(),) * len(self.intersection.lanes),
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
                tuple(_Lane(past_queued=m.past_queued, past_moving=m.past_moving) for m in state.lanes),
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
            health = self._health(state, report, loops, zones, pressed, span)
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

    def _health(
        self,
        state: EstimateState,
        report: Report,
        loops: dict[int, LoopDelta],
        zones: dict[int, Zone],
        pressed: frozenset[int],
        span: float,
    ) -> tuple[DetectorHealth, ...]:
        """Every detector judged with what its neighbours saw."""
        wiring, limits, lanes = self._wiring, self.limits, self.intersection.lanes
        passed = [sum([loops[d].passed for d in stops]) for stops in wiring.stop_line]
        dropped = [
            max(0.0, state.lanes[n].zone_vehicles - sum([zones[d].vehicles for d in watching]))
            if all(zones[d].valid for d in watching)
            else 0.0
            for n, watching in enumerate(wiring.zone)
        ]
        flows = [float(p or sum([loops[d].passed for d in wiring.advance[n]])) for n, p in enumerate(passed)]
        result = list(state.health)

        def judge(detector: int, sample: Sample) -> None:
            result[detector] = assess(state.health[detector], sample, limits, wiring.max_red[detector])

        for position, d in enumerate(wiring.loops):
            delta, lane = loops[d], self.intersection.detectors[d].lane
            stop_line = self.intersection.detectors[d].kind is DetectorKind.STOP_LINE
            # A lane change can empty a zone without a pass, and hide from the advance loop: weaker evidence.
            own = 0.5 * dropped[lane] if stop_line else 0.25 * passed[lane]
            reading = report.readings.loops[position] if position < len(report.readings.loops) else None
            judge(d, Sample(
                span, age_s(reading), reading is not None and bool(reading.fault), delta.valid, delta.passed,
                delta.on_s, None, own, sum([flows[n] for n in wiring.siblings[lane]]),
            ))  # fmt: skip
        for position, d in enumerate(wiring.zones):
            zone, described = zones[d], self.intersection.detectors[d]
            reading_z = report.readings.zones[position] if position < len(report.readings.zones) else None
            full = (
                0.0 if described.downstream else zone.vehicles / max(1.0, lanes[described.lane].storage_pcu)
            )
            judge(d, Sample(
                span, age_s(reading_z), reading_z is not None and bool(reading_z.fault), zone.valid, 0,
                span if zone.occupancy >= 1.0 and zone.speed <= 0.0 else 0.0,
                (zone.vehicles, zone.queued, zone.occupancy, zone.speed),
                0.0 if described.downstream else float(passed[described.lane]), 0.0, full,
            ))  # fmt: skip
        for position, d in enumerate(wiring.buttons):
            there = position < len(report.readings.buttons)
            on = span if d in pressed else 0.0
            judge(d, Sample(span, 0.0, fault=False, valid=there, passed=0, on_s=on, value=None,
                            own=0.0, siblings=0.0))  # fmt: skip
        return tuple(result)

    def _lanes(
        self,
        state: EstimateState,
        good: Sequence[bool],
        loops: dict[int, LoopDelta],
        zones: dict[int, Zone],
        served: Sequence[bool],
        span: float,
    ) -> tuple[_Lane, ...]:
        """Every lane's memory after this report; blind lanes are filled in a second pass."""
        lanes = []
        seen = []
        for n, before in enumerate(state.lanes):
            lane, sees = self._lane(n, before, good, loops, zones, served[n], span)
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

    def _lane(
        self,
        n: int,
        before: _Lane,
        good: Sequence[bool],
        loops: dict[int, LoopDelta],
        zones: dict[int, Zone],
        served: bool,
        span: float,
    ) -> tuple[_Lane, bool]:
        """One lane from its own detectors, and whether they can see its queue."""
        wiring, pcu = self._wiring, self.pcu_per_vehicle
        room = self.intersection.lanes[n].storage_pcu
        stops = [loops[d] for d in wiring.stop_line[n] if good[d]]
        advances = [loops[d] for d in wiring.advance[n] if good[d]]
        watching = [zones[d] for d in wiring.zone[n] if good[d]]
        vehicles = sum([zone.vehicles for zone in watching])
        stepped = vehicles - before.zone_vehicles if watching else 0.0
        out = sum([loop.passed for loop in stops]) if stops else (max(0.0, -stepped) if served else 0.0)
        come = sum([loop.passed for loop in advances]) if advances else max(0.0, stepped + out)
        occupied = True in [loop.occupied for loop in (*stops, *advances)]
        if not stops and not advances:
            occupied = vehicles > 0.0
        balance = min(max(0.0, before.balance + come - out), room / pcu)
        past_queued, past_moving = before.past_queued, before.past_moving
        sees = True
        if watching:
            queued = min(sum([zone.queued for zone in watching]), vehicles) * pcu
            moving = max(0.0, vehicles * pcu - queued)
            balance = vehicles
            weight = min(1.0, span / _HISTORY_S)
            past_queued += weight * (queued - past_queued)
            past_moving += weight * (moving - past_moving)
        elif stops and advances:
            if not occupied and served and before.gap_s > 2.0 * _DISCHARGE_MEMORY_S:
                balance = 0.0  # nothing moves over either loop on green: the difference has drifted
            queued, moving = (0.0, balance * pcu) if served else (balance * pcu, 0.0)
        else:
            queued, moving, sees = 0.0, 0.0, False
        below = [zones[d].occupancy for d in wiring.downstream[n] if good[d]]
        lane = _Lane(
            arrivals=_shift(before.arrivals, come * pcu, span),
            discharge=_shift(before.discharge, out * pcu, span),
            gap_s=0.0 if occupied else min(NO_GAP_S, before.gap_s + span),
            discharge_s=0.0 if out > 0 else min(NO_GAP_S, before.discharge_s + span),
            balance=balance,
            zone_vehicles=vehicles if watching else before.zone_vehicles,
            queued=queued,
            moving=moving,
            past_queued=past_queued,
            past_moving=past_moving,
            occupancy=_occupancy([loop.on_s for loop in stops], span)
            if stops
            else max([zone.occupancy for zone in watching], default=0.0),
            downstream=max(below) if below else before.downstream * math.exp(-span / _HISTORY_S),
            latched=occupied or (not served and (before.latched or come > 0 or out > 0)),
        )
        return lane, sees

    def _called(
        self, good: Sequence[bool], lanes: Sequence[_Lane], pressed: frozenset[int]
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
        self, good: Sequence[bool], lanes: Sequence[_Lane], view: SignalView
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
                leaves = min([lanes[n].discharge_s for n in served], default=NO_GAP_S) <= _DISCHARGE_MEMORY_S
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


def _gone_stale(health: DetectorHealth) -> DetectorHealth:
    """The same detector after too long a silence of the whole link."""
    return health._replace(symptom=Symptom.STALE, clean_s=0.0) if health.good else health


def _elapsed(before: float | None, now: float) -> float:
    """Seconds since the last reading of a clock that wraps at midnight; one that went back is a long gap."""
    if before is None or not math.isfinite(now):
        return 0.0
    return (now - before) % _DAY_S


def _shift(window: tuple[float, ...], amount: float, span: float) -> tuple[float, ...]:
    """The window after `span` seconds in which `amount` came, spread evenly over them."""
    steps = round(span)
    if steps <= 0:
        return window if amount <= 0.0 else (*window[:-1], window[-1] + amount)
    if steps == 1:
        return (*window[1:], amount)
    return (*window, *((amount / steps,) * min(steps, _WINDOW_S)))[-_WINDOW_S:]


def _occupancy(on_s: Sequence[float], span: float) -> float:
    """Largest share of the interval that one of the loops was occupied."""
    return min(1.0, max(on_s) / span) if span > 0.0 and on_s else 0.0


def _shows_green(view: SignalView, group: int) -> bool:
    """Whether a group is green now."""
    return group < len(view.aspects) and view.aspects[group].is_green


def _served(intersection: Intersection, aspects: Sequence[Aspect]) -> list[bool]:
    """Per lane: whether any of its groups is green."""
    green = [g < len(aspects) and aspects[g].is_green for g in range(len(intersection.groups))]
    return [any(green[part.group] for part in lane.groups) for lane in intersection.lanes]
