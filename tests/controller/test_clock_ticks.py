"""Ticks: absolute deadlines, no bunching, a wall clock that may jump."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.clock import MonotonicClock

MIDNIGHT_UTC7 = 1_795_280_400.0
"""2026-11-22 00:00 in Vietnam."""


class Hands:
    """A clock whose time passes only by sleeping and by work."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.wall = MIDNIGHT_UTC7

    def pass_by(self, seconds: float) -> None:
        self.at += seconds
        self.wall += seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def clock(self) -> MonotonicClock:
        return MonotonicClock(monotonic=lambda: self.at, wall=lambda: self.wall, sleep=self.sleep)


async def test_lateness_does_not_add_up() -> None:
    hands = Hands()
    clock = hands.clock()
    numbers = []
    for work in (0.3, 0.9, 0.1, 0.7):
        tick = await clock.next()
        assert hands.at == pytest.approx(1000.0 + tick.number)
        numbers.append(tick.number)
        hands.pass_by(work)
    assert numbers == [0, 1, 2, 3]
    assert clock.missed == 0


async def test_missed_ticks_are_counted_and_not_made_up_for() -> None:
    hands = Hands()
    clock = hands.clock()
    await clock.next()
    hands.pass_by(3.4)
    late = await clock.next()
    assert (late.number, clock.missed) == (3, 2)
    assert clock.max_lateness_s == pytest.approx(0.4)
    assert (await clock.next()).number == 4
    assert hands.at == pytest.approx(1004.0)


@given(st.lists(st.floats(0, 5), max_size=20))
async def test_every_second_is_a_tick_or_missed(work: list[float]) -> None:
    hands = Hands()
    clock = hands.clock()
    last = -1
    for seconds in work:
        tick = await clock.next()
        assert tick.number > last
        assert hands.at >= 1000.0 + tick.number - 1e-6
        last = tick.number
        hands.pass_by(seconds)
    assert clock.missed == last + 1 - len(work)


@pytest.mark.parametrize("jump", [-86_400.0, -3.0, 3600.0, 1e6])
async def test_a_jump_of_the_wall_clock_moves_only_the_time_of_day(jump: float) -> None:
    hands = Hands()
    clock = hands.clock()
    before = await clock.next()
    hands.wall += jump
    after = await clock.next()
    assert (after.number, clock.missed) == (1, 0)
    assert hands.at == pytest.approx(1001.0)
    assert before.clock_s == pytest.approx(0.0)
    assert after.clock_s == pytest.approx((1 + jump) % 86_400)


async def test_local_time_is_vietnams() -> None:
    hands = Hands()
    hands.wall = MIDNIGHT_UTC7 - 0.5
    clock = hands.clock()
    tick = await clock.next()
    assert (tick.date, tick.clock_s) == ("2026-11-21", pytest.approx(86_399.5))
    tick = await clock.next()
    assert (tick.date, tick.clock_s) == ("2026-11-22", pytest.approx(0.5))
