"""Adaptive against fixed control by day: how much waiting differs, and how sure that is. Pure.

The measure is the mean queue (pcu): over an hour it is the delay itself, pcu-hours per hour. Only equal hours
of equal day types at the same intersection are compared. The days are what varies: a bootstrap draws days
anew, adaptive and fixed ones apart, within each day type, so that hours of one day are not taken for
independent.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.centre.desk.comparison import LEAST_CELLS, LEAST_DAYS, Control, sign_test
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.controller.centre.indicators.matching import LEAST_LANE_S
from denxanh.networks.model import Schedule
from denxanh.networks.schedule import day_type

PURE_SHARE = 0.9
"""Of an hour's known time that one kind of control must have to stand for it (assumed)."""
LEAST_KNOWN_S = 300.0
"""Known seconds below which an hour of a day stands for nothing (assumed: some cycles)."""
LEAST_CELL_DAYS = 2
"""Days of each kind in a cell that counts: one day says nothing about how days differ."""
DRAWS = 2000
"""Of the bootstrap: the interval's ends then vary by about a twentieth of its width."""
SEED = 20_260_101
"""Fixed, so that the same data always give the same report."""
CONFIDENCE = 0.95

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DayControl:
    """One local date; `control` is None where no kind alone was in charge; the mean queue, pcu."""

    date: str
    control: Control | None
    queue_pcu: float
    lane_hours: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What was found; `percent` < 0: less waiting under adaptive control. Observed, not drawn by lot."""

    percent: float
    low: float
    high: float
    """Ends of the `CONFIDENCE` interval, %."""
    adaptive_pcu: float
    fixed_pcu: float
    """Mean queue of an intersection over the comparable hours."""
    cells: int
    p_value: float
    """Of the sign test over the cells."""
    adaptive_days: int
    fixed_days: int
    enough: bool
    """Whether there are as many cells and days as a conclusion needs."""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero and there is enough to conclude from."""
        return self.enough and (self.high < 0 or self.low > 0)


def control_of(hour: Hour) -> Control | None:
    """Which kind of control stands for an hour; None: no kind, or too little is known."""
    known = hour.known_s
    if known < LEAST_KNOWN_S:
        return None
    if hour.adaptive_s >= PURE_SHARE * known:
        return Control.ADAPTIVE
    if hour.plan_s + hour.local_s >= PURE_SHARE * known:
        return Control.FIXED
    return None


def effect(hours: Iterable[Hour], schedule: Schedule) -> Effect | None:
    """Compare the two kinds of control; None where no hour has both, or nobody waited under fixed control."""
    kinds: dict[str, str] = {}
    sums: dict[Control, dict[tuple[str, str, int], dict[str, list[float]]]] = {
        kind: defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
        for kind in (Control.ADAPTIVE, Control.FIXED)
    }
    for one in hours:
        control = control_of(one)
        if control is None or one.trusted_s < LEAST_LANE_S:
            continue
        when = one.when
        day = when.date().isoformat()
        kind = kinds.setdefault(day, day_type(schedule, day))
        cell = sums[control][one.intersection, kind, when.hour][day]
        # The mean queue of the whole intersection: of its lanes, the mean lane's times how many.
        cell[0] += one.queued_pcu_s / one.trusted_s * one.lanes
        cell[1] += 1
    seen = set(sums[Control.ADAPTIVE]) & set(sums[Control.FIXED])
    cells = sorted(cell for cell in seen if all(len(side[cell]) >= LEAST_CELL_DAYS for side in sums.values()))
    if not cells:
        return None
    adaptive = _Side([sums[Control.ADAPTIVE][cell] for cell in cells], kinds)
    fixed = _Side([sums[Control.FIXED][cell] for cell in cells], kinds)
    means = adaptive.means(), fixed.means()
    random = np.random.default_rng(SEED)
    percent = float(_percent(*means)[0])
    drawn = _percent(adaptive.drawn(random), fixed.drawn(random))
    drawn = drawn[np.isfinite(drawn)]
    if not math.isfinite(percent) or not drawn.size:
        return None
    wide = max(adaptive.widening, fixed.widening)
    low, high = percent + wide * (np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]) - percent)
    return Effect(
        percent=percent,
        low=float(low),
        high=float(high),
        adaptive_pcu=float(np.mean(means[0])),
        fixed_pcu=float(np.mean(means[1])),
        cells=len(cells),
        p_value=sign_test((means[0] - means[1])[0].tolist()),
        adaptive_days=len(adaptive.days),
        fixed_days=len(fixed.days),
        enough=len(cells) >= LEAST_CELLS and min(len(adaptive.days), len(fixed.days)) >= LEAST_DAYS,
    )


def days(hours: Iterable[Hour]) -> tuple[DayControl, ...]:
    """Each local date with data: who was in charge all day, and the mean queue of an intersection."""
    known: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    queue: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for one in hours:
        day = one.when.date().isoformat()
        for index, seconds in enumerate((one.adaptive_s, one.plan_s + one.local_s, one.known_s)):
            known[day][index] += seconds
        if one.trusted_s:
            for index, value in enumerate((one.queued_pcu_s / one.trusted_s * one.lanes, 1.0, one.trusted_s)):
                queue[day][index] += value
    found = []
    for day, (total, count, trusted_s) in sorted(queue.items()):
        adaptive, fixed, whole = known[day]
        control = None
        if whole and adaptive >= PURE_SHARE * whole:
            control = Control.ADAPTIVE
        elif whole and fixed >= PURE_SHARE * whole:
            control = Control.FIXED
        found.append(DayControl(day, control, total / count, trusted_s / 3600))
    return tuple(found)


class _Side:
    """One kind of control: sums and counts of each day in each cell."""

    def __init__(self, cells: Sequence[dict[str, list[float]]], kinds: dict[str, str]) -> None:
        self.days = sorted({day for cell in cells for day in cell})
        place = {day: index for index, day in enumerate(self.days)}
        self._sums = np.zeros((len(self.days), len(cells)))
        self._counts = np.zeros_like(self._sums)
        for column, cell in enumerate(cells):
            for day, (total, count) in cell.items():
                self._sums[place[day], column] = total
                self._counts[place[day], column] = count
        self._strata: dict[str, list[int]] = defaultdict(list)
        for day in self.days:
            self._strata[kinds[day]].append(place[day])

    @property
    def widening(self) -> float:
        """√(n/(n-1)) of the day type with the fewest days: draws of n show that much too little spread."""
        fewest = min(len(rows) for rows in self._strata.values())
        return math.sqrt(fewest / max(1, fewest - 1))

    def means(self) -> _Floats:
        """The mean queue of each cell, one row."""
        return self._means(np.ones((1, len(self.days))))

    def drawn(self, random: np.random.Generator) -> _Floats:
        """The same of `DRAWS` drawings of days, one row each; NaN where a cell had none of its days drawn."""
        weights = np.zeros((DRAWS, len(self.days)))
        for rows in self._strata.values():
            weights[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=DRAWS)
        return self._means(weights)

    def _means(self, weights: _Floats) -> _Floats:
        counts = weights @ self._counts
        means: _Floats = np.where(counts > 0, weights @ self._sums, np.nan) / np.where(counts > 0, counts, 1)
        return means


def _percent(adaptive: _Floats, fixed: _Floats) -> _Floats:
    """Adaptive minus fixed, of fixed, %, over the cells that both know, each with the same weight."""
    both = ~(np.isnan(adaptive) | np.isnan(fixed))
    one, other = (np.where(both, side, 0.0).sum(axis=1) for side in (adaptive, fixed))
    percent: _Floats = np.where(other > 0, 100 * (one - other) / np.where(other > 0, other, 1), np.nan)
    return percent
