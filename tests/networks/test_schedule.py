"""The schedule's arithmetic."""

from __future__ import annotations

import pytest

from denxanh.networks.model import Schedule, ScheduleEntry
from denxanh.networks.schedule import active_plan, day_type

SCHEDULE = Schedule(
    week=("work", "work", "work", "work", "work", "weekend", "weekend"),
    holidays=(("2026-09-02", "holiday"),),
    entries=(
        ScheduleEntry("work", 16 * 3600 + 1800, 2),
        ScheduleEntry("work", 6 * 3600, 1),
        ScheduleEntry("work", 22 * 3600, 4),
        ScheduleEntry("weekend", 0, 3),
        ScheduleEntry("holiday", 7 * 3600, 3),
    ),
)


@pytest.mark.parametrize(
    ("day", "second", "plan"),
    [
        ("2026-11-23", 6 * 3600, 1),
        ("2026-11-23", 6 * 3600 - 1, 4),
        ("2026-11-23", 86_399, 4),
        ("2026-11-23", 16 * 3600 + 1800, 2),
        ("2026-11-22", 6 * 3600, 3),
        ("2026-09-02", 0, 3),
    ],
)
def test_entry_in_force(day: str, second: int, plan: int) -> None:
    assert active_plan(SCHEDULE, day, second) == plan


def test_holiday_beats_weekday() -> None:
    assert day_type(SCHEDULE, "2026-09-02") == "holiday"
    assert day_type(SCHEDULE, "2026-09-03") == "work"


@pytest.mark.parametrize(("day", "second"), [("2026-13-01", 0), ("2026-11-23", 86_400), ("2026-11-23", -1)])
def test_no_such_time(day: str, second: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - date.fromisoformat words its own
        active_plan(SCHEDULE, day, second)


def test_day_without_entry_is_refused() -> None:
    empty = Schedule(week=("none",) * 7, holidays=(), entries=())
    with pytest.raises(ValueError, match="none"):
        active_plan(empty, "2026-11-23", 0)
