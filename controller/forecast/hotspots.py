"""Where traffic waited most in a period: approaches and intersections in their order, with what was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from denxanh.controller.forecast.congestion import CONGESTED_FILLING
from denxanh.controller.forecast.panel import Panel, trailing

LEAST_SHARE = 0.5
"""A place of which less is known than this share of the best known one is told, but not ranked (assumed)."""


@dataclass(frozen=True, slots=True)
class Hotspot:
    """One approach, or a whole intersection (`approach` empty), over the known minutes of a period.

    `queue_pcu_h`: queue summed over time, which is the waiting itself; not extrapolated to what is unknown.
    `congested_min`: minutes of which the last `WINDOW_MIN` were congested; of an intersection: any approach
    was. `coverage`: share of the period's minutes that is known, 0..1. `worst_pcu`: its fullest minute.
    `rank` counts from 1; None where far less is known of the place than of others (`LEAST_SHARE`).
    """

    intersection: str
    approach: str
    queue_pcu_h: float
    congested_min: int
    worst_pcu: float
    coverage: float
    rank: int | None = None


def by_approach(panel: Panel) -> tuple[Hotspot, ...]:
    """Every approach, the one with the most waiting per known hour first."""
    congested = _congested(panel)
    known = np.isfinite(panel.queue)
    found = []
    for column, one in enumerate(panel.approaches):
        queue = panel.queue[known[:, column], column]
        found.append(
            Hotspot(
                one.intersection,
                one.approach,
                float(queue.sum()) / 60.0,
                int(congested[:, column].sum()),
                float(queue.max()) if queue.size else 0.0,
                queue.size / panel.minutes if panel.minutes else 0.0,
            )
        )
    return ranked(found)


def by_intersection(panel: Panel) -> tuple[Hotspot, ...]:
    """Every intersection likewise; a minute is known where all its approaches are."""
    congested = _congested(panel)
    columns: dict[str, list[int]] = {}
    for column, one in enumerate(panel.approaches):
        columns.setdefault(one.intersection, []).append(column)
    found = []
    for name, own in columns.items():
        queue = panel.queue[:, own].sum(axis=1)
        queue = queue[np.isfinite(queue)]
        found.append(
            Hotspot(
                name,
                "",
                float(queue.sum()) / 60.0,
                int(congested[:, own].any(axis=1).sum()),
                float(queue.max()) if queue.size else 0.0,
                queue.size / panel.minutes if panel.minutes else 0.0,
            )
        )
    return ranked(found)


def ranked(places: Iterable[Hotspot]) -> tuple[Hotspot, ...]:
    """In order: the most waiting per known hour first; places that are hardly known come last, unranked."""
    found = list(places)
    least = LEAST_SHARE * max((one.coverage for one in found), default=0.0)

    def key(one: Hotspot) -> tuple[bool, float, int, str, str]:
        waiting = one.queue_pcu_h / one.coverage if one.coverage else 0.0
        hardly = not one.coverage or one.coverage < least
        return hardly, -waiting, -one.congested_min, one.intersection, one.approach

    order = sorted(found, key=key)
    return tuple(
        replace(one, rank=None if key(one)[0] else place) for place, one in enumerate(order, start=1)
    )


def _congested(panel: Panel) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray(trailing(panel.queue) / panel.storage >= CONGESTED_FILLING)
