"""Properties of the plan clock and of coming into step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.model import Plan, Split
from denxanh.networks.planclock import (
    MAX_TRANSITION_CYCLES,
    Method,
    cycle_second,
    entry_at,
    entry_start,
    position,
    transition,
)

PLAN = Plan(1, "am", 20, (Split(0, 45), Split(1, 15), Split(2, 40)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    lengths = draw(st.lists(st.integers(10, 60), min_size=2, max_size=6))
    cycle = sum(lengths)
    splits = tuple(Split(stage, length) for stage, length in enumerate(lengths))
    return Plan(1, "drawn", draw(st.integers(0, cycle - 1)), splits)


def test_clock_of_a_known_plan() -> None:
    assert cycle_second(PLAN, 20) == 0
    assert cycle_second(PLAN, 19) == 99
    assert position(PLAN, 44) == (0, 1)
    assert position(PLAN, 45) == (1, 15)
    assert position(PLAN, 100) == (0, 45)


@given(plans(), st.integers(0, 86_399))
def test_entries_tile_the_cycle(plan: Plan, second_of_day: int) -> None:
    second = cycle_second(plan, second_of_day)
    entry = entry_at(plan, second)
    assert entry_start(plan, entry.index) + entry.elapsed_s == second
    assert entry.elapsed_s + entry.left_s == plan.splits[entry.index].split_s
    assert entry_at(plan, second + entry.left_s).index == (entry.index + 1) % len(plan.splits)


@given(plans(), st.data())
def test_transition_ends_in_step_and_keeps_minima(plan: Plan, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(plan.splits) - 1))
    elapsed = data.draw(st.integers(0, 2 * plan.splits[index].split_s))
    second = data.draw(st.integers(0, plan.cycle_s - 1))
    minima = [data.draw(st.integers(5, split.split_s)) for split in plan.splits]
    earliest = data.draw(st.integers(0, 90))
    result = transition(plan, index, elapsed, second, minima, earliest_end_s=earliest)

    after = (index + len(result.splits)) % len(plan.splits)
    assert entry_at(plan, second + result.duration_s) == entry_at(plan, entry_start(plan, after))
    assert result.splits[0].split_s > elapsed
    assert result.splits[0].split_s >= earliest
    for step, split in enumerate(result.splits):
        entry = (index + step) % len(plan.splits)
        assert split.stage == plan.splits[entry].stage
        assert split.split_s >= minima[entry]
    assert len(result.splits) <= MAX_TRANSITION_CYCLES * len(plan.splits)


def test_in_step_changes_nothing() -> None:
    result = transition(PLAN, 1, 5, 50, [10, 10, 10])
    assert result.method is Method.IN_STEP
    assert result.splits == (Split(1, 15),)
    assert result.duration_s == 10


def test_a_small_lead_is_added() -> None:
    result = transition(PLAN, 0, 10, 5, [15, 12, 15])
    assert result.method in (Method.DWELL, Method.LENGTHEN)
    assert sum(split.split_s for split in result.splits) == 50


def test_a_small_lag_is_cut() -> None:
    result = transition(PLAN, 0, 10, 15, [15, 12, 15])
    assert result.method is Method.SHORTEN


def test_dwell_where_nothing_can_be_cut() -> None:
    result = transition(PLAN, 0, 10, 15, [45, 15, 40])
    assert result.method is Method.DWELL
    assert result.splits == (Split(0, 140),)


def test_a_minimum_above_its_split_is_refused() -> None:
    with pytest.raises(ValueError, match="below its minimum"):
        transition(PLAN, 0, 0, 0, [46, 10, 10])
