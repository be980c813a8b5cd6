"""The event codes that measures are made of, and how to pick events out of a log."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.log import EventLog

GREEN: Final = int(Code.BEGIN_GREEN)
YELLOW: Final = int(Code.BEGIN_YELLOW)
RED: Final = int(Code.BEGIN_RED_CLEARANCE)
RED_CLEARED: Final = int(Code.END_RED_CLEARANCE)
GAP_OUT: Final = int(Code.GAP_OUT)
MAX_OUT: Final = int(Code.MAX_OUT)
FORCE_OFF: Final = int(Code.FORCE_OFF)
WALK: Final = int(Code.BEGIN_WALK)
CLEARANCE: Final = int(Code.BEGIN_PED_CLEARANCE)
DONT_WALK: Final = int(Code.BEGIN_DONT_WALK)
CALL: Final = int(Code.CALL_REGISTERED)
CALL_DROPPED: Final = int(Code.CALL_DROPPED)
PED_CALL: Final = int(Code.PED_CALL_REGISTERED)
OFF: Final = int(Code.DETECTOR_OFF)
ON: Final = int(Code.DETECTOR_ON)
RESTORED: Final = int(Code.DETECTOR_RESTORED)
FAULTS: Final = tuple(range(int(Code.DETECTOR_FAULT_OTHER), int(Code.DETECTOR_FAULT_EXCESSIVE) + 1))
PRESS: Final = int(Code.PED_DETECTOR_ON)
CYCLE: Final = int(Code.CYCLE_CHANGE)


def select(
    log: EventLog, codes: tuple[int, ...], parameter: int
) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """Stamps and codes of one parameter's events; those of one stamp in the order of their codes.

    Within a tenth of a second the order is a convention, the one that ATSPM software uses: a green begins
    before the call that it ends is dropped, and before the vehicle that arrives in the same tenth.
    """
    at = log.parameter == parameter
    at &= np.isin(log.code, codes)
    stamps, found = log.at_ms[at], log.code[at]
    order = np.lexsort((found, stamps))
    return stamps[order], found[order]


def stamps(log: EventLog, code: int, parameter: int) -> NDArray[np.int64]:
    """When an event happened."""
    found: NDArray[np.int64] = log.at_ms[(log.code == code) & (log.parameter == parameter)]
    return found
