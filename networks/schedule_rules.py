"""What a schedule has to keep: every day has a type, every type has entries, every entry has a plan.

`network check` asks the same of the text files; the console's calendar asks it of a draft.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from denxanh.networks.model import Schedule
from denxanh.networks.schedule import SECONDS_PER_DAY


class Rule(StrEnum):
    """What a schedule can break. Stable: the console's pages name these."""

    DAY_WITHOUT_ENTRY = "day-without-entry"
    """A weekday or a holiday has a day type that runs no plan."""
    TYPE_UNUSED = "type-unused"
    """A day type has entries, and no day is of that type."""
    DATE = "date"
    """A holiday's date is none."""
    DATE_TWICE = "date-twice"
    START = "start"
    """An entry starts outside the day."""
    START_TWICE = "start-twice"
    """Two entries of a day type start in the same second."""
    PLAN_MISSING = "plan-missing"
    """An intersection has no plan of the number that an entry names."""


@dataclass(frozen=True, slots=True)
class ScheduleDefect:
    """One broken rule.

    `subject` is what is wrong: the weekday ("0" is Monday) or date without entries, the unused day type, the
    date, the intersection without the plan. `day` is the day type, `start_s` and `plan` the entry's.
    """

    rule: Rule
    subject: str = ""
    day: str = ""
    start_s: int = 0
    plan: int = 0


def schedule_defects(schedule: Schedule, plans: Mapping[str, Iterable[int]]) -> Iterator[ScheduleDefect]:
    """Every rule that this schedule breaks; nothing for a sound one.

    Args:
        schedule: the draft.
        plans: the plan numbers that each intersection (by id) has.
    """
    planned = {entry.day for entry in schedule.entries}
    for weekday, day in enumerate(schedule.week):
        if day not in planned:
            yield ScheduleDefect(Rule.DAY_WITHOUT_ENTRY, str(weekday), day)
    for iso, day in schedule.holidays:
        if not _is_date(iso):
            yield ScheduleDefect(Rule.DATE, iso, day)
        elif day not in planned:
            yield ScheduleDefect(Rule.DAY_WITHOUT_ENTRY, iso, day)
    used = {*schedule.week, *(day for _, day in schedule.holidays)}
    for day in sorted(planned - used):
        yield ScheduleDefect(Rule.TYPE_UNUSED, day, day)
    for iso, count in Counter(iso for iso, _ in schedule.holidays).items():
        if count > 1:
            yield ScheduleDefect(Rule.DATE_TWICE, iso)
    yield from _entry_defects(schedule, plans)


def _entry_defects(schedule: Schedule, plans: Mapping[str, Iterable[int]]) -> Iterator[ScheduleDefect]:
    for (day, start_s), count in Counter((one.day, one.start_s) for one in schedule.entries).items():
        if count > 1:
            yield ScheduleDefect(Rule.START_TWICE, day=day, start_s=start_s)
        if not 0 <= start_s < SECONDS_PER_DAY:
            yield ScheduleDefect(Rule.START, day=day, start_s=start_s)
    known = {name: set(numbers) for name, numbers in plans.items()}
    for number in sorted({entry.plan for entry in schedule.entries}):
        for name, numbers in known.items():
            if number not in numbers:
                yield ScheduleDefect(Rule.PLAN_MISSING, name, plan=number)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
