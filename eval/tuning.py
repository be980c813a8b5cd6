"""Every rule at its best: settings tried on seeds of their own, place by place, before the test.

So nobody can say that an opponent was weak. What is chosen: fewest gridlocked seeds, then the lowest mean of
the headline delay. Detectors that a test breaks on purpose work while tuning: nobody tunes for a failure that
has not happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from denxanh.agents import registry
from denxanh.agents.actuated import Actuated
from denxanh.agents.greedy import Greedy
from denxanh.agents.setting import JOIN, MARK
from denxanh.errors import ConfigError
from denxanh.eval.matrix import Progress, Request, run_matrix
from denxanh.eval.results import Results
from denxanh.eval.searched import rule_of
from denxanh.eval.summary import FIGURES, headline
from denxanh.sim import references

INTERVALS_S = (5, 8, 10, 15)
HYSTERESES_PCU = (0, 2, 4)
"""Of greedy rules."""
PASSAGES_S = (2, 3, 4)
MAX_GREENS_S = (25, 40, 0)
"""Of `actuated`; 0 leaves it to the guard."""
FIRST_SEED = 1001
"""Tuning seeds stand far from those of a test."""
SEEDS = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """What one setting came to on the tuning seeds: mean and number of gridlocked ones."""

    setting: str
    mean_s: float
    gridlocks: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting that a rule gets at a place, and all that were tried there, best first."""

    scenario: str
    policy: str
    setting: str
    tried: tuple[Tried, ...]


def candidates(policy: str) -> tuple[str, ...]:
    """The settings to try; none for what has no settings, or whose settings the user gave.

    Raises:
        DenXanhError: there is no such policy.
    """
    if policy in references.NAMES or registry.is_learned(policy) or MARK in policy or rule_of(policy):
        return ()
    rule = registry.policy(policy)
    if isinstance(rule, Greedy):
        grid = product(INTERVALS_S, HYSTERESES_PCU)
    elif isinstance(rule, Actuated):
        grid = product(PASSAGES_S, MAX_GREENS_S)
    else:
        return ()
    return tuple(f"{policy}{MARK}{first}{JOIN}{second}" for first, second in grid)


def request_for(request: Request, seeds: Sequence[int]) -> Request:
    """The matrix that tunes for another one; it has no policies where nothing can be tuned.

    Raises:
        ConfigError: a seed is a test seed too.
    """
    shared = sorted(set(seeds) & set(request.seeds))
    if shared:
        raise ConfigError(
            f"{', '.join(map(str, shared))} tunes and tests", where="--seeds", fix="test with other seeds"
        )
    return replace(
        request,
        policies=tuple(one for policy in request.policies for one in candidates(policy)),
        seeds=tuple(seeds),
        out=request.out / "tuning",
        conditions=replace(request.conditions, failed_share=0.0),
        settings={},
        events=None,
    )


def tune(request: Request, seeds: Sequence[int], progress: Progress = lambda _: None) -> tuple[Choice, ...]:
    """Find each rule's best setting at each place of a request; finished runs are not made again.

    Args:
        request: the test to come.
        seeds: those to tune on, none of the test's.
        progress: told of every run.

    Raises:
        DenXanhError: as of `run_matrix`.
    """
    trial = request_for(request, seeds)
    if not trial.policies:
        return ()
    results = run_matrix(trial, progress)
    return tuple(
        best_setting(results, place.id, policy, candidates(policy))
        for place in request.places
        for policy in request.policies
        if candidates(policy)
    )


def best_setting(results: Results, scenario: str, policy: str, settings: Sequence[str]) -> Choice:
    """The best of some settings at one place; the rule's own where no run ended with figures.

    Args:
        results: of the tuning runs.
        scenario: the place's id.
        policy: the rule's plain name.
        settings: to choose from; at equal figures the first.
    """
    figure = FIGURES[headline(results.foreign[scenario])]
    tried = []
    for setting in settings:
        runs = [run for run in results.runs if (run.scenario, run.setting) == (scenario, setting)]
        values = [value for run in runs if (value := figure(run)) is not None]
        if values:
            locked = sum(run.gridlock for run in runs)
            tried.append(Tried(setting, sum(values) / len(values), locked, len(values)))
    most = max((one.seeds for one in tried), default=0)
    tried.sort(key=lambda one: (one.seeds < most, one.gridlocks, one.mean_s))
    return Choice(scenario, policy, tried[0].setting if tried else policy, tuple(tried))


def chosen(choices: Sequence[Choice]) -> Mapping[tuple[str, str], str]:
    """As `Request.settings` wants it."""
    return {(one.scenario, one.policy): one.setting for one in choices}
