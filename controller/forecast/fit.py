"""Fitting the forecast, with its errors on days that were left out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from denxanh.controller.forecast.model import (
    BAND,
    FEATURES,
    HORIZONS_MIN,
    SHORT_MIN,
    Weights,
    deviations,
    solve,
)
from denxanh.controller.forecast.panel import Floats, Panel, local_minutes, trailing, type_of_day
from denxanh.controller.forecast.profile import LEAST_DAYS, DailySums, at
from denxanh.errors import ReportError
from denxanh.networks.model import Schedule

MAX_DAYS = 62
"""Longest stretch that is fitted, days: memory, and what is older says little of today (assumed)."""
LEAST_ROWS = 200
"""Errors below which an approach's interval is that of all approaches, and a fit is none at all (assumed)."""


@dataclass(frozen=True, slots=True)
class Score:
    """Mean errors of one horizon on days left out, pcu.

    `profile` and `persistence` (the last five minutes go on) are what the forecast has to beat.
    """

    horizon_min: int
    rows: int
    mae: float
    rmse: float
    persistence_mae: float
    persistence_rmse: float
    profile_mae: float
    profile_rmse: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit and where it comes from.

    `days`: day type -> how many with data. `known`: share of all minutes from the first to the last that has
    data. `sha256`: of approaches, times and queues.
    """

    weights: Weights
    begin_ms: int
    end_ms: int
    days: Mapping[str, int]
    known: float
    sha256: str
    scores: tuple[Score, ...]


def fit(panel: Panel, schedule: Schedule) -> Fitted:
    """Fit profiles, slopes and intervals.

    Raises:
        ReportError: no day type has `LEAST_DAYS` + 1 days with data, there are more than `MAX_DAYS`, or
            hardly a stretch is long enough to hold a forecast against what came.
    """
    day, minute = local_minutes(panel.begin_ms, panel.minutes)
    if panel.minutes > MAX_DAYS * 1440:
        raise ReportError(f"more than {MAX_DAYS} days", where="forecast", fix="fit a later or shorter period")
    seen = np.isfinite(panel.queue).any(axis=1)
    with_data = np.unique(day[seen])
    by_kind: dict[str, list[int]] = {}
    for one in with_data:
        by_kind.setdefault(type_of_day(schedule, int(one)), []).append(int(one))
    usable = {kind: days for kind, days in by_kind.items() if len(days) > LEAST_DAYS}
    if not usable:
        raise ReportError(
            f"a forecast needs at least {LEAST_DAYS + 1} days of one type with data, and there are "
            f"{', '.join(f'{len(days)} of {kind}' for kind, days in by_kind.items()) or 'none'}",
            where="forecast",
            fix="let the centre record some more days",
        )
    sums = DailySums(panel.queue, day, minute)
    whole = {kind: sums.profile(days) for kind, days in usable.items()}
    base = np.full(panel.queue.shape, np.nan)
    for days in usable.values():
        for one in days:
            here = day == one
            base[here] = at(sums.profile([other for other in days if other != one]), minute[here])
    errors = _Errors(panel, base, day)
    slopes, residuals, scores = errors.learn()
    if min(score.rows for score in scores) < LEAST_ROWS:
        raise ReportError(
            "too few stretches without gaps: nothing can be compared with what came half an hour later",
            where="forecast",
            fix="record an hour and more without a break on each day",
        )
    weights = Weights(panel.approaches, whole, slopes, _bands(residuals))
    known = float(np.isfinite(panel.queue).mean()) if panel.queue.size else 0.0
    days_used = {kind: len(days) for kind, days in by_kind.items()}
    return Fitted(weights, panel.begin_ms, panel.end_ms, days_used, known, fingerprint(panel), scores)


def fingerprint(panel: Panel) -> str:
    """SHA-256 over what was fitted, so that a fit can be told from one on other data."""
    digest = hashlib.sha256(repr((panel.approaches, panel.begin_ms)).encode())
    digest.update(np.ascontiguousarray(np.nan_to_num(panel.queue, nan=-1.0).astype("<f8")).tobytes())
    return digest.hexdigest()


class _Errors:
    """Least squares and its errors with each day left out in turn."""

    def __init__(self, panel: Panel, base: Floats, day: np.ndarray) -> None:
        self._storage = panel.storage
        self._features = deviations(panel.queue, base, panel.storage)
        self._now, self._usual = trailing(panel.queue, SHORT_MIN), trailing(base, SHORT_MIN)
        self._day = day
        self._days = np.unique(day)

    def learn(self) -> tuple[Floats, list[list[Floats]], tuple[Score, ...]]:
        """Slopes [h, a, f]; scaled errors by horizon and approach; scores."""
        found = [self._horizon(h) for h in HORIZONS_MIN]
        slopes = np.stack([one[0] for one in found])
        return slopes, [one[1] for one in found], tuple(one[2] for one in found)

    def _horizon(self, ahead: int) -> tuple[Floats, list[Floats], Score]:
        later, usual = _shifted(self._now, ahead), _shifted(self._usual, ahead)
        goal = (later - usual) / self._storage
        good = np.isfinite(goal) & np.isfinite(self._features).all(axis=1)
        x = np.where(good[:, None, :], self._features, 0.0)
        y = np.where(good, goal, 0.0)
        count = len(self._storage)
        grams = np.zeros((len(self._days), count, FEATURES, FEATURES))
        crosses = np.zeros((len(self._days), count, FEATURES))
        rows = np.zeros((len(self._days), count))
        for place, one in enumerate(self._days):
            here = self._day == one
            grams[place] = np.einsum("tfa,tga->afg", x[here], x[here])
            crosses[place] = np.einsum("tfa,ta->af", x[here], y[here])
            rows[place] = good[here].sum(axis=0)
        gram, cross, total = grams.sum(axis=0), crosses.sum(axis=0), rows.sum(axis=0)
        forecast = np.full(later.shape, np.nan)
        for place, one in enumerate(self._days):
            if rows[place].any():
                here = self._day == one
                others = solve(gram - grams[place], cross - crosses[place], total - rows[place])
                change = np.einsum("tfa,af->ta", self._features[here], others) * self._storage
                forecast[here] = np.clip(usual[here] + change, 0.0, self._storage)
        missed = np.where(good, later - forecast, np.nan)
        scaled = missed / np.sqrt(forecast + 1.0)
        held = np.where(good, later - self._now, np.nan)
        score = Score(
            ahead, int(good.sum()), *_mean_errors(missed), *_mean_errors(held),
            *_mean_errors(np.where(good, later - usual, np.nan)),
        )  # fmt: skip
        return solve(gram, cross, total), [_finite(scaled[:, a]) for a in range(count)], score


def _shifted(values: Floats, ahead: int) -> Floats:
    """What each row will have `ahead` rows later; NaN at the end."""
    later = np.full(values.shape, np.nan)
    later[: max(0, len(values) - ahead)] = values[ahead:]
    return later


def _mean_errors(missed: Floats) -> tuple[float, float]:
    known = _finite(missed)
    if not known.size:
        return float("nan"), float("nan")
    return float(np.abs(known).mean()), float(np.sqrt((known**2).mean()))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _bands(residuals: list[list[Floats]]) -> Floats:
    """[horizons, approaches, 2]; NaN where there is no error to learn from."""
    found = np.full((len(residuals), len(residuals[0]), 2), np.nan)
    for h, by_approach in enumerate(residuals):
        pooled = np.concatenate(by_approach)
        for a, own in enumerate(by_approach):
            known = own if own.size >= LEAST_ROWS else pooled
            if known.size:
                found[h, a] = np.quantile(known, BAND)
    return found
