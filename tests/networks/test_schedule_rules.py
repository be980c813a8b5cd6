"""Each rule of a schedule is broken once; a schedule without defects has a plan for every second."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from denxanh.networks import catalogue
from denxanh.networks.corridor_files import ScheduleFile
from denxanh.networks.model import Schedule, ScheduleEntry
from denxanh.networks.plan_text import schedule_text
from denxanh.networks.schedule import active_plan
from denxanh.networks.schedule_rules import Rule, ScheduleDefect, schedule_defects

PLANS = {"A": (1, 2), "B": (1, 2)}
SOUND = Schedule(
    week=("work", "work", "work", "work", "work", "rest", "rest"),
    holidays=(("2027-09-02", "rest"),),
    entries=(ScheduleEntry("work", 0, 1), ScheduleEntry("work", 3600, 2), ScheduleEntry("rest", 7200, 1)),
)


def found(schedule: Schedule) -> list[ScheduleDefect]:
    return list(schedule_defects(schedule, PLANS))


def test_a_sound_schedule_has_a_plan_on_every_day() -> None:
    assert found(SOUND) == []
    day = date(2027, 8, 30)
    for step in range(7):
        for second in (0, 3599, 3600, 86_399):
            assert active_plan(SOUND, (day + timedelta(step)).isoformat(), second) in (1, 2)


def test_days_without_entries_are_named() -> None:
    bad = replace(SOUND, week=(*SOUND.week[:6], "market"), holidays=(("2027-09-02", "fair"),))
    assert {(one.rule, one.subject, one.day) for one in found(bad)} == {
        (Rule.DAY_WITHOUT_ENTRY, "6", "market"),
        (Rule.DAY_WITHOUT_ENTRY, "2027-09-02", "fair"),
    }


def test_unused_types_dates_and_starts_are_named() -> None:
    bad = replace(
        SOUND,
        holidays=(("2027-02-30", "rest"), ("2027-09-02", "rest"), ("2027-09-02", "rest")),
        entries=(
            *SOUND.entries,
            ScheduleEntry("night", 0, 1),
            ScheduleEntry("work", 3600, 1),
            ScheduleEntry("rest", 86_400, 1),
        ),
    )
    assert {one.rule for one in found(bad)} == {
        Rule.DATE,
        Rule.DATE_TWICE,
        Rule.TYPE_UNUSED,
        Rule.START_TWICE,
        Rule.START,
    }


def test_every_intersection_needs_every_plan() -> None:
    bad = replace(SOUND, entries=(*SOUND.entries, ScheduleEntry("work", 60, 3)))
    assert [(one.rule, one.subject, one.plan) for one in found(bad)] == [
        (Rule.PLAN_MISSING, "A", 3),
        (Rule.PLAN_MISSING, "B", 3),
    ]


@pytest.mark.parametrize("name", catalogue.names())
def test_the_catalogue_s_schedules_are_sound_and_survive_being_written(name: str) -> None:
    import tomllib

    corridor = catalogue.load(name)
    plans = {one.id: [plan.number for plan in one.plans] for one in corridor.intersections}
    assert list(schedule_defects(corridor.schedule, plans)) == []
    text = schedule_text(corridor.schedule, {}, "test", ["a note"])
    form = ScheduleFile.model_validate(tomllib.loads(text))
    assert form.week == corridor.schedule.week
    assert tuple((one.date, one.day) for one in form.holiday) == corridor.schedule.holidays
    assert [(one.day, one.start, one.plan) for one in form.entry] == [
        (one.day, one.start_s, one.plan) for one in corridor.schedule.entries
    ]
