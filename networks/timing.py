"""Arithmetic of stages: how long an interstage takes, what serving a stage costs, what can hold.

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

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection, SignalGroup

MIN_YELLOW_S = 3
"""Shortest yellow anywhere, s: practice in Hanoi by press reports; QCVN 41:2024 was found to name none."""

MIN_INTERSTAGE_S = 1
"""An interstage takes at least one tick of the guard, even between stages that do not conflict."""

MAX_STAGES = 10
"""Most stages: the bound on red looks at every subset of them (10 take 0.2 s, 13 take 5 s, measured)."""

NOWHERE = -1
"""In tables of stages: there is no such stage."""

_MIRROR = {
    Conflict.NONE: Conflict.NONE,
    Conflict.PROHIBITED: Conflict.PROHIBITED,
    Conflict.YIELDS: Conflict.HAS_PRIORITY,
    Conflict.HAS_PRIORITY: Conflict.YIELDS,
}


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


def _interstage_s(intersection: Intersection, a: int, b: int, *, worst: bool) -> int:
    """The least and (`worst`) the greatest interstage.

    `worst` adds greens that ended before `a` began and whose intergreen may still run. Such a green ended at
    least its own yellow and the shortest life of `a` (the commitment) ago.
    """
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
        _interstage_s(intersection, a, stage, worst=True)
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
        (a, b): _interstage_s(intersection, a, b, worst=True)
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


class RedBounds:
    """How long a called group can be made to wait by the other stages that come before it.

    `worst_s(a, mask, last)` is the longest time from the end of stage `a` to the green of stage `last` when
    the stages in the bit mask `mask` may be served first, in any order, each for its bounded green, along
    `next_hop`, and when calls may be withdrawn under way (which changes the order and the way). It never
    shrinks when `mask` grows, and it covers every choice that earliest-deadline-first can make; so a deadline
    that was within reach stays within reach.
    """

    __slots__ = ("_green", "_hop", "_memo", "_step", "_worst")

    def __init__(self, intersection: Intersection) -> None:
        stages = range(len(intersection.stages))
        self._hop = next_hop(intersection)
        self._green = [bounded_green_s(intersection, s) for s in stages]
        self._step = [[_interstage_s(intersection, a, b, worst=True) for b in stages] for a in stages]
        self._memo: dict[tuple[int, int, int, int], int] = {}
        self._worst: dict[tuple[int, int, int], int] = {}

    def worst_s(self, a: int, mask: int, last: int) -> int:
        """See the class; `mask` without `last`; all of them must be reachable from `a`."""
        key = (a, mask, last)
        known = self._worst.get(key)
        if known is None:
            targets = _bits(mask | 1 << last)
            known = self._worst[key] = max(self._towards(a, target, mask, last) for target in targets)
        return known

    def step_s(self, a: int, b: int) -> int:
        """The interstage from `a` to `b`, with what earlier greens may add to it."""
        return self._step[a][b]

    def green_s(self, stage: int) -> int:
        """Bounded green of a stage."""
        return self._green[stage]

    def _towards(self, a: int, target: int, mask: int, last: int) -> int:
        key = (a, target, mask, last)
        known = self._memo.get(key)
        if known is None:
            known = self._memo[key] = self._compute(a, target, mask, last)
        return known

    def _compute(self, a: int, target: int, mask: int, last: int) -> int:
        hop = self._hop[a][target]
        step_s = self._step[a][hop]
        if hop == last:
            return step_s
        left = mask & ~(1 << hop)
        ahead_s = self.worst_s(hop, left & ~(1 << target), last)
        if hop != target:
            ahead_s = max(ahead_s, self._towards(hop, target, left, last))
        return step_s + self._green[hop] + ahead_s


def _bits(mask: int) -> Iterator[int]:
    index = 0
    while mask:
        if mask & 1:
            yield index
        mask >>= 1
        index += 1


def minimal_max_red_s(intersection: Intersection, bounds: RedBounds | None = None) -> int:
    """The least `max_red_s` with which G5 can hold for every group, whatever is called.

    The commitment that may just have been made, then every stage that some group needs, in the worst order.
    `bounds`, where given, are this intersection's; they keep what is worked out here.

    Raises:
        ValueError: a group has no stage, or a stage cannot be reached; `feasibility_defects` names it.
    """
    table = next_hop(intersection)
    count = len(intersection.stages)
    targets = sorted(set(homes(intersection)))
    if NOWHERE in targets or (count > 1 and any(NOWHERE in row for row in table)):
        raise ValueError("a group has no stage, or a stage cannot be reached")
    if count == 1:
        return intersection.commitment_s
    bounds = bounds or RedBounds(intersection)
    everything = sum(1 << s for s in targets)
    worst_s = max(
        bounds.worst_s(a, everything & ~(1 << last), last) for a, last in product(range(count), targets)
    )
    return intersection.commitment_s + worst_s


def max_red_bound_s(intersection: Intersection, group: int) -> int:
    """G5's provable bound: a group that stays called gets its best aspect within this many seconds.

    Its max red, and one service that had been promised when the call came.
    """
    services = (service_s(intersection, s) for s in range(len(intersection.stages)))
    return intersection.groups[group].max_red_s + max(services, default=0)


def feasibility_defects(intersection: Intersection) -> list[str]:
    """Everything that keeps the guard's invariants from holding together; empty for a sound intersection.

    One English sentence per defect, naming group and stage by id. Defects of shape hide the others.
    """
    shape = _shape_defects(intersection)
    if shape:
        return shape
    found = [defect for group in intersection.groups for defect in _group_defects(group)]
    found += _matrix_defects(intersection)
    found += _stage_defects(intersection)
    found += _graph_defects(intersection)
    return found or _bound_defects(intersection)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _shape_defects(intersection: Intersection) -> list[str]:
    groups, stages = len(intersection.groups), len(intersection.stages)
    found: list[str] = []
    if not groups or not stages:
        return ["there must be at least one group and one stage"]
    if stages > MAX_STAGES:
        return [f"{stages} stages; at most {MAX_STAGES}"]
    for name, matrix, size in (
        ("conflicts", intersection.conflicts, groups),
        ("intergreens", intersection.intergreens, groups),
        ("transitions", intersection.transitions, stages),
    ):
        if len(matrix) != size or any(len(row) != size for row in matrix):
            found.append(f"{name} must be a {size} x {size} matrix")
    found += [
        f"stage {stage.id} must give an aspect to each of the {groups} groups"
        for stage in intersection.stages
        if len(stage.aspects) != groups
    ]
    if not (_whole(intersection.startup_stage) and intersection.startup_stage < stages):
        found.append(f"startup_stage {intersection.startup_stage} does not exist")
    times: list[tuple[str, object]] = [
        (name, getattr(intersection, name))
        for name in ("commitment_s", "startup_flash_s", "startup_all_red_s")
    ]
    limits = ("min_green_s", "max_green_s", "max_red_s", "yellow_s", "walk_s", "clearance_s")
    times += [(f"group {g.id}: {name}", getattr(g, name)) for g in intersection.groups for name in limits]
    times += [("an intergreen", value) for row in intersection.intergreens for value in row]
    found += [
        f"{name} must be a whole number of seconds, 0 or more, not {value!r}"
        for name, value in times
        if not _whole(value)
    ]
    return found


def _group_defects(group: SignalGroup) -> Iterator[str]:
    where = f"group {group.id}:"
    if group.kind is GroupKind.PEDESTRIAN:
        if group.walk_s < 1:
            yield f"{where} pedestrians need a walk_s of at least 1"
        if group.min_green_s != group.walk_s:
            yield f"{where} min_green_s of pedestrians must equal walk_s"
        if group.yellow_s:
            yield f"{where} pedestrians have no yellow"
        return
    if group.yellow_s < MIN_YELLOW_S:
        yield f"{where} yellow_s is {group.yellow_s}; at least {MIN_YELLOW_S} is needed"
    if group.min_green_s < 1:
        yield f"{where} min_green_s must be at least 1"
    if group.walk_s or group.clearance_s:
        yield f"{where} walk_s and clearance_s are for pedestrians"


def _matrix_defects(intersection: Intersection) -> Iterator[str]:
    groups = intersection.groups
    for (i, a), (j, b) in product(enumerate(groups), enumerate(groups)):
        conflict, intergreen_s = intersection.conflicts[i][j], intersection.intergreens[i][j]
        pair = f"groups {a.id} and {b.id}:"
        if i == j and conflict is not Conflict.NONE:
            yield f"group {a.id}: a group cannot conflict with itself"
        elif i < j and _MIRROR[conflict] is not intersection.conflicts[j][i]:
            yield f"{pair} {conflict.value} one way and {intersection.conflicts[j][i].value} the other"
        if (intergreen_s > 0) != (conflict is not Conflict.NONE):
            yield f"{pair} intergreen {intergreen_s} s, conflict {conflict.value}"
        elif 0 < intergreen_s < a.yellow_s:
            yield f"{pair} intergreen {intergreen_s} s is shorter than the yellow of {a.id}"


def _stage_defects(intersection: Intersection) -> Iterator[str]:
    groups = intersection.groups
    for index, stage in enumerate(intersection.stages):
        where = f"stage {stage.id}:"
        for group, aspect in zip(groups, stage.aspects, strict=True):
            legal = {Aspect.PROTECTED, Aspect.RED}
            if group.kind is GroupKind.VEHICLE:
                legal.add(Aspect.YIELDING)
            if aspect not in legal:
                yield f"{where} group {group.id} cannot have aspect {aspect.value}"
        if not any(stage.serves(i) for i in range(len(groups))):
            yield f"{where} serves no group"
            continue
        for i, j in product(range(len(groups)), repeat=2):
            if i != j and conflicting(intersection.conflicts[i][j], stage.aspects[i], stage.aspects[j]):
                yield f"{where} group {groups[i].id} must not be green together with {groups[j].id}"
        longest_s, bounded_s = max_green_s(intersection, index), bounded_green_s(intersection, index)
        if longest_s < bounded_s:
            yield (
                f"{where} max green {longest_s} s is shorter than what it needs "
                f"(min green, walk and clearance, commitment): {bounded_s} s"
            )
    for i, group in enumerate(groups):
        if not any(stage.serves(i) for stage in intersection.stages):
            yield f"group {group.id}: no stage serves it"


def conflicting(conflict: Conflict, mine: Aspect, theirs: Aspect) -> bool:
    """Whether the matrix forbids these two aspects at the same time; `conflict` is how mine stands to theirs.

    Seen from one side only: a priority pair is judged from the side of the one that yields.
    """
    if mine is Aspect.RED or theirs is Aspect.RED:
        return False
    return conflict is Conflict.PROHIBITED or (conflict is Conflict.YIELDS and mine is Aspect.PROTECTED)


def _graph_defects(intersection: Intersection) -> Iterator[str]:
    if len(intersection.stages) == 1:
        return
    for row, stage in zip(next_hop(intersection), intersection.stages, strict=True):
        lost = [intersection.stages[b].id for b, hop in enumerate(row) if hop == NOWHERE]
        if lost:
            yield f"stage {stage.id}: the stage graph has no way to {', '.join(lost)}"


def _bound_defects(intersection: Intersection) -> list[str]:
    need_s = minimal_max_red_s(intersection)
    return [
        f"group {g.id}: max red {g.max_red_s} s; serving every other stage first can take {need_s} s"
        for g in intersection.groups
        if g.max_red_s < need_s
    ]
