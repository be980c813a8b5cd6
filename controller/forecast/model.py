"""The forecast itself: the daily profile, plus what is left of today's deviation from it.

For an approach and a horizon h the forecast of the queue, averaged over the `WINDOW_MIN` minutes that end h
minutes from now, is

    profile(then) + b1 · (last 5 minutes − profile) + b2 · (last 15 minutes − profile) + b3 · corridor

in shares of the approach's storage. *corridor* is the mean deviation of all approaches: a day with more
traffic everywhere. The weights b are least squares on past deviations; each approach's are drawn towards
those of all approaches together, as if these had been seen for `PRIOR_MIN` minutes (ridge regression). All
deviations that weights are fitted on are from a profile of *other* days, so that no day explains itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.controller.forecast import profile as profiles
from denxanh.controller.forecast.panel import Approach, Floats, Panel, local_minutes, trailing, type_of_day
from denxanh.networks.model import Schedule

HORIZONS_MIN = (5, 15, 30)
"""How far ahead is told, minutes."""
SHORT_MIN, LONG_MIN = 5, 15
"""Windows of the deviations that a forecast starts from, minutes; the short one is the published window."""
PRIOR_MIN = 1440.0
"""How many minutes of an approach's own weigh as much as all approaches together (assumed: a day)."""
BAND = (0.1, 0.9)
"""Quantiles between which the interval lies: it should hold four times in five."""
FEATURES = 3


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fit leaves; arrays by horizon (h), approach (a) and feature (f).

    Attributes:
        approaches: the columns.
        profiles: day type -> [bins, a], pcu; NaN where too few days know.
        slopes: [h, a, f], b1 to b3.
        bands: [h, a, 2], quantiles of errors on days left out, in units of sqrt(forecast + 1 pcu).
    """

    approaches: tuple[Approach, ...]
    profiles: Mapping[str, Floats]
    slopes: Floats
    bands: Floats


@dataclass(frozen=True, slots=True)
class Prediction:
    """Forecasts from the end of every minute on, pcu, [horizons, minutes, approaches]; NaN: none."""

    queue: Floats
    low: Floats
    high: Floats
    profile: Floats
    """What the profile alone says of the same windows."""


def predict(weights: Weights, panel: Panel, schedule: Schedule) -> Prediction:
    """Forecast from every minute of the panel on; nothing after a minute is used for its forecasts."""
    count, ahead = panel.minutes, max(HORIZONS_MIN)
    day, minute = local_minutes(panel.begin_ms, count + ahead)
    kinds = day_kinds(schedule, day)
    base = profiles.lookup(weights.profiles, kinds, minute)
    if not weights.profiles:
        base = np.full((count + ahead, len(panel.approaches)), np.nan)
    usual = trailing(base, SHORT_MIN)
    features = deviations(panel.queue, base[:count], panel.storage)
    later = np.stack([usual[h : h + count] for h in HORIZONS_MIN])
    change = np.einsum("tfa,haf->hta", features, weights.slopes)
    queue = np.clip(later + change * panel.storage, 0.0, panel.storage)
    scale = np.sqrt(queue + 1.0)
    low = queue + weights.bands[:, None, :, 0] * scale
    high = queue + weights.bands[:, None, :, 1] * scale
    return Prediction(queue, np.clip(low, 0.0, panel.storage), np.clip(high, 0.0, panel.storage), later)


def deviations(queue: Floats, base: Floats, storage: Floats) -> Floats:
    """What a forecast starts from, [minutes, features, approaches], shares of the storage."""
    short = (trailing(queue, SHORT_MIN) - trailing(base, SHORT_MIN)) / storage
    long = (trailing(queue, LONG_MIN) - trailing(base, LONG_MIN)) / storage
    known = np.isfinite(short)
    corridor = np.where(known, short, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.stack([short, long, np.broadcast_to(corridor[:, None], short.shape)], axis=1)


def day_kinds(schedule: Schedule, day: Sequence[int] | np.ndarray) -> list[str]:
    """The day type of each minute's local day."""
    days, places = np.unique(np.asarray(day), return_inverse=True)
    kinds = [type_of_day(schedule, int(one)) for one in days]
    return [kinds[place] for place in places]


def solve(gram: Floats, cross: Floats, rows: Floats) -> Floats:
    """Slopes of one horizon, [approaches, features], each approach drawn towards all of them together.

    Args:
        gram: X'X, [approaches, features, features].
        cross: X'y, [approaches, features].
        rows: how many rows each approach has, [approaches].
    """
    total = max(1.0, float(rows.sum()))
    whole = gram.sum(axis=0)
    size = max(float(np.trace(whole)) / (FEATURES * total), 1e-9)
    ridge = np.eye(FEATURES) * size
    pooled = np.linalg.solve(whole + ridge, cross.sum(axis=0))
    right = (cross + PRIOR_MIN * size * pooled)[..., None]
    return np.asarray(np.linalg.solve(gram + PRIOR_MIN * ridge, right)[..., 0])
