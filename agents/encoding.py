"""A `TrafficState` as arrays: the observation of the learned policy, one schema for every intersection.

Nothing positional (no identity, no compass, no order of approaches) goes in, so the same weights serve any
layout: `lanes` may come in any order, `stages` too, as long as `service` is ordered with them. All values are
plain numbers near 1 and at most `LIMIT` in size; the scales are fixed, not learned.

Shapes: L lanes, S stages; arrays are float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from denxanh.agents.movements import PERMISSIVE_WEIGHT
from denxanh.agents.observation import TrafficState
from denxanh.networks.model import Aspect, GroupKind, Intersection, Turn

Array = npt.NDArray[np.float32]

SCHEMA = 1
"""Number of this layout; a model says which one it was trained with."""
LIMIT = 5.0
"""Largest magnitude of any value."""

LANE_FEATURES = (
    "queued / 20 pcu",
    "moving / 20 pcu",
    "occupancy near the stop line",
    "arrivals of 10 s / 5 pcu",
    "arrivals of 30 s / 15 pcu",
    "discharge of 10 s / 5 pcu",
    "gap / 30 s, at most 1",
    "red with a call / 120 s",
    "downstream occupancy",
    "confidence",
    "storage / 20 pcu",
    "present / storage",
    "share served protected now",
    "share served yielding now",
    "share going straight",
    "share turning left or back",
    "share turning right",
)
STAGE_FEATURES = (
    "is running",
    "is promised next",
    "may follow the running stage, or is it",
    "interstage towards it / 10 s",
    "green left at most / 60 s",
    "green so far / 60 s",
    "green left at least / 30 s",
    "present pcu served, less the running stage's / 20",
    "pressure served, less the running stage's / 20 pcu",
    "queued pcu served, less the running stage's / 20",
    "longest wait of a called group that it serves / its max red",
    "called pedestrian groups that it serves / 4",
    "shortest green it would need / 30 s",
    "lanes served protected / 10",
    "lanes served yielding / 10",
    "share of the running stage's service that it keeps",
)
NODE_FEATURES = (
    "in interstage",
    "promise made",
    "promise ends in / 15 s",
    "countdown commitment / 15 s",
    "free to decide",
    "present / storage, all lanes",
    "stages / 10",
    "lanes / 20",
    "confidence",
    "longest wait / max red, all called groups",
)
SERVICE = 2
"""Per stage and lane: the share of the lane served protected, the share served yielding."""
FREE = NODE_FEATURES.index("free to decide")
RUNNING = STAGE_FEATURES.index("is running")
PRESENT = STAGE_FEATURES.index("present pcu served, less the running stage's / 20")

_LANE_SCALE = np.array(
    [1 / 20, 1 / 20, 1.0, 1 / 5, 1 / 15, 1 / 5, 1 / 30, 1 / 120, 1.0, 1.0], dtype=np.float32
)
_GAP = 6
_MAX_GAP_S = 30.0
_SCORE_SCALE = np.float32(1 / 20)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One intersection at one decision.

    Attributes:
        lanes: (L, len(LANE_FEATURES)).
        service: (S, L, SERVICE), each in [0, 1].
        stages: (S, len(STAGE_FEATURES)).
        node: (len(NODE_FEATURES),).
    """

    lanes: Array
    service: Array
    stages: Array
    node: Array


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Observations of one batch, padded to the largest; a mask is 1 where something real stands.

    Attributes:
        lanes: (B, L, len(LANE_FEATURES)).
        lane_mask: (B, L).
        service: (B, S, L, SERVICE).
        stages: (B, S, len(STAGE_FEATURES)).
        stage_mask: (B, S).
        node: (B, len(NODE_FEATURES)).
    """

    lanes: Array
    lane_mask: Array
    service: Array
    stages: Array
    stage_mask: Array
    node: Array


def batch(observations: Sequence[Observation]) -> Batch:
    """Stack observations of any layouts."""
    count = len(observations)
    most_lanes = max(one.lanes.shape[0] for one in observations)
    most_stages = max(one.stages.shape[0] for one in observations)
    lanes = np.zeros((count, most_lanes, len(LANE_FEATURES)), np.float32)
    lane_mask = np.zeros((count, most_lanes), np.float32)
    service = np.zeros((count, most_stages, most_lanes, SERVICE), np.float32)
    stages = np.zeros((count, most_stages, len(STAGE_FEATURES)), np.float32)
    stage_mask = np.zeros((count, most_stages), np.float32)
    for place, one in enumerate(observations):
        s, n = one.service.shape[:2]
        lanes[place, :n] = one.lanes
        lane_mask[place, :n] = 1.0
        service[place, :s, :n] = one.service
        stages[place, :s] = one.stages
        stage_mask[place, :s] = 1.0
    node = np.stack([one.node for one in observations])
    return Batch(lanes, lane_mask, service, stages, stage_mask, node)


def encode(state: TrafficState) -> Observation:
    """What the learned policy sees of a state."""
    fixed = _fixed(_Same(state.intersection))
    running = state.stage
    seen = np.array(
        [
            (
                lane.queued, lane.moving, lane.occupancy, lane.arrivals_10s, lane.arrivals_30s,
                lane.discharge_10s, lane.gap_s, lane.red_call_s, lane.downstream_occupancy, lane.confidence,
            )
            for lane in state.lanes
        ],
        dtype=np.float32,
    ).reshape(len(state.lanes), len(_LANE_SCALE))  # fmt: skip
    present = seen[:, 0] + seen[:, 1]
    np.minimum(seen[:, _GAP], _MAX_GAP_S, out=seen[:, _GAP])
    lanes = np.empty((len(state.lanes), len(LANE_FEATURES)), np.float32)
    lanes[:, :10] = seen * _LANE_SCALE
    lanes[:, 10] = fixed.storage * _SCORE_SCALE
    lanes[:, 11] = present / fixed.storage
    lanes[:, 12:14] = fixed.service[running]
    lanes[:, 14:17] = fixed.turns
    waits = _waits(state, fixed)
    stages = _stages(state, fixed, waits, (present, seen[:, 8], seen[:, 0]))
    promise = state.commitment
    free = not state.in_interstage and promise is None
    node = np.array(
        [
            state.in_interstage,
            promise is not None,
            promise.end_in_s / 15 if promise is not None else 0.0,
            state.intersection.commitment_s / 15,
            free,
            float(present.sum()) / fixed.room,
            len(state.stages) / 10,
            len(state.lanes) / 20,
            state.confidence,
            waits.max(initial=0.0),
        ],
        dtype=np.float32,
    )
    return Observation(
        np.clip(lanes, -LIMIT, LIMIT), fixed.service, np.clip(stages, -LIMIT, LIMIT), np.clip(node, 0, LIMIT)
    )


def _waits(state: TrafficState, fixed: _Fixed) -> Array:
    """Per group: time called and not served over its max red."""
    wait: Array = np.array(state.wait_s, np.float32) / fixed.max_red
    return wait * np.array(state.called, np.float32)


def _stages(state: TrafficState, fixed: _Fixed, waits: Array, demand: tuple[Array, Array, Array]) -> Array:
    """The features of every stage; `demand` is present pcu, downstream occupancy and queued pcu per lane."""
    present, downstream, queued = demand
    running, count = state.stage, len(state.stages)
    score = np.stack(
        [
            fixed.weight @ present,
            fixed.weight @ (present - downstream * fixed.storage),
            fixed.weight @ queued,
        ],
        axis=1,
    )
    called = np.array(state.called, np.float32)
    stages = np.zeros((count, len(STAGE_FEATURES)), np.float32)
    stages[running, 0] = 1.0
    if state.commitment is not None:
        stages[state.commitment.next_stage, 1] = 1.0
    stages[:, 2] = fixed.follows[running]
    for place, one in enumerate(state.stages):
        stages[place, 3] = one.clearance_s / 10
        stages[place, 4] = one.max_left_s / 60
    stages[running, 5] = state.elapsed_s / 60
    stages[running, 6] = state.stages[running].min_left_s / 30
    stages[:, 7:10] = (score - score[running]) * _SCORE_SCALE
    stages[:, 10] = (fixed.serves * waits).max(axis=1, initial=0.0)
    stages[:, 11] = fixed.walks @ called / 4
    stages[:, 12] = np.maximum(fixed.least, (fixed.walks * called * fixed.walk_need).max(axis=1)) / 30
    stages[:, 13:15] = fixed.lane_counts
    stages[:, 15] = fixed.kept[running]
    return stages


@dataclass(frozen=True, slots=True, eq=False)
class _Fixed:
    """What does not change at an intersection."""

    service: Array
    """(S, L, SERVICE)."""
    weight: Array
    """(S, L): service with a yielding green counted at `PERMISSIVE_WEIGHT`."""
    storage: Array
    room: float
    turns: Array
    max_red: Array
    serves: Array
    """(S, groups)."""
    walks: Array
    """(S, groups): pedestrian groups only."""
    walk_need: Array
    least: Array
    """(S,): shortest green for its vehicles, s."""
    follows: Array
    lane_counts: Array
    kept: Array
    """[a, b]: share of stage a's service that stage b keeps."""


class _Same:
    """Key by the intersection's identity: its content is large, and hashing it is not cheap."""

    __slots__ = ("intersection",)

    def __init__(self, intersection: Intersection) -> None:
        self.intersection = intersection

    def __hash__(self) -> int:
        return id(self.intersection)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.intersection is self.intersection


@lru_cache(maxsize=256)
def _fixed(key: _Same) -> _Fixed:
    site = key.intersection
    stages, lanes, groups = len(site.stages), len(site.lanes), len(site.groups)
    service = np.zeros((stages, lanes, SERVICE), np.float32)
    turns = np.zeros((lanes, 3), np.float32)
    side = {Turn.STRAIGHT: 0, Turn.LEFT: 1, Turn.UTURN: 1, Turn.RIGHT: 2}
    for n, lane in enumerate(site.lanes):
        for part in lane.groups:
            for turn in part.turns:
                turns[n, side[turn]] += part.share / len(part.turns)
            for s, stage in enumerate(site.stages):
                aspect = stage.aspects[part.group]
                if aspect is Aspect.PROTECTED:
                    service[s, n, 0] += part.share
                elif aspect is Aspect.YIELDING:
                    service[s, n, 1] += part.share
    weight = service[:, :, 0] + np.float32(PERMISSIVE_WEIGHT) * service[:, :, 1]
    serves = np.array([[stage.serves(g) for g in range(groups)] for stage in site.stages], np.float32)
    walker = np.array([group.kind is GroupKind.PEDESTRIAN for group in site.groups], np.float32)
    need = np.array([max(group.min_green_s, site.commitment_s) for group in site.groups], np.float32)
    walk_need = np.array([group.walk_s + group.clearance_s for group in site.groups], np.float32)
    storage = np.array([max(1.0, lane.storage_pcu) for lane in site.lanes], np.float32)
    follows = np.array(site.transitions, np.float32).reshape(stages, stages)
    np.fill_diagonal(follows, 1.0)
    overlap = np.minimum(weight[:, None], weight[None]).sum(axis=2)
    return _Fixed(
        service=service,
        weight=weight,
        storage=storage,
        room=float(storage.sum()) or 1.0,
        turns=turns,
        max_red=np.array([max(1, group.max_red_s) for group in site.groups], np.float32),
        serves=serves,
        walks=serves * walker,
        walk_need=walk_need,
        least=(serves * (1 - walker) * need).max(axis=1),
        follows=follows,
        lane_counts=service.sum(axis=1) / 10,
        kept=overlap / np.maximum(weight.sum(axis=1), 1e-6)[:, None],
    )
