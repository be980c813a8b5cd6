"""How long pedestrians who pressed a button waited for their walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import CLEARANCE, PED_CALL, WALK, select
from denxanh.controller.measures.coverage import Coverage
from denxanh.controller.measures.duties import Duties


@dataclass(frozen=True, slots=True)
class Walks:
    """One pedestrian phase's calls that were served; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: begin of the walk.
        delay_s: since the first press after the walk before.
    """

    phase: int
    at_ms: NDArray[np.int64]
    delay_s: NDArray[np.float64]


def walks(log: EventLog, duties: Duties, known: Coverage) -> tuple[Walks, ...]:
    """Pedestrian delay of every phase with a button (UDOT ATSPM, "Pedestrian Delay").

    From the first call (45) after a walk has ended (22) until the next begins (21). Later presses are the
    same wait; a press during the walk waits for nothing. Who crosses without pressing is not seen.
    """
    phases = sorted({button.phase for button in duties.buttons})
    return tuple(_of(log, phase, known) for phase in phases)


def _of(log: EventLog, phase: int, known: Coverage) -> Walks:
    at, code = select(log, (WALK, CLEARANCE, PED_CALL), phase)
    pressed = np.flatnonzero(code == PED_CALL)
    before = np.where(pressed > 0, code[np.maximum(pressed - 1, 0)], CLEARANCE)
    # After a gap nobody knows whether an earlier press waits already; the first one seen counts.
    fresh = (pressed > 0) & ~known.together(at[np.maximum(pressed - 1, 0)], at[pressed])
    first = pressed[(before == CLEARANCE) | fresh]
    begins = at[code == WALK]
    place = np.searchsorted(begins, at[first], side="left")
    served = place < begins.size
    walk_ms = begins[place[served]]
    pressed_ms = at[first[served]]
    sure = known.together(pressed_ms, walk_ms)
    return Walks(phase, walk_ms[sure], (walk_ms - pressed_ms)[sure] / 1000)
