"""The learned policy: one network for every intersection, run by onnxruntime.

The model scores the stages of any intersection (agents/encoding.py says what it sees); the highest score is
asked for. A stage's score is worth nothing by itself, only against the others', so people see the lead over
the running stage, in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from denxanh.agents.encoding import Array, Batch, batch, encode
from denxanh.agents.movements import next_hop
from denxanh.agents.observation import NO_GAP_S, LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.reasons import Text, by_way_of, decision, figure, listed, under_way
from denxanh.errors import ModelError

DECISION_INTERVAL_S = 5
"""Seconds between decisions, as in training."""
POINTS = 100.0
"""Points per unit of score."""
REASONS = 2
"""Lanes that a reason names."""


class Scorer(Protocol):
    """Scores a batch's stages: (B, S) float32, comparable within an intersection."""

    def __call__(self, given: Batch) -> Array:
        """The scores."""
        ...


class OnnxScorer:
    """A model file, run on one thread.

    Raises:
        ModelError: the file cannot be read or is not such a model.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as cause:  # onnxruntime's own exceptions share no type
            raise ModelError(
                f"not a model: {cause}", where=str(path), fix="train or fetch it again"
            ) from cause
        inputs = {one.name for one in self._session.get_inputs()}
        missing = set(Batch.__slots__) - inputs
        if missing:
            raise ModelError(f"has no input {', '.join(sorted(missing))}", where=str(path))

    def __call__(self, given: Batch) -> Array:
        """(B, S) scores."""
        feeds = {name: getattr(given, name) for name in Batch.__slots__}
        (scores,) = self._session.run(["scores"], feeds)
        return np.asarray(scores, np.float32)


@dataclass(frozen=True, slots=True)
class Universal:
    """The learned policy over a scorer."""

    name: str
    scorer: Scorer
    interval_s: int = DECISION_INTERVAL_S

    def decide(self, state: TrafficState) -> Decision:
        """The stage with the highest score, the running one among equals."""
        return self.decide_all([state])[0]

    def decide_all(self, states: Sequence[TrafficState]) -> list[Decision]:
        """One decision per state, in one run of the network.

        Raises:
            ModelError: the model gave a score that is not a number.
        """
        free = [n for n, one in enumerate(states) if one.commitment is None and not one.in_interstage]
        decisions = [under_way(one) for one in states]
        if not free:
            return decisions
        scores = self.scorer(batch([encode(states[n]) for n in free]))
        for row, n in zip(scores, free, strict=True):
            decisions[n] = self._decide(states[n], row[: len(states[n].stages)])
        return decisions

    def _decide(self, state: TrafficState, scores: Array) -> Decision:
        if not np.isfinite(scores).all():
            raise ModelError("a score is not a number", where=state.intersection.id)
        best = int(scores.argmax())
        if scores[state.stage] >= scores[best]:
            best = state.stage
        leads = [float(POINTS * (score - scores[state.stage])) for score in scores]
        stages = state.intersection.stages
        running = stages[state.stage].id
        all_vi, all_en = listed(stages, leads)
        if best == state.stage:
            vi = f"Giữ pha {running}: không pha nào có điểm cao hơn ({all_vi})"
            return decision(best, (vi, f"Keep stage {running}: no other stage scores higher ({all_en})"))
        hop = next_hop(state.intersection, state.stage, best)
        other = stages[best].id
        if hop == state.stage:
            vi = f"Giữ pha {running}: không có đường chuyển sang pha {other} ({all_vi})"
            return decision(hop, (vi, f"Keep stage {running}: no way leads to stage {other} ({all_en})"))
        way_vi, way_en = by_way_of(stages, hop, best)
        because_vi, because_en = self._because(state, best, leads[best])
        vi = f"Pha {other} hơn pha {running}{way_vi}{because_vi} ({all_vi})"
        return decision(hop, (vi, f"Stage {other} beats stage {running}{way_en}{because_en} ({all_en})"))

    def _because(self, state: TrafficState, best: int, lead: float) -> Text:
        """The lanes without whose traffic the lead would shrink most."""
        busy = [n for n, lane in enumerate(state.lanes) if lane.queued + lane.moving > 0.0]
        if not busy:
            return "", ""
        without = [replace(state, lanes=_emptied(state.lanes, n)) for n in busy]
        scores = self.scorer(batch([encode(one) for one in without]))
        losses = lead - POINTS * (scores[:, best] - scores[:, state.stage])
        order = [int(n) for n in np.argsort(-losses)[:REASONS] if losses[n] > 0.0]
        if not order:
            return "", ""
        named = []
        for n in order:
            lane, seen = state.intersection.lanes[busy[n]], state.lanes[busy[n]]
            (queued_vi, queued), (moving_vi, moving) = figure(seen.queued), figure(seen.moving)
            named.append(
                (
                    f"làn {lane.id} ({queued_vi} chờ, {moving_vi} đang tới)",
                    f"lane {lane.id} ({queued} queued, {moving} coming)",
                )
            )
        return (
            f", nhất là vì {' và '.join(vi for vi, _ in named)}",
            f", above all for {' and '.join(en for _, en in named)}",
        )


def _emptied(lanes: Sequence[LaneState], place: int) -> tuple[LaneState, ...]:
    """The same lanes with no traffic on one of them."""
    nobody = replace(
        lanes[place], queued=0.0, moving=0.0, occupancy=0.0, arrivals_10s=0.0, arrivals_30s=0.0,
        discharge_10s=0.0, gap_s=NO_GAP_S, red_call_s=0.0,
    )  # fmt: skip
    return (*lanes[:place], nobody, *lanes[place + 1 :])
