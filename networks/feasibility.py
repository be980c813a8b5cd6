"""Whether the guard's invariants can hold together at an intersection, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection, SignalGroup
from denxanh.networks.red_bounds import minimal_max_red_s
from denxanh.networks.timing import MAX_STAGES, MIN_YELLOW_S, NOWHERE, bounded_green_s, max_green_s, next_hop

_MIRROR = {
    Conflict.NONE: Conflict.NONE,
    Conflict.PROHIBITED: Conflict.PROHIBITED,
    Conflict.YIELDS: Conflict.HAS_PRIORITY,
    Conflict.HAS_PRIORITY: Conflict.YIELDS,
}


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
