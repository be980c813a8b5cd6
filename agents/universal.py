"""The learned policy: one network for every intersection, run by onnxruntime.

The model scores the stages of any intersection (agents/encoding.py says what it sees); the highest score is
asked for. A stage's score is worth nothing by itself, only against the others', so people see the lead over
the running stage, in points, and the lanes without whose traffic the chosen stage would lose most of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from denxanh.agents.encoding import Array, Batch, Observation, batch, encode
from denxanh.agents.movements import PERMISSIVE_WEIGHT, next_hop
from denxanh.agents.observation import NO_GAP_S, LaneState, TrafficState
from denxanh.agents.policy import Decision
from denxanh.agents.reasons import Text, by_way_of, listed, queue, under_way
from denxanh.errors import ModelError

DECISION_INTERVAL_S = 5
"""Seconds between decisions, as in training."""
POINTS = 100.0
"""Points per unit of score."""
REASONS = 2
"""Lanes that a reason names."""
CANDIDATES = 6
"""Lanes that are tried for it: each costs an observation."""
_WORTH = np.array([1.0, PERMISSIVE_WEIGHT], np.float32)


class Scorer(Protocol):
    """Scores a batch's stages: (B, S) float32, comparable within an intersection."""

    def __call__(self, given: Batch) -> Array:
        """The scores."""
        ...


class OnnxScorer:
    """A model file, run on one thread.

    Args:
        path: of the file.
        sha256: what it must hash to; not looked at if not given.

    Raises:
        ModelError: the file cannot be read, is another one, or is not such a model.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        import onnxruntime

        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"the model cannot be read: {error.strerror}", where=str(path)) from error
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ModelError("the model was replaced while it was loaded", where=str(path), fix="start again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
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


class Explained(Decision):
    """A decision whose reason is found when somebody reads it: that costs more than the decision itself.

    Args:
        stage: wanted next.
        words: says why, in Vietnamese and in English; the same each time.
    """

    __slots__ = ("_text", "_words")
    _words: Callable[[], Text]
    _text: Text | None

    def __init__(self, stage: int, words: Callable[[], Text]) -> None:
        object.__setattr__(self, "stage", stage)
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_text", None)

    @property
    def why(self) -> str:
        """See `Decision`."""
        return self._said()[1]

    @property
    def why_vi(self) -> str:
        """See `Decision`."""
        return self._said()[0]

    def _said(self) -> Text:
        text = self._text
        if text is None:
            text = self._words()
            object.__setattr__(self, "_text", text)
        return text

    def __reduce__(self) -> tuple[type[Decision], tuple[int, str, str]]:
        """Between processes it goes as an ordinary decision."""
        return Decision, (self.stage, self.why, self.why_vi)


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
        asked = iter(self._scored([one for one in states if _is_free(one)]))
        return [next(asked) if _is_free(one) else under_way(one) for one in states]

    def _scored(self, states: Sequence[TrafficState]) -> list[Decision]:
        if not states:
            return []
        seen = [encode(one) for one in states]
        scores = self.scorer(batch(seen))
        return [
            self._decide(state, one, row[: len(state.stages)])
            for state, one, row in zip(states, seen, scores, strict=True)
        ]

    def _decide(self, state: TrafficState, seen: Observation, scores: Array) -> Decision:
        if not np.isfinite(scores).all():
            raise ModelError("a score is not a number", where=state.intersection.id)
        best = int(scores.argmax())
        if scores[state.stage] >= scores[best]:
            best = state.stage
        hop = next_hop(state.intersection, state.stage, best)
        return Explained(hop, partial(self._why, state, seen, scores, best, hop))

    def _why(self, state: TrafficState, seen: Observation, scores: Array, best: int, hop: int) -> Text:
        running, stages = state.stage, state.intersection.stages
        points_vi, points_en = listed(stages, [float(POINTS * (one - scores[running])) for one in scores])
        all_vi, all_en = f" (điểm {points_vi})", f" (points {points_en})"
        now, other = stages[running].id, stages[best].id
        if len(stages) == 1:
            return f"Giữ pha {now}: không có pha khác", f"Keep stage {now}: the only one"
        if best == running:
            second = int(np.argmax(np.where(np.arange(len(scores)) == running, -np.inf, scores)))
            because_vi, because_en = self._because(state, seen, running, second, scores)
            if not because_en:
                vi = f"Giữ pha {now}: không pha nào có điểm cao hơn{all_vi}"
                return vi, f"Keep stage {now}: no other stage scores higher{all_en}"
            other = stages[second].id
            vi = f"Giữ pha {now}: điểm cao hơn pha {other}{because_vi}{all_vi}"
            return vi, f"Keep stage {now}: ahead of stage {other}{because_en}{all_en}"
        if hop == running:
            vi = f"Giữ pha {now}: không có đường chuyển sang pha {other}{all_vi}"
            return vi, f"Keep stage {now}: no way leads to stage {other}{all_en}"
        way_vi, way_en = by_way_of(stages, hop, best)
        because_vi, because_en = self._because(state, seen, best, running, scores)
        vi = f"Pha {other} hơn pha {now}{way_vi}{because_vi}{all_vi}"
        return vi, f"Stage {other} beats stage {now}{way_en}{because_en}{all_en}"

    def _because(
        self, state: TrafficState, seen: Observation, chosen: int, against: int, scores: Array
    ) -> Text:
        """The lanes without whose traffic the chosen stage's lead over another one would shrink most.

        Tried are those whose traffic it serves better than the other one, by pcu.
        """
        load = np.array([lane.queued + lane.moving for lane in state.lanes], np.float32)
        gain = (seen.service[chosen] - seen.service[against]) @ _WORTH * load
        likely = [int(n) for n in np.argsort(-gain, kind="stable")[:CANDIDATES] if load[n] > 0.0]
        if not likely:
            return "", ""
        without = [replace(state, lanes=_emptied(state.lanes, n)) for n in likely]
        others = self.scorer(batch([encode(one) for one in without]))
        losses = (scores[chosen] - scores[against]) - (others[:, chosen] - others[:, against])
        order = [likely[n] for n in np.argsort(-losses, kind="stable")[:REASONS] if losses[n] > 0.0]
        named = [queue(state.intersection.lanes[n], state.lanes[n]) for n in order]
        if not named:
            return "", ""
        return (
            f", nhất là vì {' và '.join(vi for vi, _ in named)}",
            f", above all for {' and '.join(en for _, en in named)}",
        )


def _is_free(state: TrafficState) -> bool:
    """Whether there is anything to decide."""
    return state.commitment is None and not state.in_interstage


def _emptied(lanes: Sequence[LaneState], place: int) -> tuple[LaneState, ...]:
    """The same lanes with no traffic on one of them."""
    nobody = lanes[place]._replace(
        queued=0.0, moving=0.0, occupancy=0.0, arrivals_10s=0.0, arrivals_30s=0.0, discharge_10s=0.0,
        gap_s=NO_GAP_S, red_call_s=0.0,
    )  # fmt: skip
    return (*lanes[:place], nobody, *lanes[place + 1 :])
