"""Means over seeds with 95 % bootstrap intervals, and differences paired by seed.

Intervals are bias-corrected and accelerated (BCa) bootstrap intervals of the mean, from `RESAMPLES` resamples
with a fixed random state; where BCa is not defined (all values but one equal), percentile intervals. One
seed has no interval.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RESAMPLES = 9999
CONFIDENCE = 0.95
RANDOM_STATE = 20_261
"""The same runs give the same interval."""

Interval = tuple[float, float] | tuple[None, None]
"""Low and high; None where there are not enough seeds."""
UNKNOWN: Interval = (None, None)


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the seeds of one policy and scenario."""

    number: int
    mean: float
    ci95: Interval
    sd: float
    median: float
    q25: float
    q75: float
    worst: float


def spread(values: Sequence[float]) -> Spread:
    """Describe a figure over seeds.

    Args:
        values: one per seed, at least one.
    """
    ordered = sorted(values)
    return Spread(
        number=len(ordered),
        mean=statistics.fmean(ordered),
        ci95=interval(values),
        sd=statistics.stdev(ordered) if len(ordered) > 1 else 0.0,
        median=statistics.median(ordered),
        q25=quantile(ordered, 0.25),
        q75=quantile(ordered, 0.75),
        worst=ordered[-1],
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of sorted values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def interval(values: Sequence[float]) -> Interval:
    """95 % bootstrap interval of the mean."""
    if len(values) < 2:
        return UNKNOWN
    if min(values) == max(values):
        return values[0], values[0]
    import numpy
    from scipy.stats import bootstrap

    def ends(method: str) -> tuple[float, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy warns where BCa is not defined; percentiles then
            found = bootstrap(
                (list(values),),
                numpy.mean,
                n_resamples=RESAMPLES,
                confidence_level=CONFIDENCE,
                method=method,
                rng=numpy.random.default_rng(RANDOM_STATE),
            ).confidence_interval
        return float(found.low), float(found.high)

    low, high = ends("BCa")
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = ends("percentile")
    return low, high


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of one policy less that of another, seed by seed; negative: the first is lower."""

    pairs: int
    mean: float
    ci95: Interval
    lower: int
    """Seeds in which the first is lower."""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out no difference."""
        low, high = self.ci95
        return low is not None and high is not None and (low > 0 or high < 0)


def difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """Compare two policies over the seeds that both have; None where there is none.

    Args:
        first: the figure by seed.
        second: the other policy's.
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    gaps = [first[seed] - second[seed] for seed in seeds]
    return Difference(len(gaps), statistics.fmean(gaps), interval(gaps), sum(gap < 0 for gap in gaps))


def geometric_mean(values: Sequence[float]) -> float | None:
    """Geometric mean; None where a value is not positive or there is none."""
    if not values or min(values) <= 0:
        return None
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))
