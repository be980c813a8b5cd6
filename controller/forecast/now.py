"""What is told at one moment: each approach's level, and its forecasts or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from denxanh.controller.forecast.congestion import WINDOW_MIN, Level, filling, level
from denxanh.controller.forecast.model import HORIZONS_MIN, LONG_MIN, Weights, predict
from denxanh.controller.forecast.panel import MINUTE_MS, Approach, Panel, trailing
from denxanh.errors import ModelError
from denxanh.networks.model import Schedule

LOOK_BACK_MIN = LONG_MIN + WINDOW_MIN
"""A panel of so many minutes is enough for a forecast."""
STALE_MS = 3 * MINUTE_MS
"""Data whose newest minute ended longer ago are stale: nothing is forecast (assumed)."""


class Refusal(StrEnum):
    """Why there is no forecast. Stable: pages and the API name these."""

    NO_FIT = "no-fit"
    """Nothing was fitted yet, or the fit is not for this corridor."""
    STALE = "stale"
    """The newest trusted minute is too old."""
    GAPS = "gaps"
    """Too few trusted minutes in the last quarter of an hour."""
    NO_PROFILE = "no-profile"
    """Too few days of this type were seen at this time of the day."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Mean queue of the `WINDOW_MIN` minutes that end at `at_ms`; the interval holds four times in five."""

    horizon_min: int
    at_ms: int
    queue_pcu: float
    low_pcu: float
    high_pcu: float
    profile_pcu: float
    level: Level


@dataclass(frozen=True, slots=True)
class Outlook:
    """One approach. `queue_pcu` is the mean of the last `WINDOW_MIN` minutes, None where not known."""

    approach: Approach
    queue_pcu: float | None
    level: Level
    refusal: Refusal | None
    ahead: tuple[Ahead, ...]


def outlook(weights: Weights | None, panel: Panel, schedule: Schedule, now_ms: int) -> tuple[Outlook, ...]:
    """Level and forecast of each approach of a panel, from its last minute on.

    Args:
        weights: what was fitted; None: nothing.
        panel: at least `LOOK_BACK_MIN` minutes for a forecast, ending with the newest whole minute.
        schedule: says what type of day it is.
        now_ms: the site's clock.

    Raises:
        ModelError: the fit is for other approaches.
    """
    if weights is not None and weights.approaches != panel.approaches:
        raise ModelError("was fitted for other approaches", where="forecast", fix="fit anew")
    fresh = now_ms - panel.end_ms < STALE_MS
    recent = trailing(panel.queue)[-1] if panel.minutes else np.full(len(panel.approaches), np.nan)
    told = None
    if weights is not None and panel.minutes:
        told = predict(weights, panel, schedule)
    found = []
    for column, one in enumerate(panel.approaches):
        known = panel.queue[-_STALE_MIN:, column] if panel.minutes else np.empty(0)
        live = fresh and bool(np.isfinite(known).any())
        queue = float(recent[column]) if live and np.isfinite(recent[column]) else None
        refusal: Refusal | None = None
        ahead: list[Ahead] = []
        if weights is None:
            refusal = Refusal.NO_FIT
        elif told is None or not live:
            refusal = Refusal.STALE
        else:
            for h, minutes in enumerate(HORIZONS_MIN):
                values = (told.queue, told.low, told.high, told.profile)
                queue_then, low, high, usual = (float(each[h, -1, column]) for each in values)
                if not np.isfinite(queue_then):
                    refusal = Refusal.GAPS if np.isfinite(usual) else Refusal.NO_PROFILE
                    ahead = []
                    break
                share = filling(queue_then, one.storage_pcu)
                at_ms = panel.end_ms + minutes * MINUTE_MS
                ahead.append(Ahead(minutes, at_ms, queue_then, low, high, usual, level(share)))
        share = filling(float("nan") if queue is None else queue, one.storage_pcu)
        found.append(Outlook(one, queue, level(share), refusal, tuple(ahead)))
    return tuple(found)


_STALE_MIN = STALE_MS // MINUTE_MS
