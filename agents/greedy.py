"""Greedy rules: the stage whose movements score highest goes next.

One class, three demands. Starvation is the guard's business, so none is handled here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from denxanh.agents.movements import listed, next_hop, stage_scores
from denxanh.agents.observation import LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.networks.model import Lane

DECISION_INTERVAL_S = 10
"""Seconds between decisions. Greedy rules lose more to interstages at 5 s than they gain (measured)."""


def queued(_lane: Lane, seen: LaneState) -> float:
    """Standing vehicles, pcu."""
    return seen.queued


def present(_lane: Lane, seen: LaneState) -> float:
    """Standing and approaching vehicles, pcu."""
    return seen.queued + seen.moving


def pressure(lane: Lane, seen: LaneState) -> float:
    """Vehicles before the stop line less those on the receiving lanes, pcu.

    The receiving lanes' vehicles are their occupancy times the room of this lane's zone: a detector gives
    no count there. Negative where the exit is fuller than the approach (Varaiya 2013, per movement).
    """
    return seen.queued + seen.moving - seen.downstream_occupancy * lane.storage_pcu


@dataclass(frozen=True, slots=True)
class Greedy:
    """The stage with the highest score, the running one when it is not beaten by more than `hysteresis`.

    `demand` is what one lane counts, `unit` what it is called, `hysteresis` in pcu.
    """

    name: str
    demand: Callable[[Lane, LaneState], float]
    unit: str
    interval_s: int = DECISION_INTERVAL_S
    hysteresis: float = 0.0

    def decide(self, state: TrafficState) -> Decision:
        """The stage that this rule wants next."""
        scores = stage_scores(state, self.demand)
        best = max(range(len(scores)), key=lambda stage: (scores[stage], stage == state.stage))
        if best == state.stage:
            return Decision(best, f"keep {best}: most {self.unit} ({listed(scores)})")
        margin = scores[best] - scores[state.stage]
        if margin <= self.hysteresis:
            return Decision(
                state.stage,
                f"keep {state.stage}: {best} has only {margin:.1f} more {self.unit}, "
                f"needs over {self.hysteresis:.1f} ({listed(scores)})",
            )
        hop = next_hop(state.intersection, state.stage, best)
        way = f"{best}" if hop == best else f"{best} by way of {hop}"
        return Decision(hop, f"to {way}: {margin:.1f} more {self.unit} than {state.stage} ({listed(scores)})")
