"""Vehicle-actuated control: hold while vehicles keep passing, then serve the next called stage in order."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.agents.movements import next_hop, served_share
from denxanh.agents.observation import LaneState, TrafficState
from denxanh.agents.policy import Decision
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
        current = state.stage
        if state.commitment is not None or state.in_interstage:
            promised = current if state.commitment is None else state.commitment.next_stage
            return Decision(promised, f"to {promised}: under way")
        least_s = state.stages[current].min_left_s
        if least_s > state.intersection.commitment_s:
            return Decision(current, f"keep {current}: {least_s:.0f} s of min green left")
        wanted = self._next_called(state)
        if wanted is None:
            return Decision(current, f"rest in {current}: nobody else calls")
        hop = next_hop(state.intersection, current, wanted)
        if self.max_green_s and state.elapsed_s >= self.max_green_s:
            return Decision(hop, f"to {hop}: max-out of {current} at {state.elapsed_s:.0f} s")
        gaps = [
            (seen.gap_s, lane.id)
            for lane, seen in zip(state.intersection.lanes, state.lanes, strict=True)
            if _extends(state, lane, seen)
        ]
        gap, lane_id = min(gaps, default=(None, ""))
        if gap is not None and gap < self.passage_s:
            return Decision(current, f"extend {current}: gap {gap:.0f} s on {lane_id}, {wanted} calls")
        shown = "no flow" if gap is None else f"smallest gap {gap:.0f} s"
        return Decision(hop, f"to {hop}: gap-out of {current} ({shown}), {wanted} calls")

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
