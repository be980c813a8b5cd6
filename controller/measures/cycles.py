"""The cycles of a phase: green, yellow, red, until its next green."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import CLEARANCE, DONT_WALK, GREEN, RED, WALK, YELLOW
from denxanh.controller.measures.coverage import Coverage

UNKNOWN = 0
_SHOWN = (GREEN, YELLOW, RED, WALK, CLEARANCE, DONT_WALK)
_LOST = (int(Code.PHASE_INACTIVE), int(Code.PED_DARK))
_FOUND = int(Code.FOUND_GREEN)
_NO_FLASH = 2
"""Parameter of `FLASH_STATUS` (NTCIP 1202 `unitFlashStatus`)."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles of one phase that are known from green to the beginning of red; four arrays of one length.

    Attributes:
        phase: its number.
        green_ms: begin of green.
        yellow_ms: begin of yellow, the end of green.
        red_ms: begin of red (red clearance included).
        end_ms: end of red, begin of the next green; -1 where it is not known.
    """

    phase: int
    green_ms: NDArray[np.int64]
    yellow_ms: NDArray[np.int64]
    red_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.green_ms.size)


@dataclass(frozen=True, slots=True)
class Lamps:
    """What one phase showed: `state[i]` from `at_ms[i]` until the next.

    `state`: `GREEN`, `YELLOW`, `RED`, `WALK`, `CLEARANCE` or `DONT_WALK`; `UNKNOWN` while dark or flashing.
    `begun`: whether it began then; else it was found so.
    """

    at_ms: NDArray[np.int64]
    state: NDArray[np.int16]
    begun: NDArray[np.bool_]

    def at(self, moments: NDArray[np.int64], known: Coverage) -> NDArray[np.int16]:
        """What it showed at each moment; `UNKNOWN` where a gap lies between."""
        if not self.at_ms.size:
            return np.full(moments.shape, UNKNOWN, np.int16)
        place = np.searchsorted(self.at_ms, moments, side="right") - 1
        sure = (place >= 0) & known.together(self.at_ms[place], moments)
        return np.where(sure, self.state[place], np.int16(UNKNOWN))

    def spans(self, state: int, known: Coverage) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From when until when it showed this; each ends at a gap at the latest."""
        which = np.flatnonzero(self.state == state)
        begin = self.at_ms[which]
        ends = np.append(self.at_ms, np.iinfo(np.int64).max)[which + 1]
        return begin, np.minimum(ends, known.until(begin))


def lamps(log: EventLog, phase: int) -> Lamps:
    """A phase's changes; those of one stamp in the order of their codes."""
    of_phase = (log.parameter == phase) & np.isin(log.code, (*_SHOWN, *_LOST, _FOUND))
    of_all = (log.code == Code.FLASH_STATUS) & (log.parameter != _NO_FLASH)
    at, code = log.at_ms[of_phase | of_all], log.code[of_phase | of_all]
    order = np.lexsort((code, at))
    at, code = at[order], code[order]
    # A phase becomes inactive in the middle of its red: nothing changes. Out of green or yellow it goes dark.
    idle = np.append(False, (code[1:] == Code.PHASE_INACTIVE) & (code[:-1] == RED))
    at, code = at[~idle[: at.size]], code[~idle[: at.size]]
    begun = np.isin(code, _SHOWN)
    state = np.where(code == _FOUND, GREEN, np.where(begun, code, UNKNOWN)).astype(np.int16)
    return Lamps(at, state, begun)


def cycles(log: EventLog, phase: int, known: Coverage) -> Cycles:
    """The whole cycles of a vehicle phase.

    One counts when begin of green (1), of yellow (8) and of red (10) follow each other with nothing between
    and without a gap; other orders are no cycle (UDOT ATSPM and the `atspm` package leave them out too).
    """
    shown = lamps(log, phase)
    at, state = shown.at_ms, shown.state
    if at.size < 3:
        nothing = np.empty(0, np.int64)
        return Cycles(phase, nothing, nothing, nothing, nothing)
    whole = shown.begun[:-2] & (state[:-2] == GREEN) & (state[1:-1] == YELLOW) & (state[2:] == RED)
    whole &= known.together(at[:-2], at[2:])
    first = np.flatnonzero(whole)
    following = np.minimum(first + 3, at.size - 1)
    closed = (first + 3 < at.size) & known.together(at[first], at[following])
    return Cycles(phase, at[first], at[first + 1], at[first + 2], np.where(closed, at[following], -1))
