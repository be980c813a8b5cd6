"""Arithmetic of stages: how long an interstage takes, what serving a stage costs, which way leads where.

How long a call may have to wait is `red_bounds.py`, whether the guard's properties can hold `feasibility.py`.

Definitions (seconds; the properties G1 to G8 stand in docs/safety.md):

* An **ending** group is green in the old stage and red in the new one; one that goes from `G` to `g` ends its
  protected green. A **gaining** group is red in the old stage and green in the new one, or goes from `g` to
  `G`. A pedestrian group has always ended its clearance when its stage ends, and always gains in a stage that
  serves it, whether it walks or not, so that an interstage never depends on a push button.
* The **interstage** is the longest of the ending groups' yellows and of the intergreens from an ending to a
  gaining group. All gaining groups start together.
* The **bounded green** of a stage is the least time after which it can always end.
* A group's **best aspect** is `G` where some stage offers it, else `g`; only the best aspect is service (a
  permissive green in front of heavy traffic is not). Its **home** is one fixed stage that offers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection

MIN_YELLOW_S = 3
"""Shortest yellow anywhere, s: practice in Hanoi by press reports; QCVN 41:2024 was found to name none."""

MIN_INTERSTAGE_S = 1
"""An interstage takes at least one tick of the guard, even between stages that do not conflict."""

MAX_STAGES = 10
"""Most stages: the bound on red looks at every subset of them (10 take 0.2 s, 13 take 5 s, measured)."""

NOWHERE = -1
"""In tables of stages: there is no such stage."""


def bounded_green_s(intersection: Intersection, stage: int) -> int:
    """The least green after which `stage` can always end: min greens, walk + clearance, commitment."""
    served = (g for i, g in enumerate(intersection.groups) if intersection.stages[stage].serves(i))
    needs = (max(g.min_green_s, g.walk_s + g.clearance_s) for g in served)
    return max(intersection.commitment_s, *needs, 0)


def least_split_s(intersection: Intersection, stage: int, following: int) -> int:
    """The least split that keeps a plan in step: bounded green of `stage`, and the interstage to `following`.

    A promise is made `commitment_s` before the end and not before the second in which the green shows, so a
    green that the commitment bounds lasts one second more.
    """
    promised_s = intersection.commitment_s + 1 if intersection.commitment_s else 0
    green_s = max(bounded_green_s(intersection, stage), promised_s)
    return green_s + interstage_s(intersection, stage, following)


def max_green_s(intersection: Intersection, stage: int) -> int:
    """Seconds from the first conflicting call to the latest end of `stage`.

    The least of its vehicle groups' max greens; of its pedestrian groups' where no vehicle is served.
    """
    served = [g for i, g in enumerate(intersection.groups) if intersection.stages[stage].serves(i)]
    vehicles = [g.max_green_s for g in served if g.kind is GroupKind.VEHICLE]
    return min(vehicles or [g.max_green_s for g in served], default=0)


def interstage_s(intersection: Intersection, a: int, b: int) -> int:
    """Seconds from the end of a fully green `a` to the green of `b`, 1 or more; 0 for the same stage."""
    return _interstage_s(intersection, a, b, worst=False)


def worst_interstage_s(intersection: Intersection, a: int, b: int) -> int:
    """The longest that the interstage can take: with greens that ended before `a` began.

    Their intergreen may still run. Such a green ended at least its own yellow and the shortest life of `a`
    (the commitment) ago.
    """
    return _interstage_s(intersection, a, b, worst=True)


def _interstage_s(intersection: Intersection, a: int, b: int, *, worst: bool) -> int:
    if a == b:
        return 0
    before, after = intersection.stages[a].aspects, intersection.stages[b].aspects
    longest = MIN_INTERSTAGE_S
    for i, group in enumerate(intersection.groups):
        walker = group.kind is GroupKind.PEDESTRIAN
        lit = before[i] is not Aspect.RED
        ends = lit and (walker or after[i] is Aspect.RED)
        downgraded = before[i] is Aspect.PROTECTED and after[i] is Aspect.YIELDING
        if ends and not walker:
            longest = max(longest, group.yellow_s)
        already_s = 0 if lit else group.yellow_s + intersection.commitment_s
        for j in _gaining(intersection, a, b):
            conflict = intersection.conflicts[i][j]
            waits = ends or (downgraded and conflict is Conflict.YIELDS) or (worst and not lit)
            if waits and conflict is not Conflict.NONE:
                longest = max(longest, intersection.intergreens[i][j] - already_s)
    return longest


def _gaining(intersection: Intersection, a: int, b: int) -> Iterator[int]:
    before, after = intersection.stages[a].aspects, intersection.stages[b].aspects
    for j, group in enumerate(intersection.groups):
        raised = before[j] is Aspect.YIELDING and after[j] is Aspect.PROTECTED
        starts = before[j] is Aspect.RED or group.kind is GroupKind.PEDESTRIAN
        if after[j] is not Aspect.RED and (starts or raised):
            yield j


def service_s(intersection: Intersection, stage: int) -> int:
    """What serving `stage` costs at most: the worst interstage into it and its bounded green."""
    count = len(intersection.stages)
    into = (
        worst_interstage_s(intersection, a, stage)
        for a in range(count)
        if a != stage and intersection.transitions[a][stage]
    )
    return max(into, default=0) + bounded_green_s(intersection, stage)


def next_hop(intersection: Intersection) -> tuple[tuple[int, ...], ...]:
    """`table[a][b]`: the stage that follows `a` on the quickest way to `b`; NOWHERE if there is none.

    Quickest counts interstages and the bounded greens of the stages between. On the diagonal stands the
    first stage of the quickest way to leave `a` and come back.
    """
    count = len(intersection.stages)
    stages = range(count)
    step = {
        (a, b): worst_interstage_s(intersection, a, b)
        for a, b in product(stages, stages)
        if a != b and intersection.transitions[a][b]
    }
    green = [bounded_green_s(intersection, s) for s in stages]
    # Floyd and Warshall's all-pairs shortest ways; the diagonal starts unknown, so it ends as the shortest
    # return.
    far_s = dict(step)
    hop = {(a, b): b for a, b in step}
    for via, a, b in product(stages, stages, stages):
        if via in (a, b) or (a, via) not in far_s or (via, b) not in far_s:
            continue
        length_s = far_s[a, via] + green[via] + far_s[via, b]
        if (a, b) not in far_s or length_s < far_s[a, b]:
            far_s[a, b] = length_s
            hop[a, b] = hop[a, via]
    return tuple(tuple(hop.get((a, b), NOWHERE) for b in stages) for a in stages)


def best_aspect(intersection: Intersection, group: int) -> Aspect:
    """`G` if some stage offers it, else `g`; RED for a group that no stage serves."""
    offered = {stage.aspects[group] for stage in intersection.stages}
    return next((a for a in (Aspect.PROTECTED, Aspect.YIELDING) if a in offered), Aspect.RED)


def homes(intersection: Intersection) -> tuple[int, ...]:
    """Per group the stage that a forced move takes to serve it; few different ones (greedy cover)."""
    groups = range(len(intersection.groups))
    best = [best_aspect(intersection, g) for g in groups]
    offers = [
        {g for g in groups if stage.aspects[g] is best[g] is not Aspect.RED} for stage in intersection.stages
    ]
    home = [NOWHERE] * len(intersection.groups)
    left = set().union(*offers)
    while left:
        stage = max(
            range(len(offers)),
            key=lambda s: (len(offers[s] & left), -bounded_green_s(intersection, s), -s),
        )
        for group in offers[stage] & left:
            home[group] = stage
        left -= offers[stage]
    return tuple(home)
