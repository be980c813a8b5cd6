"""What a stage would do for the traffic, movement by movement.

A stage is worth the demand of the movements that it serves, not of the lanes that it touches: a lane's
demand counts with the share that the stage's groups let go, and a yielding green counts less than a
protected one, because a side street with `g` against heavy flow can starve while its lamp is green.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from denxanh.agents.observation import LaneState, TrafficState
from denxanh.networks.model import Aspect, Intersection, Lane

PERMISSIVE_WEIGHT = 0.4
"""Worth of a yielding green against a protected one (measured on public networks)."""


def service(aspect: Aspect) -> float:
    """How much of its demand a group is served by an aspect, in [0, 1]."""
    if aspect is Aspect.PROTECTED:
        return 1.0
    return PERMISSIVE_WEIGHT if aspect is Aspect.YIELDING else 0.0


def served_share(lane: Lane, aspects: Sequence[Aspect]) -> float:
    """The part of a lane's traffic that a stage with these aspects serves, in [0, 1]."""
    return sum(part.share * service(aspects[part.group]) for part in lane.groups)


def stage_scores(state: TrafficState, demand: Callable[[Lane, LaneState], float]) -> tuple[float, ...]:
    """Per stage, the demand of the movements that it serves, in the unit of `demand` (usually pcu)."""
    site = state.intersection
    demands = [demand(lane, seen) for lane, seen in zip(site.lanes, state.lanes, strict=True)]
    return tuple(
        sum(
            amount * served_share(lane, stage.aspects)
            for amount, lane in zip(demands, site.lanes, strict=True)
            if amount
        )
        for stage in site.stages
    )


def next_hop(site: Intersection, current: int, wanted: int) -> int:
    """The first stage on a shortest way through the stage graph; `current` where there is none."""
    if wanted == current or site.transitions[current][wanted]:
        return wanted
    first: dict[int, int] = {}
    frontier = deque(s for s, allowed in enumerate(site.transitions[current]) if allowed and s != current)
    first.update((stage, stage) for stage in frontier)
    while frontier:
        stage = frontier.popleft()
        if stage == wanted:
            return first[stage]
        for following, allowed in enumerate(site.transitions[stage]):
            if allowed and following != current and following not in first:
                first[following] = first[stage]
                frontier.append(following)
    return current
