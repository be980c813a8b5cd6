"""Like with like: two times are compared in the hours of the day, day types and intersections that both know.

A month of which only the peaks are known must not look worse than one that was seen whole. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from denxanh.controller.centre.desk.comparison import LEAST_MINUTES
from denxanh.controller.centre.indicators.hours import Hour
from denxanh.networks.model import Schedule
from denxanh.networks.schedule import day_type

LANE_HOUR_S = 3600.0
LEAST_LANE_S = LEAST_MINUTES * 60
"""Trusted lane-seconds of each side below which a cell does not count."""

Amount = Callable[[Hour], float]
"""What of an hour is compared."""
Cell = tuple[str, str, int]
"""Intersection, day type, local hour of the day."""


@dataclass(frozen=True, slots=True)
class Change:
    """An amount per trusted lane-hour at two times, over the cells that both know, weighted as now."""

    now: float
    then: float
    cells: int
    share: float
    """Of the trusted lane-hours of now that lie in such cells, 0..1."""

    @property
    def reduction_percent(self) -> float | None:
        """How much less it is now, %; None where there was nothing to reduce."""
        return None if self.then <= 0 else 100 * (1 - self.now / self.then)


def level(hours: Iterable[Hour], amount: Amount) -> float | None:
    """An amount per trusted lane-hour; None where nothing was trusted."""
    total = trusted = 0.0
    for one in hours:
        total += amount(one)
        trusted += one.trusted_s
    return LANE_HOUR_S * total / trusted if trusted else None


def change(now: Iterable[Hour], then: Iterable[Hour], schedule: Schedule, amount: Amount) -> Change | None:
    """How an amount per trusted lane-hour has changed; None where no cell is known at both times."""
    present, past = _cells(now, schedule, amount), _cells(then, schedule, amount)
    common = [cell for cell in present if cell in past]
    weights = {cell: present[cell][1] for cell in common}
    weight = sum(weights.values())
    if not weight:
        return None
    whole = sum(trusted for _, trusted in present.values())
    return Change(
        now=_mean(present, weights),
        then=_mean(past, weights),
        cells=len(common),
        share=weight / whole,
    )


def _cells(hours: Iterable[Hour], schedule: Schedule, amount: Amount) -> dict[Cell, tuple[float, float]]:
    """Amount and trusted lane-seconds of each cell that has enough of them."""
    sums: dict[Cell, list[float]] = defaultdict(lambda: [0.0, 0.0])
    kinds: dict[str, str] = {}
    for one in hours:
        when = one.when
        day = when.date().isoformat()
        if day not in kinds:
            kinds[day] = day_type(schedule, day)
        cell = sums[one.intersection, kinds[day], when.hour]
        cell[0] += amount(one)
        cell[1] += one.trusted_s
    return {cell: (total, trusted) for cell, (total, trusted) in sums.items() if trusted >= LEAST_LANE_S}


def _mean(cells: Mapping[Cell, tuple[float, float]], weights: Mapping[Cell, float]) -> float:
    rates = {cell: cells[cell][0] / cells[cell][1] for cell in weights}
    return LANE_HOUR_S * sum(weights[cell] * rates[cell] for cell in weights) / sum(weights.values())
