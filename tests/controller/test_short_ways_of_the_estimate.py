"""The estimate's short ways come to what the long ones come to, whatever the detectors say."""

import copy
import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.agents.observation import StageState
from denxanh.controller.estimate import Estimator, SignalView
from denxanh.controller.health import DetectorHealth, HealthLimits, Sample, Symptom, assess, remember
from denxanh.controller.judging import judge
from denxanh.controller.lane_memory import NOTHING, SHORT_S, WINDOW_S, LaneMemory, follow
from denxanh.controller.readings import LoopDelta, Zone, age_s, loop_delta, read_loops, read_zones
from denxanh.controller.sight import Eyes, sight
from denxanh.controller.wiring import wire
from denxanh.networks.example import crossroads
from denxanh.networks.model import Aspect, Detector, DetectorKind, Intersection
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

STATUS = CabinetStatus(
    1, 1, CabinetMode.ADAPTIVE, Fault.NONE, 1, 1, Refusal.NONE, 1, 50, 1, 0, 10, 0, 1, 0, 60, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, (0,),
)  # fmt: skip
"""Not read by the estimate."""


def _equipped() -> Intersection:
    """The example with every kind of detector, and lanes that lack some of them."""
    site = crossroads()
    detectors = []
    for n, lane in enumerate(site.lanes):
        groups = tuple(part.group for part in lane.groups)
        wanted = [DetectorKind.STOP_LINE, DetectorKind.ADVANCE, DetectorKind.ZONE][: 1 + n % 3 + (n < 2)]
        detectors += [Detector(f"{kind}{n}", kind, n, groups) for kind in wanted]
        detectors.append(Detector(f"below{n}", DetectorKind.ZONE, n, (), downstream=True))
    walkers = tuple(g for g, group in enumerate(site.groups) if group.walk_s)
    detectors.append(Detector("button", DetectorKind.BUTTON, -1, walkers))
    return replace(site, detectors=tuple(detectors))


SITE = _equipped()
WIRING = wire(SITE)
LIMITS = HealthLimits(
    max_presence_s=20.0, max_presence_reds=0.1, silent_own_vehicles=3.0, silent_sibling_vehicles=8.0,
    silent_sibling_s=12.0, recovery_s=6.0, stale_recovery_s=3.0,
)  # fmt: skip
"""Within reach of a short example."""

odd = st.sampled_from([-1, 0, 3.0, 70_000, math.nan, math.inf])
counts = st.integers(0, 3) | st.integers(0, 14)
loops = st.builds(
    LoopReading, counts, counts, st.booleans() | st.just(value=False), st.sampled_from([0, 0, 60])
)
zones = st.builds(
    ZoneReading,
    st.integers(0, 3) | odd,
    st.just(0) | odd,
    st.sampled_from([0.0, 0.3, 1.0, math.nan]),
    st.sampled_from([0.0, 0.0, 30.0, 900.0]),
    st.just(value=False) | st.booleans(),
    st.sampled_from([0, 0, 60, math.nan]),
)
QUIET_ZONE = ZoneReading(0, 0, 0.0, 0.0, False, 0)
zones_by_position = st.dictionaries(st.integers(0, len(WIRING.zones) - 1), zones, max_size=4)
spans = st.sampled_from([1.0, 1.0, 1.0, 0.97, 0.1, 0.0, 4.0, 30.0])


@st.composite
def reports(draw: st.DrawFn) -> list[tuple[Readings, float]]:
    """Reports with the seconds since the one before; loops count on, and mostly say what they said."""
    ticks = draw(st.integers(1, 12))
    last = [LoopReading(0, 0, False, 0)] * len(WIRING.loops)
    result = []
    for _ in range(ticks):
        moved = draw(st.dictionaries(st.integers(0, len(last) - 1), loops, max_size=4))
        for position, step in moved.items():
            before = last[position]
            last[position] = step._replace(
                count=(before.count + step.count) % 65_536,
                occupied_ds=(before.occupied_ds + step.occupied_ds) % 65_536,
            )
        told = [QUIET_ZONE] * len(WIRING.zones)
        for position, zone in draw(zones_by_position).items():
            told[position] = zone
        seen = Readings(tuple(last), tuple(told), (draw(st.booleans()),))
        if draw(st.integers(0, 9)) == 0:
            seen = Readings(seen.loops[:-1], seen.zones[:-2], ())
        result.append((seen, draw(spans)))
    return result


def _plainly(
    health: tuple[DetectorHealth, ...],
    readings: Readings,
    deltas: list[LoopDelta],
    areas: list[Zone],
    pressed: frozenset[int],
    zone_vehicles: list[float],
    served: list[bool],
    span: float,
) -> tuple[DetectorHealth, ...]:
    """Every detector's sample, written out, and `assess`."""
    counts = [delta.passed if one.good else 0 for delta, one in zip(deltas, health, strict=True)]
    passed = [sum(counts[d] for d in WIRING.stop_line[n]) for n in range(len(SITE.lanes))]
    flows = [p or sum(counts[d] for d in WIRING.advance[n]) for n, p in enumerate(passed)]
    result = []
    places = dict.fromkeys(("loop", "zone", "button"), 0)
    for d, detector in enumerate(SITE.detectors):
        kind = {DetectorKind.ZONE: "zone", DetectorKind.BUTTON: "button"}.get(detector.kind, "loop")
        told = getattr(readings, f"{kind}s")
        there = told[places[kind]] if places[kind] < len(told) else None
        places[kind] += 1
        lane = detector.lane
        if kind == "button":
            sample = Sample(
                span, 0.0, False, there is not None, 0, span if d in pressed else 0.0, None, 0.0, 0.0
            )
        elif kind == "loop":
            own, beside = 0.1 * passed[lane], float(sum(flows[s] for s in WIRING.siblings[lane]))
            stop_line = detector.kind is DetectorKind.STOP_LINE
            trusted = [n for n in range(len(SITE.lanes)) if all(health[z].good for z in WIRING.zone[n])]
            sees = bool(WIRING.zone[lane]) and lane in trusted
            if sees and set(WIRING.siblings[lane]) <= set(trusted):
                beside *= 0.25 if stop_line else 0.0
            if stop_line:
                own = 0.0
                nearby = [lane, *(n for n in WIRING.siblings[lane] if n in trusted)]
                if sees and served[lane] and all(areas[z].valid for n in nearby for z in WIRING.zone[n]):
                    gains = [
                        sum(areas[z].vehicles for z in WIRING.zone[n]) - zone_vehicles[n] for n in nearby
                    ]
                    own = 0.5 * max(0.0, -gains[0] - sum(max(0.0, one) for one in gains[1:]))
            sample = Sample(
                span, math.inf if there is None else age_s(there.age_ds), there is not None and there.fault,
                deltas[d].valid, deltas[d].passed, deltas[d].on_s, None, own, beside,
            )  # fmt: skip
        else:
            zone = areas[d]
            storage = 0.0 if detector.downstream else max(1.0, SITE.lanes[lane].storage_pcu)
            sample = Sample(
                span, math.inf if there is None else age_s(there.age_ds), there is not None and there.fault,
                zone.valid, 0, span if zone.occupancy >= 1.0 and zone.speed <= 0.0 else 0.0, tuple(zone[:4]),
                float(flows[lane]) if storage else 0.0, 0.0, zone.vehicles / storage if storage else 0.0,
            )  # fmt: skip
        result.append(assess(health[d], sample, LIMITS, WIRING.max_red[d]))
    return tuple(result)


def _telling(health: tuple[DetectorHealth, ...]) -> list[tuple[object, ...]]:
    """What the health of each detector can come to; a zone's silence is not counted in seconds."""
    return [
        one._replace(value=None, silent_s=0.0 if detector.kind is DetectorKind.ZONE else one.silent_s)
        for one, detector in zip(health, SITE.detectors, strict=True)
    ]


@settings(max_examples=150, deadline=None)
@given(reports(), st.lists(st.booleans(), min_size=len(SITE.lanes), max_size=len(SITE.lanes)))
def test_judging_is_assessing_every_detector(
    given_reports: list[tuple[Readings, float]], served: list[bool]
) -> None:
    plain = short = (DetectorHealth(),) * len(SITE.detectors)
    counters: tuple[LoopReading | None, ...] = (None,) * len(WIRING.loops)
    held = [0.0] * len(SITE.lanes)
    for readings, span in given_reports:
        counters, deltas = read_loops(WIRING, counters, readings.loops, span)
        areas = read_zones(WIRING, readings.zones, LIMITS.max_speed_kmh)
        pressed = frozenset(d for d, on in zip(WIRING.buttons, readings.buttons, strict=False) if on)
        plain = _plainly(plain, readings, deltas, areas, pressed, held, served, span)
        short = judge(
            WIRING, short, readings, deltas, areas, pressed,
            zone_vehicles=held, served=served, span=span, limits=LIMITS,
        )  # fmt: skip
        assert _telling(short) == _telling(plain)
        held = [sum(areas[d].vehicles for d in WIRING.zone[n]) for n in range(len(SITE.lanes))]


@given(
    st.builds(
        DetectorHealth,
        symptom=st.just(Symptom.NONE),
        clean_s=st.just(0.0),
        on_s=st.floats(0.0, 30.0),
        silent_s=st.floats(0.0, 20.0),
        silent_own=st.floats(0.0, 4.0),
        silent_siblings=st.floats(0.0, 10.0),
        rate_per_min=st.floats(0.0, 300.0),
        chatter=st.floats(0.0, 4.0),
        odd=st.floats(0.0, 8.0),
        value=st.none() | st.just((1.0, 0.0, 0.5, 9.0)),
    ),
    st.just(0.0) | st.floats(0.001, 5.0),  # clocks tell thousandths
    st.just(0) | st.integers(0, 40),
    st.floats(0.0, 5.0),
    st.none() | st.just((1.0, 0.0, 0.5, 9.0)) | st.just((0.0, 0.0, 0.0, 0.0)),
    st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 3.0), st.floats(0.0, 20.0)),
)
def test_where_every_threshold_is_out_of_reach_there_is_nothing_to_assess(
    health: DetectorHealth,
    dt_s: float,
    passed: int,
    on_s: float,
    value: tuple[float, ...] | None,
    evidence: tuple[float, float, float],
) -> None:
    own, siblings, full = evidence
    after, calm = remember(health, dt_s, passed, on_s, value, own, siblings, full, LIMITS)
    sample = Sample(dt_s, 0.0, False, True, passed, on_s, value, own, siblings, full)
    assessed = assess(health, sample, LIMITS, 0.0)
    weight = min(1.0, dt_s / 60.0)
    rate = health.rate_per_min + weight * (passed / dt_s * 60.0 - health.rate_per_min) if dt_s > 0.0 else None
    assert after.rate_per_min == (health.rate_per_min if rate is None else rate)
    if calm:
        assert after == assessed
    else:
        assert assessed.symptom is not Symptom.NONE


@given(reports())
def test_reading_loops_is_the_difference_of_each(given_reports: list[tuple[Readings, float]]) -> None:
    counters: tuple[LoopReading | None, ...] = (None,) * len(WIRING.loops)
    for readings, span in given_reports:
        before = counters
        counters, deltas = read_loops(WIRING, before, readings.loops, span)
        for position, d in enumerate(WIRING.loops):
            if position < len(readings.loops):
                expected = loop_delta(before[position], copy.copy(readings.loops[position]), span)
                assert (counters[position], deltas[d]) == expected
            else:
                assert (counters[position], deltas[d].valid) == (before[position], False)


def _views() -> st.SearchStrategy[SignalView]:
    stages = (StageState(0.0, 60.0, 0.0),) * len(SITE.stages)
    return st.sampled_from(
        [SignalView(n, 10.0, False, None, stage.aspects, stages) for n, stage in enumerate(SITE.stages)]
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(reports(), _views()), min_size=1, max_size=3))
def test_a_reading_seen_again_is_as_good_as_its_copy(
    runs: list[tuple[list[tuple[Readings, float]], SignalView]],
) -> None:
    first, second = Estimator(SITE, 0.4, LIMITS), Estimator(SITE, 0.4, LIMITS)
    same, copied = first.initial(), second.initial()
    clock_s = 0.0
    for given_reports, view in runs:
        for readings, span in given_reports:
            clock_s += span
            same, told = first.update(same, Report(STATUS, readings), clock_s, view)
            copied = copy.deepcopy(copied)
            fresh = Report(STATUS, copy.deepcopy(readings))
            copied, retold = second.update(copied, fresh, clock_s, view)
            assert retold.called == told.called
            assert retold.discharging == told.discharging
            assert retold.blind == told.blind
            assert repr(retold.traffic.lanes) == repr(told.traffic.lanes)
            assert retold.traffic.confidence == told.traffic.confidence


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 0, 0, 1, 2]),
            st.sampled_from([0, 0, 0, 1]),
            st.booleans(),
            st.booleans(),
            spans,
        ),
        max_size=60,
    )
)
def test_windows_of_a_lane_hold_what_came_and_their_sums_fit(
    seconds: list[tuple[int, int, bool, bool, float]],
) -> None:
    lane = LaneMemory()
    arrivals, discharge = [0.0] * WINDOW_S, [0.0] * WINDOW_S
    for out, come, served, counts_out, span in seconds:
        loops_now = [LoopDelta(out, 0.3 * (out > 0), True, out > 0), LoopDelta(come, 0.0, True, come > 0)]
        eyes = Eyes((0,) if counts_out else (), (1,), (), ())
        lane = follow(lane, eyes, loops_now, [], served=served, span=span, pcu=0.37, room=20.0)
        for window, amount in ((arrivals, come * 0.37), (discharge, out * 0.37 if counts_out else 0.0)):
            if round(span):
                window += [amount / round(span)] * round(span)
            else:
                window[-1] += amount
        assert lane.arrivals == tuple(arrivals[-WINDOW_S:])
        assert lane.discharge == tuple(discharge[-WINDOW_S:])
        assert lane.arrivals_30s == sum(lane.arrivals)
        assert lane.arrivals_10s == sum(lane.arrivals[-SHORT_S:])
        assert lane.discharge_10s == sum(lane.discharge[-SHORT_S:])
        assert (lane.arrivals == NOTHING) is (lane.arrivals is NOTHING)
        assert (lane.discharge == NOTHING) is (lane.discharge is NOTHING)


@given(st.sets(st.integers(0, len(SITE.detectors) - 1)))
def test_what_is_seen_follows_from_each_detector(bad: set[int]) -> None:
    seen = sight(WIRING, bad)
    for n, eyes in enumerate(seen.eyes):
        mine = [(d, x) for d, x in enumerate(SITE.detectors) if x.lane == n and d not in bad]
        assert sorted((*eyes.stops, *eyes.advances, *eyes.zones, *eyes.below)) == [d for d, _ in mine]
        assert seen.seen[n] is any(not x.downstream for _, x in mine)
        kinds = {x.kind for _, x in mine if not x.downstream}
        blind = DetectorKind.ZONE not in kinds and not {DetectorKind.STOP_LINE, DetectorKind.ADVANCE} <= kinds
        assert (n in dict(seen.replaced)) is blind
        assert (seen.trust[n] < 0.5) is blind
    for g, callers in enumerate(seen.callers):
        calling = {d for d, x in enumerate(SITE.detectors) if g in x.groups}
        assert callers.always is bool(calling & bad)


def test_the_set_of_bad_detectors_decides_what_is_seen_and_nothing_else() -> None:
    estimator = Estimator(SITE, 0.4)
    view = SignalView(0, 10.0, False, None, SITE.stages[0].aspects, ())
    assert view.aspects[0] is not Aspect.FLASH
    state = estimator.initial()
    good = Readings(
        (LoopReading(0, 0, False, 0),) * len(WIRING.loops),
        (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * len(WIRING.zones),
        (False,),
    )
    state, before = estimator.update(state, Report(STATUS, good), 0.0, view)
    for n in range(len(WIRING.zones)):
        broken = good.zones[n]._replace(fault=True)
        worse = replace(good, zones=(*good.zones[:n], broken, *good.zones[n + 1 :]))
        _, after = estimator.update(state, Report(STATUS, worse), 1.0, view)
        hurt = SITE.detectors[WIRING.zones[n]]
        changed = after.traffic.lanes[hurt.lane].confidence < before.traffic.lanes[hurt.lane].confidence
        assert changed is not hurt.downstream
    _, again = estimator.update(state, Report(STATUS, good), 1.0, view)
    assert again.traffic.confidence == before.traffic.confidence
