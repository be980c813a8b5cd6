"""What one poll says, made harmless: counter differences, zone readings, ages.

Loop counters are free-running u16 that wrap and may restart; anything impossible comes out as invalid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from denxanh.controller.wiring import Wiring
from denxanh.plc.contract import LoopReading, ZoneReading

_WRAP = 65_536
"""Loop counters are unsigned 16-bit (register map)."""
_MAX_FLOW_PER_S = 10
"""Counts a second beyond which a counter difference means that the counter started again [J]."""
_SLACK_S = 1.0
"""How far the detector's own second and ours may lie apart, s."""

_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""


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
CLEAR = Zone(0.0, 0.0, 0.0, 0.0, valid=True)
NO_LOOP = LoopDelta(0, 0.0, valid=True, occupied=False)
BAD_LOOP = LoopDelta(0, 0.0, valid=False, occupied=False)


def read_loops(
    wiring: Wiring, before: Sequence[LoopReading | None], readings: Sequence[LoopReading], span: float
) -> tuple[tuple[LoopReading | None, ...], list[LoopDelta]]:
    """The last usable reading of each loop, and what each has seen since, by detector.

    Args:
        wiring: where the detectors are.
        before: the last usable reading of each loop, in register order.
        readings: what came now; too few are missing ones.
        span: seconds since the last report.
    """
    deltas = [NO_LOOP] * len(wiring.lane)
    last = list(before)
    for position, (detector, known, reading) in enumerate(zip(wiring.loops, before, readings, strict=False)):
        if reading != known:  # a loop that repeats its last telegram has seen nothing
            last[position], deltas[detector] = loop_delta(known, reading, span)
    for detector in wiring.loops[len(readings) :]:
        deltas[detector] = BAD_LOOP
    return tuple(last), deltas


def loop_delta(
    last: LoopReading | None, reading: LoopReading, span: float
) -> tuple[LoopReading | None, LoopDelta]:
    """Vehicles and occupied seconds since the last usable reading, modulo 65,536; and which that is now.

    A counter that started again counts nothing: one restart is no fault, a stream of them is garbage.
    """
    count, occupied = reading.count, reading.occupied_ds
    if not (_is_u16(count) and _is_u16(occupied)):
        return last, BAD_LOOP
    if last is None or span <= 0.0:
        return last or reading, NO_LOOP
    passed = (count - last.count) % _WRAP
    on_s = (occupied - last.occupied_ds) % _WRAP / 10.0
    if passed > _MAX_FLOW_PER_S * (span + _SLACK_S):
        valid = count <= _MAX_FLOW_PER_S * (span + _SLACK_S)
        return reading, LoopDelta(0, 0.0, valid, occupied=False)
    if on_s > span + _SLACK_S:
        valid = occupied <= 10.0 * (span + _SLACK_S)
        return reading, LoopDelta(passed, 0.0, valid, occupied=passed > 0)
    delta = (passed, on_s if on_s < span else span, True, on_s > 0.0 or passed > 0)
    return reading, _new(LoopDelta, delta)


def read_zones(wiring: Wiring, readings: Sequence[ZoneReading], max_speed_kmh: float) -> list[Zone]:
    """Zone readings by detector, with everything impossible marked invalid."""
    result = [NO_ZONE] * len(wiring.lane)
    for detector, (vehicles, queued, occupancy, speed, _, _) in zip(wiring.zones, readings, strict=False):
        # Comparisons with NaN are false, so it cannot pass.
        if not (0 <= queued <= vehicles < _WRAP and 0.0 <= occupancy <= 1.0):
            continue
        if not 0.0 <= speed <= max_speed_kmh:
            continue
        if vehicles or occupancy or speed:
            value = (float(vehicles), float(queued), occupancy, speed, True)
            result[detector] = _new(Zone, value)
        else:
            result[detector] = CLEAR
    return result


def _is_u16(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < _WRAP


def age_s(age_ds: float) -> float:
    """Age of a reading, s; infinite where it makes no sense."""
    return age_ds / 10.0 if 0 <= age_ds < math.inf else math.inf
