"""How long each phase had its turn, cycle by cycle (split monitor)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import (
    FORCE_OFF,
    GAP_OUT,
    MAX_OUT,
    RED_CLEARED,
    select,
)
from denxanh.controller.measures.coverage import Coverage, standing
from denxanh.controller.measures.cycles import cycles
from denxanh.controller.measures.duties import Duties

NO_PLAN = 254
"""The pattern's number while no plan runs (NTCIP 1202)."""


@dataclass(frozen=True, slots=True)
class Splits:
    """One phase's turns; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: begin of green.
        green_s: length of green.
        yellow_s: length of yellow.
        clearance_s: length of red clearance; 0 where no event says when it ended.
        reason: why green ended: `GAP_OUT`, `MAX_OUT`, `FORCE_OFF`, or 0 where nothing says so.
        plan: number of the plan that ran when it began; `NO_PLAN` where none did or nothing says so.
    """

    phase: int
    at_ms: NDArray[np.int64]
    green_s: NDArray[np.float64]
    yellow_s: NDArray[np.float64]
    clearance_s: NDArray[np.float64]
    reason: NDArray[np.int16]
    plan: NDArray[np.int64]

    @property
    def split_s(self) -> NDArray[np.float64]:
        """Green, yellow and red clearance."""
        return self.green_s + self.yellow_s + self.clearance_s


def splits(log: EventLog, duties: Duties, known: Coverage) -> tuple[Splits, ...]:
    """The turns of every vehicle phase (UDOT ATSPM, "Split Monitor")."""
    return tuple(_splits(log, phase, known) for phase in duties.vehicles)


def _splits(log: EventLog, phase: int, known: Coverage) -> Splits:
    whole = cycles(log, phase, known)
    ended, reasons = select(log, (GAP_OUT, MAX_OUT, FORCE_OFF), phase)
    reason = _following(whole.green_ms, whole.yellow_ms, ended, reasons)
    cleared, _ = select(log, (RED_CLEARED,), phase)
    place = np.searchsorted(cleared, whole.red_ms, side="left")
    clear_ms = np.append(cleared, np.iinfo(np.int64).max)[place]
    until = np.where(whole.end_ms >= 0, whole.end_ms, known.until(whole.red_ms))
    clearance = np.where(clear_ms <= until, clear_ms - whole.red_ms, 0)
    return Splits(
        phase,
        whole.green_ms,
        (whole.yellow_ms - whole.green_ms) / 1000,
        (whole.red_ms - whole.yellow_ms) / 1000,
        clearance / 1000,
        reason,
        standing(log, Code.PATTERN_CHANGE, whole.green_ms, known, NO_PLAN),
    )


def _following(
    begin: NDArray[np.int64], end: NDArray[np.int64], at: NDArray[np.int64], code: NDArray[np.int16]
) -> NDArray[np.int16]:
    """The last event of each (begin, end]; 0 where there is none."""
    if not at.size:
        return np.zeros(begin.shape, np.int16)
    place = np.searchsorted(at, end, side="right") - 1
    found = (place >= 0) & (at[np.maximum(place, 0)] > begin)
    return np.where(found, code[np.maximum(place, 0)], np.int16(0))
