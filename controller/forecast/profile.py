"""The daily profile: what an approach's queue usually is at this time of this type of day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.controller.forecast.panel import DAY_MIN, Floats

BIN_MIN = 5
"""Grid of a profile, minutes; it divides a day."""
BINS = DAY_MIN // BIN_MIN
SMOOTHING_MIN = 10.0
"""Standard deviation of the kernel over the time of day, minutes (assumed)."""
LEAST_DAYS = 3
"""Days of one type that must have data near a time of day for the profile to know it (assumed)."""
_LEAST_SUPPORT = 0.1
"""Weight of known bins below which a day says nothing of a time; 1 is a day without gaps."""


def _kernel() -> Floats:
    """[bins, bins], rows sum to 1; the day is a ring."""
    away = np.abs(np.arange(BINS)[:, None] - np.arange(BINS)[None, :])
    distance = np.minimum(away, BINS - away) * BIN_MIN
    weights = np.exp(-0.5 * (distance / SMOOTHING_MIN) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


class DailySums:
    """Smoothed sums of each day by bin, so that a day can be left out of the mean of the others.

    Args:
        queue: [minutes, approaches], NaN where unknown.
        day: local day of each minute.
        minute: local minute of the day of each minute.
    """

    def __init__(self, queue: Floats, day: NDArray[np.int64], minute: NDArray[np.int64]) -> None:
        self.days: tuple[int, ...] = tuple(int(one) for one in np.unique(day))
        shape = (len(self.days), BINS, queue.shape[1])
        sums, counts = np.zeros(shape), np.zeros(shape)
        place = np.searchsorted(np.array(self.days), day)
        known = np.isfinite(queue)
        where = (place, minute // BIN_MIN)
        np.add.at(sums, where, np.where(known, queue, 0.0))
        np.add.at(counts, where, known / BIN_MIN)
        kernel = _kernel()
        self._sums = np.einsum("bc,dca->dba", kernel, sums / BIN_MIN)
        self._support = np.einsum("bc,dca->dba", kernel, counts)

    def profile(self, days: Sequence[int], least_days: int = LEAST_DAYS) -> Floats:
        """Mean over these days, [bins, approaches]; NaN where fewer than `least_days` of them know."""
        chosen = [self.days.index(one) for one in days]
        support = self._support[chosen]
        enough = (support >= _LEAST_SUPPORT).sum(axis=0) >= least_days
        weight = support.sum(axis=0)
        mean = self._sums[chosen].sum(axis=0) / np.maximum(weight, 1e-9)
        return np.where(enough, mean, np.nan)


def at(profile: Floats, minute: NDArray[np.int64]) -> Floats:
    """The profile at these minutes of the day, [minutes, approaches], linear between the bins' middles."""
    position = (minute - (BIN_MIN - 1) / 2) / BIN_MIN
    low = np.floor(position).astype(np.int64)
    share = (position - low)[:, None]
    return np.asarray(profile[low % BINS] * (1.0 - share) + profile[(low + 1) % BINS] * share)


def lookup(profiles: Mapping[str, Floats], kinds: Sequence[str], minute: NDArray[np.int64]) -> Floats:
    """Each minute by its own day type's profile; NaN where there is none for it."""
    width = next(iter(profiles.values())).shape[1] if profiles else 0
    found = np.full((len(minute), width), np.nan)
    names = np.array(kinds)
    for kind, profile in profiles.items():
        here = names == kind
        if here.any():
            found[here] = at(profile, minute[here])
    return found
