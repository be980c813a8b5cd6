"""Arrivals on green and the Purdue coordination diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.codes import GREEN, ON, stamps
from denxanh.controller.measures.coverage import Coverage
from denxanh.controller.measures.cycles import UNKNOWN, Cycles, cycles, lamps
from denxanh.controller.measures.duties import Duties


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Vehicles that came to the stop line of one phase with advance loops; arrays of one length.

    Attributes:
        phase: its number.
        at_ms: when they passed the loop, plus the way from there to the stop line at an assumed speed.
        state: what the phase showed then: `GREEN`, `YELLOW`, `RED`; vehicles of unknown times are left out.
        cycles: the phase's cycles, the diagram's background.
    """

    phase: int
    at_ms: NDArray[np.int64]
    state: NDArray[np.int16]
    cycles: Cycles

    @property
    def on_green(self) -> NDArray[np.int64]:
        """When a vehicle arrived on green."""
        found: NDArray[np.int64] = self.at_ms[self.state == GREEN]
        return found

    @property
    def share_on_green(self) -> float:
        """Percent arrivals on green as a share in [0, 1]; NaN without arrivals."""
        return self.on_green.size / self.at_ms.size if self.at_ms.size else float("nan")

    @property
    def in_cycle(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Each arrival's cycle (-1: in none that is whole) and the seconds since its begin of green."""
        if not len(self.cycles):
            return np.full(self.at_ms.shape, -1), np.full(self.at_ms.shape, np.nan)
        place = np.searchsorted(self.cycles.green_ms, self.at_ms, side="right") - 1
        inside = (place >= 0) & (self.at_ms < self.cycles.end_ms[place])
        seconds = (self.at_ms - self.cycles.green_ms[place]) / 1000
        return np.where(inside, place, -1), np.where(inside, seconds, np.nan)


def arrivals(log: EventLog, duties: Duties, known: Coverage) -> tuple[Arrivals, ...]:
    """Arrivals of every phase with advance loops (Day et al. 2010; UDOT ATSPM)."""
    return tuple(_of(log, phase, duties, known) for phase in duties.vehicles if duties.advance_of(phase))


def _of(log: EventLog, phase: int, duties: Duties, known: Coverage) -> Arrivals:
    came = np.sort(
        np.concatenate([stamps(log, ON, loop.channel) + loop.delay_ms for loop in duties.advance_of(phase)])
    )
    state = lamps(log, phase).at(came, known)
    sure = state != UNKNOWN
    return Arrivals(phase, came[sure], state[sure], cycles(log, phase, known))


def platoon_ratio(found: Arrivals, since_ms: int, until_ms: int) -> float:
    """Arrivals on green by the green's share of the cycle (HCM: 1 = random arrivals); NaN if unknown.

    Over whole cycles that begin in the time given, so that both shares are of the same time.
    """
    every = found.cycles
    whole = (every.end_ms >= 0) & (every.green_ms >= since_ms) & (every.green_ms < until_ms)
    length = (every.end_ms - every.green_ms)[whole].sum()
    green = (every.yellow_ms - every.green_ms)[whole].sum()
    place, _ = found.in_cycle
    inside = (place >= 0) & (whole[place] if whole.size else False)
    if not green or not inside.any():
        return float("nan")
    return float((found.state[inside] == GREEN).mean() / (green / length))
