"""Why greens ended: gap out, max out, force off (Purdue phase termination)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import FORCE_OFF, GAP_OUT, MAX_OUT, select
from denxanh.controller.measures.duties import Duties


@dataclass(frozen=True, slots=True)
class Terminations:
    """Ends of one phase's greens: when, and one of `GAP_OUT`, `MAX_OUT`, `FORCE_OFF`."""

    phase: int
    at_ms: NDArray[np.int64]
    reason: NDArray[np.int16]

    def of(self, reason: int) -> NDArray[np.int64]:
        """When a green ended for this reason."""
        found: NDArray[np.int64] = self.at_ms[self.reason == reason]
        return found


def terminations(log: EventLog, duties: Duties) -> tuple[Terminations, ...]:
    """Events 4, 5 and 6 of every vehicle phase (UDOT ATSPM, "Purdue Phase Termination")."""
    return tuple(
        Terminations(phase, *select(log, (GAP_OUT, MAX_OUT, FORCE_OFF), phase)) for phase in duties.vehicles
    )
