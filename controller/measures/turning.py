"""Turning counts: vehicles over the stop line by movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import ON, stamps
from denxanh.controller.measures.duties import Duties
from denxanh.networks.model import Turn


@dataclass(frozen=True, slots=True)
class TurnCount:
    """Vehicles of one phase's turns in each quarter of an hour.

    Attributes:
        phase: its number.
        turns: the movements that its signal lets go.
        counted: whether every vehicle was counted as such; else shares of mixed lanes are assumed.
        vehicles: float64, one for each quarter; a whole number where it was counted.
    """

    phase: int
    turns: tuple[Turn, ...]
    counted: bool
    vehicles: NDArray[np.float64]


def turn_counts(log: EventLog, duties: Duties, quarters: NDArray[np.int64]) -> tuple[TurnCount, ...]:
    """Turning movement counts of every phase with stop-line loops (UDOT ATSPM).

    Args:
        log: the events.
        duties: whose.
        quarters: begins of quarters and the end of the last, ms, rising: one more than there are counts.
    """
    passed = {
        loop.channel: np.histogram(stamps(log, ON, loop.channel), quarters)[0] for loop in duties.stop_line
    }
    counts = []
    for phase in duties.vehicles:
        parts = [part for part in duties.movements if part.phase == phase]
        if parts:
            turns = tuple(dict.fromkeys(turn for part in parts for turn in part.turns))
            vehicles = sum((passed[part.channel] * part.share for part in parts), np.zeros(len(quarters) - 1))
            counts.append(TurnCount(phase, turns, all(part.share >= 1 for part in parts), vehicles))
    return tuple(counts)
