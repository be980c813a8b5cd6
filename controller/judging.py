"""Every detector of an intersection judged with what its neighbours saw."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TypeVar

from denxanh.controller.health import (
    ON_SLACK_S,
    DetectorHealth,
    HealthLimits,
    Sample,
    Symptom,
    assess,
    remember,
)
from denxanh.controller.readings import LoopDelta, Zone, age_s
from denxanh.controller.wiring import Wiring
from denxanh.plc.contract import Readings

_STOP_LINE_EVIDENCE = 0.5
"""Weight of a zone that empties against a silent stop-line loop: vehicles also change lanes [J]."""
_ADVANCE_EVIDENCE = 0.1
"""Weight of a stop-line count against a silent advance loop: vehicles change lanes between them. With 0.25,
sound ones were condemned several times on a simulated day of the pilot network [J]."""
_WATCHED_EVIDENCE = 0.25
"""Weight of the other lanes' vehicles against a silent stop-line loop whose zone sees nobody either: at night
435 passed beside a stop line that nobody used, on a simulated day of the pilot network [J]."""
_GOOD = Symptom.NONE
_T = TypeVar("_T")


def judge(
    wiring: Wiring,
    health: Sequence[DetectorHealth],
    readings: Readings,
    loops: Sequence[LoopDelta],
    zones: Sequence[Zone],
    pressed: Collection[int],
    *,
    zone_vehicles: Sequence[float],
    served: Sequence[bool],
    span: float,
    limits: HealthLimits,
) -> tuple[DetectorHealth, ...]:
    """Health after one report, one entry per detector.

    Args:
        wiring: where the detectors are.
        health: before.
        readings: as they came.
        loops: counter differences, by detector.
        zones: zone readings, by detector.
        pressed: buttons that call.
        zone_vehicles: per lane, what its zone held at the last report.
        served: per lane, whether one of its groups is green.
        span: seconds since the last report.
        limits: thresholds.
    """
    passed, flows, beside = _flows(wiring, loops, health)
    all_believed = _believed(health, wiring.zones)
    result = list(health)
    told = _padded(readings.loops, wiring.loops)
    for (d, lane, stop_line), reading in zip(wiring.loop_rows, told, strict=False):
        before, (count, on_s, valid, _) = health[d], loops[d]
        own, others, watching = 0.0, beside[lane], wiring.zone[lane]
        sees = watching and (all_believed or _believed(health, watching))
        if sees and (all_believed or all(_believed(health, wiring.zone[s]) for s in wiring.siblings[lane])):
            # People keep to some lanes; that nobody is on this one, its zone has seen too.
            others = _WATCHED_EVIDENCE * others if stop_line else 0.0
        if not stop_line:
            own = _ADVANCE_EVIDENCE * passed[lane]
        elif sees and served[lane] and zone_vehicles[lane]:
            own = _STOP_LINE_EVIDENCE * _driven_off(wiring, lane, zones, zone_vehicles, health)
        fault, age = (
            (False, math.inf)
            if reading is None
            else (reading.fault, reading.age_ds and age_s(reading.age_ds))
        )
        if valid and not fault and age <= limits.stale_s and before.symptom is _GOOD:
            after, calm = remember(before, span, count, on_s, None, own, others, 0.0, limits)
            if calm:
                result[d] = after
                continue
        sample = Sample(span, age, bool(fault), valid, count, on_s, None, own, others)
        result[d] = assess(before, sample, limits, wiring.max_red[d])
    _judge_zones(wiring, result, readings, zones, flows, span, limits)
    for position, d in enumerate(wiring.buttons):
        on_s = span if d in pressed else 0.0
        valid, before = position < len(readings.buttons), health[d]
        if valid and before.symptom is _GOOD:
            after, calm = remember(before, span, 0, on_s, None, 0.0, 0.0, 0.0, limits)
            if calm:
                result[d] = after
                continue
        sample = Sample(span, 0.0, False, valid, 0, on_s, None, own=0.0, siblings=0.0)
        result[d] = assess(health[d], sample, limits, wiring.max_red[d])
    return tuple(result)


def _judge_zones(
    wiring: Wiring,
    health: list[DetectorHealth],
    readings: Readings,
    zones: Sequence[Zone],
    flows: Sequence[float],
    span: float,
    limits: HealthLimits,
) -> None:
    """Judge the zones, in place.

    A zone is condemned for its silence only by what its own lane's loops count meanwhile. So nothing has to
    be remembered of one that says the same again while nobody passes, nor of one without loops.
    """
    long_enough = span > ON_SLACK_S  # in a shorter time every detector looks occupied throughout
    told = _padded(readings.zones, wiring.zones)
    for (d, lane, room), reading in zip(wiring.zone_rows, told, strict=False):
        before, (vehicles, queued, occupancy, speed, valid) = health[d], zones[d]
        value = (vehicles, queued, occupancy, speed)
        own, full = (flows[lane], vehicles / room) if room else (0.0, 0.0)
        on_s = span if occupancy >= 1.0 and speed <= 0.0 else 0.0
        fault, age = (
            (False, math.inf)
            if reading is None
            else (reading.fault, reading.age_ds and age_s(reading.age_ds))
        )
        if valid and not fault and age <= limits.stale_s and before.symptom is _GOOD:
            still = not room or (not own and value == before.value)
            if still and long_enough and not on_s and not before.on_s:
                continue
            after, calm = remember(before, span, 0, on_s, value, own, 0.0, full, limits)
            if calm:
                health[d] = after
                continue
        sample = Sample(span, age, bool(fault), valid, 0, on_s, value, own, 0.0, full)
        health[d] = assess(before, sample, limits, wiring.max_red[d])


def _padded(readings: tuple[_T, ...], detectors: Sequence[int]) -> tuple[_T | None, ...]:
    """One reading per detector, None where it is missing."""
    missing = len(detectors) - len(readings)
    return (*readings, *((None,) * missing)) if missing > 0 else readings


def _flows(
    wiring: Wiring, loops: Sequence[LoopDelta], health: Sequence[DetectorHealth]
) -> tuple[list[int], list[float], list[float]]:
    """What believed loops count, per lane: at its stop line; there, else before it; the same beside it."""
    passed = [0] * len(wiring.stop_line)
    flows = [0.0] * len(passed)
    for lane, stops in enumerate(wiring.stop_line):
        for d in stops:
            count = loops[d].passed
            if count and health[d].symptom is _GOOD:
                passed[lane] += count
        if passed[lane]:
            flows[lane] = float(passed[lane])
            continue
        for d in wiring.advance[lane]:
            count = loops[d].passed
            if count and health[d].symptom is _GOOD:
                flows[lane] += count
    if not any(flows):
        return passed, flows, flows
    return passed, flows, [sum([flows[s] for s in siblings]) for siblings in wiring.siblings]


def _believed(health: Sequence[DetectorHealth], detectors: Sequence[int]) -> bool:
    """Whether all of them are."""
    return all([health[d].symptom is _GOOD for d in detectors])  # noqa: C419 - a generator takes twice as long


def _driven_off(
    wiring: Wiring,
    lane: int,
    zones: Sequence[Zone],
    before: Sequence[float],
    health: Sequence[DetectorHealth],
) -> float:
    """Vehicles by which a lane's zones emptied, less those that may just have gone to a lane beside it."""
    gone = before[lane] - _inside(wiring.zone[lane], zones)
    if gone <= 0.0:
        return 0.0
    for sibling in wiring.siblings[lane]:
        watching = wiring.zone[sibling]
        come = _inside(watching, zones) - before[sibling] if _believed(health, watching) else 0.0
        if come > 0.0:
            gone -= come
    return max(0.0, gone)


def _inside(watching: Sequence[int], zones: Sequence[Zone]) -> float:
    """Vehicles in zones; infinitely many where one of them says nothing usable."""
    now = 0.0
    for d in watching:
        zone = zones[d]
        if not zone.valid:
            return math.inf
        now += zone.vehicles
    return now
