"""The schedule's arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.model import Schedule, ScheduleEntry
from denxanh.networks.schedule import Timetable, active_plan, day_type

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


@given(
    st.lists(st.builds(ScheduleEntry, st.sampled_from(["a", "b"]), st.integers(0, 86_399), st.integers(1, 9)),
             min_size=1, max_size=8, unique_by=lambda entry: (entry.day, entry.start_s)),
    st.lists(st.tuples(st.sampled_from(["2026-11-26", "2026-11-27"]), st.integers(-1, 86_400)), max_size=40),
)  # fmt: skip
def test_a_timetable_says_what_the_schedule_says(entries, asked) -> None:
    """Whatever is asked in whatever order, seconds around each turn of a plan included."""
    schedule = Schedule(week=("a",) * 7, holidays=(("2026-11-27", "b"),), entries=tuple(entries))
    timetable = Timetable(schedule)
    near = [(date, entry.start_s + n) for entry in entries for n in (-1, 0, 1) for date, _ in asked[:1]]
    for date, second in (*asked, *near):
        try:
            expected = active_plan(schedule, date, second)
        except ValueError:
            with pytest.raises(ValueError, match=r"second of day|has no entry"):
                timetable.plan(date, second)
        else:
            assert timetable.plan(date, second) == expected
