"""Switches of a loop between two polls."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.highres.passages import place


@given(st.integers(0, 30), st.integers(0, 70), st.booleans(), st.integers(1, 60))
def test_each_vehicle_leaves_once_and_on_follows_off(
    passed: int, occupied: int, on: bool, width: int
) -> None:
    switches, stays = place(passed, occupied, on, width)
    times = [time for time, _ in switches]
    assert times == sorted(times)
    assert all(0 <= time <= width for time in times)
    states = [on, *(state for _, state in switches)]
    assert all(old is not new for old, new in itertools.pairwise(states))
    assert states[-1] is stays
    offs = sum(not state for _, state in switches)
    assert offs == passed or (passed == 0 and occupied == 0 and on and offs == 1)


@given(st.integers(0, 3), st.integers(0, 10), st.booleans())
def test_the_time_on_is_the_time_measured(passed: int, occupied: int, on: bool) -> None:
    """Within half a tenth per vehicle for rounding, a tenth where one must be seen at all."""
    switches, _ = place(passed, occupied, on, 10)
    total, since = 0, 0 if on else None
    for time, state in [*switches, (10, False)]:
        if state:
            since = time
        elif since is not None:
            total, since = total + time - since, None
    if passed == 0 and on and occupied:
        assert total == 10  # a vehicle that stands; a loop that flickers under it is not told
    else:
        assert abs(total - occupied) <= max(passed, 1) + (occupied == 10)
