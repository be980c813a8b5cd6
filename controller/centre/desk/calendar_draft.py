"""A calendar in the writing: its form, what is wrong with it, and its text for the corridor's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from denxanh.controller.centre.desk.plan_draft import Name
from denxanh.controller.centre.whole import WHOLE
from denxanh.networks.model import Corridor, Schedule, ScheduleEntry
from denxanh.networks.plan_text import schedule_text
from denxanh.networks.schedule_rules import ScheduleDefect, schedule_defects

DayType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EntryDraft(_Form):
    """From `start` (local `HH:MM`) on days of this type, plan `plan` runs."""

    day: DayType
    start: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    plan: Annotated[int, Field(ge=1, le=255), WHOLE]


class HolidayDraft(_Form):
    """A date with another day type than its weekday's."""

    date: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    day: DayType
    name_vi: Name
    name_en: Name


class CalendarDraft(_Form):
    """The whole calendar; `week` has a day type per weekday, Monday first."""

    week: Annotated[tuple[DayType, ...], Field(strict=False, min_length=7, max_length=7)]
    entries: Annotated[tuple[EntryDraft, ...], Field(strict=False, min_length=1, max_length=400)]
    holidays: Annotated[tuple[HolidayDraft, ...], Field(strict=False, max_length=400)] = ()


def draft_of(schedule: Schedule, names: Mapping[str, tuple[str, str]]) -> CalendarDraft:
    """The schedule that runs, to start from; `names` are (Vietnamese, English) of holidays, by date."""
    return CalendarDraft(
        week=schedule.week,
        entries=tuple(
            EntryDraft(day=one.day, start=_clock(one.start_s), plan=one.plan) for one in schedule.entries
        ),
        holidays=tuple(
            HolidayDraft(date=date, day=day, name_vi=vi, name_en=en)
            for date, day in schedule.holidays
            for vi, en in (names.get(date, (day, day)),)
        ),
    )


def schedule_of(draft: CalendarDraft) -> Schedule:
    """The draft as the model's schedule."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = draft.week
    return Schedule(
        week=(monday, tuesday, wednesday, thursday, friday, saturday, sunday),
        holidays=tuple((holiday.date, holiday.day) for holiday in draft.holidays),
        entries=tuple(ScheduleEntry(one.day, _seconds(one.start), one.plan) for one in draft.entries),
    )


def judge(corridor: Corridor, draft: CalendarDraft) -> tuple[ScheduleDefect, ...]:
    """Everything that speaks against a draft; empty for one that may be saved."""
    plans = {one.id: [plan.number for plan in one.plans] for one in corridor.intersections}
    return tuple(schedule_defects(schedule_of(draft), plans))


def calendar_toml(draft: CalendarDraft, about: Mapping[str, str]) -> str:
    """The corridor's whole `schedule.toml`, with who wrote it and why as comments."""
    names = {holiday.date: (holiday.name_vi, holiday.name_en) for holiday in draft.holidays}
    notes = [f"{key}: {' '.join(value.split())}" for key, value in about.items()]
    return schedule_text(schedule_of(draft), names, "calendar of the signal centre", notes)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60
