"""Loops ahead of a stop line against those at it: what is found, and that sound ones are left alone; pure."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.balance import (
    LEAST,
    STANDING_PER_M,
    TOLERANCE,
    WINDOW_S,
    Balance,
    Stretch,
    alarms,
    second,
    stretches,
)
from denxanh.networks import catalogue
from denxanh.networks.example import crossroads
from denxanh.networks.model import DetectorKind
from denxanh.plc.contract import LoopReading

ONE = (Stretch("north", (0,), (1,), 20.0),)
TWO = (Stretch("north", (0, 2), (1, 3), 40.0),)
MEASURED = (
    (133, 128), (117, 113), (380, 380), (117, 110), (158, 141), (124, 100), (308, 260),
    (196, 148), (182, 145), (76, 74), (198, 193), (76, 76), (153, 147), (186, 140),
    (107, 107), (241, 228), (116, 88), (145, 142), (151, 124), (197, 194), (204, 211),
    (117, 117), (247, 249), (50, 49), (200, 198), (70, 69),
)  # fmt: skip
"""Ahead and at the line, by approach: seven simulated intersections, 440 s (demo, speed 1, seed 1)."""


def reading(count: int) -> LoopReading:
    return LoopReading(count % 0x10000, 0, fault=False, age_ds=0)


def window(passed: tuple[int, ...], on=ONE, *, begun: int = 65_500, bad_at: int | None = None) -> Balance:
    """A window at whose ends the counters differ by so much."""
    state = second(Balance(), 0, [reading(begun)] * len(passed), (), on)
    for tick in (1, WINDOW_S // 2 if bad_at is None else bad_at, WINDOW_S - 1):
        state = second(state, tick, [reading(begun)] * len(passed), (0,) if tick == bad_at else (), on)
    return second(state, WINDOW_S, [reading(begun + one) for one in passed], (), on)


def test_a_loop_that_counts_half_is_found_and_named_with_both_counts() -> None:
    for passed in ((400, 200), (200, 400)):
        (alarm,) = alarms(window(passed))
        assert alarm.cause == "detector-counts-disagree"
        assert f"loops ahead counted {passed[0]}, those at the line {passed[1]}" in alarm.text_en
        assert "Nhánh north: trong 15 phút" in alarm.text_vi


@given(
    st.integers(0, 2000),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    st.floats(-1.0, 1.0),
    st.floats(0.0, TOLERANCE),
    st.booleans(),
)
def test_sound_loops_are_left_alone_whatever_lanes_are_changed(
    vehicles: int, first_lane: tuple[float, float], standing: float, missed: float, ahead_misses: bool
) -> None:
    """Two lanes; a queue that has grown or gone by what there is room for; loops that miss some vehicles."""
    gone = max(0, vehicles + int(standing * TWO[0].room))
    counted = [vehicles, gone]
    counted[not ahead_misses] = int(counted[not ahead_misses] * (1 - missed))
    if abs(counted[0] - counted[1]) > TWO[0].room + TOLERANCE * max(counted):
        return  # the queue's part of what was missed, too, is more than both allowances
    parts = [round(number * part) for number, part in zip(counted, first_lane, strict=True)]
    assert not window((parts[0], parts[1], counted[0] - parts[0], counted[1] - parts[1]), TWO).wrong


@pytest.mark.parametrize(("ahead", "at"), MEASURED)
def test_what_simulated_traffic_does_in_half_the_time_is_no_alarm(ahead: int, at: int) -> None:
    """In a shorter window what stands between the loops weighs more; three lanes of 39 m."""
    assert not window((ahead, at), (Stretch("a", (0,), (1,), 3 * 39 * STANDING_PER_M),)).wrong


def test_few_vehicles_prove_nothing_and_a_counter_that_began_anew_neither() -> None:
    assert not window((LEAST - 1, 0)).wrong
    assert window((LEAST, 0)).wrong
    assert not window((60_000, 300)).wrong


def test_where_a_loop_was_not_believed_meanwhile_it_has_its_own_alarm() -> None:
    assert window((400, 100)).wrong
    assert not window((400, 100), bad_at=17).wrong


def test_the_next_window_ends_it() -> None:
    state = window((400, 100))
    for tick in range(WINDOW_S + 1, 2 * WINDOW_S):
        state = second(state, tick, [reading(65_900), reading(65_600)], (), ONE)
        assert state.wrong
    state = second(state, 2 * WINDOW_S, [reading(66_200), reading(65_900)], (), ONE)
    assert not state.wrong


def test_no_loops_no_judgement() -> None:
    state = Balance()
    for tick in range(0, 3 * WINDOW_S, 100):
        state = second(state, tick, (), (), ONE)
    assert state == Balance()


def test_only_where_the_network_says_that_nothing_else_feeds_or_drains() -> None:
    its = crossroads()
    whole = stretches(its)
    assert {one.approach for one in whole} == {lane.approach for lane in its.lanes}
    first = next(one for one in its.detectors if one.kind is DetectorKind.ADVANCE)
    elsewhere = replace(first, segments=(replace(first.segments[0], lane="another edge_0"),))
    for changed in (
        replace(its, detectors=tuple(elsewhere if one is first else one for one in its.detectors)),
        replace(its, detectors=tuple(one for one in its.detectors if one is not first)),
    ):
        assert {one.approach for one in whole} - {one.approach for one in stretches(changed)} == {
            its.lanes[first.lane].approach
        }


def test_the_catalogues_loops_are_found_by_their_places() -> None:
    judged = 0
    for name in catalogue.names():
        for its in catalogue.load(name).intersections:
            kinds = (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
            loops = [one for one in its.detectors if one.kind in kinds]
            for one in stretches(its):
                judged += 1
                assert {loops[place].kind for place in one.ahead} == {DetectorKind.ADVANCE}
                assert {loops[place].kind for place in one.at} == {DetectorKind.STOP_LINE}
                lanes = {its.lanes[loops[place].lane].approach for place in (*one.ahead, *one.at)}
                assert lanes == {one.approach}
                assert one.room > 0
    assert judged > 40


def test_a_half_counting_loop_of_one_lane_is_found_in_random_traffic() -> None:
    rng, counts, state = random.Random(3), [0, 0], Balance()
    for tick in range(2 * WINDOW_S + 1):
        if rng.random() < 0.3:
            counts[0] += 1
            counts[1] += rng.random() < 0.5
        state = second(state, tick, [reading(one) for one in counts], (), ONE)
    assert state.wrong
