"""Means over seeds with 95 % bootstrap intervals, and differences paired by seed.

Intervals are bias-corrected and accelerated (BCa) bootstrap intervals of the mean, from `RESAMPLES` resamples
with a fixed random state; where BCa is not defined (all values but one equal), percentile intervals. One
seed has no interval.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

    return _bootstrap((values,), numpy.mean)


def _bootstrap(data: Sequence[Sequence[float]], statistic: Callable[..., Any]) -> Interval:
    """95 % interval of a statistic of samples that are resampled together."""
    import numpy
    from scipy.stats import bootstrap

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy warns where BCa is not defined; percentiles then
            found = bootstrap(
                tuple(list(values) for values in data),
                statistic,
                n_resamples=RESAMPLES,
                confidence_level=CONFIDENCE,
                method=method,
                paired=len(data) > 1,
                rng=numpy.random.default_rng(RANDOM_STATE),
            ).confidence_interval
        low, high = float(found.low), float(found.high)
        if math.isfinite(low) and math.isfinite(high):
            return low, high
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of one policy less that of another, seed by seed; negative: the first is lower."""

    pairs: int
    mean: float
    ci95: Interval
    lower: int
    """Seeds in which the first is lower."""

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out no difference."""
        low, high = self.ci95
        return low is not None and high is not None and (low > 0 or high < 0)


def difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """Compare two policies over the seeds that both have; None where there is none.

    Args:
        first: the figure by seed.
        second: the other policy's.
    """
    gaps = [ours - theirs for ours, theirs in _pairs(first, second)]
    if not gaps:
        return None
    return Difference(len(gaps), statistics.fmean(gaps), interval(gaps), sum(gap < 0 for gap in gaps))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of one policy over that of another; below 1: the first is lower."""

    value: float
    ci95: Interval


def ratio_of_means(first: Mapping[int, float], second: Mapping[int, float]) -> Ratio | None:
    """Ratio of the means over the seeds that both have, resampled in pairs; None where it is not defined."""
    pairs = _pairs(first, second)
    if not pairs or min(lower for _, lower in pairs) <= 0:
        return None
    import numpy

    ours, theirs = zip(*pairs, strict=True)
    value = statistics.fmean(ours) / statistics.fmean(theirs)
    if len(pairs) < 2:
        return Ratio(value, UNKNOWN)
    if len(set(pairs)) == 1:
        return Ratio(value, (value, value))

    def quotient(above: Any, below: Any, axis: int = -1) -> Any:
        return numpy.mean(above, axis=axis) / numpy.mean(below, axis=axis)

    return Ratio(value, _bootstrap((ours, theirs), quotient))


def geometric_ratio(scenarios: Sequence[tuple[Mapping[int, float], Mapping[int, float]]]) -> Ratio | None:
    """Geometric mean over scenarios of the ratio of the medians over seeds.

    Its interval is a percentile bootstrap: in every scenario the seeds are drawn anew, in pairs.

    Args:
        scenarios: the figure by seed of the first policy and of the second, scenario by scenario.

    Returns:
        None where there is no scenario, or one in which the ratio is not defined.
    """
    paired = [_pairs(first, second) for first, second in scenarios]
    if not paired or any(not pairs or min(min(pair) for pair in pairs) <= 0 for pairs in paired):
        return None
    import numpy

    logs = [
        math.log(
            statistics.median(ours for ours, _ in pairs) / statistics.median(theirs for _, theirs in pairs)
        )
        for pairs in paired
    ]
    value = math.exp(statistics.fmean(logs))
    if min(len(pairs) for pairs in paired) < 2:
        return Ratio(value, UNKNOWN)
    dice = numpy.random.default_rng(RANDOM_STATE)
    total = numpy.zeros(RESAMPLES)
    for pairs in paired:
        drawn = numpy.array(pairs)[dice.integers(len(pairs), size=(RESAMPLES, len(pairs)))]
        medians = numpy.median(drawn, axis=1)
        total += numpy.log(medians[:, 0] / medians[:, 1])
    tail = (1 - CONFIDENCE) / 2
    low, high = numpy.quantile(numpy.exp(total / len(paired)), (tail, 1 - tail))
    return Ratio(value, (float(low), float(high)))


def _pairs(first: Mapping[int, float], second: Mapping[int, float]) -> list[tuple[float, float]]:
    """The values of the seeds that both have, by seed."""
    return [(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]


def geometric_mean(values: Sequence[float]) -> float | None:
    """Geometric mean; None where a value is not positive or there is none."""
    if not values or min(values) <= 0:
        return None
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))
