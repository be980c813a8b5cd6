"""Which detectors are believed, from what the journal has told of them; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from denxanh.controller.alarms import of_detectors
from denxanh.controller.health import DetectorHealth, Symptom
from denxanh.networks.model import Detector, DetectorKind, Intersection
from denxanh.plc.contract import Readings

_DS_PER_S = 10


@dataclass(frozen=True, slots=True)
class DetectorNow:
    """A detector's last reading; None where it has none, or none of that kind."""

    detector: Detector
    symptom: Symptom
    wired: bool
    """Its cabinet reports it; otherwise a VDS source does."""
    age_s: float | None = None
    count: int | None = None
    occupancy: float | None = None
    called: bool | None = None


def detectors_now(
    intersection: Intersection, wired: Intersection, readings: Readings | None, alarms: Collection[str]
) -> list[DetectorNow]:
    """Every detector of the intersection.

    Args:
        intersection: whose.
        wired: the same as its cabinet sees it.
        readings: what the cabinet said; None: it did not.
        alarms: English texts of the alarms that stand there.
    """
    symptoms = {
        detector: symptom for text, (detector, symptom) in _texts(intersection).items() if text in alarms
    }
    raw = _readings(wired, readings)
    on_wire = {one.id for one in wired.detectors}
    found = []
    for detector in intersection.detectors:
        age_s, count, occupancy, called = raw.get(detector.id, (None, None, None, None))
        symptom = symptoms.get(detector.id, Symptom.NONE)
        found.append(DetectorNow(detector, symptom, detector.id in on_wire, age_s, count, occupancy, called))
    return found


def _texts(intersection: Intersection) -> dict[str, tuple[str, Symptom]]:
    """The alarm of each detector and symptom, in the controller's own words."""
    found = {}
    for symptom in Symptom:
        health = [DetectorHealth(symptom=symptom)] * len(intersection.detectors)
        alarms = of_detectors(intersection, health, settled=True)
        for detector, alarm in zip(intersection.detectors, alarms, strict=False):
            found[alarm.text_en] = (detector.id, symptom)
    return found


_Reading = tuple[float | None, int | None, float | None, bool | None]


def _readings(wired: Intersection, readings: Readings | None) -> dict[str, _Reading]:
    return {} if readings is None else dict(_of_kinds(wired, readings))


def _of_kinds(wired: Intersection, readings: Readings) -> Iterator[tuple[str, _Reading]]:
    loops, zones, buttons = iter(readings.loops), iter(readings.zones), iter(readings.buttons)
    for detector in wired.detectors:
        if detector.kind is DetectorKind.ZONE:
            zone = next(zones)
            yield detector.id, (zone.age_ds / _DS_PER_S, zone.vehicles, zone.occupancy, None)
        elif detector.kind is DetectorKind.BUTTON:
            yield detector.id, (None, None, None, next(buttons))
        else:
            loop = next(loops)
            yield detector.id, (loop.age_ds / _DS_PER_S, loop.count, None, None)
