"""What the simulations so far say about untried settings: one small regression per signal.

The delay around a signal is taken as linear in numbers that its space gives for it (shares of the cycle and
their squares, waves of the relative offsets), plus what each seed's traffic adds. Ridge regression: with few
simulations it predicts little change, and it averages over the noise that one simulation has. It proposes;
only simulations decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

RIDGE = 1.0
"""Weight of the prior, in simulations: numbers are scaled to a standard deviation of 1."""
NEAR = 0.1
"""A simulation that is worse than the best by this share of the usual delay counts 1/e."""

G_contra = TypeVar("G_contra", contravariant=True)


class Described(Protocol[G_contra]):
    """Settings as numbers."""

    def features(self, genes: Mapping[str, G_contra], one: str) -> Sequence[float]:
        """The numbers on which the delay around one signal depends; always as many."""
        ...


class Model:
    """Delay by signal, as far as simulations tell.

    Args:
        places: the signals.
        space: gives the numbers.
    """

    def __init__(self, places: Sequence[str], space: Described[Any]) -> None:
        self._places = tuple(places)
        self._space = space
        self._rows: dict[str, list[Sequence[float]]] = {one: [] for one in self._places}
        self._delays: dict[str, list[float]] = {one: [] for one in self._places}
        self._seeds: list[int] = []
        self._totals: list[float] = []
        self._slope: dict[str, tuple[list[float], list[float]]] = {}

    def add(self, genes: Mapping[str, Any], seed: int, delay_s: float, local: Mapping[str, float]) -> None:
        """Take up a finished simulation: its whole delay, and where it arose."""
        self._seeds.append(seed)
        self._totals.append(delay_s)
        for one in self._places:
            self._rows[one].append(self._space.features(genes, one))
            self._delays[one].append(local.get(one, 0.0))

    def fit(self) -> None:
        """Learn from all simulations so far."""
        import numpy

        seeds = sorted(set(self._seeds))
        dummies = numpy.array([[float(seed == one) for one in seeds] for seed in self._seeds])
        totals = numpy.array(self._totals)
        usual = max(abs(float(numpy.median(totals))), 1e-9)
        weight = numpy.exp((totals.min() - totals) / (NEAR * usual))
        for one in self._places:
            rows = numpy.array(self._rows[one], dtype=float)
            mean = numpy.average(rows, axis=0, weights=weight)
            spread = numpy.sqrt(numpy.average((rows - mean) ** 2, axis=0, weights=weight))
            spread[spread < 1e-9] = numpy.inf  # what never changed says nothing
            scaled = numpy.hstack([(rows - mean) / spread, dummies])
            prior = numpy.diag([RIDGE] * rows.shape[1] + [1e-6] * len(seeds))
            seen = scaled.T * weight
            found = numpy.linalg.solve(seen @ scaled + prior, seen @ numpy.array(self._delays[one]))
            self._slope[one] = ((found[: rows.shape[1]] / spread).tolist(), mean.tolist())

    def local(self, genes: Mapping[str, Any], one: str) -> float:
        """Predicted delay around a signal, less its mean over the simulations; call `fit` first."""
        slope, mean = self._slope[one]
        numbers = self._space.features(genes, one)
        return sum(
            factor * (number - usual) for factor, number, usual in zip(slope, numbers, mean, strict=True)
        )
