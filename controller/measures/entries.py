"""Vehicles over the stop line on yellow and on red."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import OFF, ON, RED, YELLOW, stamps
from denxanh.controller.measures.coverage import Coverage
from denxanh.controller.measures.cycles import Cycles, cycles
from denxanh.controller.measures.duties import Duties

SEVERE_MS = 5000
"""Later than this after begin of red an entry is severe, ms (UDOT ATSPM's default)."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Stop-line events of one phase on yellow or red; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: when.
        state: `YELLOW` or `RED`.
        red_ms: begin of red of the cycle to which it belongs.
    """

    phase: int
    at_ms: NDArray[np.int64]
    state: NDArray[np.int16]
    red_ms: NDArray[np.int64]

    @property
    def severe(self) -> NDArray[np.bool_]:
        """Later than 5 s after begin of red."""
        return self.at_ms - self.red_ms > SEVERE_MS


def entries(log: EventLog, duties: Duties, known: Coverage) -> tuple[Entries, ...]:
    """Vehicles that *left* a stop-line loop on yellow or red.

    The loop lies before the stop line. A vehicle that stops for red is on it until green; one that leaves it
    on yellow or red has entered the intersection. Turns that are free on red count too: look at severe
    entries of phases that have none.
    """
    return _of_all(log, duties, known, OFF)


def actuations(log: EventLog, duties: Duties, known: Coverage) -> tuple[Entries, ...]:
    """Vehicles that *came onto* a stop-line loop on yellow or red: "Yellow and Red Actuations" of UDOT ATSPM.

    Made for loops behind the stop line. On ours, who stops for red counts as well; for comparison only.
    """
    return _of_all(log, duties, known, ON)


def _of_all(log: EventLog, duties: Duties, known: Coverage, code: int) -> tuple[Entries, ...]:
    return tuple(
        _of(log, phase, channels, known, code)
        for phase in duties.vehicles
        if (channels := duties.stop_line_of(phase))
    )


def _of(log: EventLog, phase: int, channels: tuple[int, ...], known: Coverage, code: int) -> Entries:
    every = cycles(log, phase, known)
    at = np.sort(np.concatenate([stamps(log, code, channel) for channel in channels]))
    place = _cycle(every, at, known)
    inside = place >= 0
    at, place = at[inside], place[inside]
    late = at >= every.yellow_ms[place]
    at, place = at[late], place[late]
    red_ms = every.red_ms[place]
    return Entries(phase, at, np.where(at >= red_ms, RED, YELLOW).astype(np.int16), red_ms)


def _cycle(every: Cycles, at: NDArray[np.int64], known: Coverage) -> NDArray[np.intp]:
    """The cycle in which each moment lies: until its next green, or as far as is known; -1: in none."""
    place = np.searchsorted(every.green_ms, at, side="right") - 1
    if not len(every):
        return place
    start = every.green_ms[np.maximum(place, 0)]
    end = every.end_ms[np.maximum(place, 0)]
    inside = (place >= 0) & ((end < 0) | (at < end)) & known.together(start, at)
    return np.where(inside, place, -1)
