"""The indicator records, with the fields that the city's operations centre asks for, from stored sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from denxanh.controller.centre.indicators.costs import Costs, factors
from denxanh.controller.centre.indicators.definitions import DEFINITIONS, Definition, amounts
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.matching import change, level
from denxanh.controller.centre.indicators.settings import Goal, Id, Indicators, Standing
from denxanh.controller.centre.indicators.status import Judged, judge
from denxanh.controller.centre.words.word import Word
from denxanh.networks.model import Schedule

NO_BASELINE = Word("chưa có hiện trạng", "the plan gives no baseline")
NO_DATA = Word("không có dữ liệu trong kỳ", "no data in the period")
NO_FAULTS = Word("không có sự cố nào kết thúc trong kỳ", "no fault ended in the period")
NOT_ALIKE = Word("kỳ hiện trạng không có giờ so sánh được", "the baseline has no comparable hours")


@dataclass(frozen=True, slots=True)
class Record:
    """One indicator at the end of a period. Numbers are None where nothing is known; `note` says why."""

    definition: Definition
    lead_unit: str
    coordinating_unit: str
    baseline: float | None
    """The level before (in a comparison: over the comparable hours), `definition.level_unit`."""
    target_year: float | None
    target_period: float | None
    """`definition.unit`."""
    level: float | None
    """What was observed in the period, `definition.level_unit`."""
    progress: float | None
    """`definition.unit`."""
    entered: bool
    """Whether a person entered the progress."""
    judged: Judged
    note: Word | None
    coverage: float
    """Trusted lane-seconds of all that the period has, 0..1."""
    compared: float | None
    """Share of them that could be compared with the baseline, 0..1."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the records of a period are computed from.

    Attributes:
        hours: of the period, of the chosen intersections.
        baselines: the hours of those baselines that are stored data.
        places: the chosen intersections and how many lanes each has.
        schedule: says which dates are of one type.
        day: the last day of the period that is over, or of which there are data.
        seconds: of the period until then.
        entered: progress that people have entered for the period.
    """

    hours: Sequence[Hour]
    baselines: Mapping[Id, Sequence[Hour]]
    places: Mapping[str, int]
    schedule: Schedule
    day: date
    seconds: float
    entered: Mapping[Id, float]


def records(seen: Observed, rules: Indicators, costs: Costs) -> tuple[Record, ...]:
    """Every indicator's record."""
    return tuple(_record(one, seen, rules, costs) for one in DEFINITIONS.values())


def coverage(seen: Observed) -> float:
    """Trusted lane-seconds of those that the period has, 0..1."""
    possible = seen.seconds * sum(seen.places.values())
    return sum(one.trusted_s for one in seen.hours) / possible if possible else 0.0


def standings(hours: Sequence[Hour], places: Mapping[str, int], rules: Indicators) -> dict[str, Standing]:
    """How each intersection takes part in ITS."""
    known: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for one in hours:
        for index, seconds in enumerate((one.adaptive_s, one.plan_s, one.known_s)):
            known[one.intersection][index] += seconds
    found = {}
    for place in places:
        adaptive, plan, whole = known[place]
        if whole and adaptive >= rules.present_share * whole:
            found[place] = Standing.ADAPTIVE
        elif whole and plan >= rules.present_share * whole:
            found[place] = Standing.PLAN
        else:
            found[place] = Standing.INSTALLED
    return found


def fault_minutes(hours: Sequence[Hour]) -> float | None:
    """Mean handling time of the faults that ended, min; None where none did."""
    count = sum(one.faults for one in hours)
    return sum(one.fault_s for one in hours) / 60 / count if count else None


@dataclass(frozen=True, slots=True)
class _Read:
    level: float | None
    baseline: float | None
    progress: float | None
    note: Word | None = None
    compared: float | None = None


def _record(what: Definition, seen: Observed, rules: Indicators, costs: Costs) -> Record:
    goal = rules.goal(what.id)
    read = _read(what, seen, rules, costs, goal)
    progress, entered = read.progress, False
    if progress is None and what.id in seen.entered:
        progress, entered = seen.entered[what.id], True
    start = 0.0 if what.reduces else read.baseline or 0.0
    return Record(
        definition=what,
        lead_unit=goal.lead_unit or rules.lead_unit,
        coordinating_unit=goal.coordinating_unit or rules.coordinating_unit,
        baseline=read.baseline,
        target_year=goal.targets.get(seen.day.year),
        target_period=goal.period_target,
        level=read.level,
        progress=progress,
        entered=entered,
        judged=judge(progress, goal, rules, seen.day, start),
        note=read.note,
        coverage=coverage(seen),
        compared=read.compared,
    )


def _read(what: Definition, seen: Observed, rules: Indicators, costs: Costs, goal: Goal) -> _Read:
    past = seen.baselines.get(what.id)
    if what.id is Id.ITS:
        before = goal.baseline if past is None else _counted(past, seen, rules)
        if not seen.hours:
            return _Read(None, before, None, NO_DATA)
        count = _counted(seen.hours, seen, rules)
        return _Read(count, before, count, NO_BASELINE if before is None else None)
    if what.id is Id.FAULTS:
        now = fault_minutes(seen.hours)
        then = goal.baseline if past is None else fault_minutes(past)
        return _against(now, then, NO_FAULTS if seen.hours else NO_DATA)
    amount = amounts(factors(costs))[what.id]
    now = level(seen.hours, amount)
    if past is None or now is None:
        return _against(now, goal.baseline)
    changed = change(seen.hours, past, seen.schedule, amount)
    if changed is None:
        return _Read(now, level(past, amount), None, NOT_ALIKE, 0.0)
    return _Read(now, changed.then, changed.reduction_percent, None, changed.share)


def _counted(hours: Sequence[Hour], seen: Observed, rules: Indicators) -> float:
    return float(sum(one in rules.counted for one in standings(hours, seen.places, rules).values()))


def _against(now: float | None, then: float | None, missing: Word = NO_DATA) -> _Read:
    """A level against a plain baseline; `missing` says why there is no level."""
    note = missing if now is None else NO_BASELINE if then is None else None
    progress = None if now is None or not then or then < 0 else 100 * (1 - now / then)
    return _Read(now, then, progress, note)
