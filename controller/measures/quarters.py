"""What the store keeps of a log: each phase's measures by quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.arrivals import arrivals
from denxanh.controller.measures.codes import (
    FORCE_OFF,
    GAP_OUT,
    GREEN,
    MAX_OUT,
    ON,
    RED,
    WALK,
    YELLOW,
    stamps,
)
from denxanh.controller.measures.coverage import Coverage, coverage
from denxanh.controller.measures.cycles import lamps
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.entries import entries
from denxanh.controller.measures.failures import split_failures
from denxanh.controller.measures.pedestrians import walks
from denxanh.controller.measures.terminations import terminations
from denxanh.controller.measures.waits import waits

QUARTER_MS = 900_000
LEAD_MS = QUARTER_MS
"""Events before a quarter that its measures need: the cycle and the calls that run when it begins."""
TRAIL_MS = 10_000
"""Events after it: whether a yellow in which it ends (3 to 5 s) becomes red, and so ends a whole cycle."""


@dataclass(frozen=True, slots=True)
class PhaseQuarter:
    """A phase's measures of one quarter of an hour, as the table `quarter_hours` has them.

    None where the street has no detector that could tell. Everything counts in the quarter in which it ended:
    a split failure 5 s after begin of red, an arrival at the stop line, a wait at begin of green.

    Attributes:
        begin_ms: begin of the quarter.
        phase: its number.
        known_s: seconds of the 900 that events cover.
        cycles: greens (pedestrians: walks) that began.
        green_s: time that green (pedestrians: walk) was shown.
        yellow_s: time that yellow was shown.
        gap_outs: greens that ended for want of vehicles.
        max_outs: greens that ended at their longest.
        force_offs: greens that the plan or coordination ended.
        volume: vehicles over the stop line.
        arrivals: vehicles that reached the stop line.
        arrivals_on_green: those that found green.
        split_failures: greens that left a queue behind.
        yellow_entries: vehicles that entered on yellow.
        red_entries: vehicles that entered on red.
        pedestrian_calls: waits of pedestrians who pressed, that ended with a walk.
        pedestrian_delay_s: sum of these waits.
        wait_max_s: longest time from a call to its green.
    """

    begin_ms: int
    phase: int
    known_s: float
    cycles: int
    green_s: float
    yellow_s: float
    gap_outs: int = 0
    max_outs: int = 0
    force_offs: int = 0
    volume: int | None = None
    arrivals: int | None = None
    arrivals_on_green: int | None = None
    split_failures: int | None = None
    yellow_entries: int | None = None
    red_entries: int | None = None
    pedestrian_calls: int | None = None
    pedestrian_delay_s: float | None = None
    wait_max_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Grid:
    """Quarters of an hour from `begin_ms[0]`; events are put into them."""

    begin_ms: NDArray[np.int64]

    @property
    def edges(self) -> NDArray[np.int64]:
        return np.append(self.begin_ms, self.begin_ms[-1] + QUARTER_MS)

    def place(self, at_ms: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which events lie in a quarter, and in which."""
        inside = (at_ms >= self.begin_ms[0]) & (at_ms < self.begin_ms[-1] + QUARTER_MS)
        return inside, (at_ms[inside] - self.begin_ms[0]) // QUARTER_MS

    def count(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(self.place(at_ms)[1], minlength=self.begin_ms.size)

    def total(self, at_ms: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        inside, place = self.place(at_ms)
        sums: NDArray[np.float64] = np.bincount(place, value[inside], self.begin_ms.size).astype(np.float64)
        return sums

    def longest(self, at_ms: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """The largest value; NaN where there is none."""
        inside, place = self.place(at_ms)
        found = np.full(self.begin_ms.size, np.nan)
        np.fmax.at(found, place, value[inside])
        return found

    def lasted_s(self, begin_ms: NDArray[np.int64], end_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds of spans in each quarter."""
        return np.array(
            [
                (np.minimum(end_ms, low + QUARTER_MS) - np.maximum(begin_ms, low)).clip(0).sum() / 1000
                for low in self.begin_ms
            ]
        )


def quarter_of(at_ms: int) -> int:
    """The begin of the quarter in which a moment lies, ms."""
    return at_ms - at_ms % QUARTER_MS


def quarters(log: EventLog, duties: Duties, begin_ms: int, end_ms: int) -> list[PhaseQuarter]:
    """Every phase's measures in each quarter of which anything is known.

    Args:
        log: the events from `LEAD_MS` before `begin_ms` until `TRAIL_MS` after `end_ms`, with the last event
            before and the first one after: they say whether the time between is known. Others change nothing.
        duties: the intersection's.
        begin_ms: begin of the first quarter, a whole quarter.
        end_ms: end of the last.

    Returns:
        By quarter, then by phase.

    Raises:
        ValueError: `begin_ms` or `end_ms` is no whole quarter, or none lies between.
    """
    if begin_ms % QUARTER_MS or end_ms % QUARTER_MS or begin_ms >= end_ms:
        raise ValueError(f"no whole quarters from {begin_ms} until {end_ms}")
    grid = _Grid(np.arange(begin_ms, end_ms, QUARTER_MS, dtype=np.int64))
    known = coverage(log)
    known_s = grid.lasted_s(known.begin_ms, known.end_ms)
    columns = {**_vehicles(log, duties, known, grid), **_pedestrians(log, duties, known, grid)}
    return [
        PhaseQuarter(
            int(begin),
            phase,
            float(known_s[at]),
            **{name: _cell(name, values[at]) for name, values in columns[phase].items()},
        )
        for at, begin in enumerate(grid.begin_ms)
        if known_s[at] > 0
        for phase in sorted(columns)
    ]


_Columns = dict[str, NDArray[Any]]
"""A phase's measures by name, a value for each quarter."""


def _cell(name: str, value: Any) -> Any:
    if np.isnan(value):
        return None
    return round(float(value), 1) if name.endswith("_s") else int(value)


def _vehicles(log: EventLog, duties: Duties, known: Coverage, grid: _Grid) -> dict[int, _Columns]:
    columns: dict[int, _Columns] = {}
    for phase in duties.vehicles:
        columns[phase] = {
            "cycles": grid.count(stamps(log, GREEN, phase)),
            "green_s": grid.lasted_s(*lamps(log, phase).spans(GREEN, known)),
            "yellow_s": grid.lasted_s(*lamps(log, phase).spans(YELLOW, known)),
        }
        if channels := duties.stop_line_of(phase):
            passed = np.concatenate([stamps(log, ON, channel) for channel in channels])
            columns[phase]["volume"] = grid.count(passed)
    for ended in terminations(log, duties):
        for name, reason in (("gap_outs", GAP_OUT), ("max_outs", MAX_OUT), ("force_offs", FORCE_OFF)):
            columns[ended.phase][name] = grid.count(ended.of(reason))
    for came in arrivals(log, duties, known):
        columns[came.phase]["arrivals"] = grid.count(came.at_ms)
        columns[came.phase]["arrivals_on_green"] = grid.count(came.on_green)
    for left in split_failures(log, duties, known):
        columns[left.phase]["split_failures"] = grid.count(left.at_ms[left.failed])
    for entered in entries(log, duties, known):
        columns[entered.phase]["yellow_entries"] = grid.count(entered.at_ms[entered.state == YELLOW])
        columns[entered.phase]["red_entries"] = grid.count(entered.at_ms[entered.state == RED])
    for waited in waits(log, duties, known):
        columns[waited.phase]["wait_max_s"] = grid.longest(waited.at_ms, waited.wait_s)
    return columns


def _pedestrians(log: EventLog, duties: Duties, known: Coverage, grid: _Grid) -> dict[int, _Columns]:
    columns: dict[int, _Columns] = {}
    for phase in duties.pedestrians:
        columns[phase] = {
            "cycles": grid.count(stamps(log, WALK, phase)),
            "green_s": grid.lasted_s(*lamps(log, phase).spans(WALK, known)),
            "yellow_s": np.zeros(grid.begin_ms.size),
        }
    for walked in walks(log, duties, known):
        columns[walked.phase]["pedestrian_calls"] = grid.count(walked.at_ms)
        columns[walked.phase]["pedestrian_delay_s"] = grid.total(walked.at_ms, walked.delay_s)
        columns[walked.phase]["wait_max_s"] = grid.longest(walked.at_ms, walked.delay_s)
    return columns
