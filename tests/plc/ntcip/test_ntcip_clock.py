"""A controller's clock that is set: seconds that pass are counted, and a promise ends in its own second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import integer
from denxanh.plc.ntcip.numbers import Numbers, Places
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.reading import CLOCK_STEP_MAX_S, UP_MAX, Trail, passed

TIME, UP = scalar(oids.GLOBAL_TIME), scalar(oids.SYS_UP_TIME)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)
NOON = 1_800_000_000


def polled(seconds, *, set_at: int, by_s: int, up: int, every: int = 1) -> list[int]:
    """`Trail.now` at each poll of a controller whose clock is set by `by_s` before poll number `set_at`.

    `every`: hundredths in whose steps its sysUpTime moves on; 0: it has none.
    """
    trail, gone, told = Trail(), 0, []
    for number, step in enumerate(seconds):
        gone += step
        found = {TIME: NOON + gone + (by_s if number >= set_at else 0), BACKUP: 6}
        if every:
            found[UP] = (up + 100 * gone) // every * every % UP_MAX
        trail = passed(trail, Numbers(Places(tuple(found)), tuple(found.values())))
        told.append(trail.now)
    return told


@given(
    st.lists(st.just(1), min_size=3, max_size=30), st.integers(1, 29),
    st.integers(-3600, 3600).filter(lambda s: s not in (0, 1, -1)), st.integers(0, UP_MAX - 1),
)  # fmt: skip
def test_a_clock_that_is_set_moves_nothing(seconds, set_at, by_s, up) -> None:
    told = polled(seconds, set_at=set_at, by_s=by_s, up=up)
    assert told == list(range(1, len(seconds) + 1))


@given(
    st.lists(st.integers(1, CLOCK_STEP_MAX_S), min_size=2, max_size=20), st.integers(0, UP_MAX - 1),
    st.sampled_from([0, 1, 100]),
)  # fmt: skip
def test_seconds_without_a_poll_are_counted(seconds, up, every) -> None:
    told = polled([1, *seconds], set_at=10**6, by_s=0, up=up, every=every)
    assert told[-1] == 1 + sum(seconds)


@given(st.integers(0, UP_MAX - 1), st.sampled_from([0, 500, 6000]))
def test_an_uptime_that_is_missing_or_seldom_brought_up_to_date_costs_nothing(up, every) -> None:
    told = polled([1] * 200, set_at=10**6, by_s=0, up=up, every=every)
    assert told == list(range(1, 201))


@pytest.mark.parametrize("by_s", [-9, -2, 3, 8])
async def test_a_clock_set_in_the_middle_of_a_countdown_does_not_move_its_end(bench, by_s) -> None:
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    await bench.second(client, committed_end_ds=80, committed_next=1)
    get = bench.face.get
    for left in range(8, 0, -1):
        if left == 6:
            bench.face.get = lambda name: integer(get(name).content + by_s) if name == TIME else get(name)
        report = await bench.second(client)
        assert (driver.status.stage, report.status.countdown_s) == (0, left)
    await bench.second(client)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (1, 0)
    assert driver.observer.faults() == []
