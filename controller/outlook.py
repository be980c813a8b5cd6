"""What each stage would cost and allow from now, as the guard sees it: `StageState` for the policies."""

from __future__ import annotations

from functools import lru_cache

from denxanh.agents.observation import StageState
from denxanh.controller.guard import GuardConfig, GuardState
from denxanh.networks.model import Aspect, Intersection
from denxanh.networks.timing import interstage_s


class _Same:
    """Key of a table by the intersection's identity: its content is large, and hashing it is not cheap."""

    __slots__ = ("intersection",)

    def __init__(self, intersection: Intersection) -> None:
        self.intersection = intersection

    def __hash__(self) -> int:
        return id(self.intersection)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.intersection is self.intersection


@lru_cache(maxsize=256)
def _interstages(key: _Same) -> tuple[tuple[float, ...], ...]:
    """Seconds of interstage from each stage to each other."""
    every = range(len(key.intersection.stages))
    return tuple(tuple(float(interstage_s(key.intersection, a, b)) for b in every) for a in every)


def outlook(config: GuardConfig, state: GuardState) -> tuple[StageState, ...]:
    """One entry per stage, at the boundary before the coming second.

    During an interstage the running stage is the coming one, and nothing of its green has passed.
    """
    costs = _interstages(_Same(config.intersection))[state.stage]
    min_left_s, max_left_s = _left(config, state)
    return tuple(
        StageState(min_left_s, max_left_s, 0.0)
        if stage == state.stage
        else StageState(0.0, float(config.max_green_s[stage]), costs[stage])
        for stage in range(len(config.targets))
    )


def _left(config: GuardConfig, state: GuardState) -> tuple[float, float]:
    """Seconds until the running stage may end and until it must."""
    if state.commitment is not None:
        return float(state.commitment.end_in_s), float(state.commitment.end_in_s)
    longest_s = float(config.max_green_s[state.stage])
    if state.in_interstage:
        served = [n for n, aspect in enumerate(config.targets[state.stage]) if aspect is not Aspect.RED]
        return float(max((config.need_s[n] for n in served if not config.walker[n]), default=0)), longest_s
    least = (
        config.need_s[group] - state.green_for[group]
        for group, aspect in enumerate(state.aspects)
        if aspect is not Aspect.RED
    )
    return float(max(0, *least, 0)), max(0.0, longest_s - state.conflict_for)
