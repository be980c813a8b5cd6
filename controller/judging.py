"""Every detector of an intersection judged with what its neighbours saw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from denxanh.controller.health import DetectorHealth, HealthLimits, Sample, assess
from denxanh.controller.readings import LoopDelta, Zone, age_s
from denxanh.controller.wiring import Wiring
from denxanh.plc.contract import Readings

_STOP_LINE_EVIDENCE = 0.5
"""Weight of a zone that empties against a silent stop-line loop: vehicles also change lanes [J]."""
_ADVANCE_EVIDENCE = 0.25
"""Weight of a stop-line count against a silent advance loop: vehicles change lanes between them [J]."""


def judge(
    wiring: Wiring,
    health: Sequence[DetectorHealth],
    readings: Readings,
    loops: Mapping[int, LoopDelta],
    zones: Mapping[int, Zone],
    pressed: Collection[int],
    *,
    zone_vehicles: Sequence[float],
    span: float,
    limits: HealthLimits,
) -> tuple[DetectorHealth, ...]:
    """Health after one report, one entry per detector.

    Args:
        wiring: where the detectors are.
        health: before.
        readings: as they came.
        loops: counter differences by detector.
        zones: zone readings by detector.
        pressed: buttons that call.
        zone_vehicles: per lane, what its zone held at the last report.
        span: seconds since the last report.
        limits: thresholds.
    """
    passed = [sum([loops[d].passed for d in stops]) for stops in wiring.stop_line]
    flows = [float(p or sum([loops[d].passed for d in wiring.advance[n]])) for n, p in enumerate(passed)]
    beside = [sum([flows[s] for s in siblings]) for siblings in wiring.siblings]
    result = list(health)
    for position, d in enumerate(wiring.loops):
        delta, lane = loops[d], wiring.lane[d]
        reading = readings.loops[position] if position < len(readings.loops) else None
        if wiring.is_stop_line[d]:
            own = _STOP_LINE_EVIDENCE * _emptied(wiring.zone[lane], zones, zone_vehicles[lane])
        else:
            own = _ADVANCE_EVIDENCE * passed[lane]
        sample = Sample(
            span, age_s(reading), reading is not None and bool(reading.fault), delta.valid, delta.passed,
            delta.on_s, None, own, beside[lane],
        )  # fmt: skip
        result[d] = assess(health[d], sample, limits, wiring.max_red[d])
    for position, d in enumerate(wiring.zones):
        zone, lane, room = zones[d], wiring.lane[d], wiring.room[d]
        there = readings.zones[position] if position < len(readings.zones) else None
        sample = Sample(
            span, age_s(there), there is not None and bool(there.fault), zone.valid, 0,
            span if zone.occupancy >= 1.0 and zone.speed <= 0.0 else 0.0,
            (zone.vehicles, zone.queued, zone.occupancy, zone.speed),
            float(passed[lane]) if room else 0.0, 0.0, zone.vehicles / room if room else 0.0,
        )  # fmt: skip
        result[d] = assess(health[d], sample, limits, wiring.max_red[d])
    for position, d in enumerate(wiring.buttons):
        on_s = span if d in pressed else 0.0
        sample = Sample(
            span, 0.0, fault=False, valid=position < len(readings.buttons), passed=0, on_s=on_s, value=None,
            own=0.0, siblings=0.0,
        )  # fmt: skip
        result[d] = assess(health[d], sample, limits, wiring.max_red[d])
    return tuple(result)


def _emptied(watching: Sequence[int], zones: Mapping[int, Zone], before: float) -> float:
    """Vehicles by which a lane's zones emptied; 0 where one of them says nothing usable."""
    now = 0.0
    for d in watching:
        if not zones[d].valid:
            return 0.0
        now += zones[d].vehicles
    return max(0.0, before - now) if watching else 0.0
