"""What each stage would cost and allow from now, as the guard sees it: `StageState` for the policies."""

from __future__ import annotations

from functools import lru_cache

from denxanh.agents.observation import StageState
from denxanh.controller.guard import GuardConfig, GuardState
from denxanh.networks.model import Aspect
from denxanh.networks.timing import interstage_s

_RED = Aspect.RED


class _Same:
    """Key of a table by the configuration's identity: its content is large, and hashing it is not cheap."""

    __slots__ = ("config",)

    def __init__(self, config: GuardConfig) -> None:
        self.config = config

    def __hash__(self) -> int:
        return id(self.config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.config is self.config


@lru_cache(maxsize=256)
def _others(key: _Same) -> tuple[tuple[tuple[StageState, ...], tuple[StageState, ...]], ...]:
    """Per running stage: what the stages before it in the list cost and allow, and those after it."""
    config = key.config
    every = range(len(config.targets))
    costs = [
        [
            StageState(0.0, float(config.max_green_s[b]), float(interstage_s(config.intersection, a, b)))
            for b in every
        ]
        for a in every
    ]
    return tuple((tuple(costs[a][:a]), tuple(costs[a][a + 1 :])) for a in every)


def outlook(config: GuardConfig, state: GuardState) -> tuple[StageState, ...]:
    """One entry per stage, at the boundary before the coming second.

    During an interstage the running stage is the coming one, and nothing of its green has passed.
    """
    earlier, later = _others(_Same(config))[state.stage]
    min_left_s, max_left_s = _left(config, state)
    return (*earlier, StageState(min_left_s, max_left_s, 0.0), *later)


def _left(config: GuardConfig, state: GuardState) -> tuple[float, float]:
    """Seconds until the running stage may end and until it must."""
    if state.commitment is not None:
        return float(state.commitment.end_in_s), float(state.commitment.end_in_s)
    longest_s = float(config.max_green_s[state.stage])
    if state.in_interstage:
        served = [n for n, aspect in enumerate(config.targets[state.stage]) if aspect is not _RED]
        return float(max((config.need_s[n] for n in served if not config.walker[n]), default=0)), longest_s
    least = 0
    for aspect, need_s, green_s in zip(state.aspects, config.need_s, state.green_for, strict=True):
        if aspect is not _RED and need_s - green_s > least:
            least = need_s - green_s
    return float(least), max(0.0, longest_s - state.conflict_for)
