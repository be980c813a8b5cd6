"""The reward of the learned policy: what one second at an intersection costs, from what detectors show.

Everything in it is measured on the street too, so a policy can be judged (and taught) there by the same
figure. Vehicles present in the detection zones for one second are one second of travel time each; since
arrivals are given, the least presence is the least delay.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from denxanh.agents.observation import TrafficState
from denxanh.networks.model import GroupKind

WAITERS = 2.0
"""People who wait behind one push button (assumed)."""


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """What counts how much. All weights are >= 0.

    Attributes:
        moving: weight of a vehicle that moves in the zone, against one that stands.
        people_per_pcu: people in one passenger-car unit of the traffic (`Fleet.people_per_pcu` of a mix).
        pedestrian: people who wait at a crossing that is called.
        starvation: cost of a called group that has waited for its whole max red, in standing people.
        overflow: cost per lane whose exit is full, in standing people.
        scale: people per lane at which one second costs 1.
    """

    moving: float = 0.5
    people_per_pcu: float = 1.0
    pedestrian: float = WAITERS
    starvation: float = 5.0
    overflow: float = 2.0
    scale: float = 5.0
    worst: float = field(default=4.0)
    """A second never costs more than this: the reward is bounded in [-worst, 0]."""


def reward(state: TrafficState, weights: RewardWeights) -> float:
    """Minus the cost of the second that `state` shows, in [-weights.worst, 0]."""
    site = state.intersection
    standing = sum([lane.queued + weights.moving * lane.moving for lane in state.lanes])
    blocked = sum([lane.downstream_occupancy**2 for lane in state.lanes if lane.queued > 0.0])
    waiting = 0.0
    worst_wait = 0.0
    for group, called, wait in zip(site.groups, state.called, state.wait_s, strict=True):
        if called and wait > 0.0:
            worst_wait = max(worst_wait, wait / max(1, group.max_red_s))
            waiting += group.kind is GroupKind.PEDESTRIAN
    cost = (
        weights.people_per_pcu * standing
        + weights.pedestrian * waiting
        + weights.starvation * worst_wait**2
        + weights.overflow * blocked
    )
    return -min(weights.worst, cost / (weights.scale * max(1, len(site.lanes)) * weights.people_per_pcu))
