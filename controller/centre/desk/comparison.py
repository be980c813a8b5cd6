"""Adaptive against fixed control from what the store remembers, and what may be concluded from it.

Like is compared with like: a **cell** is an hour of the day on one day type, and only cells in which both
kinds of control ran long enough count. The measure is the mean queue, in passenger-car units: summed over
time it is the waiting itself (one pcu queued for one hour waits one pcu-hour).

This is an observation, not an experiment: nobody drew lots for when the intersection was adaptive. A fixed
plan often runs *because* something was wrong. The pages say so beside every verdict.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from denxanh.controller.localtime import HOUR_MS, local, midnight_ms
from denxanh.controller.mode import Mode
from denxanh.networks.model import Schedule
from denxanh.networks.schedule import day_type

MINUTE_MS = 60_000
LEAST_MINUTES = 15
"""Of each kind of control in a cell that counts (assumed: five cycles and more)."""
LEAST_CONFIDENCE = 0.5
"""Minutes whose estimate was trusted less do not count (assumed)."""
LEAST_CELLS = 8
"""Comparable cells below which nothing is concluded: six equal signs of six would pass a sign test already,
and cells of one day are not independent."""
LEAST_DAYS = 3
"""Days of each kind of control below which nothing is concluded (assumed)."""
SIGNIFICANCE = 0.05
"""Of the two-sided sign test over the cells."""


class Control(StrEnum):
    """What was in charge, as far as this comparison goes."""

    ADAPTIVE = "adaptive"
    FIXED = "fixed"
    OTHER = "other"
    """A person, an emergency route, flashing."""


CONTROL: Mapping[Mode, Control] = {
    Mode.ADAPTIVE: Control.ADAPTIVE,
    Mode.PLAN: Control.FIXED,
    Mode.LOCAL: Control.FIXED,
    Mode.MANUAL: Control.OTHER,
    Mode.PREEMPT: Control.OTHER,
    Mode.FLASH: Control.OTHER,
}


class Verdict(StrEnum):
    """What may be said. Stable: the pages and the API name these."""

    NOTHING_TO_COMPARE = "nothing-to-compare"
    """No cell has enough of both."""
    TOO_LITTLE = "too-little"
    """Too few cells or days."""
    UNDECIDED = "undecided"
    """Enough data; the differences point both ways."""
    LESS_WAITING = "less-waiting"
    """Queues were shorter under adaptive control in significantly more cells."""
    MORE_WAITING = "more-waiting"


@dataclass(frozen=True, slots=True)
class ModeSpan:
    """A time in one mode, milliseconds UTC; the end is exclusive."""

    began_ms: int
    ended_ms: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class Minute:
    """What the estimate believed in one minute: pcu by approach, the least confidence of the lanes (0..1)."""

    minute_ms: int
    queued_pcu: Mapping[str, float]
    confidence: float


@dataclass(frozen=True, slots=True)
class Day:
    """One local date: hours by control, and the mean queue of the whole intersection where there is one."""

    date: str
    day_type: str
    hours: Mapping[Control, float]
    queue_pcu: Mapping[Control, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the day on one day type in which both kinds ran long enough; minutes and mean queues."""

    day_type: str
    hour: int
    adaptive_minutes: int
    fixed_minutes: int
    adaptive_pcu: float
    fixed_pcu: float

    @property
    def difference_pcu(self) -> float:
        """Adaptive minus fixed."""
        return self.adaptive_pcu - self.fixed_pcu


@dataclass(frozen=True, slots=True)
class Approach:
    """The comparable cells of one approach, each with the same weight."""

    approach: str
    adaptive_pcu: float
    fixed_pcu: float
    cells: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found. `doubted_minutes` and `mixed_minutes` did not count."""

    verdict: Verdict
    p_value: float | None
    cells: tuple[Cell, ...]
    approaches: tuple[Approach, ...]
    days: tuple[Day, ...]
    doubted_minutes: int
    mixed_minutes: int

    @property
    def difference_pcu(self) -> float | None:
        """Mean over the cells of adaptive minus fixed; None where there is no cell."""
        if not self.cells:
            return None
        return sum(cell.difference_pcu for cell in self.cells) / len(self.cells)


def compare(spans: Sequence[ModeSpan], minutes: Iterable[Minute], schedule: Schedule) -> Comparison:
    """Compare one intersection's queues under adaptive and under fixed control.

    Args:
        spans: times in modes, not overlapping.
        minutes: what was believed, each minute once.
        schedule: says which dates are of one type.
    """
    controls = _minute_controls(spans)
    doubted = mixed = 0
    usable: dict[int, Mapping[str, float]] = {}
    for one in minutes:
        doubts = one.confidence < LEAST_CONFIDENCE
        control = controls.get(one.minute_ms)
        doubted += doubts
        mixed += control is None
        if not doubts and control in (Control.ADAPTIVE, Control.FIXED):
            usable[one.minute_ms] = one.queued_pcu
    whole = {minute: {"": sum(parts.values())} for minute, parts in usable.items()}
    cells = tuple(cell for _, cell in _cells(whole, controls, schedule))
    days = _days(spans, whole, controls, schedule)
    p_value = sign_test([cell.difference_pcu for cell in cells]) if cells else None
    return Comparison(
        verdict=_verdict(cells, days, p_value),
        p_value=p_value,
        cells=cells,
        approaches=_approaches(usable, controls, schedule),
        days=days,
        doubted_minutes=doubted,
        mixed_minutes=mixed,
    )


def sign_test(differences: Sequence[float]) -> float:
    """Two-sided exact sign test: how likely so one-sided a set of signs is if both were as likely; 0..1."""
    below = sum(value < 0 for value in differences)
    above = sum(value > 0 for value in differences)
    count = below + above
    tail = sum(math.comb(count, k) for k in range(min(below, above) + 1)) / 2.0**count
    return min(1.0, 2 * tail)


def _verdict(cells: Sequence[Cell], days: Sequence[Day], p_value: float | None) -> Verdict:
    if p_value is None:
        return Verdict.NOTHING_TO_COMPARE
    seen = [sum(kind in day.queue_pcu for day in days) for kind in (Control.ADAPTIVE, Control.FIXED)]
    if len(cells) < LEAST_CELLS or min(seen) < LEAST_DAYS:
        return Verdict.TOO_LITTLE
    if p_value >= SIGNIFICANCE:
        return Verdict.UNDECIDED
    fewer = sum(cell.difference_pcu < 0 for cell in cells) * 2 > len(cells)
    return Verdict.LESS_WAITING if fewer else Verdict.MORE_WAITING


def _minute_controls(spans: Sequence[ModeSpan]) -> dict[int, Control]:
    """The control of each minute that was under one kind from its first to its last millisecond."""
    covered: dict[tuple[int, Control], int] = defaultdict(int)
    for span in spans:
        first = span.began_ms // MINUTE_MS
        for number in range(first, -(-span.ended_ms // MINUTE_MS)):
            begin, end = number * MINUTE_MS, (number + 1) * MINUTE_MS
            share = min(end, span.ended_ms) - max(begin, span.began_ms)
            covered[begin, CONTROL[span.mode]] += share
    return {minute: kind for (minute, kind), share in covered.items() if share >= MINUTE_MS}


def _cells(
    queues: Mapping[int, Mapping[str, float]], controls: Mapping[int, Control], schedule: Schedule
) -> list[tuple[str, Cell]]:
    """Each part's (an approach, or "" for the whole) comparable cells, in the order of day type and hour."""
    found: dict[tuple[str, str, int], dict[Control, list[float]]] = defaultdict(lambda: defaultdict(list))
    of_hour: dict[int, tuple[str, int]] = {}
    for minute, parts in queues.items():
        hour_ms = minute - minute % HOUR_MS
        if hour_ms not in of_hour:
            when = local(hour_ms)
            of_hour[hour_ms] = day_type(schedule, when.date().isoformat()), when.hour
        control = controls[minute]
        for part, queue in parts.items():
            found[part, *of_hour[hour_ms]][control].append(queue)
    cells = []
    for (part, kind, hour), values in sorted(found.items()):
        adaptive, fixed = values[Control.ADAPTIVE], values[Control.FIXED]
        if min(len(adaptive), len(fixed)) >= LEAST_MINUTES:
            cell = Cell(kind, hour, len(adaptive), len(fixed), _mean(adaptive), _mean(fixed))
            cells.append((part, cell))
    return cells


def _approaches(
    queues: Mapping[int, Mapping[str, float]], controls: Mapping[int, Control], schedule: Schedule
) -> tuple[Approach, ...]:
    by_part: dict[str, list[Cell]] = defaultdict(list)
    for part, cell in _cells(queues, controls, schedule):
        by_part[part].append(cell)
    return tuple(
        Approach(
            part,
            _mean([cell.adaptive_pcu for cell in cells]),
            _mean([cell.fixed_pcu for cell in cells]),
            len(cells),
        )
        for part, cells in by_part.items()
    )


def _days(
    spans: Sequence[ModeSpan],
    queues: Mapping[int, Mapping[str, float]],
    controls: Mapping[int, Control],
    schedule: Schedule,
) -> tuple[Day, ...]:
    hours: dict[str, dict[Control, float]] = defaultdict(lambda: defaultdict(float))
    for span in spans:
        begin = span.began_ms
        while begin < span.ended_ms:
            end = min(span.ended_ms, midnight_ms(local(begin).date() + timedelta(days=1)))
            hours[local(begin).date().isoformat()][CONTROL[span.mode]] += (end - begin) / 3_600_000
            begin = end
    means: dict[str, dict[Control, list[float]]] = defaultdict(lambda: defaultdict(list))
    for minute, parts in queues.items():
        means[_date(minute - minute % HOUR_MS)][controls[minute]].append(sum(parts.values()))
    return tuple(
        Day(
            date,
            day_type(schedule, date),
            dict(hours[date]),
            {kind: _mean(values) for kind, values in means[date].items()},
        )
        for date in sorted({*hours, *means})
    )


@lru_cache(maxsize=2048)
def _date(hour_ms: int) -> str:
    """The local date of an hour: minutes are many, and an hour has one date."""
    return local(hour_ms).date().isoformat()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
