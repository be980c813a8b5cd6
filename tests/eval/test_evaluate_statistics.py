"""Intervals, differences and ratios over seeds."""

from __future__ import annotations

import random

import pytest

from denxanh.eval.statistics import (
    UNKNOWN,
    difference,
    geometric_mean,
    geometric_ratio,
    interval,
    ratio_of_means,
    spread,
)


def test_an_interval_holds_the_mean_and_narrows_with_seeds() -> None:
    dice = random.Random(1)
    few = [dice.gauss(50, 5) for _ in range(6)]
    many = [dice.gauss(50, 5) for _ in range(60)]
    wide, narrow = interval(few), interval(many)
    assert wide[0] is not None
    assert narrow[0] is not None
    assert wide[0] < sum(few) / len(few) < wide[1]
    assert narrow[1] - narrow[0] < 0.5 * (wide[1] - wide[0])


def test_intervals_cover_as_often_as_they_say() -> None:
    """200 draws of 20: between 88 and 100 % hold the mean (95 % is asked for; small samples fall short)."""
    dice = random.Random(7)
    held = 0
    for _ in range(200):
        low, high = interval([dice.gauss(10, 3) for _ in range(20)])
        assert low is not None
        assert high is not None
        held += low <= 10 <= high
    assert 176 <= held <= 200


def test_the_same_values_give_the_same_interval() -> None:
    values = [3.0, 4.5, 9.0, 4.0]
    assert interval(values) == interval(list(values))


def test_one_seed_has_no_interval_and_equal_seeds_have_a_point() -> None:
    assert interval([4.0]) == UNKNOWN
    assert interval([4.0, 4.0, 4.0]) == (4.0, 4.0)
    assert spread([4.0]).sd == 0.0


def test_one_odd_seed_of_two_is_no_crash() -> None:
    low, high = interval([1.0, 1.0, 1.0, 50.0])
    assert low is not None
    assert high is not None
    assert 1.0 <= low < high <= 50.0


def test_median_and_quartiles_resist_a_gridlocked_seed() -> None:
    found = spread([20.0, 21.0, 22.0, 23.0, 700.0])
    assert found.mean > 150
    assert (found.median, found.q25, found.q75, found.worst) == (22.0, 21.0, 23.0, 700.0)


def test_pairing_sees_what_the_spread_of_seeds_hides() -> None:
    """Every seed is 2 s better, though seeds differ by far more than that."""
    second = {seed: 20.0 + 10 * (seed % 5) for seed in range(10)}
    first = {seed: value - 2.0 - 0.1 * (seed % 3) for seed, value in second.items()}
    gap = difference(first, second)
    assert gap is not None
    assert gap.differs
    assert (gap.pairs, gap.lower) == (10, 10)
    assert gap.mean == pytest.approx(-2.09)
    assert interval(list(first.values()))[1] > sum(second.values()) / 10 - 2  # type: ignore[operator]


def test_only_seeds_that_both_have_are_compared() -> None:
    gap = difference({1: 10.0, 2: 20.0, 3: 999.0}, {1: 12.0, 2: 21.0, 4: 0.0})
    assert gap is not None
    assert (gap.pairs, gap.mean) == (2, -1.5)
    assert difference({1: 1.0}, {2: 1.0}) is None


def test_no_difference_is_not_called_one() -> None:
    gap = difference({1: 10.0, 2: 20.0, 3: 15.0}, {1: 11.0, 2: 19.0, 3: 15.5})
    assert gap is not None
    assert not gap.differs


def test_ratio_of_means_is_paired() -> None:
    second = {seed: 20.0 + 10 * (seed % 5) for seed in range(10)}
    ratio = ratio_of_means({seed: 0.75 * value for seed, value in second.items()}, second)
    assert ratio is not None
    assert ratio.value == pytest.approx(0.75)
    assert ratio.ci95[0] == pytest.approx(0.75)
    assert ratio.ci95[1] == pytest.approx(0.75)
    assert ratio_of_means({1: 5.0}, {1: 0.0}) is None


def test_geometric_ratio_is_that_of_the_medians_over_scenarios() -> None:
    halved = ({1: 10.0, 2: 11.0, 3: 300.0}, {1: 20.0, 2: 22.0, 3: 24.0})
    doubled = ({1: 40.0, 2: 44.0, 3: 42.0}, {1: 20.0, 2: 22.0, 3: 21.0})
    even = geometric_ratio([halved, doubled])
    assert even is not None
    assert even.value == pytest.approx(1.0)
    low, high = even.ci95
    assert low is not None
    assert high is not None
    assert low <= 1.0 <= high
    assert geometric_ratio([halved, ({}, {})]) is None
    assert geometric_ratio([]) is None


def test_geometric_mean() -> None:
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert geometric_mean([]) is None
    assert geometric_mean([1.0, 0.0]) is None
