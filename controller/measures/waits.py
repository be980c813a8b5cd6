"""How long called phases waited for their green, and which were passed over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import CALL, CALL_DROPPED, CYCLE, GREEN, YELLOW, select
from denxanh.controller.measures.coverage import Coverage, standing
from denxanh.controller.measures.duties import Duties

SKIP_CYCLES = 1.5
"""A wait beyond so many cycles means that the phase was skipped (`atspm` package, "phase wait")."""
ASSUMED_CYCLE_S = 140
"""The cycle where no plan runs, s (the `atspm` package's assumption for free operation)."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits of one phase; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: begin of the green that ended the wait.
        wait_s: since the call, or since the end of the green before where the call had stood on.
        skipped: whether it was longer than 1.5 cycles.
    """

    phase: int
    at_ms: NDArray[np.int64]
    wait_s: NDArray[np.float64]
    skipped: NDArray[np.bool_]


def waits(log: EventLog, duties: Duties, known: Coverage) -> tuple[Waits, ...]:
    """Waits of every vehicle phase.

    From a call (43) to the next begin of green (1) unless it was dropped (44) before; and from the end of a
    green (8) to the next, where the call was not dropped meanwhile. Waits across a gap are left out.
    """
    return tuple(_of(log, phase, known) for phase in duties.vehicles)


def _of(log: EventLog, phase: int, known: Coverage) -> Waits:
    at, code = select(log, (GREEN, YELLOW, CALL, CALL_DROPPED), phase)
    calls = np.isin(code, (CALL, CALL_DROPPED))
    last_call = np.maximum.accumulate(np.where(calls, np.arange(code.size), -1)) if code.size else calls
    called = calls if not code.size else (last_call >= 0) & (code[last_call] == CALL)
    if code.size:
        called &= known.together(at[last_call], at)
    begun = (code == CALL) | ((code == YELLOW) & called)
    ended = np.flatnonzero(begun[:-1] & (code[1:] == GREEN)) + 1
    ended = ended[known.together(at[ended - 1], at[ended])]
    wait_ms = at[ended] - at[ended - 1]
    cycle_ms = np.maximum(_cycle_ms(log, at[ended - 1], known), _cycle_ms(log, at[ended], known))
    return Waits(phase, at[ended], wait_ms / 1000, wait_ms > SKIP_CYCLES * cycle_ms)


def _cycle_ms(log: EventLog, at_ms: NDArray[np.int64], known: Coverage) -> NDArray[np.int64]:
    """The plan's cycle at each moment (132); the assumed one where none is known."""
    told = standing(log, CYCLE, at_ms, known, 0)
    return np.where(told > 0, told, ASSUMED_CYCLE_S) * 1000
