"""What one plan has to keep: the stage graph, least and longest splits, longest reds, its offset.

`network check` and the console's editor ask the same questions here, so a draft that the editor lets pass is
one that the corridor's folder may hold. What the plans of several intersections owe each other (a common
cycle) and what the schedule owes them is `coordination_defects` and `schedule_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from denxanh.networks import timing
from denxanh.networks.model import GroupKind, Intersection, Plan
from denxanh.networks.tllogic import second_states

NAMED = 3
"""Intersections that one defect names; of the others it gives the number."""


class Rule(StrEnum):
    """What a plan can break. Stable: the console's pages name these."""

    SUCCESSION = "succession"
    """The stage graph has no such change."""
    TOO_SHORT = "too-short"
    """A split below what minimum greens, walk and clearance, commitment and interstage need."""
    TOO_LONG = "too-long"
    """A green above the longest one (G4)."""
    NEVER_SERVED = "never-served"
    """A group whose best aspect never comes (G5)."""
    RED_TOO_LONG = "red-too-long"
    """A group that waits longer than its longest red (G5)."""
    OFFSET = "offset"
    """An offset outside the cycle."""
    CYCLE_DIFFERS = "cycle-differs"
    """Another cycle than the neighbours' plans of this number: there would be no coordination."""


@dataclass(frozen=True, slots=True)
class PlanDefect:
    """One broken rule.

    `entry` is the place in the plan's splits, None where the whole plan is meant. `subject` is a stage's or a
    group's id, `other` the following stage's (`SUCCESSION`) or the wanted aspect's letter (`NEVER_SERVED`).
    `has_s` and `limit_s` are whole seconds: what the plan gives and what the rule allows. `places` are the
    other intersections with that cycle, all of them (`CYCLE_DIFFERS`); the subject lists the first.
    """

    rule: Rule
    entry: int | None = None
    subject: str = ""
    other: str = ""
    has_s: int = 0
    limit_s: int = 0
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.rule:
            case Rule.SUCCESSION:
                return f"stage {self.other} may not follow {self.subject}"
            case Rule.TOO_SHORT:
                return (
                    f"stage {self.subject} has {self.has_s} s; min green, walk and clearance or commitment, "
                    f"and the interstage need {self.limit_s} s"
                )
            case Rule.TOO_LONG:
                return f"stage {self.subject} is green for {self.has_s} s, max green is {self.limit_s} s"
            case Rule.NEVER_SERVED:
                return f"group {self.subject} never gets its {self.other}"
            case Rule.RED_TOO_LONG:
                return f"group {self.subject} waits {self.has_s} s, max red is {self.limit_s} s"
            case Rule.OFFSET:
                return f"{self.has_s} s is not below the cycle {self.limit_s} s"
            case Rule.CYCLE_DIFFERS:
                return f"the cycle is {self.has_s} s, that of {self.subject} is {self.limit_s} s"


@dataclass(frozen=True, slots=True)
class EntryNeeds:
    """What one entry of a plan needs, whole seconds: the parts of its least split, and its longest.

    `least_s` may exceed `green_s + interstage_s` by the second in which a promise is made.
    """

    stage: int
    minimum_s: int
    """Greatest minimum green of the vehicle groups served."""
    walk_s: int
    clearance_s: int
    """Walk and clearance of the pedestrian group that needs longest; 0 where nobody walks."""
    commitment_s: int
    interstage_s: int
    least_s: int
    longest_s: int
    """Longest green and interstage."""


def needs(intersection: Intersection, order: Sequence[int]) -> tuple[EntryNeeds, ...]:
    """What each entry of a plan that runs the stages in this order needs."""
    return tuple(
        _entry_needs(intersection, stage, order[(place + 1) % len(order)])
        for place, stage in enumerate(order)
    )


def plan_defects(intersection: Intersection, plan: Plan) -> Iterator[PlanDefect]:
    """Every rule that this plan breaks; nothing for a sound one."""
    if not 0 <= plan.offset_s < plan.cycle_s:
        yield PlanDefect(Rule.OFFSET, has_s=plan.offset_s, limit_s=plan.cycle_s)
    yield from split_defects(intersection, plan)


def split_defects(intersection: Intersection, plan: Plan) -> Iterator[PlanDefect]:
    """`plan_defects` without the offset's."""
    order = [split.stage for split in plan.splits]
    short = False
    for place, (split, need) in enumerate(zip(plan.splits, needs(intersection, order), strict=True)):
        after = order[(place + 1) % len(order)]
        name = intersection.stages[split.stage].id
        if split.stage != after and not intersection.transitions[split.stage][after]:
            yield PlanDefect(Rule.SUCCESSION, place, name, intersection.stages[after].id)
        if split.split_s < need.least_s:
            short = True
            yield PlanDefect(Rule.TOO_SHORT, place, name, has_s=split.split_s, limit_s=need.least_s)
        if split.split_s > need.longest_s:
            yield PlanDefect(
                Rule.TOO_LONG,
                place,
                name,
                has_s=split.split_s - need.interstage_s,
                limit_s=need.longest_s - need.interstage_s,
            )
    # Reds are read off the lamps second by second; splits shorter than their interstage have none.
    if not short:
        yield from _red_defects(intersection, plan)


def coordination_defects(plan: Plan, neighbours: Mapping[str, Plan]) -> Iterator[PlanDefect]:
    """Where the plans of the same number of other intersections (by id) run on another cycle.

    One defect per other cycle; its subject lists the intersections, at most `NAMED`.
    """
    by_cycle: dict[int, list[str]] = {}
    for name, other in neighbours.items():
        by_cycle.setdefault(other.cycle_s, []).append(name)
    for cycle_s, names in sorted(by_cycle.items()):
        if cycle_s != plan.cycle_s:
            more = f" +{len(names) - NAMED}" if len(names) > NAMED else ""
            subject = ", ".join(names[:NAMED]) + more
            yield PlanDefect(
                Rule.CYCLE_DIFFERS, subject=subject, has_s=plan.cycle_s, limit_s=cycle_s, places=tuple(names)
            )


def _entry_needs(intersection: Intersection, stage: int, after: int) -> EntryNeeds:
    served = [g for i, g in enumerate(intersection.groups) if intersection.stages[stage].serves(i)]
    walkers = [g for g in served if g.kind is GroupKind.PEDESTRIAN]
    slowest = max(walkers, key=lambda g: g.walk_s + g.clearance_s, default=None)
    interstage_s = timing.interstage_s(intersection, stage, after)
    return EntryNeeds(
        stage=stage,
        minimum_s=max((g.min_green_s for g in served if g.kind is GroupKind.VEHICLE), default=0),
        walk_s=slowest.walk_s if slowest else 0,
        clearance_s=slowest.clearance_s if slowest else 0,
        commitment_s=intersection.commitment_s,
        interstage_s=interstage_s,
        least_s=timing.least_split_s(intersection, stage, after),
        longest_s=timing.max_green_s(intersection, stage) + interstage_s,
    )


def _red_defects(intersection: Intersection, plan: Plan) -> Iterator[PlanDefect]:
    states = second_states(intersection, plan)
    for index, group in enumerate(intersection.groups):
        best = timing.best_aspect(intersection, index).value
        waiting = _longest_without([state[group.links[0]] for state in states], best)
        if waiting is None:
            yield PlanDefect(Rule.NEVER_SERVED, subject=group.id, other=best)
        elif waiting > group.max_red_s:
            yield PlanDefect(Rule.RED_TOO_LONG, subject=group.id, has_s=waiting, limit_s=group.max_red_s)


def _longest_without(letters: Sequence[str], wanted: str) -> int | None:
    """The longest cyclic run without a letter; None where it never comes."""
    if wanted not in letters:
        return None
    start = letters.index(wanted)
    longest = run = 0
    for letter in (*letters[start:], *letters[:start]):
        run = 0 if letter == wanted else run + 1
        longest = max(longest, run)
    return longest
