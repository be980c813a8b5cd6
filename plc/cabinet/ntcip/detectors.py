"""Loops as volume and occupancy of one-second periods, push buttons, and zones as 1209 sensor zones.

A zone has two outputs: 1 all vehicles, 2 queued ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.ntcip.table import Get, Objects, fixed, grouped, number
from denxanh.plc.contract import Readings, ZoneReading
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import COUNTER32, INTEGER, Oid, Value
from denxanh.plc.ntcip.oids import cell, scalar

OCCUPANCY_FULL, OCCUPANCY_FAULT = 200, 216
VOLUME_MAX = 255
ZONE_OK, ZONE_FAULT = 1, 8
PERIOD_S = 1


class Detectors:
    """What one cabinet's detectors have counted, read only."""

    def __init__(self, cabinet: VirtualCabinet) -> None:
        self._cabinet = cabinet
        self._last = cabinet.shown_readings.loops
        self._volume: list[int] = []
        self._occupancy: list[int] = []
        self._sequence = 0

    def period(self, readings: Readings) -> None:
        """One period of one second is over."""
        loops = readings.loops
        before = self._last if len(self._last) == len(loops) else loops
        self._volume = [
            min((now.count - old.count) % 0x10000, VOLUME_MAX) for now, old in zip(loops, before, strict=True)
        ]
        self._occupancy = [
            OCCUPANCY_FAULT
            if now.fault
            else min((now.occupied_ds - old.occupied_ds) % 0x10000 * 20, OCCUPANCY_FULL)
            for now, old in zip(loops, before, strict=True)
        ]
        self._last = loops
        self._sequence = (self._sequence + 1) % 256

    def objects(self) -> Objects:
        """All of them."""
        layout, cabinet = self._cabinet.layout, self._cabinet
        yield fixed(scalar(oids.MAX_VEHICLE_DETECTORS), layout.loops)
        yield number(scalar(oids.VOLUME_OCCUPANCY_SEQUENCE), lambda: self._sequence)
        yield fixed(scalar(oids.VOLUME_OCCUPANCY_PERIOD), PERIOD_S)
        yield fixed(scalar(oids.ACTIVE_DETECTORS), layout.loops)
        table = oids.VOLUME_OCCUPANCY_TABLE
        for loop in range(layout.loops):
            yield number(
                cell(table, oids.DETECTOR_VOLUME, loop + 1), partial(_nth, lambda: self._volume, loop)
            )
            yield number(
                cell(table, oids.DETECTOR_OCCUPANCY, loop + 1), partial(_nth, lambda: self._occupancy, loop)
            )
        yield from grouped(
            oids.PED_DETECTOR_STATUS_GROUP,
            oids.PED_DETECTOR_ACTIVE,
            layout.buttons,
            lambda: sum(1 << n for n, pressed in enumerate(cabinet.shown_readings.buttons) if pressed),
        )
        for zone in range(layout.zones):
            yield from self._zone(zone)

    def _zone(self, zone: int) -> Objects:
        cabinet = self._cabinet

        def name(column: int, output: int) -> Oid:
            return cell(oids.TSS_DATA, column, zone + 1, output)

        def now() -> ZoneReading:
            return cabinet.shown_readings.zones[zone]

        def of(get: Callable[[], float]) -> Get:
            return lambda: Value(INTEGER, round(get()))

        def ended() -> Value:
            return Value(COUNTER32, max(0, cabinet.status.utc_s - now().age_ds // 10))

        yield name(oids.TSS_END_TIME, 1), ended
        yield name(oids.TSS_VOLUME, 1), of(lambda: now().vehicles)
        yield name(oids.TSS_VOLUME, 2), of(lambda: now().queued)
        yield name(oids.TSS_OCCUPANCY, 1), of(lambda: now().occupancy * 1000)
        yield name(oids.TSS_SPEED, 1), of(lambda: now().speed_kmh * 10)
        yield name(oids.TSS_ZONE_STATUS, 1), of(lambda: ZONE_FAULT if now().fault else ZONE_OK)


def _nth(values: Callable[[], Sequence[int]], place: int) -> int:
    """Of a loop; 0 before the first period."""
    found = values()
    return found[place] if found else 0
