"""Greedy rules: the stage whose movements score highest goes next.

One class, three demands. Starvation is the guard's business, so none is handled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from denxanh.agents.movements import next_hop, stage_scores
from denxanh.agents.observation import LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.reasons import Text, by_way_of, decision, figure, listed
from denxanh.networks.model import Lane

DECISION_INTERVAL_S = 10
"""Seconds between decisions. Greedy rules lose more to interstages at 5 s than they gain (measured)."""

_LEAST_SHOWN = 0.05
"""Smallest margin, pcu, that one decimal can show."""


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

    `demand` is what one lane counts, pcu; `more` says of a stage that it has more of it than another, such
    as ("nhiều xe hơn", "more vehicles"); `hysteresis` in pcu.
    """

    name: str
    demand: Callable[[Lane, LaneState], float]
    more: Text
    interval_s: int = DECISION_INTERVAL_S
    hysteresis: float = 0.0

    def decide(self, state: TrafficState) -> Decision:
        """The stage that this rule wants next."""
        scores = stage_scores(state, self.demand)
        best = max(range(len(scores)), key=lambda stage: (scores[stage], stage == state.stage))
        if best == state.stage:
            return self._keep(state, scores)
        margin = scores[best] - scores[state.stage]
        if margin <= self.hysteresis:
            return self._nearly(state, scores, best)
        return self._change(state, scores, best)

    def _keep(self, state: TrafficState, scores: Sequence[float]) -> Decision:
        stages, (more_vi, more_en) = state.intersection.stages, self.more
        all_vi, all_en = listed(stages, scores)
        running = stages[state.stage].id
        vi = f"Giữ pha {running}: không pha nào có {more_vi} (xcqđ: {all_vi})"
        return decision(
            state.stage, (vi, f"Keep stage {running}: no other stage has {more_en} (pcu: {all_en})")
        )

    def _nearly(self, state: TrafficState, scores: Sequence[float], best: int) -> Decision:
        """The best stage is ahead, but not by enough for an interstage to pay."""
        stages, (more_vi, more_en) = state.intersection.stages, self.more
        all_vi, all_en = listed(stages, scores)
        running, other = stages[state.stage].id, stages[best].id
        ahead_vi, ahead_en = _lead(scores[best] - scores[state.stage])
        need_vi, need_en = figure(self.hysteresis)
        vi = (
            f"Giữ pha {running}: pha {other} có {more_vi}, nhưng chỉ {ahead_vi} xcqđ, "
            f"cần trên {need_vi} ({all_vi})"
        )
        en = (
            f"Keep stage {running}: stage {other} has {more_en}, but only by {ahead_en} pcu; "
            f"more than {need_en} needed ({all_en})"
        )
        return decision(state.stage, (vi, en))

    def _change(self, state: TrafficState, scores: Sequence[float], best: int) -> Decision:
        stages, (more_vi, more_en) = state.intersection.stages, self.more
        all_vi, all_en = listed(stages, scores)
        running, other = stages[state.stage].id, stages[best].id
        hop = next_hop(state.intersection, state.stage, best)
        if hop == state.stage:
            vi = f"Giữ pha {running}: không có đường chuyển sang pha {other} (xcqđ: {all_vi})"
            return decision(hop, (vi, f"Keep stage {running}: no way leads to stage {other} (pcu: {all_en})"))
        ahead_vi, ahead_en = _lead(scores[best] - scores[state.stage])
        way_vi, way_en = by_way_of(stages, hop, best)
        vi = f"Pha {other} có {more_vi} pha {running} {ahead_vi} xcqđ{way_vi} ({all_vi})"
        en = f"Stage {other} has {more_en} than stage {running} by {ahead_en} pcu{way_en} ({all_en})"
        return decision(hop, (vi, en))


def _lead(margin: float) -> Text:
    """A margin that is not nothing, even where it rounds to nothing."""
    return figure(margin) if margin >= _LEAST_SHOWN else ("chưa đến 0,1", "less than 0.1")
