"""Loops, zones and push buttons from a poll's numbers, and as the published map's registers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from denxanh.networks.model import DetectorKind, Intersection
from denxanh.plc.contract import LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.layout import WORD_MAX, Layout, layout
from denxanh.plc.modbus.registers import FAULT_BIT, decode_zones, encode_calls
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.driving import DS_PER_S
from denxanh.plc.ntcip.numbers import CALLS, Numbers, Places, loop_names, zone_names
from denxanh.plc.ntcip.oids import cell
from denxanh.plc.ntcip.stagemap import StageMap

OCCUPANCY_FULL = 200
"""Half a per cent each; above it stand fault codes."""
SHARES_PER_DS = 20
"""Half per cents of a period of one second that make a decisecond."""
STRADDLE_S = 1
"""A poll of several messages can fall on both sides of the controller's second: its zones may then be so much
younger than its clock."""
MAX_OCCUPANCY = 1000
"""Thousandths."""
MAX_SPEED_DKMH = 3000
VOLUME_OVERFLOW = 255
_ACTIVE = (oids.PED_DETECTOR_ACTIVE,)
_NO_ZONE = (0, 0, 0, 0, FAULT_BIT, WORD_MAX)
_new = tuple.__new__
"""Makes a named tuple from a tuple, which takes half as long as calling it."""

Words = tuple[int, ...]
_Pick = Callable[[Sequence[int]], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Counters:
    """What the loops have counted since the first poll; both run freely and wrap at 65,536."""

    sequence: int | None = None
    """volumeOccupancySequence of the last poll; None: the next period counts, whatever its number."""
    counts: tuple[int, ...] = ()
    occupied: tuple[int, ...] = ()
    """In half per cents of a second."""


class Detected(NamedTuple):
    """What the detectors say in one poll; `words` are the registers of loops, calls and zones that say so."""

    counters: Counters
    readings: Readings
    words: tuple[Words, Words, Words]


class Detectors:
    """Reads one intersection's.

    Args:
        intersection: its detectors.
        stages: which phases serve a push button.
        places: of a poll's numbers.
    """

    def __init__(self, intersection: Intersection, stages: StageMap, places: Places) -> None:
        self._layout = sizes = layout(intersection)
        self._phases = stages.phases
        self._callers = callers(intersection, stages)
        self._loops = _loops(places, sizes)
        self._zones = _zones(places, sizes)
        ask = cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, 1)
        self._shows_buttons = places.of(ask) is not None

    def read(self, before: Counters, numbers: Numbers) -> Detected:
        """One poll's, with the counters after it.

        Volumes and occupancies of a period are added up. A period that was missed between two polls is not
        made up for: its vehicles are lost, as its sequence number shows.
        """
        after, loops, counted = self._count(before, numbers)
        time = numbers.scalar(oids.GLOBAL_TIME)
        rows = [_NO_ZONE if pick is None else _zone(pick(numbers.values), time) for pick in self._zones]
        zones = tuple([_reading(row) for row in rows])
        pressed = self._pressed(numbers)
        words = (counted, encode_calls(pressed), tuple(chain.from_iterable(rows)))
        return Detected(after, Readings(loops, zones, pressed), words)

    def _count(self, before: Counters, numbers: Numbers) -> tuple[Counters, tuple[LoopReading, ...], Words]:
        if self._loops is None:
            return before, (), ()
        size = self._layout.loops
        sequence = numbers.scalar(oids.VOLUME_OCCUPANCY_SEQUENCE)
        new = sequence != before.sequence
        found = self._loops(numbers.values)
        counts: list[int] = []
        occupied: list[int] = []
        readings: list[LoopReading] = []
        words: list[int] = []
        for count, on, volume, share in zip(
            before.counts or (0,) * size, before.occupied or (0,) * size, found[::2], found[1::2], strict=True
        ):
            fault = not (0 <= share <= OCCUPANCY_FULL and 0 <= volume <= VOLUME_OVERFLOW)
            if new and not fault:
                count = count + volume & WORD_MAX
                on = (on + share) % (SHARES_PER_DS * (WORD_MAX + 1))
            counts.append(count)
            occupied.append(on)
            on_ds = on // SHARES_PER_DS
            words += (count, on_ds, FAULT_BIT if fault else 0, 0)
            readings.append(_new(LoopReading, (count, on_ds, fault, 0)))
        return Counters(sequence, tuple(counts), tuple(occupied)), tuple(readings), tuple(words)

    def _pressed(self, numbers: Numbers) -> tuple[bool, ...]:
        size = self._layout.buttons
        if self._shows_buttons:
            (pressed,) = numbers.masks(oids.PED_DETECTOR_STATUS_GROUP, _ACTIVE, size)
            return tuple([bool(pressed >> n & 1) for n in range(size)])
        (calls,) = numbers.masks(oids.PHASE_STATUS_GROUP, CALLS, self._phases)
        return tuple([bool(calls & phases) for phases in self._callers])


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


def _loops(places: Places, sizes: Layout) -> _Pick | None:
    """All volumes and occupancies, one after the other; None where there is no loop."""
    names = chain.from_iterable(loop_names(loop) for loop in range(1, sizes.loops + 1))
    found = [places.needed(name) for name in names]
    return itemgetter(*found) if found else None


def _zones(places: Places, sizes: Layout) -> tuple[_Pick | None, ...]:
    """Each zone's numbers; None for one that the controller has not, or not all of."""
    found: list[_Pick | None] = []
    for zone in range(1, sizes.zones + 1):
        wanted = [place for name in zone_names(zone) if (place := places.of(name)) is not None]
        found.append(itemgetter(*wanted) if len(wanted) == len(zone_names(zone)) else None)
    return tuple(found)


def _zone(numbers: tuple[int, ...], time: int) -> Words:
    vehicles, queued, occupancy, speed, ended, status = numbers
    age_s = time - ended
    age_ds = min(max(age_s, 0) * DS_PER_S, WORD_MAX)
    if (
        status == 1
        and 0 <= queued <= vehicles <= WORD_MAX
        and 0 <= occupancy <= MAX_OCCUPANCY
        and 0 <= speed <= MAX_SPEED_DKMH
    ):
        return vehicles, queued, occupancy, speed, 0 if age_s >= -STRADDLE_S else FAULT_BIT, age_ds
    within = min(max(vehicles, 0), WORD_MAX)
    return (
        within,
        min(max(queued, 0), within),
        min(max(occupancy, 0), MAX_OCCUPANCY),
        min(max(speed, 0), MAX_SPEED_DKMH),
        FAULT_BIT,
        age_ds,
    )


def _reading(words: Words) -> ZoneReading:
    vehicles, queued, occupancy, speed, status, age_ds = words
    if status:
        return decode_zones(words, 1)[0]
    return _new(ZoneReading, (vehicles, queued, occupancy / 1000, speed / 10, False, age_ds))
