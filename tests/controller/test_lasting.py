"""How long and until when, as people say it: both languages, rounded as people round, true at midnight."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.lasting import TO_THE_SECOND_S, lasts, until

CLOCKS = st.floats(0, 86_400, exclude_max=True)
LENGTHS = st.integers(1, 86_400)


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (45, "45 s", "45 s"),
        (119, "119 s", "119 s"),
        (120, "2 phút", "2 min"),
        (1799, "30 phút", "30 min"),
        (1800, "30 phút", "30 min"),
        (1829, "30 phút", "30 min"),
        (1830, "31 phút", "31 min"),
        (7169, "119 phút", "119 min"),
        (7170, "2 giờ", "2 h"),
        (9000, "2 giờ 30 phút", "2 h 30 min"),
        (86_400, "24 giờ", "24 h"),
    ],
)
def test_a_length_is_rounded_as_people_round_it(seconds: int, vi: str, en: str) -> None:
    assert lasts(seconds) == (vi, en)


@pytest.mark.parametrize(
    ("seconds", "clock_s", "vi", "en"),
    [
        (1800, 17 * 3600 + 12 * 60, "đến 17:42", "until 17:42"),
        (90, 17 * 3600, "đến 17:01:30", "until 17:01:30"),
        (1800, 23 * 3600 + 42 * 60, "đến 00:12 hôm sau", "until 00:12 the next day"),
        (60, 86_339.0, "đến 23:59:59", "until 23:59:59"),
        (60, 86_340.0, "đến 00:00:00 hôm sau", "until 00:00:00 the next day"),
        (86_400, 0.0, "đến 00:00 hôm sau", "until 00:00 the next day"),
    ],
)
def test_an_end_is_a_time_of_the_day(seconds: int, clock_s: float, vi: str, en: str) -> None:
    assert until(seconds, clock_s) == (vi, en)


@given(LENGTHS, CLOCKS)
def test_what_is_said_is_true_to_half_its_last_unit(seconds: int, clock_s: float) -> None:
    told, end = lasts(seconds)[1], until(seconds, clock_s)[1]
    of = {"h": 3600, "min": 60, "s": 1}
    said = sum(int(number) * of[unit] for number, unit in re.findall(r"(\d+) (h|min|s)", told))
    exact = seconds < TO_THE_SECOND_S
    assert abs(said - seconds) <= (0 if exact else 30)
    hour, minute, second = (int(part or 0) for part in re.search(r"(\d\d):(\d\d)(?::(\d\d))?", end).groups())  # type: ignore[union-attr]
    days = 86_400 if end.endswith("the next day") else 0
    late_s = clock_s + seconds - (days + hour * 3600 + minute * 60 + second)
    assert -0.5 <= late_s < (0.51 if exact else 60.5)
