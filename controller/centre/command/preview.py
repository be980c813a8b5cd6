"""What switching to a plan would look like, before anybody switches; pure.

The same arithmetic as in the virtual cabinet: a stage that the plan knows becomes its entry and comes into
step by the least delay (`networks/planclock.py`); a stage that it does not know ends as soon as it may,
towards the plan. A maker's cabinet may choose another way into step; it keeps the same minima.
"""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.controller.centre.command.picture import Picture
from denxanh.controller.wording import Text
from denxanh.networks.model import Aspect, Intersection, Plan
from denxanh.networks.planclock import Method, Transition, cycle_second, entry_at, transition
from denxanh.networks.timing import NOWHERE, bounded_green_s, interstage_s, least_split_s, next_hop

METHODS: dict[Method, Text] = {
    Method.IN_STEP: ("đã khớp nhịp chương trình", "already in step with the plan"),
    Method.DWELL: ("giữ pha đang chạy cho đến khi khớp nhịp", "rests in the running stage until in step"),
    Method.LENGTHEN: ("kéo dài các pha cho đến khi khớp nhịp", "lengthens the stages until in step"),
    Method.SHORTEN: ("rút ngắn các pha cho đến khi khớp nhịp", "shortens the stages until in step"),
}
COMMITTED: Text = ("lần chuyển pha đã hẹn được giữ đúng", "the change that is promised is kept")
SEEK: Text = (
    "chương trình không có pha đang chạy: kết thúc sớm nhất có thể",
    "the plan does not know the running stage: it ends as soon as it may",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One green on the way into the plan; seconds from now. A running stage starts at 0."""

    stage: int
    start_in_s: int
    end_in_s: int
    """End of green; the interstage follows."""
    least_green_s: int
    """The green is never shorter: minimum green, walk and clearance, commitment."""
    plan_split_s: int | None
    """What the plan itself gives this stage, interstage included; None: the plan does not know it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The way from what runs now into a plan."""

    plan: Plan
    cycle_second: int
    """Of the plan's clock, now."""
    scheduled_stage: int
    """Where the plan itself would be now."""
    earliest_end_s: int
    """The running green cannot end sooner, from now; 0 in an interstage."""
    committed: bool
    """Whether its end is promised already."""
    method: Method | None
    """How it comes into step; None: no stage of the plan can be reached."""
    how: Text
    steps: tuple[Step, ...]
    in_step_in_s: int


def preview(intersection: Intersection, plan: Plan, now: Picture) -> Preview:
    """What a switch in this second would do.

    Args:
        intersection: whose.
        plan: the target.
        now: its last second.
    """
    earliest, promised = _earliest_end(intersection, now)
    way_there, stage, elapsed, ahead, left = _towards(intersection, plan, now, earliest, promised)
    way = _into_step(intersection, plan, stage, elapsed, left, int(now.heard.clock_s) + ahead)
    steps, in_step_in_s, method = way_there, ahead, None
    if way is not None:
        steps = [*way_there, *_steps(intersection, plan, way, ahead, elapsed)]
        method = way.method
        in_step_in_s = ahead if method is Method.IN_STEP else ahead + way.duration_s
    second = cycle_second(plan, int(now.heard.clock_s))
    return Preview(
        plan=plan,
        cycle_second=second,
        scheduled_stage=entry_at(plan, second).stage,
        earliest_end_s=earliest,
        committed=promised is not None,
        method=method,
        how=_how(method, leads=bool(way_there), committed=promised is not None),
        steps=tuple(steps),
        in_step_in_s=in_step_in_s,
    )


def _towards(
    intersection: Intersection, plan: Plan, now: Picture, earliest: int, promised: int | None
) -> tuple[list[Step], int, int, int, int]:
    """Stages that end before the plan's first, and the one that it begins with.

    Returns:
        The steps; that stage; how long it has been green; when (s from now) that is so; its least rest.
    """
    hops, known = next_hop(intersection), {split.stage for split in plan.splits}
    stage, elapsed, ahead, left = now.decided.stage, int(now.decided.elapsed_s), 0, earliest
    if now.decided.in_interstage:
        elapsed, ahead, left = 0, _interstage_left(intersection, now), _least_green_s(intersection, stage)
    steps: list[Step] = []
    while promised is not None or stage not in known:
        target = entry_at(plan, cycle_second(plan, int(now.heard.clock_s) + ahead + left)).stage
        hop = hops[stage][target] if promised is None else promised
        promised = None
        if hop in (NOWHERE, stage) or len(steps) > len(intersection.stages):
            break
        steps.append(_step(intersection, plan, stage, ahead, ahead + left))
        ahead += left + interstage_s(intersection, stage, hop)
        stage, elapsed, left = hop, 0, _least_green_s(intersection, hop)
    return steps, stage, elapsed, ahead, left


def _how(method: Method | None, *, leads: bool, committed: bool) -> Text:
    words = [COMMITTED if committed else SEEK] if leads else []
    if method is not None:
        words.append(METHODS[method])
    return "; ".join(vi for vi, _ in words), "; ".join(en for _, en in words)


def _earliest_end(intersection: Intersection, now: Picture) -> tuple[int, int | None]:
    """Seconds until the running green may end, and the stage that is promised then, if one is."""
    if now.decided.in_interstage:
        return 0, None
    if now.decided.commitment is not None:
        return now.decided.commitment.end_in_s, now.decided.commitment.next_stage
    said = 0
    if now.status is not None and now.decided.stage < len(now.status.min_left_s):
        said = now.status.min_left_s[now.decided.stage]  # some protocols say 0 always
    return max(intersection.commitment_s, said, _owed_s(intersection, now)), None


def _owed_s(intersection: Intersection, now: Picture) -> int:
    """What min greens and people on the crossing still need."""
    needs = [
        group.min_green_s
        if aspect in (Aspect.PROTECTED, Aspect.YIELDING)
        else group.walk_s + group.clearance_s
        for group, aspect in zip(intersection.groups, now.decided.aspects, strict=True)
        if aspect in (Aspect.PROTECTED, Aspect.YIELDING, Aspect.WALK, Aspect.CLEARANCE)
    ]
    return max(needs, default=0) - int(now.decided.elapsed_s)


def _interstage_left(intersection: Intersection, now: Picture) -> int:
    """At most so many seconds until the coming stage is green; the way into it is not in the record."""
    into = (
        interstage_s(intersection, a, now.decided.stage)
        for a in range(len(intersection.stages))
        if a != now.decided.stage and intersection.transitions[a][now.decided.stage]
    )
    return max(1, max(into, default=1) - int(now.decided.elapsed_s))


def _least_green_s(intersection: Intersection, stage: int) -> int:
    """A promise is made no sooner than the second in which the green shows."""
    return max(bounded_green_s(intersection, stage), intersection.commitment_s + 1)


def _into_step(
    intersection: Intersection, plan: Plan, stage: int, elapsed: int, left: int, second_of_day: int
) -> Transition | None:
    """The least delay into step among the plan's entries with this stage."""
    minima = [
        min(split.split_s, least_split_s(intersection, split.stage, _following(plan, index)))
        for index, split in enumerate(plan.splits)
    ]
    ways = []
    for index, split in enumerate(plan.splits):
        if split.stage != stage:
            continue
        following = _following(plan, index)
        gone = elapsed + left + interstage_s(intersection, stage, following) if following != stage else 0
        second = cycle_second(plan, second_of_day)
        ways.append(transition(plan, index, elapsed, second, minima, earliest_end_s=gone))
    return min(ways, key=lambda way: way.delay, default=None)


def _following(plan: Plan, index: int) -> int:
    return plan.splits[(index + 1) % len(plan.splits)].stage


def _steps(intersection: Intersection, plan: Plan, way: Transition, start: int, elapsed: int) -> list[Step]:
    steps = []
    for number, split in enumerate(way.splits):
        begin = start if number else start - elapsed
        index = (way.first_entry + number) % len(plan.splits)
        change = interstage_s(intersection, split.stage, _following(plan, index))
        end = begin + split.split_s - change
        steps.append(_step(intersection, plan, split.stage, max(start, begin), end, index))
        start = begin + split.split_s
    return steps


def _step(
    intersection: Intersection, plan: Plan, stage: int, start: int, end: int, index: int | None = None
) -> Step:
    return Step(
        stage=stage,
        start_in_s=start,
        end_in_s=end,
        least_green_s=_least_green_s(intersection, stage),
        plan_split_s=None if index is None else plan.splits[index].split_s,
    )
