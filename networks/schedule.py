"""Which plan runs when: the schedule's arithmetic, without clock or files.

Local time is Vietnam's, UTC+7 without summer time, so a day always has 86 400 seconds.
"""

from __future__ import annotations

from datetime import date

from denxanh.networks.model import Schedule

SECONDS_PER_DAY = 86_400
"""Seconds of a local day (UTC+7 knows no summer time)."""


def day_type(schedule: Schedule, date_iso: str) -> str:
    """The day type of a date: its holiday entry if there is one, else that of its weekday.

    Args:
        schedule: the corridor's schedule.
        date_iso: local date, `YYYY-MM-DD`.

    Raises:
        ValueError: `date_iso` is no date.
    """
    weekday = date.fromisoformat(date_iso).weekday()
    for day, kind in schedule.holidays:
        if day == date_iso:
            return kind
    return schedule.week[weekday]


class Timetable:
    """A schedule that is asked second by second: what runs is looked up once for as long as it runs.

    Args:
        schedule: the corridor's.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._running: tuple[str, int, int, int] | None = None
        """Date, first second, the second after the last, plan."""

    def plan(self, date_iso: str, second_of_day: int) -> int:
        """As `active_plan`; see there for errors."""
        known = self._running
        if known is not None and known[0] == date_iso and known[1] <= second_of_day < known[2]:
            return known[3]
        number = active_plan(self._schedule, date_iso, second_of_day)
        turns = [
            entry.start_s for entry in self._schedule.entries
        ]  # any day type's: no plan lasts beyond one
        begin = max((turn for turn in turns if turn <= second_of_day), default=0)
        end = min((turn for turn in turns if turn > second_of_day), default=SECONDS_PER_DAY)
        self._running = (date_iso, begin, min(end, SECONDS_PER_DAY), number)
        return number


def active_plan(schedule: Schedule, date_iso: str, second_of_day: int) -> int:
    """The number of the plan that runs at a local date and time.

    The entry with the latest start that is not after `second_of_day` counts; before the first entry
    of a day, that day type's last entry goes on (a night plan runs through midnight).

    Args:
        schedule: the corridor's schedule.
        date_iso: local date, `YYYY-MM-DD`.
        second_of_day: local seconds since midnight, 0..86 399.

    Raises:
        ValueError: the date or the time is none, or the day's type has no entry (`check` finds that).
    """
    if not 0 <= second_of_day < SECONDS_PER_DAY:
        raise ValueError(f"second of day {second_of_day} is outside 0..{SECONDS_PER_DAY - 1}")
    kind = day_type(schedule, date_iso)
    entries = sorted(
        (entry for entry in schedule.entries if entry.day == kind), key=lambda entry: entry.start_s
    )
    if not entries:
        raise ValueError(f"day type {kind!r} has no entry in the schedule")
    running = entries[-1]
    for entry in entries:
        if entry.start_s > second_of_day:
            break
        running = entry
    return running.plan
