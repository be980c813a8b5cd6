"""Answers that are repeated, whatever number of them goes round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.ladder import LINK_LOST_TICKS
from denxanh.controller.pulse import HEARTBEATS, Pulse, heard


def longest_silence(beats: list[int]) -> int:
    """Answers in a row that were not taken as new."""
    pulse, run, longest = Pulse(), 0, 0
    for tick, beat in enumerate(beats):
        pulse, old = heard(pulse, beat % HEARTBEATS, tick)
        run = 0 if old is None else run + 1
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("length", [*range(1, 21), 59, 60, 61, 120, 600])
def test_a_ring_of_old_answers_is_found_for_good(length: int) -> None:
    pulse, refused = Pulse(), []
    for tick in range(8 * length + 8):
        pulse, old = heard(pulse, 500 + tick % length, tick)
        refused.append(old is not None)
    assert all(refused[2 * length + 2 :])


def test_a_clock_that_is_set_twice_costs_some_answers_and_no_minute() -> None:
    beats = [*range(100), *range(104, 114), *range(110, 300)]
    assert longest_silence(beats) < LINK_LOST_TICKS


@given(
    st.integers(0, HEARTBEATS - 1),
    st.lists(st.sampled_from([0, 1, 1, 1, 2]), min_size=1, max_size=200),
    st.integers(1, 200),
)
def test_a_clock_of_its_own_phase_is_believed(start: int, steps: list[int], silence: int) -> None:
    """A second that is read twice and the next one not at all is no jump; nor is a silence."""
    pulse, beat, tick, owed = Pulse(), start, 0, 0
    pulse, old = heard(pulse, beat, tick)
    for step in steps:
        tick += 1
        # Never more than one second behind or before.
        step = step if abs(owed + step - 1) <= 1 else 1
        owed += step - 1
        beat = (beat + step) % HEARTBEATS
        pulse, old = heard(pulse, beat, tick)
        assert (old is None) == (step > 0)
    pulse, old = heard(pulse, (beat + silence) % HEARTBEATS, tick + silence)
    assert old is None


@given(st.integers(0, HEARTBEATS - 1), st.integers(0, HEARTBEATS - 1))
def test_a_restart_costs_one_answer(before: int, after: int) -> None:
    pulse, _ = heard(Pulse(), before, 0)
    pulse, _ = heard(pulse, after, 1)
    for tick in range(2, 10):
        pulse, old = heard(pulse, (after + tick - 1) % HEARTBEATS, tick)
        assert old is None
