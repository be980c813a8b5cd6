"""Fitting from the store: the forecast, and what each lane usually lets go."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from denxanh.controller.centre.forecast import reading
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.forecast.fit import MAX_DAYS, fit
from denxanh.controller.forecast.fitfile import Kept
from denxanh.controller.forecast.warning import usual_discharge
from denxanh.errors import ReportError
from denxanh.networks.model import Corridor

DAY_MS = 86_400_000
DISCHARGE_MS = 7 * DAY_MS
"""What a lane usually lets go is learned from so much, at the end of the period (assumed)."""


def from_store(store: Store, corridor: Corridor, since_ms: int | None, until_ms: int | None) -> Kept:
    """Fit on what is stored between two times; by default on the newest `MAX_DAYS` days.

    Raises:
        ReportError: there is too little data, or the period is too long.
        StoreError: the database does not answer.
    """
    extent = reading.extent(store)
    if extent is None:
        raise ReportError(
            "nothing is stored yet", where=store.name, fix="let the centre record some days first"
        )
    end_ms = extent[1] if until_ms is None else min(until_ms, extent[1])
    begin_ms = max(extent[0], end_ms - MAX_DAYS * DAY_MS if since_ms is None else since_ms)
    fitted = fit(reading.queues(store, corridor, begin_ms, end_ms), corridor.schedule)
    return Kept(fitted, _discharge(store, corridor, max(begin_ms, end_ms - DISCHARGE_MS), end_ms))


def _discharge(
    store: Store, corridor: Corridor, begin_ms: int, end_ms: int
) -> Mapping[str, tuple[float, ...]]:
    """Usual departures of lanes (pcu per second of green); intersections without events are left out."""
    found = {}
    for one in corridor.intersections:
        lanes = reading.history(store, one, begin_ms, end_ms, corridor.pcu_per_vehicle)
        usual = usual_discharge(lanes)
        if np.isfinite(usual).all():
            found[one.id] = tuple(float(rate) for rate in usual)
    return found
