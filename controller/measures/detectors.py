"""How each detector did: counts, occupied time, faults, and what looks wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import FAULTS, ON, PRESS, RESTORED, select, stamps
from denxanh.controller.measures.coverage import Coverage
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.presence import presence
from denxanh.networks.health_limits import HealthLimits
from denxanh.networks.model import DetectorKind

MIN_NEIGHBOURS = 12
"""Vehicles on the lane's other loops from which a silent one is suspicious (`HealthLimits`)."""


class Suspicion(StrEnum):
    """What looks wrong with a detector's events."""

    NONE = "none"
    FAULT = "fault"
    """The cabinet or the centre called it broken, at least once."""
    STUCK_ON = "stuck-on"
    """Occupied for longer than a queue stands."""
    SILENT = "silent"
    """Nothing, while the other loops of its lane count."""
    ERRATIC = "erratic"
    """More vehicles in a minute than a lane carries."""


@dataclass(frozen=True, slots=True)
class DetectorRecord:
    """One detector over the known time of a log.

    Attributes:
        channel: its number.
        detector: its id.
        kind: loop, zone or button.
        actuations: vehicles (loops, zones) or presses (buttons).
        occupied: share of the known time in which it was occupied, [0, 1].
        longest_on_s: longest time that it was occupied without a break.
        most_per_minute: most actuations within one minute of the clock.
        faults: how often it was called broken.
        faulty_s: how long, as far as is known.
        suspicion: what looks wrong; the first of the list that holds.
    """

    channel: int
    detector: str
    kind: DetectorKind
    actuations: int
    occupied: float
    longest_on_s: float
    most_per_minute: int
    faults: int
    faulty_s: float
    suspicion: Suspicion


def detector_health(
    log: EventLog, duties: Duties, known: Coverage, limits: HealthLimits | None = None
) -> tuple[DetectorRecord, ...]:
    """A record of every detector.

    Faults are events 84 to 88 until 83, which the live watch over the detectors gives (`controller.health`);
    the rest is judged here again from the events alone, by the same limits.
    """
    limits = limits or HealthLimits()
    passed = {
        channel.number: stamps(log, PRESS if channel.kind is DetectorKind.BUTTON else ON, channel.number)
        for channel in duties.numbering.channels
    }
    whole_ms = int((known.end_ms - known.begin_ms).sum())
    records = []
    for channel in duties.numbering.channels:
        own = passed[channel.number]
        occupied = presence(log, (channel.number,), known)
        lasted = occupied.off_ms - occupied.on_ms
        longest_s = float(lasted.max() / 1000) if lasted.size else 0.0
        busiest = int(np.unique(own // 60_000, return_counts=True)[1].max()) if own.size else 0
        faults, faulty_s = _faults(log, channel.number, known)
        beside = [
            other.number
            for other in duties.numbering.channels
            if other.lane == channel.lane >= 0
            and other.number != channel.number
            and other.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
            and channel.kind in (DetectorKind.STOP_LINE, DetectorKind.ADVANCE)
        ]
        suspicion = Suspicion.NONE
        if faults:
            suspicion = Suspicion.FAULT
        elif longest_s > limits.max_presence_s:
            suspicion = Suspicion.STUCK_ON
        elif not own.size and any(passed[other].size > MIN_NEIGHBOURS for other in beside):
            suspicion = Suspicion.SILENT
        elif channel.kind is not DetectorKind.BUTTON and busiest > limits.erratic_per_min:
            suspicion = Suspicion.ERRATIC
        records.append(
            DetectorRecord(
                channel.number,
                channel.detector,
                channel.kind,
                int(own.size),
                float(lasted.sum() / whole_ms) if whole_ms else 0.0,
                longest_s,
                busiest,
                faults,
                faulty_s,
                suspicion,
            )
        )
    return tuple(records)


def _faults(log: EventLog, channel: int, known: Coverage) -> tuple[int, float]:
    """How often and how long it was broken; a fault told again while it lasts is the same one."""
    at, code = select(log, (*FAULTS, RESTORED), channel)
    broken = code != RESTORED
    begins = np.flatnonzero(broken & ~np.concatenate(([False], broken[:-1])))
    whole = np.flatnonzero(~broken)
    place = np.searchsorted(whole, begins)
    ends = np.append(at[whole], np.iinfo(np.int64).max)[place]
    lasted = np.minimum(ends, known.until(at[begins])) - at[begins]
    return int(begins.size), float(lasted.sum() / 1000)
