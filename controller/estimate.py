"""From detector readings to `TrafficState`: the same code in training, in simulation and on the street.

`Estimator.update` is pure and total: whatever the wire says, the result is finite and in range. Counters
are free-running u16, so a lost poll loses nothing; a detector that health condemns is replaced by what
its lane's other detectors, its approach's other lanes or its own history say, with lowered confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from denxanh.agents.observation import NO_GAP_S, Commitment, LaneState, StageState, TrafficState
from denxanh.controller.health import DetectorHealth, HealthLimits, Symptom
from denxanh.controller.judging import judge
from denxanh.controller.lane_memory import DISCHARGE_MEMORY_S, LaneMemory, follow
from denxanh.controller.readings import LoopDelta, Zone, read_loops, read_zones
from denxanh.controller.sight import Callers, Sight, sight
from denxanh.controller.wiring import wire
from denxanh.networks.model import Aspect, Intersection
from denxanh.plc.contract import LoopReading, Report

_DAY_S = 86_400.0
_LONG_GAP_S = 600.0
"""A longer silence, or a clock that jumped, empties the windows, s."""
_CALL_HOLD_S = 3.0
"""A call on a group that is not green outlives a gap of detection by this, s [J]: two lost looks."""
_AGEING_S = 10.0
"""Confidence falls to 1/e when nothing has been heard for this long, s."""
_SIGHTS = 64
"""How many sets of bad detectors are remembered; beyond it the memory starts anew."""
_PROTECTED, _YIELDING, _WALK = Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK
_BELIEVED = Symptom.NONE
_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""


class SignalView(NamedTuple):
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


class Estimate(NamedTuple):
    """One update's result. `called` and `discharging` align with the groups and go to the guard."""

    traffic: TrafficState
    called: tuple[bool, ...]
    discharging: tuple[bool, ...]
    blind: tuple[str, ...]
    """Called approaches without one believed detector: no adaptive control there."""


class EstimateState(NamedTuple):
    """Everything that the estimate remembers. `health` aligns with `Intersection.detectors`."""

    clock_s: float | None
    counters: tuple[LoopReading | None, ...]
    """The last usable reading per loop in register order, None before the first."""
    health: tuple[DetectorHealth, ...]
    lanes: tuple[LaneMemory, ...]
    wait_s: tuple[float, ...]
    uncalled_s: tuple[float, ...]
    """Per group, since a detector last saw demand."""
    unheard_s: float
    """Since the last report."""
    halted_s: float = 0.0
    """Meanwhile, beside these: what the clock has not counted."""


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
        self._rooms = tuple(max(1.0, lane.storage_pcu) for lane in intersection.lanes)
        self._sights: dict[tuple[int, ...], Sight] = {}

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
        halted_s: float = 0.0,
    ) -> tuple[EstimateState, Estimate]:
        """One tick.

        Args:
            state: before.
            report: this tick's poll, None when it was lost.
            clock_s: local seconds since midnight; may wrap at midnight.
            view: what the cabinet shows at the start of this tick.
            plan: number of the scheduled plan, passed through.
            halted_s: seconds that passed beside those of the clock; they make nothing stale, for only the
                cabinet tells of them, whose clock may have been set, but counters may have moved on by them.
        """
        dt = _elapsed(state.clock_s, clock_s)
        uncounted_s = state.halted_s + halted_s
        if dt + uncounted_s > _LONG_GAP_S:
            state = EstimateState(
                clock_s, (None,) * len(state.counters), state.health,
                tuple(LaneMemory(past_queued=m.past_queued, past_moving=m.past_moving) for m in state.lanes),
                state.wait_s, state.uncalled_s, 0.0,
            )  # fmt: skip
            dt = uncounted_s = 0.0
        wiring = self._wiring
        green = _green(view.aspects, len(self.intersection.groups))
        if report is None:
            unheard = state.unheard_s + dt
            counters, health, lanes, pressed = state.counters, state.health, state.lanes, frozenset[int]()
            if unheard > self.limits.stale_s:
                health = tuple(
                    h._replace(symptom=Symptom.STALE, clean_s=0.0) if h.good else h for h in health
                )
            seen = self._sight(health)
            lanes = tuple(
                lane._replace(
                    gap_s=min(NO_GAP_S, lane.gap_s + dt), discharge_s=min(NO_GAP_S, lane.discharge_s + dt)
                )
                for lane in lanes
            )
        else:
            span, unheard, uncounted_s = state.unheard_s + dt + uncounted_s, 0.0, 0.0
            readings = report.readings
            counters, loops = read_loops(wiring, state.counters, readings.loops, span)
            zones = read_zones(wiring, readings.zones, self.limits.max_speed_kmh)
            pressed = frozenset(
                d for d, on in zip(wiring.buttons, readings.buttons, strict=False) if on is True
            )
            served = self._served(green)
            health = judge(
                wiring, state.health, readings, loops, zones, pressed,
                zone_vehicles=[lane.zone_vehicles for lane in state.lanes], served=served, span=span,
                limits=self.limits,
            )  # fmt: skip
            seen = self._sight(health)
            lanes = self._lanes(state.lanes, seen, loops, zones, served, span)
        called, uncalled = self._calls(state.uncalled_s, seen, lanes, pressed, green, dt)
        discharging = self._discharging(seen, lanes, view.aspects, green)
        wait = tuple(
            [
                0.0 if not call or done else before + dt
                for before, call, done in zip(state.wait_s, called, discharging, strict=True)
            ]
        )
        after = EstimateState(clock_s, counters, health, lanes, wait, uncalled, unheard, uncounted_s)
        return after, self._estimate(after, seen, view, called, discharging, plan)

    def _sight(self, health: Sequence[DetectorHealth]) -> Sight:
        """What can be seen with the detectors that are believed."""
        bad = tuple([d for d, one in enumerate(health) if one.symptom is not _BELIEVED])
        known = self._sights.get(bad)
        if known is None:
            if len(self._sights) >= _SIGHTS:
                self._sights.clear()
            known = self._sights[bad] = sight(self._wiring, bad)
        return known

    def _served(self, green: Sequence[bool]) -> list[bool]:
        """Per lane: whether one of its groups is green."""
        served = []
        for lane in self.intersection.lanes:
            lit = False
            for part in lane.groups:
                if green[part.group]:
                    lit = True
            served.append(lit)
        return served

    def _lanes(
        self,
        before: Sequence[LaneMemory],
        seen: Sight,
        loops: Sequence[LoopDelta],
        zones: Sequence[Zone],
        served: Sequence[bool],
        span: float,
    ) -> tuple[LaneMemory, ...]:
        """Every lane's memory after this report; blind lanes are filled in a second pass."""
        lanes = [
            follow(
                before[n], seen.eyes[n], loops, zones,
                served=served[n], span=span, pcu=self.pcu_per_vehicle, room=lane.storage_pcu,
            )
            for n, lane in enumerate(self.intersection.lanes)
        ]  # fmt: skip
        rooms = self._rooms
        for n, siblings in seen.replaced:
            if siblings:
                queued = sum(lanes[s].queued / rooms[s] for s in siblings) / len(siblings)
                moving = sum(lanes[s].moving / rooms[s] for s in siblings) / len(siblings)
                lanes[n] = lanes[n]._replace(queued=queued * rooms[n], moving=moving * rooms[n])
            else:
                lanes[n] = lanes[n]._replace(queued=lanes[n].past_queued, moving=lanes[n].past_moving)
        return tuple(lanes)

    def _calls(
        self,
        before: Sequence[float],
        seen: Sight,
        lanes: Sequence[LaneMemory],
        pressed: frozenset[int],
        green: Sequence[bool],
        dt: float,
    ) -> tuple[tuple[bool, ...], tuple[float, ...]]:
        """Groups with demand, and per group how long no detector has seen any."""
        called = []
        uncalled = []
        for g, callers in enumerate(seen.callers):
            call = _calls(callers, lanes, pressed)
            since = 0.0 if call else min(NO_GAP_S, before[g] + dt)
            uncalled.append(since)
            called.append(call if green[g] else since <= _CALL_HOLD_S)
        return tuple(called), tuple(uncalled)

    def _discharging(
        self, seen: Sight, lanes: Sequence[LaneMemory], aspects: Sequence[Aspect], green: Sequence[bool]
    ) -> tuple[bool, ...]:
        """Green groups whose traffic really leaves; where nobody can tell, `G` is trusted and `g` is not."""
        wiring = self._wiring
        result = []
        for g, shows_green in enumerate(green):
            leaves = shows_green
            if shows_green and not wiring.walks[g]:
                leaves = not seen.watched[g] and aspects[g] is _PROTECTED
                for n in wiring.group_lanes[g]:
                    if lanes[n].discharge_s <= DISCHARGE_MEMORY_S:
                        leaves = True
            result.append(leaves)
        return tuple(result)

    def _estimate(
        self,
        state: EstimateState,
        seen: Sight,
        view: SignalView,
        called: tuple[bool, ...],
        discharging: tuple[bool, ...],
        plan: int | None,
    ) -> Estimate:
        """The policy's and the guard's view of a finished update."""
        ageing = math.exp(-state.unheard_s / _AGEING_S)
        trusted = [trust * ageing for trust in seen.trust]
        waits = state.wait_s
        lanes = []
        for lane, memory, trust in zip(self.intersection.lanes, state.lanes, trusted, strict=True):
            red_call_s = 0.0
            for part in lane.groups:
                if waits[part.group] > red_call_s:
                    red_call_s = waits[part.group]
            (
                _, _, arrivals_10s, arrivals_30s, discharge_10s, gap_s, _, _, _, queued, moving, _, _,
                occupancy, downstream, _,
            ) = memory  # fmt: skip
            seen_there = (
                queued, moving, occupancy, arrivals_10s, arrivals_30s, discharge_10s, gap_s, red_call_s,
                downstream, trust,
            )  # fmt: skip
            lanes.append(_new(LaneState, seen_there))
        traffic = TrafficState(
            intersection=self.intersection,
            clock_s=state.clock_s or 0.0,
            stage=view.stage,
            elapsed_s=view.elapsed_s,
            in_interstage=view.in_interstage,
            commitment=view.commitment,
            aspects=view.aspects,
            called=called,
            wait_s=waits,
            lanes=tuple(lanes),
            stages=view.stages,
            plan=plan,
            confidence=sum(trusted) / len(trusted) if trusted else ageing,
        )
        return Estimate(traffic, called, discharging, self._blind(seen, called))

    def _blind(self, seen: Sight, called: Sequence[bool]) -> tuple[str, ...]:
        """Called approaches that no believed detector watches."""
        if all(seen.seen):
            return ()
        watched: dict[str, bool] = {}
        for lane, sees in zip(self.intersection.lanes, seen.seen, strict=True):
            if any(called[part.group] for part in lane.groups):
                watched[lane.approach] = watched.get(lane.approach, False) or sees
        return tuple(approach for approach, sees in watched.items() if not sees)


def _calls(callers: Callers, lanes: Sequence[LaneMemory], pressed: frozenset[int]) -> bool:
    """Whether a detector calls a group now; a bad one does."""
    if callers.always:
        return True
    for n in callers.zones:
        if lanes[n].zone_vehicles > 0.0:
            return True
    for n in callers.loops:
        if lanes[n].gap_s <= 0.0:
            return True
    for n in callers.latches:
        if lanes[n].latched:
            return True
    return not pressed.isdisjoint(callers.buttons)


def _green(aspects: Sequence[Aspect], groups: int) -> list[bool]:
    """Per group: whether it is green now; one that the cabinet does not tell is not."""
    green = [one is _PROTECTED or one is _YIELDING or one is _WALK for one in aspects[:groups]]
    return green + [False] * (groups - len(green))


def _elapsed(before: float | None, now: float) -> float:
    """Seconds since the last reading of a clock that wraps at midnight; one that went back is a long gap."""
    if before is None or not math.isfinite(now):
        return 0.0
    return (now - before) % _DAY_S
