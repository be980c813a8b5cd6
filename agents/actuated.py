"""Vehicle-actuated control: hold while vehicles keep passing, then serve the next called stage in order."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.agents.movements import next_hop, served_share
from denxanh.agents.observation import LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.reasons import by_way_of, decision, figure, under_way
from denxanh.networks.model import Aspect, Lane, Stage

STANDING_S = 10.0
"""Green time after which an occupied loop that counts nobody is a standing vehicle, not a flow."""

MOSTLY_SERVED = 0.5
"""Share of a lane's traffic that a stage must serve for the lane to hold its green."""


@dataclass(frozen=True, slots=True)
class Actuated:
    """Gap-out and max-out in stage order; stages that nobody calls are skipped.

    Attributes:
        passage_s: gap between vehicles that ends a green (3 s: about twice the saturation headway).
        max_green_s: own limit below the guard's; 0 leaves it to the guard.
    """

    name: str = "actuated"
    interval_s: int = 1
    passage_s: float = 3.0
    max_green_s: float = 0.0

    def decide(self, state: TrafficState) -> Decision:
        """Extend the running stage, or ask for the next one in order that somebody calls."""
        if state.commitment is not None or state.in_interstage:
            return under_way(state)
        current, stages = state.stage, state.intersection.stages
        running = stages[current].id
        least_s = state.stages[current].min_left_s
        if least_s > state.intersection.commitment_s:
            vi = f"Giữ pha {running}: còn {least_s:.0f} s xanh tối thiểu"
            return decision(current, (vi, f"Keep stage {running}: {least_s:.0f} s of minimum green left"))
        wanted = self._next_called(state)
        if wanted is None:
            vi = f"Giữ pha {running}: không ai gọi pha khác"
            return decision(current, (vi, f"Keep stage {running}: nobody calls another stage"))
        hop = next_hop(state.intersection, current, wanted)
        called, (way_vi, way_en) = stages[wanted].id, by_way_of(stages, hop, wanted)
        if self.max_green_s and state.elapsed_s >= self.max_green_s:
            vi = f"Pha {called} được gọi, pha {running} đã xanh tối đa {state.elapsed_s:.0f} s{way_vi}"
            en = f"Stage {called} is called, stage {running} had its most, {state.elapsed_s:.0f} s{way_en}"
            return decision(hop, (vi, en))
        gaps = [
            (seen.gap_s, lane.id)
            for lane, seen in zip(state.intersection.lanes, state.lanes, strict=True)
            if _extends(state, lane, seen)
        ]
        gap, lane_id = min(gaps, default=(None, ""))
        if gap is not None and gap < self.passage_s:
            gap_vi, gap_en = figure(gap)
            vi = f"Kéo dài pha {running}: làn {lane_id} còn xe qua (cách {gap_vi} s), pha {called} đang chờ"
            en = f"Extend stage {running}: lane {lane_id} still flows (gap {gap_en} s), stage {called} waits"
            return decision(current, (vi, en))
        ended_vi, ended_en = "không còn xe qua", "no longer flows"
        if gap is not None:
            gap_vi, gap_en = figure(gap)
            ended_vi, ended_en = f"đã {gap_vi} s không có xe qua", f"saw no vehicle for {gap_en} s"
        vi = f"Pha {called} được gọi, pha {running} {ended_vi}{way_vi}"
        return decision(hop, (vi, f"Stage {called} is called, stage {running} {ended_en}{way_en}"))

    def _next_called(self, state: TrafficState) -> int | None:
        """The next stage in cyclic order that serves a called group which the running stage does not."""
        stages = state.intersection.stages
        for step in range(1, len(stages)):
            stage = (state.stage + step) % len(stages)
            if _is_called(state, stages[state.stage], stages[stage]):
                return stage
        return None


def _is_called(state: TrafficState, running: Stage, candidate: Stage) -> bool:
    """Whether the candidate does more for a called group than the running stage does."""
    for g, call in enumerate(state.called):
        if not call or not candidate.serves(g):
            continue
        if not running.serves(g):
            return True
        # A yielding green that lets nobody go is no service: its protected stage is wanted.
        protects = candidate.aspects[g] is Aspect.PROTECTED and running.aspects[g] is Aspect.YIELDING
        if protects and state.wait_s[g] > STANDING_S:
            return True
    return False


def _extends(state: TrafficState, lane: Lane, seen: LaneState) -> bool:
    """Whether this lane's traffic can hold the running green.

    Not where the stage serves the smaller part of the lane: who stands on the loop then is more likely
    waiting for another stage. Not where nobody has left for long: that is a standing queue.
    """
    aspects = state.intersection.stages[state.stage].aspects
    if served_share(lane, aspects) < MOSTLY_SERVED:
        return False
    return seen.discharge_10s > 0.0 or state.elapsed_s < STANDING_S
