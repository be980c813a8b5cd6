"""Events of loops, zones and push buttons. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.memory import DetectorMemory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.highres.passages import place
from denxanh.controller.readings import loop_delta
from denxanh.controller.record import Event
from denxanh.controller.wiring import wire
from denxanh.networks.model import Intersection
from denxanh.plc.contract import LoopReading, Readings

TENTH_MS = 100
STALE_DS = 10
"""A reading of this age, 0.1 s, was not renewed in the second (assumed: a detector reports each second)."""
_NAMED = "Detector "
_CLEARED = "Cleared: "
"""How `controller.alarms` begins the English words of a detector's alarm, and of its end."""
_FAULTS = {"detector-stale": Code.DETECTOR_FAULT_WATCHDOG, "detector-chatter": Code.DETECTOR_FAULT_EXCESSIVE}


class Demand(NamedTuple):
    """Groups, by position: a vehicle is on one of their detectors; one is or was on one of their loops."""

    calling: set[int]
    passing: set[int]


class Detectors:
    """One intersection's detectors; a channel is a position in `Intersection.detectors` plus 1."""

    def __init__(self, intersection: Intersection) -> None:
        wiring = wire(intersection)
        self._loops = tuple(at + 1 for at in wiring.loops)
        self._zones = tuple(at + 1 for at in wiring.zones)
        self._buttons = tuple(at + 1 for at in wiring.buttons)
        self._zone_ids = tuple(intersection.detectors[at].id for at in wiring.zones)
        self._channels = {one.id: at for at, one in enumerate(intersection.detectors, start=1)}
        self._called_by_button = tuple(
            tuple(group + 1 for group in intersection.detectors[at].groups) for at in wiring.buttons
        )
        calls = tuple(() if one.downstream else one.groups for one in intersection.detectors)
        self._loop_calls = tuple(calls[at] for at in wiring.loops)
        self._zone_calls = tuple(calls[at] for at in wiring.zones)
        self._calls_of_loop = dict(zip(self._loops, self._loop_calls, strict=True))

    def fits(self, readings: Readings) -> bool:
        """Whether these are readings of this intersection."""
        found = (len(readings.loops), len(readings.zones), len(readings.buttons))
        return found == (len(self._loops), len(self._zones), len(self._buttons))

    def fits_memory(self, memory: DetectorMemory, known: bool) -> bool:
        """Whether this is the memory of this intersection."""
        found = (len(memory.counts), len(memory.occupied_ds), len(memory.loops), len(memory.zones))
        wanted = (len(self._loops),) * 3 + (len(self._zones),)
        return not known or (found == wanted and len(memory.buttons) == len(self._buttons))

    def adopt(self, memory: DetectorMemory, moment: Moment, readings: Readings) -> Iterator[SignalEvent]:
        """Begin anew, without a past: all that is told is which zones are occupied."""
        memory.counts = [loop.count for loop in readings.loops]
        memory.occupied_ds = [loop.occupied_ds for loop in readings.loops]
        memory.loops = [False] * len(self._loops)
        memory.zones = [False] * len(self._zones)
        memory.buttons = list(readings.buttons)
        yield from self._zone_events(memory, moment, readings)

    def second(
        self, memory: DetectorMemory, moment: Moment, readings: Readings, since_ms: int
    ) -> Iterator[SignalEvent]:
        """What the detectors have seen from `since_ms` on, not in the order of time."""
        width = max(1, (moment.at_ms - since_ms) // TENTH_MS)
        for at, reading in enumerate(readings.loops):
            on = memory.loops[at]
            if on or reading.count != memory.counts[at] or reading.occupied_ds != memory.occupied_ds[at]:
                for tenth, now_on in self._loop(memory, at, reading, width):
                    code = Code.DETECTOR_ON if now_on else Code.DETECTOR_OFF
                    yield SignalEvent(since_ms + tenth * TENTH_MS, code, self._loops[at])
        yield from self._zone_events(memory, moment, readings)
        for at, pressed in enumerate(readings.buttons):
            if pressed != memory.buttons[at]:
                memory.buttons[at] = pressed
                code = Code.PED_DETECTOR_ON if pressed else Code.PED_DETECTOR_OFF
                yield SignalEvent(moment.at_ms, code, self._buttons[at])
                if pressed:
                    for phase in self._called_by_button[at]:
                        yield SignalEvent(moment.at_ms, Code.PED_CALL_REGISTERED, phase)

    def demand(self, memory: DetectorMemory, seen: Iterable[SignalEvent]) -> Demand:
        """Who asks for green now; `seen`: the events of the second."""
        passing: set[int] = set()
        for at, on in enumerate(memory.loops):
            if on:
                passing.update(self._loop_calls[at])
        calling = set(passing)
        for at, on in enumerate(memory.zones):
            if on:
                calling.update(self._zone_calls[at])
        for event in seen:
            if event.code == Code.DETECTOR_OFF:
                passing.update(self._calls_of_loop.get(event.parameter, ()))
        return Demand(calling, passing)

    def faults(self, memory: DetectorMemory, at_ms: int, told: Iterable[Event]) -> Iterator[SignalEvent]:
        """Detectors that are no longer believed, or again, by the controller's own alarms."""
        for event in told:
            if not event.cause.startswith("detector-"):
                continue
            name = event.text_en.removeprefix(_CLEARED).removeprefix(_NAMED).partition(": ")[0]
            channel = self._channels.get(name)
            if channel is None:
                continue
            standing = memory.faults.get(channel, 0)
            if event.kind == "detector":
                memory.faults[channel] = standing + 1
                yield SignalEvent(at_ms, _FAULTS.get(event.cause, Code.DETECTOR_FAULT_OTHER), channel)
            elif event.kind == "alarm-cleared" and standing:
                memory.faults[channel] = standing - 1
                if standing == 1:
                    del memory.faults[channel]
                    yield SignalEvent(at_ms, Code.DETECTOR_RESTORED, channel)

    def _loop(
        self, memory: DetectorMemory, at: int, reading: LoopReading, width: int
    ) -> list[tuple[int, bool]]:
        before = LoopReading(memory.counts[at], memory.occupied_ds[at], fault=False, age_ds=0)
        on = memory.loops[at]
        same = reading.count == before.count and reading.occupied_ds == before.occupied_ds
        if same and reading.age_ds >= STALE_DS and not reading.fault:
            return []
        memory.counts[at], memory.occupied_ds[at] = reading.count, reading.occupied_ds
        _, delta = loop_delta(before, reading, width / 10)
        if reading.fault or not delta.valid:
            memory.loops[at] = False
            return [(0, False)] if on else []
        switches, memory.loops[at] = place(delta.passed, round(delta.on_s * 10), on, width)
        return switches

    def _zone_events(
        self, memory: DetectorMemory, moment: Moment, readings: Readings
    ) -> Iterator[SignalEvent]:
        fed = moment.occupied
        for at, zone in enumerate(readings.zones):
            occupied: bool | None = zone.vehicles > 0 and not zone.fault
            if fed:
                occupied = fed.get(self._zone_ids[at], occupied)
            if occupied is not None and occupied != memory.zones[at]:
                memory.zones[at] = occupied
                code = Code.DETECTOR_ON if occupied else Code.DETECTOR_OFF
                yield SignalEvent(moment.at_ms, code, self._zones[at])
