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
from itertools import chain
from operator import attrgetter

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
"""The first of three rules' scores: present, pressure, queued."""

_LANE_SCALE = np.array(
    [1 / 20, 1 / 20, 1.0, 1 / 5, 1 / 15, 1 / 5, 1 / 30, 1 / 120, 1.0, 1.0], dtype=np.float32
)
_SEEN = attrgetter(
    "queued", "moving", "occupancy", "arrivals_10s", "arrivals_30s",
    "discharge_10s", "gap_s", "red_call_s", "downstream_occupancy", "confidence",
)  # fmt: skip
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
    seen = np.array([*chain.from_iterable(map(_SEEN, state.lanes))], np.float32)
    seen = seen.reshape(len(state.lanes), len(_LANE_SCALE))
    np.minimum(seen[:, _GAP], _MAX_GAP_S, out=seen[:, _GAP])
    present = seen[:, 0] + seen[:, 1]
    lanes = fixed.lanes[running].copy()
    np.multiply(seen, _LANE_SCALE, out=lanes[:, :10])
    np.divide(present, fixed.storage, out=lanes[:, 11])
    called = np.array(state.called, np.float32)
    # Per group: time called and not served over its max red.
    waits: Array = np.array(state.wait_s, np.float32) / fixed.max_red * called
    stages = _stages(state, fixed, (called, waits), (present, seen[:, 8], seen[:, 0]))
    promise = state.commitment
    node = np.array(
        [
            state.in_interstage,
            promise is not None,
            promise.end_in_s / 15 if promise is not None else 0.0,
            state.intersection.commitment_s / 15,
            not state.in_interstage and promise is None,
            float(present.sum()) / fixed.room,
            len(state.stages) / 10,
            len(state.lanes) / 20,
            state.confidence,
            waits.max(initial=0.0),
        ],
        dtype=np.float32,
    )
    lanes.clip(-LIMIT, LIMIT, out=lanes)
    stages.clip(-LIMIT, LIMIT, out=stages)
    node.clip(0, LIMIT, out=node)
    return Observation(lanes, fixed.service, stages, node)


def _stages(
    state: TrafficState, fixed: _Fixed, groups: tuple[Array, Array], demand: tuple[Array, Array, Array]
) -> Array:
    """The features of every stage.

    `groups`: per group, whether it is called, and its wait over its max red; `demand`: present pcu,
    downstream occupancy and queued pcu per lane.
    """
    called, waits = groups
    present, downstream, queued = demand
    running = state.stage
    score = np.empty((3, len(state.stages)), np.float32)
    for place, amount in enumerate((present, present - downstream * fixed.storage, queued)):
        np.matmul(fixed.weight, amount, out=score[place])
    stages: Array = fixed.stages[running].copy()
    if state.commitment is not None:
        stages[state.commitment.next_stage, 1] = 1.0
    stages[:, 3] = [one.clearance_s / 10 for one in state.stages]
    stages[:, 4] = [one.max_left_s / 60 for one in state.stages]
    stages[running, 5] = state.elapsed_s / 60
    stages[running, 6] = state.stages[running].min_left_s / 30
    stages[:, 7:10] = ((score - score[:, running, None]) * _SCORE_SCALE).T
    stages[:, 10] = (fixed.serves * waits).max(axis=1, initial=0.0)
    stages[:, 11] = fixed.walks @ called / 4
    stages[:, 12] = np.maximum(fixed.least, (fixed.walk_need * called).max(axis=1)) / 30
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
    max_red: Array
    serves: Array
    """(S, groups)."""
    walks: Array
    """(S, groups): pedestrian groups only."""
    walk_need: Array
    """(S, groups): walk and clearance of the pedestrian groups, s."""
    least: Array
    """(S,): shortest green for its vehicles, s."""
    lanes: Array
    """By running stage, (S, L, len(LANE_FEATURES)): what does not depend on traffic, 0 elsewhere."""
    stages: Array
    """By running stage, (S, S, len(STAGE_FEATURES)): the same."""


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
    kept = overlap / np.maximum(weight.sum(axis=1), 1e-6)[:, None]
    lane_rows = np.zeros((stages, lanes, len(LANE_FEATURES)), np.float32)
    lane_rows[:, :, 10] = storage * _SCORE_SCALE
    lane_rows[:, :, 12:14] = service
    lane_rows[:, :, 14:17] = turns
    stage_rows = np.zeros((stages, stages, len(STAGE_FEATURES)), np.float32)
    stage_rows[:, :, 0] = np.eye(stages)
    stage_rows[:, :, 2] = follows
    stage_rows[:, :, 13:15] = service.sum(axis=1) / 10
    stage_rows[:, :, 15] = kept
    return _Fixed(
        service=service,
        weight=weight,
        storage=storage,
        room=float(storage.sum()) or 1.0,
        max_red=np.array([max(1, group.max_red_s) for group in site.groups], np.float32),
        serves=serves,
        walks=serves * walker,
        walk_need=serves * walker * walk_need,
        least=(serves * (1 - walker) * need).max(axis=1),
        lanes=lane_rows,
        stages=stage_rows,
    )
