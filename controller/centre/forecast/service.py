"""What the running centre tells: forecasts and warnings, computed once a minute for all readers."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denxanh.controller.centre.forecast import reading
from denxanh.controller.centre.store.archive import Store
from denxanh.controller.forecast import fitfile
from denxanh.controller.forecast.fitfile import Kept
from denxanh.controller.forecast.now import LOOK_BACK_MIN, Outlook, outlook
from denxanh.controller.forecast.panel import MINUTE_MS, Panel, approaches
from denxanh.controller.forecast.warning import TrafficWarning, warnings
from denxanh.errors import ModelError
from denxanh.networks.model import Corridor

SLACK_MIN = 5
"""The newest minutes may not be stored yet."""
WARNING_MS = 60 * MINUTE_MS
"""Warnings are looked for in the last hour."""


@dataclass(frozen=True, slots=True)
class Told:
    """`end_ms`: end of the newest minute with data, None: there is none. `trouble`: why there is no fit."""

    end_ms: int | None
    outlooks: tuple[Outlook, ...]
    fit: Kept | None
    trouble: ModelError | None


class Forecasts:
    """Forecasts and warnings of one site.

    Args:
        store: what is known.
        corridor: with the site's overrides.
        path: the fit; it may come, change and go while the centre runs.
    """

    def __init__(self, store: Store, corridor: Corridor, path: Path) -> None:
        self._store, self._corridor, self._path = store, corridor, path
        self._lock = threading.Lock()
        self._read: tuple[object, Kept | ModelError] | None = None
        self._told: tuple[tuple[object, int], Told] | None = None
        self._warned: tuple[tuple[object, int], tuple[TrafficWarning, ...] | None] | None = None

    def told(self, now_ms: int) -> Told:
        """Levels and forecasts at a moment of the site's clock.

        Raises:
            StoreError: the database does not answer.
        """
        with self._lock:
            fit = self._fit()
            key = (fit, now_ms // MINUTE_MS)
            if self._told is None or self._told[0] != key:
                self._told = key, self._tell(fit, now_ms)
            return self._told[1]

    def warned(self, now_ms: int) -> tuple[TrafficWarning, ...] | None:
        """Warnings of the last hour; None: what lanes usually let go is not known, so nothing can be said.

        Raises:
            StoreError: the database does not answer.
        """
        with self._lock:
            fit = self._fit()
            key = (fit, now_ms // MINUTE_MS)
            if self._warned is None or self._warned[0] != key:
                self._warned = key, self._warn(fit, now_ms)
            return self._warned[1]

    def _fit(self) -> Kept | ModelError:
        try:
            state = self._path.stat()
            mark: object = (state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError:
            mark = None
        if self._read is None or self._read[0] != mark:
            try:
                found: Kept | ModelError = fitfile.load(
                    self._path, self._corridor.id, approaches(self._corridor)
                )
            except ModelError as error:
                found = error
            self._read = mark, found
        return self._read[1]

    def _tell(self, fit: Kept | ModelError, now_ms: int) -> Told:
        look_ms = (LOOK_BACK_MIN + SLACK_MIN) * MINUTE_MS
        seen = _ended(reading.queues(self._store, self._corridor, now_ms - look_ms, now_ms))
        kept = fit if isinstance(fit, Kept) else None
        weights = None if kept is None else kept.fitted.weights
        told = outlook(weights, seen, self._corridor.schedule, now_ms)
        return Told(
            seen.end_ms if seen.minutes else None, told, kept, fit if isinstance(fit, ModelError) else None
        )

    def _warn(self, fit: Kept | ModelError, now_ms: int) -> tuple[TrafficWarning, ...] | None:
        if not isinstance(fit, Kept) or not fit.discharge:
            return None
        found: list[TrafficWarning] = []
        for one in self._corridor.intersections:
            usual = fit.discharge.get(one.id)
            if usual is not None and len(usual) == len(one.lanes):
                lanes = reading.history(
                    self._store, one, now_ms - WARNING_MS, now_ms, self._corridor.pcu_per_vehicle
                )
                found += warnings(lanes, np.array(usual))
        return tuple(sorted(found, key=lambda each: (each.raised_ms, each.intersection, each.approach)))


def _ended(panel: Panel) -> Panel:
    """Without the minutes at the end that nobody knows of."""
    known = np.flatnonzero(np.isfinite(panel.queue).any(axis=1))
    return Panel(panel.approaches, panel.begin_ms, panel.queue[: known[-1] + 1 if known.size else 0])
