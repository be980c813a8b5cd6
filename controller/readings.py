"""What one poll says, made harmless: counter differences, zone readings, ages.

Loop counters are free-running u16 that wrap and may restart; anything impossible comes out as invalid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from denxanh.plc.contract import LoopReading, ZoneReading

_WRAP = 65_536
"""Loop counters are unsigned 16-bit (register map)."""
_MAX_FLOW_PER_S = 10
"""Counts a second beyond which a counter difference means that the counter started again [J]."""
_SLACK_S = 1.0
"""How far the detector's own second and ours may lie apart, s."""


class LoopDelta(NamedTuple):
    """A loop since its last reading: vehicles passed, seconds occupied, whether occupied at all."""

    passed: int
    on_s: float
    valid: bool
    occupied: bool


class Zone(NamedTuple):
    """A zone now: vehicles, occupancy in [0, 1], km/h; all zero where not valid."""

    vehicles: float
    queued: float
    occupancy: float
    speed: float
    valid: bool


NO_ZONE = Zone(0.0, 0.0, 0.0, 0.0, valid=False)
NO_LOOP = LoopDelta(0, 0.0, valid=True, occupied=False)


def loop_delta(
    last: tuple[int, int] | None, reading: LoopReading, span: float
) -> tuple[tuple[int, int] | None, LoopDelta]:
    """Vehicles and occupied seconds since the last reading, modulo 65,536.

    A counter that started again counts nothing: one restart is no fault, a stream of them is garbage.
    """
    count, occupied = reading.count, reading.occupied_ds
    if not (_is_u16(count) and _is_u16(occupied)):
        return last, LoopDelta(0, 0.0, valid=False, occupied=False)
    now = (count, occupied)
    if last is None or span <= 0.0:
        return now if last is None else last, NO_LOOP
    passed = (count - last[0]) % _WRAP
    on_s = (occupied - last[1]) % _WRAP / 10.0
    if passed > _MAX_FLOW_PER_S * (span + _SLACK_S):
        return now, LoopDelta(0, 0.0, valid=count <= _MAX_FLOW_PER_S * (span + _SLACK_S), occupied=False)
    if on_s > span + _SLACK_S:
        return now, LoopDelta(passed, 0.0, valid=occupied <= 10.0 * (span + _SLACK_S), occupied=passed > 0)
    return now, LoopDelta(passed, min(on_s, span), valid=True, occupied=on_s > 0.0 or passed > 0)


def read_zones(
    detectors: Sequence[int], readings: Sequence[ZoneReading], max_speed_kmh: float
) -> dict[int, Zone]:
    """Zone readings with everything impossible marked invalid."""
    result = {}
    for position, detector in enumerate(detectors):
        if position >= len(readings):
            result[detector] = NO_ZONE
            continue
        result[detector] = _zone(readings[position], max_speed_kmh)
    return result


def _zone(reading: ZoneReading, max_speed_kmh: float) -> Zone:
    """One zone; comparisons with NaN are false, so it cannot pass."""
    vehicles, queued, occupancy = reading.vehicles, reading.queued, reading.occupancy
    if not (0 <= queued <= vehicles < _WRAP and 0.0 <= occupancy <= 1.0):
        return NO_ZONE
    if not 0.0 <= reading.speed_kmh <= max_speed_kmh:
        return NO_ZONE
    return Zone(float(vehicles), float(queued), occupancy, reading.speed_kmh, valid=True)


def _is_u16(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _WRAP


def age_s(reading: LoopReading | ZoneReading | None) -> float:
    """Age of a reading, s; infinite where there is none or it makes no sense."""
    if reading is None or not 0 <= reading.age_ds < math.inf:
        return math.inf
    return reading.age_ds / 10.0
