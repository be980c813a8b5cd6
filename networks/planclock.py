"""The plan clock: where a fixed-time plan is at a time of day, and how to come into step with it.

Plan clock: cycle second = (local seconds since midnight - offset) mod cycle; cycle second 0 is the
start of green of the first split. A split lasts from its start of green to the next one's, so the
interstage that ends it is inside. At midnight the cycle second jumps unless the cycle divides the day;
coming into step absorbs it.

Coming into step ("bumpless"): three ways are worked out and the one with the least delay that keeps
every minimum is taken. *Dwell* rests in the running stage, *lengthen* stretches and *shorten*
compresses the splits over at most three cycles. They are the correction modes dwell, add-only and
short-way that NTCIP 1202 names; three cycles is the limit of its coordination alarm.

The delay estimate compares ways, it forecasts nothing. It assumes the same uniform arrival flow q at
every stage and is in vehicle-seconds per unit of q (s²):

* a split of green g lengthened by e: each other stage with red R waits (R·e + e²/2) longer
  (the red-squared term of Webster's uniform delay);
* a split of length g shortened by e: the share e/g of a cycle's vehicles misses it and waits a cycle,
  e·C²/g (saturated stage: the worst case);
* out of step: each second costs the offset error that is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from denxanh.networks.model import Plan, Split

MAX_TRANSITION_CYCLES = 3
"""Cycles within which a plan is in step again."""
LENGTHEN_PERCENT = 20
"""A split grows by at most this share in one cycle when lengthening."""


class Method(StrEnum):
    """How a plan comes into step."""

    IN_STEP = "in-step"
    DWELL = "dwell"
    LENGTHEN = "lengthen"
    SHORTEN = "shorten"


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in a plan: entry `index` (position in `plan.splits`), seconds since and until its ends."""

    index: int
    stage: int
    elapsed_s: int
    left_s: int


@dataclass(frozen=True, slots=True)
class Transition:
    """The splits to run from the running entry on, after which the plan itself is in step with the clock.

    `splits[0]` is the running entry in its whole length, the part that has passed included;
    the entry after `splits[-1]` starts with the plan's own length. `duration_s` counts from now.
    """

    method: Method
    first_entry: int
    splits: tuple[Split, ...]
    duration_s: int
    delay: float


def cycle_second(plan: Plan, second_of_day: int) -> int:
    """Seconds since the plan's cycle began, 0..cycle-1, at a local second of the day."""
    return (second_of_day - plan.offset_s) % plan.cycle_s


def entry_at(plan: Plan, second: int) -> Entry:
    """The entry that the plan is in at a cycle second (taken modulo the cycle)."""
    rest = second % plan.cycle_s
    for index, split in enumerate(plan.splits):
        if rest < split.split_s:
            return Entry(index, split.stage, rest, split.split_s - rest)
        rest -= split.split_s
    raise AssertionError("a cycle second is inside some split")  # the modulo above leaves no other case


def position(plan: Plan, second: int) -> tuple[int, int]:
    """The stage whose split runs at a cycle second, and the seconds left in that split."""
    entry = entry_at(plan, second)
    return entry.stage, entry.left_s


def entry_start(plan: Plan, index: int) -> int:
    """Cycle second at which entry `index` starts its green."""
    return sum(split.split_s for split in plan.splits[:index])


def transition(
    plan: Plan,
    index: int,
    elapsed_s: int,
    second: int,
    minima: Sequence[int],
    *,
    earliest_end_s: int = 0,
) -> Transition:
    """The way with the least delay into step with a plan, from a running entry of it.

    Args:
        plan: the target plan.
        index: the entry that runs now (its stage is green, or in the interstage that ends it).
        elapsed_s: seconds since that entry's start of green, at least 0.
        second: the plan clock's cycle second now.
        minima: for each entry the least legal length of its split in seconds: minimum green,
            commitment or walk and clearance, plus interstage. At most the plan's own split.
        earliest_end_s: the running entry cannot end before it has lasted this long (a commitment
            that has been made, pedestrians on the crossing). Seconds since its start of green.

    Returns:
        The transition. Its splits are never below `minima`, and it spans at most
        `MAX_TRANSITION_CYCLES` cycles and the running entry.

    Raises:
        ValueError: the minima do not fit the plan, or the entry does not exist.
    """
    if len(minima) != len(plan.splits):
        raise ValueError(f"{len(minima)} minima for {len(plan.splits)} splits")
    for number, (least, split) in enumerate(zip(minima, plan.splits, strict=True)):
        if least > split.split_s:
            raise ValueError(f"entry {number}: split {split.split_s} s is below its minimum {least} s")
    if not 0 <= index < len(plan.splits):
        raise ValueError(f"the plan has no entry {index}")
    floor = max(earliest_end_s, minima[index], elapsed_s + 1)
    ahead = (entry_start(plan, index) + elapsed_s - second) % plan.cycle_s
    """Seconds by which the running entry is ahead of the clock: to be added, or cycle - ahead to be cut."""
    dwell = _dwell(plan, index, elapsed_s, ahead, floor)
    if dwell.method is Method.IN_STEP:
        return dwell
    others = (
        _lengthen(plan, index, elapsed_s, ahead, floor),
        _shorten(plan, index, elapsed_s, ahead, floor, minima),
    )
    order = list(Method)
    possible = [dwell, *(way for way in others if way is not None)]
    return min(possible, key=lambda one: (one.delay, one.duration_s, order.index(one.method)))


def _dwell(plan: Plan, index: int, elapsed_s: int, ahead: int, floor: int) -> Transition:
    """Rest in the running stage until the clock comes round to its end; always possible."""
    own = plan.splits[index].split_s
    length = own + ahead
    while length < floor:
        length += plan.cycle_s
    method = Method.IN_STEP if length == own else Method.DWELL
    return _result(plan, method, index, elapsed_s, (length - own,))


def _lengthen(plan: Plan, index: int, elapsed_s: int, ahead: int, floor: int) -> Transition | None:
    """Stretch the splits by at most `LENGTHEN_PERCENT` each, running entry first."""
    changes: list[int] = []
    left = ahead
    for step in range(MAX_TRANSITION_CYCLES * len(plan.splits)):
        split = plan.splits[(index + step) % len(plan.splits)].split_s
        if step == 0:
            forced = max(0, floor - split)
            if forced > left:
                return None
            extra = max(forced, min(left, split * LENGTHEN_PERCENT // 100))
        else:
            extra = min(left, max(1, split * LENGTHEN_PERCENT // 100))
        changes.append(extra)
        left -= extra
        if left == 0:
            return _result(plan, Method.LENGTHEN, index, elapsed_s, changes)
    return None


def _shorten(
    plan: Plan, index: int, elapsed_s: int, ahead: int, floor: int, minima: Sequence[int]
) -> Transition | None:
    """Compress the splits towards their minima, evenly over the fewest cycles that suffice."""
    count = len(plan.splits)
    own = plan.splits[index].split_s
    forced = max(0, floor - own)
    """The running entry may already be overdue; the rest then has to make up for that too."""
    cut = (plan.cycle_s - ahead) % plan.cycle_s + forced
    for cycles in range(1, MAX_TRANSITION_CYCLES + 1):
        slack = []
        for step in range(cycles * count):
            entry = (index + step) % count
            least = max(floor, minima[entry]) if step == 0 else minima[entry]
            slack.append(max(0, plan.splits[entry].split_s - least))
        total = sum(slack)
        if total < cut:
            continue
        changes = [-(share * cut // total) if total else 0 for share in slack]
        missing = cut + sum(changes)
        for step, share in enumerate(slack):
            if missing == 0:
                break
            if share + changes[step] > 0:
                changes[step] -= 1
                missing -= 1
        changes[0] += forced
        return _result(plan, Method.SHORTEN, index, elapsed_s, changes)
    return None


def _result(plan: Plan, method: Method, index: int, elapsed_s: int, changes: Sequence[int]) -> Transition:
    splits: list[Split] = []
    delay = 0.0
    error = abs(sum(changes))
    lost = sum(changes)
    for step, change in enumerate(changes):
        entry = plan.splits[(index + step) % len(plan.splits)]
        splits.append(Split(entry.stage, entry.split_s + change))
        delay += _imposed(plan, entry.split_s, change)
        length = entry.split_s + change - (elapsed_s if step == 0 else 0)
        delay += error * length
        lost -= change
        error = abs(lost)
    duration = sum(split.split_s for split in splits) - elapsed_s
    return Transition(method, index, tuple(splits), duration, delay)


def _imposed(plan: Plan, split_s: int, change: int) -> float:
    """Delay that a longer split imposes on the other stages, or a shorter one on its own (see the module)."""
    cycle = plan.cycle_s
    if change >= 0:
        reds = [cycle - other.split_s for other in plan.splits]
        reds.remove(cycle - split_s)
        return sum(red * change + change * change / 2 for red in reds)
    return -change * cycle * cycle / split_s
