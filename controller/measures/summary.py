"""All measures of an intersection over some time, and one line of figures for each phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.highres.log import EventLog
from denxanh.controller.measures.arrivals import Arrivals, arrivals, platoon_ratio
from denxanh.controller.measures.codes import FORCE_OFF, GAP_OUT, MAX_OUT, ON, RED, WALK, YELLOW, stamps
from denxanh.controller.measures.coverage import Coverage, coverage
from denxanh.controller.measures.duties import Duties
from denxanh.controller.measures.entries import Entries, entries
from denxanh.controller.measures.failures import SplitFailures, split_failures
from denxanh.controller.measures.pedestrians import Walks, walks
from denxanh.controller.measures.splits import Splits, splits
from denxanh.controller.measures.terminations import Terminations, terminations
from denxanh.controller.measures.waits import Waits, waits

PERCENTILE = 85
"""Of the split monitor (UDOT ATSPM)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured of one intersection, by phase; a phase that a measure cannot see is absent.

    `since_ms` and `until_ms` are what was asked for; the log and the measures reach a little beyond.
    """

    since_ms: int
    until_ms: int
    log: EventLog
    duties: Duties
    known: Coverage
    terminations: dict[int, Terminations]
    splits: dict[int, Splits]
    failures: dict[int, SplitFailures]
    arrivals: dict[int, Arrivals]
    waits: dict[int, Waits]
    walks: dict[int, Walks]
    entries: dict[int, Entries]

    def within(self, at_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which moments lie in the time that was asked for."""
        inside: NDArray[np.bool_] = (at_ms >= self.since_ms) & (at_ms < self.until_ms)
        return inside

    @property
    def known_s(self) -> float:
        """Seconds of the time asked for of which everything is known."""
        return self.known.known_ms(self.since_ms, self.until_ms) / 1000


@dataclass(frozen=True, slots=True)
class PhaseSummary:
    """One phase's figures; None where there is no detector, or nothing happened.

    Seconds are means but for those with another name; `split_p85_s` is the 85th percentile. Counts are over
    the whole time. `pedestrian_delay_s` and `wait_s` are means, `wait_max_s` of vehicles or of pedestrians.
    """

    phase: int
    group: str
    kind: str
    greens: int
    gap_outs: int
    max_outs: int
    force_offs: int
    green_s: float | None = None
    split_s: float | None = None
    split_p85_s: float | None = None
    volume: int | None = None
    arrivals: int | None = None
    share_on_green: float | None = None
    platoon_ratio: float | None = None
    split_failures: int | None = None
    green_occupancy: float | None = None
    red_occupancy: float | None = None
    yellow_entries: int | None = None
    red_entries: int | None = None
    severe_entries: int | None = None
    wait_s: float | None = None
    wait_max_s: float | None = None
    skips: int | None = None
    pedestrian_calls: int | None = None
    pedestrian_delay_s: float | None = None


def measure(log: EventLog, duties: Duties, since_ms: int, until_ms: int) -> Measured:
    """Every measure of a log.

    Args:
        log: the events, from some minutes before `since_ms` on (`quarters.LEAD_MS`).
        duties: the intersection's.
        since_ms: from when.
        until_ms: until when.
    """
    known = coverage(log)
    return Measured(
        since_ms,
        until_ms,
        log,
        duties,
        known,
        {one.phase: one for one in terminations(log, duties)},
        {one.phase: one for one in splits(log, duties, known)},
        {one.phase: one for one in split_failures(log, duties, known)},
        {one.phase: one for one in arrivals(log, duties, known)},
        {one.phase: one for one in waits(log, duties, known)},
        {one.phase: one for one in walks(log, duties, known)},
        {one.phase: one for one in entries(log, duties, known)},
    )


def summary(found: Measured) -> tuple[PhaseSummary, ...]:
    """One line for each phase, in the order of their numbers."""
    return tuple(
        PhaseSummary(
            phase.number,
            phase.group,
            phase.kind.value,
            **(
                _vehicles(found, phase.number)
                if phase.number in found.terminations
                else _pedestrians(found, phase.number)
            ),
        )
        for phase in found.duties.numbering.phases
    )


def _vehicles(found: Measured, phase: int) -> dict[str, Any]:
    ended, split, wait = found.terminations[phase], found.splits[phase], found.waits[phase]
    whole = found.within(split.at_ms)
    waited = found.within(wait.at_ms)
    figures: dict[str, Any] = {
        "greens": int(whole.sum()),
        "gap_outs": int(found.within(ended.of(GAP_OUT)).sum()),
        "max_outs": int(found.within(ended.of(MAX_OUT)).sum()),
        "force_offs": int(found.within(ended.of(FORCE_OFF)).sum()),
        "green_s": _mean(split.green_s[whole]),
        "split_s": _mean(split.split_s[whole]),
        "split_p85_s": _percentile(split.split_s[whole]),
        "wait_s": _mean(wait.wait_s[waited]),
        "wait_max_s": _most(wait.wait_s[waited]),
        "skips": int(wait.skipped[waited].sum()),
    }
    if channels := found.duties.stop_line_of(phase):
        passed = np.concatenate([stamps(found.log, ON, channel) for channel in channels])
        failed, entered = found.failures[phase], found.entries[phase]
        judged, late = found.within(failed.at_ms), found.within(entered.at_ms)
        figures |= {
            "volume": int(found.within(passed).sum()),
            "split_failures": int(failed.failed[judged].sum()),
            "green_occupancy": _mean(failed.green_occupancy[judged]),
            "red_occupancy": _mean(failed.red_occupancy[judged]),
            "yellow_entries": int((entered.state[late] == YELLOW).sum()),
            "red_entries": int((entered.state[late] == RED).sum()),
            "severe_entries": int(entered.severe[late].sum()),
        }
    if phase in found.arrivals:
        came = found.arrivals[phase]
        there = int(found.within(came.at_ms).sum())
        green = int(found.within(came.on_green).sum())
        ratio = platoon_ratio(came, found.since_ms, found.until_ms)
        figures |= {
            "arrivals": there,
            "share_on_green": green / there if there else None,
            "platoon_ratio": None if np.isnan(ratio) else ratio,
        }
    return figures


def _pedestrians(found: Measured, phase: int) -> dict[str, Any]:
    walked = int(found.within(stamps(found.log, WALK, phase)).sum())
    figures: dict[str, Any] = {"greens": walked, "gap_outs": 0, "max_outs": 0, "force_offs": 0}
    if phase in found.walks:
        walk = found.walks[phase]
        inside = found.within(walk.at_ms)
        figures |= {
            "pedestrian_calls": int(inside.sum()),
            "pedestrian_delay_s": _mean(walk.delay_s[inside]),
            "wait_max_s": _most(walk.delay_s[inside]),
        }
    return figures


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _most(values: NDArray[np.float64]) -> float | None:
    return float(values.max()) if values.size else None


def _percentile(values: NDArray[np.float64]) -> float | None:
    return float(np.percentile(values, PERCENTILE)) if values.size else None
