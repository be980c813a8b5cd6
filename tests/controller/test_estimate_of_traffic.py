"""Properties of the estimate: total, in range, and right about what a field engineer would check."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import StageState
from denxanh.controller.estimate import Estimate, EstimateState, Estimator, SignalView
from denxanh.controller.health import Symptom
from denxanh.networks.model import (
    Aspect,
    Conflict,
    Detector,
    DetectorKind,
    GroupKind,
    Intersection,
    Lane,
    LaneGroup,
    SignalGroup,
    Stage,
    Turn,
)
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Fault,
    LoopReading,
    Readings,
    Refusal,
    Report,
    ZoneReading,
)

G, g, r, W = Aspect.PROTECTED, Aspect.YIELDING, Aspect.RED, Aspect.WALK
PCU = 0.5
STATUS = CabinetStatus(
    1, 1, CabinetMode.ADAPTIVE, Fault.NONE, 1, 1, Refusal.NONE, 1, 50, 1, 0, 10, 0, 1, 0, 60, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, (0,),
)  # fmt: skip


def _site() -> Intersection:
    """Lanes 0 and 1 side by side (groups 0 straight, 1 left yielding), group 2 a crossing.

    Loops: lane 0 stop line and advance, lane 1 stop line. Zones: lane 0, lane 1, below lane 0. A button.
    """
    vehicle = [SignalGroup(n, GroupKind.VEHICLE, (), 5, 60, 120, 3) for n in ("straight", "left")]
    walk = SignalGroup("walk", GroupKind.PEDESTRIAN, (), 6, 60, 120, 0, 6, 10)
    kind = DetectorKind
    return Intersection(
        id="X", number=1, tls="X", name_vi="", name_en="", position=(0.0, 0.0),
        groups=(*vehicle, walk),
        stages=(Stage("A", (G, g, r)), Stage("B", (r, r, G))),
        conflicts=((Conflict.NONE,) * 3,) * 3,
        intergreens=((0,) * 3,) * 3,
        transitions=((True,) * 2,) * 2,
        lanes=(
            Lane("s", "S", 100.0, (LaneGroup(0, 1.0, (Turn.STRAIGHT,)),), ("o",), 20.0),
            Lane("l", "S", 100.0, (LaneGroup(1, 1.0, (Turn.LEFT,)),), ("o",), 10.0),
        ),
        detectors=(
            Detector("stop0", kind.STOP_LINE, 0, (0,)),
            Detector("zone0", kind.ZONE, 0, (0,)),
            Detector("adv0", kind.ADVANCE, 0, (0,)),
            Detector("stop1", kind.STOP_LINE, 1, (1,)),
            Detector("zone1", kind.ZONE, 1, (1,)),
            Detector("down0", kind.ZONE, 0, (), downstream=True),
            Detector("button", kind.BUTTON, -1, (2,)),
        ),
        plans=(),
        link_count=3,
    )  # fmt: skip


SITE = _site()
ESTIMATOR = Estimator(SITE, PCU)
STAGES = (StageState(0.0, 60.0, 0.0), StageState(0.0, 60.0, 5.0))
GREEN = SignalView(0, 10.0, False, None, (G, g, r), STAGES)
RED = SignalView(1, 10.0, False, None, (r, r, W), STAGES)
EMPTY = ZoneReading(0, 0, 0.0, 0.0, False, 0)


def loop(count: int = 0, occupied_ds: int = 0, *, fault: bool = False, age_ds: int = 0) -> LoopReading:
    return LoopReading(count % 65_536, occupied_ds % 65_536, fault, age_ds)


def zone(vehicles: int = 0, queued: int = 0, occupancy: float = 0.0) -> ZoneReading:
    return ZoneReading(vehicles, queued, occupancy, 10.0, False, 0)


def report(
    stop0: LoopReading = loop(),  # noqa: B008
    adv0: LoopReading = loop(),  # noqa: B008
    stop1: LoopReading = loop(),  # noqa: B008
    zone0: ZoneReading = EMPTY,
    zone1: ZoneReading = EMPTY,
    down0: ZoneReading = EMPTY,
    button: bool = False,
) -> Report:
    return Report(STATUS, Readings((stop0, adv0, stop1), (zone0, zone1, down0), (button,)))


def run(
    reports: list[Report | None],
    view: SignalView = GREEN,
    state: EstimateState | None = None,
    start: float = 1000.0,
    estimator: Estimator = ESTIMATOR,
) -> tuple[EstimateState, Estimate]:
    state = state or estimator.initial()
    begin = start if state.clock_s is None else state.clock_s + 1.0
    for second, one in enumerate(reports):
        state, estimate = estimator.update(state, one, (begin + second) % 86_400.0, view)
    return state, estimate


def test_counters_wrap_and_counts_are_passenger_car_units() -> None:
    reports: list[Report | None] = [report(stop0=loop(65_533 + 2 * n, 10 * n)) for n in range(6)]
    _, estimate = run(reports)
    lane = estimate.traffic.lanes[0]
    assert lane.discharge_10s == pytest.approx(10 * PCU)
    assert estimate.discharging == (True, False, False)
    assert lane.gap_s == 0.0


def test_lost_polls_lose_no_vehicle() -> None:
    heard: list[Report | None] = [report(stop0=loop(n, 5 * n)) for n in range(8)]
    holed = [*heard[:2], None, None, None, *heard[5:]]
    whole, holes = run(heard)[1], run(holed)[1]
    assert holes.traffic.lanes[0].discharge_10s == pytest.approx(whole.traffic.lanes[0].discharge_10s)
    assert holes.traffic.lanes[0].confidence == 1.0


def test_restarted_counter_is_no_flood_and_no_fault() -> None:
    state, _ = run([report(stop0=loop(40_000, 9_000)), report(stop0=loop(40_001, 9_005))])
    state, estimate = run([report(stop0=loop(0, 0))], state=state)
    assert estimate.traffic.lanes[0].discharge_10s == pytest.approx(1 * PCU)
    assert all(one.good for one in state.health)


def test_midnight_is_one_second_long() -> None:
    reports: list[Report | None] = [report(stop0=loop(n, 5 * n)) for n in range(6)]
    assert run(reports, start=86_397.0)[1].traffic.lanes[0].discharge_10s == pytest.approx(5 * PCU)


def test_clock_jump_empties_the_windows_but_keeps_the_waits_finite() -> None:
    state, _ = run([report(stop0=loop(n, 5 * n)) for n in range(6)])
    after, estimate = ESTIMATOR.update(state, report(stop0=loop(5000, 0)), 200.0, GREEN)
    assert estimate.traffic.lanes[0].discharge_10s == 0.0
    assert after.clock_s == 200.0


def test_zone_gives_queued_and_moving() -> None:
    _, estimate = run([report(zone0=zone(8, 6, 0.5), down0=zone(4, 0, 0.75))])
    lane = estimate.traffic.lanes[0]
    assert (lane.queued, lane.moving) == (6 * PCU, 2 * PCU)
    assert lane.downstream_occupancy == 0.75


def test_calls_come_from_loops_zones_and_buttons() -> None:
    assert run([report(), report()], RED)[1].called == (False, False, False)
    assert run([report(zone1=zone(1))], RED)[1].called == (False, True, False)
    standing: list[Report | None] = [report(stop0=loop(0, 10 * n)) for n in range(3)]
    assert run(standing, RED)[1].called == (True, False, False)
    assert run([report(button=True)], GREEN)[1].called == (False, False, True)


def test_yielding_green_without_discharge_is_no_service() -> None:
    waiting: list[Report | None] = [report(zone1=zone(3, 3), zone0=zone(3, 3))] * 30
    _, estimate = run(waiting, GREEN)
    assert estimate.discharging == (False, False, False)
    assert estimate.traffic.wait_s[1] == pytest.approx(29.0)
    assert estimate.traffic.lanes[1].red_call_s == pytest.approx(29.0)
    served: list[Report | None] = [report(zone1=zone(3, 3), stop1=loop(n // 3, 2 * n)) for n in range(30)]
    _, estimate = run(served, GREEN)
    assert estimate.discharging[1]
    assert estimate.traffic.wait_s[1] == 0.0


def test_bad_detector_is_a_call_and_lowers_confidence() -> None:
    _, estimate = run([report(zone1=zone(-1))], RED)
    assert estimate.called == (False, True, False)
    _, estimate = run([report(stop0=loop(fault=True))], RED)
    assert estimate.called == (True, False, False)
    assert estimate.traffic.lanes[0].confidence < 1.0
    assert estimate.traffic.confidence < 1.0


def passing(seconds: int, **others: ZoneReading) -> EstimateState:
    """One vehicle after the other over lane 0's detectors, none over lane 1's loop."""
    ticks: list[Report | None] = [
        report(stop0=loop(n, 3 * n), adv0=loop(n, 3 * n), zone0=zone(1 + n % 2), **others)
        for n in range(seconds)
    ]
    return run(ticks, GREEN)[0]


def symptoms(state: EstimateState) -> dict[str, Symptom]:
    """Of the detectors that are not believed."""
    return {
        detector.id: health.symptom
        for detector, health in zip(SITE.detectors, state.health, strict=True)
        if not health.good
    }


def test_a_lane_that_nobody_uses_keeps_its_loop_while_its_zone_sees_nobody_either() -> None:
    assert symptoms(passing(580)) == {}


def test_a_lane_whose_zone_and_stop_line_are_both_dead_is_found_in_the_end() -> None:
    assert symptoms(passing(1000)) == {"stop1": Symptom.STUCK_OFF}


def test_without_a_believed_zone_other_lanes_are_enough() -> None:
    mute = ZoneReading(0, 0, 0.0, 0.0, True, 0)
    assert symptoms(passing(1000, zone1=mute)) == {"stop1": Symptom.STUCK_OFF, "zone1": Symptom.FAULT}


def emptying(view: SignalView, *, into_the_next_lane: bool = False) -> dict[str, Symptom]:
    """Sixty vehicles leave lane 1's zone, and its stop line counts none of them."""
    came = zone(1) if into_the_next_lane else EMPTY
    ticks: list[Report | None] = [report(zone1=zone(1)), report(zone1=EMPTY, zone0=came)] * 60
    return symptoms(run(ticks, view)[0])


def test_a_stop_line_that_does_not_count_who_drives_off_is_frozen() -> None:
    assert emptying(GREEN) == {"stop1": Symptom.FROZEN}


def test_who_changes_lanes_or_leaves_on_red_is_no_evidence_against_the_stop_line() -> None:
    assert emptying(GREEN, into_the_next_lane=True) == {}
    assert emptying(RED) == {}


def test_a_zone_that_is_not_believed_is_no_witness_against_its_stop_line() -> None:
    ticks: list[Report | None] = [report(zone1=zone(5, 5))] * 3
    ticks += [report(zone1=ZoneReading(0, 0, 0.0, 0.0, True, 0))] * 60
    assert symptoms(run(ticks, GREEN)[0]) == {"zone1": Symptom.FAULT}


def test_a_zone_beside_that_is_not_believed_hides_no_dead_stop_line() -> None:
    for beside in (zone(-1), ZoneReading(60, 60, 1.0, 0.0, True, 0)):
        ticks: list[Report | None] = [report(zone1=zone(1), zone0=beside), report(zone0=beside)] * 60
        assert symptoms(run(ticks, GREEN)[0])["stop1"] is Symptom.FROZEN


def test_a_zone_that_sees_nobody_pass_its_advance_loop_is_frozen_though_the_stop_line_is_dead_too() -> None:
    ticks: list[Report | None] = [report(adv0=loop(n, 3 * n)) for n in range(20)]
    state, estimate = run(ticks, RED)
    assert symptoms(state) == {"zone0": Symptom.FROZEN}
    assert estimate.called[0]


def test_a_camera_that_is_blind_on_the_whole_approach_vouches_for_no_lane() -> None:
    ticks: list[Report | None] = [report(stop0=loop(n, 3 * n), adv0=loop(n, 3 * n)) for n in range(1000)]
    assert symptoms(run(ticks, GREEN)[0]) == {"zone0": Symptom.FROZEN, "stop1": Symptom.STUCK_OFF}


def test_a_loop_that_is_not_believed_is_no_witness_against_its_zone() -> None:
    ticks: list[Report | None] = [
        report(adv0=loop(n, 3 * n, fault=True), stop0=loop(n, 3 * n, fault=True)) for n in range(60)
    ]
    assert symptoms(run(ticks, GREEN)[0]) == {"adv0": Symptom.FAULT, "stop0": Symptom.FAULT}


few = st.sampled_from([0, 0, 1, 2])
ROOM = 9
"""Vehicles that a lane holds."""


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(few, few, few, few, st.booleans()), min_size=60, max_size=300))
def test_stop_lines_that_tell_the_truth_are_believed_whatever_lanes_people_use(
    seconds: list[tuple[int, int, int, int, bool]],
) -> None:
    """Who comes by lane 1 changes to lane 0 before its stop line; everybody leaves by lane 0, on green."""
    state, inside, counts = ESTIMATOR.initial(), [0, 0], [0, 0]
    for n, (coming, coming_beside, change, leave, green) in enumerate(seconds):
        gone = min(leave, inside[0]) if green else 0
        moved = min(change, inside[1], ROOM - inside[0])
        come, beside = min(coming, ROOM - inside[0] - moved), min(coming_beside, ROOM - inside[1])
        inside[1] += beside - moved
        inside[0] += come + moved - gone
        counts[0] += gone
        counts[1] += come
        told = report(
            stop0=loop(counts[0], 3 * counts[0]), adv0=loop(counts[1], 3 * counts[1]),
            zone0=zone(inside[0]), zone1=zone(inside[1]),
        )  # fmt: skip
        state, _ = ESTIMATOR.update(state, told, 1000.0 + n, GREEN if green else RED)
        assert not {"stop0", "stop1"} & symptoms(state).keys()


def test_blind_zone_is_replaced_by_loops_then_siblings_then_history() -> None:
    seen: list[Report | None] = [report(zone0=zone(6, 6), zone1=zone(5, 5)) for _ in range(400)]
    state, _ = run(seen, RED)
    nan = ZoneReading(0, 0, math.nan, 0.0, False, 0)
    # Six came in over the advance loop and none left: the balance keeps what the zone saw last, plus six.
    arriving: list[Report | None] = [report(zone0=nan, adv0=loop(n, 5 * n)) for n in range(7)]
    _, estimate = run(arriving, RED, state)
    assert estimate.traffic.lanes[0].queued == pytest.approx(12 * PCU)
    by_loops = estimate.traffic.lanes[0].confidence
    _, estimate = run([report(zone0=nan, adv0=loop(fault=True), zone1=zone(5, 5))], RED, state)
    assert estimate.traffic.lanes[0].queued == pytest.approx(5 * PCU * 20.0 / 10.0)
    by_siblings = estimate.traffic.lanes[0].confidence
    _, estimate = run([report(zone0=nan, zone1=nan, adv0=loop(fault=True))], RED, state)
    assert 0.0 < estimate.traffic.lanes[0].queued < 6 * PCU
    assert 1.0 > by_loops > by_siblings > estimate.traffic.lanes[0].confidence > 0.0


def test_silent_link_makes_everything_stale_and_called() -> None:
    state, _ = run([report()])
    state, estimate = run([None] * 6, RED, state)
    assert {one.symptom for one in state.health} == {Symptom.STALE}
    assert estimate.called == (True, True, True)
    assert estimate.blind == ("S",)
    assert estimate.traffic.confidence < 0.5
    state, estimate = run([report()] * 11, RED, state)
    assert estimate.blind == ()
    assert estimate.traffic.confidence == 1.0


def test_where_nobody_can_tell_protected_green_is_trusted_and_yielding_is_not() -> None:
    state, _ = run([report()])
    _, estimate = run([None] * 10, GREEN, state)
    assert estimate.discharging == (True, False, False)


def test_vehicle_that_came_on_red_is_remembered_where_no_zone_sees_it() -> None:
    bare = replace(SITE, detectors=tuple(d for d in SITE.detectors if d.kind is not DetectorKind.ZONE))
    estimator = Estimator(bare, PCU)

    def loops(count: int, occupied_ds: int) -> Report:
        return Report(STATUS, Readings((loop(count, occupied_ds), loop(), loop()), (), (False,)))

    state, _ = run([loops(0, 0), loops(1, 5)], RED, estimator=estimator)
    state, estimate = run([loops(1, 5)] * 20, RED, state, estimator=estimator)
    assert estimate.called[0]
    state, estimate = run([loops(1, 5)] * 2, GREEN, state, estimator=estimator)
    assert not estimate.called[0]


number = st.integers(-10, 70_000) | st.floats() | st.just(65_535)
loops = st.builds(LoopReading, number, number, st.booleans(), number)
zones = st.builds(ZoneReading, number, number, number, number, st.booleans(), number)
hostile = st.none() | st.builds(
    lambda a, b, c: Report(STATUS, Readings(tuple(a), tuple(b), tuple(c))),
    st.lists(loops, max_size=5),
    st.lists(zones, max_size=5),
    st.lists(st.booleans(), max_size=3),
)
views = st.sampled_from([GREEN, RED])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(hostile, views, st.floats(0.0, 86_399.0)), min_size=1, max_size=25))
def test_garbage_never_gets_out(
    ticks: list[tuple[Report | None, SignalView, float]],
) -> None:
    state = ESTIMATOR.initial()
    for one, view, clock_s in ticks:
        before = state
        state, estimate = ESTIMATOR.update(before, one, clock_s, view)
        assert (state, estimate) == ESTIMATOR.update(before, one, clock_s, view)
        traffic = estimate.traffic
        assert 0.0 <= traffic.confidence <= 1.0
        for lane in traffic.lanes:
            for name in ("queued", "moving", "arrivals_10s", "arrivals_30s", "discharge_10s", "red_call_s"):
                assert 0.0 <= getattr(lane, name) < math.inf, name
            assert 0.0 <= lane.gap_s <= 999.0
            for name in ("occupancy", "downstream_occupancy", "confidence"):
                assert 0.0 <= getattr(lane, name) <= 1.0, name
            assert lane.arrivals_10s <= lane.arrivals_30s + 1e-9
        assert len(estimate.called) == len(estimate.discharging) == 3
        assert all(0.0 <= wait < math.inf for wait in traffic.wait_s)
        assert not any(d and not a.is_green for d, a in zip(estimate.discharging, view.aspects, strict=True))
