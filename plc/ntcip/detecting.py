"""Loops, zones and push buttons from a poll's numbers. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.layout import WORD_MAX, Layout
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid
from denxanh.plc.ntcip.numbers import CALLS, Numbers
from denxanh.plc.ntcip.oids import cell
from denxanh.plc.ntcip.reading import Trail
from denxanh.plc.ntcip.stagemap import StageMap

OCCUPANCY_FULL = 200
"""Half a per cent each; above it stand fault codes."""
OCCUPANCY_PERIOD_S = 1
STRADDLE_S = 1
"""A poll of several messages can fall on both sides of the controller's second: its zones may then be so much
younger than its clock."""
MAX_SPEED_DKMH = 3000
VOLUME_OVERFLOW = 255


def readings(
    trail: Trail, numbers: Numbers, layout: Layout, callers: tuple[int, ...], phases: int
) -> tuple[Trail, Readings]:
    """Detectors. Volumes and occupancies of a period are added up into free-running counters.

    A period that was missed between two polls is not made up for: its vehicles are lost, as its sequence
    number shows. `callers` are the phases that serve each button, `phases` their highest number.
    """
    counts = trail.counts or (0,) * layout.loops
    occupied = trail.occupied or (0.0,) * layout.loops
    loops: list[LoopReading] = []
    if layout.loops:
        sequence = numbers.scalar(oids.VOLUME_OCCUPANCY_SEQUENCE)
        new = sequence != trail.sequence
        table = oids.VOLUME_OCCUPANCY_TABLE
        more_counts, more_occupied = list(counts), list(occupied)
        for loop in range(layout.loops):
            volume = numbers.of(cell(table, oids.DETECTOR_VOLUME, loop + 1))
            share = numbers.of(cell(table, oids.DETECTOR_OCCUPANCY, loop + 1))
            fault = not (0 <= share <= OCCUPANCY_FULL and 0 <= volume <= VOLUME_OVERFLOW)
            if new and not fault:
                more_counts[loop] = (counts[loop] + volume) & WORD_MAX
                more_occupied[loop] = (occupied[loop] + share * OCCUPANCY_PERIOD_S / 20) % (WORD_MAX + 1)
            loops.append(LoopReading(more_counts[loop], int(more_occupied[loop]), fault, 0))
        counts, occupied = tuple(more_counts), tuple(more_occupied)
        trail = replace(trail, sequence=sequence, counts=counts, occupied=occupied)
    if numbers.has(cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, 1)):
        pressed = numbers.mask(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, layout.buttons)
        buttons = tuple(bool(pressed >> n & 1) for n in range(layout.buttons))
    else:
        calls = numbers.mask(oids.PHASE_STATUS_GROUP, CALLS, phases)
        buttons = tuple(bool(calls & phases_of) for phases_of in callers)
    time = numbers.scalar(oids.GLOBAL_TIME)
    zones = tuple([_zone(numbers, zone, time) for zone in range(1, layout.zones + 1)])
    return trail, Readings(tuple(loops), zones, buttons)


def callers(intersection: Intersection, stages: StageMap) -> tuple[int, ...]:
    """For each push button, the phases that serve it."""
    served = []
    for detector in intersection.detectors:
        if detector.kind is DetectorKind.BUTTON:
            phases = 0
            for index, stage in enumerate(intersection.stages):
                if any(stage.serves(group) for group in detector.groups):
                    phases |= stages.mask(index)
            served.append(phases)
    return tuple(served)


_ZONES_KEPT = 256
"""Zones whose names are kept: more than any intersection has."""
_NO_ZONE = ZoneReading(0, 0, 0.0, 0.0, fault=True, age_ds=WORD_MAX)


@lru_cache(maxsize=_ZONES_KEPT)
def _zone_names(zone: int) -> tuple[Oid, ...]:
    """A zone's objects: vehicles, queue, occupancy, speed, end of its period, status."""
    columns = (
        (oids.TSS_VOLUME, 1),
        (oids.TSS_VOLUME, 2),
        (oids.TSS_OCCUPANCY, 1),
        (oids.TSS_SPEED, 1),
        (oids.TSS_END_TIME, 1),
        (oids.TSS_ZONE_STATUS, 1),
    )
    return tuple(cell(oids.TSS_DATA, column, zone, output) for column, output in columns)


def _zone(numbers: Numbers, zone: int, time: int) -> ZoneReading:
    names = _zone_names(zone)
    if not numbers.has(names[1]):
        return _NO_ZONE
    vehicles, queued, occupancy, speed, ended, status = map(numbers.of, names)
    age_s = time - ended
    sound = (
        status == 1
        and 0 <= queued <= vehicles <= WORD_MAX
        and 0 <= occupancy <= 1000
        and 0 <= speed <= MAX_SPEED_DKMH
        and age_s >= -STRADDLE_S
    )
    return ZoneReading(
        vehicles=min(max(vehicles, 0), WORD_MAX),
        queued=min(max(queued, 0), max(vehicles, 0), WORD_MAX),
        occupancy=min(max(occupancy, 0), 1000) / 1000,
        speed_kmh=min(max(speed, 0), MAX_SPEED_DKMH) / 10,
        fault=not sound,
        age_ds=min(max(age_s, 0) * 10, WORD_MAX),
    )
