"""What a comparison concludes, and above all what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.centre.desk.comparison import (
    Control,
    Minute,
    ModeSpan,
    Verdict,
    compare,
    sign_test,
)
from denxanh.controller.mode import Mode
from denxanh.networks.model import Schedule, ScheduleEntry

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
SCHEDULE = Schedule(
    ("work",) * 5 + ("rest",) * 2, (), (ScheduleEntry("work", 0, 1), ScheduleEntry("rest", 0, 1))
)
MONDAY = int(datetime(2026, 11, 22, 17, tzinfo=UTC).timestamp() * 1000)
"""Midnight of Monday, 23 November 2026, in Việt Nam."""


def hours(day: int, mode: Mode, begin: int, end: int) -> ModeSpan:
    start = MONDAY + day * 24 * HOUR_MS
    return ModeSpan(start + begin * HOUR_MS, start + end * HOUR_MS, mode)


def minutes(span: ModeSpan, queue: float, confidence: float = 0.9) -> Iterator[Minute]:
    for minute in range(span.began_ms, span.ended_ms, MINUTE_MS):
        yield Minute(minute, {"north": queue * 0.75, "south": queue * 0.25}, confidence)


def week(adaptive: float, fixed: float) -> tuple[list[ModeSpan], list[Minute]]:
    """Mondays to Wednesdays adaptive from 6 to 16, fixed on the other working days and the Monday after."""
    spans = [hours(day, Mode.ADAPTIVE, 6, 16) for day in (0, 1, 2)]
    spans += [hours(day, Mode.PLAN, 6, 16) for day in (3, 4, 7)]
    queued = {Mode.ADAPTIVE: adaptive, Mode.PLAN: fixed}
    return spans, [one for span in spans for one in minutes(span, queued[span.mode])]


@pytest.mark.parametrize(
    ("adaptive", "fixed", "verdict"),
    [(6.0, 8.0, Verdict.LESS_WAITING), (8.0, 6.0, Verdict.MORE_WAITING), (7.0, 7.0, Verdict.UNDECIDED)],
)
def test_many_alike_hours_decide(adaptive: float, fixed: float, verdict: Verdict) -> None:
    found = compare(*week(adaptive, fixed), SCHEDULE)
    assert found.verdict is verdict
    assert found.difference_pcu == pytest.approx(adaptive - fixed)
    assert [(cell.hour, cell.adaptive_minutes, cell.fixed_minutes) for cell in found.cells] == [
        (hour, 180, 180) for hour in range(6, 16)
    ]
    assert [(one.approach, one.adaptive_pcu, one.cells) for one in found.approaches] == [
        ("north", pytest.approx(adaptive * 0.75), 10),
        ("south", pytest.approx(adaptive * 0.25), 10),
    ]


def test_other_hours_of_the_day_are_not_compared() -> None:
    spans = [hours(0, Mode.ADAPTIVE, 6, 9), hours(1, Mode.PLAN, 20, 23)]
    found = compare(spans, [one for span in spans for one in minutes(span, 5)], SCHEDULE)
    assert found.verdict is Verdict.NOTHING_TO_COMPARE
    assert found.difference_pcu is None
    assert found.p_value is None


def test_a_weekend_is_not_compared_with_a_working_day() -> None:
    spans = [hours(4, Mode.ADAPTIVE, 6, 16), hours(5, Mode.PLAN, 6, 16)]
    found = compare(spans, [one for span in spans for one in minutes(span, 5)], SCHEDULE)
    assert found.verdict is Verdict.NOTHING_TO_COMPARE


def test_two_days_are_too_little_however_clear_they_look() -> None:
    spans = [hours(0, Mode.ADAPTIVE, 6, 18), hours(1, Mode.PLAN, 6, 18)]
    queued = {Mode.ADAPTIVE: 1.0, Mode.PLAN: 20.0}
    found = compare(spans, [one for span in spans for one in minutes(span, queued[span.mode])], SCHEDULE)
    assert found.p_value is not None
    assert found.p_value < 0.01
    assert found.verdict is Verdict.TOO_LITTLE


def test_doubted_and_mixed_minutes_do_not_count() -> None:
    spans, known = week(6, 8)
    doubted = list(minutes(spans[0], 100, confidence=0.2))
    half = ModeSpan(spans[0].ended_ms, spans[0].ended_ms + MINUTE_MS // 2, Mode.ADAPTIVE)
    known = [one for one in known if one.minute_ms >= spans[1].began_ms] + doubted
    known.append(Minute(spans[0].ended_ms, {"north": 50}, 0.9))
    found = compare([*spans, half], known, SCHEDULE)
    assert (found.doubted_minutes, found.mixed_minutes) == (600, 1)
    assert {cell.adaptive_pcu for cell in found.cells} == {6.0}


def test_a_minute_of_many_spans_of_one_kind_counts_whole() -> None:
    start = MONDAY + 6 * HOUR_MS
    spans = [
        ModeSpan(start + second * 1000, start + (second + 7) * 1000, Mode.ADAPTIVE)
        for second in range(0, 70, 7)
    ]
    found = compare(spans, [Minute(start, {"north": 5}, 0.9)], SCHEDULE)
    assert found.mixed_minutes == 0
    assert found.days[0].queue_pcu == {Control.ADAPTIVE: 5}


def test_hours_are_counted_by_local_day() -> None:
    span = hours(0, Mode.MANUAL, 23, 26)
    found = compare([span], [], SCHEDULE)
    assert [(day.date, day.day_type, day.hours) for day in found.days] == [
        ("2026-11-23", "work", {Control.OTHER: 1}),
        ("2026-11-24", "work", {Control.OTHER: 2}),
    ]


@given(st.lists(st.sampled_from((-1.0, 0.0, 1.0)), max_size=40))
def test_the_sign_test_is_a_probability_and_does_not_care_which_is_which(signs: list[float]) -> None:
    value = sign_test(signs)
    assert 0 < value <= 1
    assert value == sign_test([-one for one in signs])


def test_the_sign_test_knows_a_table_s_values() -> None:
    assert sign_test([-1.0] * 8) == pytest.approx(2 / 256)
    assert sign_test([-1.0] * 9 + [1.0]) == pytest.approx(2 * 11 / 1024)
