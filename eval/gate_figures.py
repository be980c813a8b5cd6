"""The gate's figures: pure functions over runs, each of them monotone.

Monotone: a delay that grows never lowers what is compared, so a worse seed can never help a policy. That is
why the interval here is a percentile bootstrap: BCa, which the reports use, corrects for skew, and a seed
that got worse may narrow it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from denxanh.eval.results import Run
from denxanh.eval.statistics import CONFIDENCE, RANDOM_STATE, RESAMPLES
from denxanh.sim.fleet import RoadUser


@dataclass(frozen=True, slots=True)
class Change:
    """Mean of one side over the mean of the other, less 1, with its paired bootstrap interval."""

    value: float
    low: float
    high: float


def change(ours: Sequence[float], theirs: Sequence[float]) -> Change | None:
    """Compare two sides seed by seed.

    Args:
        ours: one figure per seed.
        theirs: the other side's, in the same order.

    Returns:
        None where there is no such figure: fewer than two seeds, or nothing to be relative to.
    """
    if len(ours) != len(theirs) or len(ours) < 2 or not all(one > 0 for one in theirs):
        return None
    import numpy

    pairs = numpy.array([ours, theirs])
    dice = numpy.random.default_rng(RANDOM_STATE)
    sums = pairs[:, dice.integers(len(ours), size=(RESAMPLES, len(ours)))].sum(axis=2)
    tail = (1 - CONFIDENCE) / 2
    low, high = numpy.quantile(sums[0] / sums[1], (tail, 1 - tail))
    return Change(math.fsum(ours) / math.fsum(theirs) - 1, float(low) - 1, float(high) - 1)


def mean(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    """Over the seeds."""
    return statistics.fmean(figure(run) for run in runs)


def class_delay_s(runs: Iterable[Run], user: RoadUser) -> tuple[float, float]:
    """Number of a class in all runs together, and their mean delay."""
    some = [run.classes[user] for run in runs if user in run.classes]
    number = math.fsum(one.number for one in some)
    total_s = math.fsum(one.number * one.mean_delay_s for one in some)
    return number, total_s / number if number > 0 else 0.0


def starved_share(runs: Sequence[Run]) -> float:
    """Share of the intersections' time with a called group's green that does not discharge."""
    return mean(runs, lambda run: run.starved_s / (run.seconds * run.intersections))


def defects(run: Run, window_s: int) -> Iterator[tuple[str, str]]:
    """Why a run cannot be judged, in Vietnamese and English; nothing for a sound one."""
    figures = [
        run.person_weighted_delay_s, run.mean_delay_s, run.p95_delay_s, run.vehicles, run.people,
        run.longest_wait, float(run.starved_s),
        *(part for one in run.classes.values() for part in (one.number, one.mean_delay_s)),
    ]  # fmt: skip
    if not all(math.isfinite(one) and one >= 0 for one in figures):
        yield "có số liệu không hợp lệ", "has a figure that is not a number or negative"
    if run.vehicles <= 0 or run.intersections <= 0 or run.seconds <= 0:
        yield "không có giao thông để đo", "has no traffic to measure"
    if run.measured_s < window_s:
        yield (
            f"chỉ đo {run.measured_s} s, cần {window_s} s",
            f"measured {run.measured_s} s, {window_s} s are needed",
        )
    if not run.guarded:
        yield "chạy không có bộ bảo vệ", "ran without the guard"
    if run.failed_detectors:
        yield (
            f"{run.failed_detectors} bộ dò bị làm hỏng",
            f"{run.failed_detectors} detectors were broken on purpose",
        )


def differ(ours: float, theirs: float, share: float) -> bool:
    """Whether two counts of the same thing are not the same, one at the window's edge forgiven."""
    return not abs(ours - theirs) <= share * max(ours, theirs) + 1.0
