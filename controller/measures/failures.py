"""Greens that did not serve their queue (Purdue split failure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.coverage import Coverage
from denxanh.controller.measures.cycles import cycles
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.presence import presence

FIRST_OF_RED_MS = 5000
"""The part of red that is looked at, ms (Freije et al. 2014; UDOT ATSPM)."""
OCCUPIED = 0.8
"""Share of green, and of the first 5 s of red, from which a queue was left (UDOT ATSPM: 80 % both)."""


@dataclass(frozen=True, slots=True)
class SplitFailures:
    """Whole cycles of one phase that has stop-line loops; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: 5 s after begin of red: when it was known.
        green_s: length of green.
        green_occupancy: share of green in which a stop-line loop was occupied (GOR), [0, 1].
        red_occupancy: the same of the first 5 s of red (ROR5), [0, 1].
    """

    phase: int
    at_ms: NDArray[np.int64]
    green_s: NDArray[np.float64]
    green_occupancy: NDArray[np.float64]
    red_occupancy: NDArray[np.float64]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Where both shares reach 80 %."""
        return (self.green_occupancy >= OCCUPIED) & (self.red_occupancy >= OCCUPIED)


def split_failures(log: EventLog, duties: Duties, known: Coverage) -> tuple[SplitFailures, ...]:
    """Split failures of every phase with stop-line loops (Freije et al. 2014).

    Loops of several lanes count as one that is occupied while any of them is, as ATSPM software does by
    default; so a phase of many lanes fails sooner than each of its lanes.
    """
    return tuple(
        _of(log, phase, channels, known)
        for phase in duties.vehicles
        if (channels := duties.stop_line_of(phase))
    )


def _of(log: EventLog, phase: int, channels: tuple[int, ...], known: Coverage) -> SplitFailures:
    every = cycles(log, phase, known)
    judged_ms = every.red_ms + FIRST_OF_RED_MS
    # A red shorter than 5 s is no red in which a queue could stand; the next green would count as red.
    whole = known.together(every.green_ms, judged_ms) & ((every.end_ms < 0) | (every.end_ms >= judged_ms))
    whole &= every.yellow_ms > every.green_ms
    green, yellow, red = every.green_ms[whole], every.yellow_ms[whole], every.red_ms[whole]
    occupied = presence(log, channels, known)
    return SplitFailures(
        phase,
        judged_ms[whole],
        (yellow - green) / 1000,
        occupied.within_ms(green, yellow) / (yellow - green),
        occupied.within_ms(red, red + FIRST_OF_RED_MS) / FIRST_OF_RED_MS,
    )
