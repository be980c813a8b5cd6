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
        self._slope: dict[str, tuple[list[float], list[float]]] = {}

    def add(self, genes: Mapping[str, Any], seed: int, local: Mapping[str, float]) -> None:
        """Take up a finished simulation."""
        self._seeds.append(seed)
        for one in self._places:
            self._rows[one].append(self._space.features(genes, one))
            self._delays[one].append(local.get(one, 0.0))

    def fit(self) -> None:
        """Learn from all simulations so far."""
        import numpy

        seeds = sorted(set(self._seeds))
        dummies = numpy.array([[float(seed == one) for one in seeds] for seed in self._seeds])
        for one in self._places:
            rows = numpy.array(self._rows[one], dtype=float)
            mean, spread = rows.mean(axis=0), rows.std(axis=0)
            spread[spread < 1e-9] = numpy.inf  # what never changed says nothing
            scaled = numpy.hstack([(rows - mean) / spread, dummies])
            prior = numpy.diag([RIDGE] * rows.shape[1] + [1e-6] * len(seeds))
            found = numpy.linalg.solve(scaled.T @ scaled + prior, scaled.T @ numpy.array(self._delays[one]))
            self._slope[one] = ((found[: rows.shape[1]] / spread).tolist(), mean.tolist())

    def local(self, genes: Mapping[str, Any], one: str) -> float:
        """Predicted delay around a signal, less its mean over the simulations; call `fit` first."""
        slope, mean = self._slope[one]
        numbers = self._space.features(genes, one)
        return sum(
            factor * (number - usual) for factor, number, usual in zip(slope, numbers, mean, strict=True)
        )
