"""The search alone, on made-up towns whose best settings are known."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from denxanh.eval.plan_search import LOST, Move, Search, Seen

TOWN = [f"n{number}" for number in range(8)]
BEST = {name: 5 * number - 12 for number, name in enumerate(TOWN)}
SEEDS = (1001, 1002, 1003)


class Line:
    """Signals in a row; a gene is one whole number, felt by its neighbours too."""

    def move(self, genes: Mapping[str, int], dice: random.Random, step: float) -> Move[int] | None:
        place = dice.randrange(len(TOWN))
        change = dice.randint(1, max(1, round(8 * step))) * dice.choice((-1, 1))
        near = TOWN[max(0, place - 1) : place + 2]
        return Move({TOWN[place]: genes[TOWN[place]] + change}, frozenset(near))

    def features(self, genes: Mapping[str, int], one: str) -> list[float]:
        return [genes[one], genes[one] ** 2]


class Town:
    """Delay is the sum of squared distances from the best, with a seed's own noise in every run."""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise = noise
        self.runs: list[tuple[dict[str, int], int]] = []

    def evaluate(self, wanted: Sequence[tuple[Mapping[str, int], int]]) -> list[Seen]:
        found = []
        for genes, seed in wanted:
            self.runs.append((dict(genes), seed))
            dice = random.Random(f"{seed}{sorted(genes.items())}")
            local = {one: (genes[one] - BEST[one]) ** 2 + dice.gauss(0, self.noise) for one in TOWN}
            found.append(Seen(sum(local.values()), local))
        return found


def _search(town: Town, budget: int = 600, seed: int = 1) -> Search[int]:
    return Search(town.evaluate, Line(), SEEDS, budget, seed)


def test_it_finds_what_is_best_for_every_signal() -> None:
    found = _search(Town()).run({"zero": dict.fromkeys(TOWN, 0)})
    assert found.delay_s < 0.02 * found.start_delays_s[0]


def test_noise_does_not_lead_it_astray() -> None:
    found = _search(Town(noise=10)).run({"zero": dict.fromkeys(TOWN, 0)})
    truth = sum((found.genes[one] - BEST[one]) ** 2 for one in TOWN)
    assert truth < 0.15 * sum(value**2 for value in BEST.values())


def test_it_goes_on_from_the_best_start_and_says_which() -> None:
    near = {one: BEST[one] + 1 for one in TOWN}
    found = _search(Town(), budget=20).run({"zero": dict.fromkeys(TOWN, 0), "near": near})
    assert found.start == "near"
    assert found.delay_s <= 8


def test_the_same_seed_asks_the_same_and_another_does_not() -> None:
    towns = [Town(noise=5) for _ in range(3)]
    for town, seed in zip(towns, (1, 1, 2), strict=True):
        _search(town, budget=100, seed=seed).run({"zero": dict.fromkeys(TOWN, 0)})
    assert towns[0].runs == towns[1].runs
    assert towns[0].runs != towns[2].runs


def test_the_budget_holds_and_is_counted() -> None:
    town = Town()
    found = _search(town, budget=50).run({"zero": dict.fromkeys(TOWN, 0)})
    assert len(town.runs) == found.simulations <= 50


def test_only_tuning_seeds_are_asked_for() -> None:
    town = Town()
    _search(town, budget=100).run({"zero": dict.fromkeys(TOWN, 0)})
    assert {seed for _, seed in town.runs} == set(SEEDS)


def test_moves_of_one_candidate_do_not_feel_each_other() -> None:
    search = _search(Town())
    genes = dict.fromkeys(TOWN, 0)
    counts = []
    for number in range(50):
        moves = list(search._moves(genes, random.Random(number), 1.0))
        counts.append(len(moves))
        for one in moves:
            assert all(not one.genes.keys() & other.felt_by for other in moves if other is not one)
    assert max(counts) >= 3


def test_it_ends_where_nothing_gets_better() -> None:
    town = Town()
    found = _search(town, budget=10_000).run({"best": dict(BEST)})
    assert found.delay_s == 0
    assert found.gains == 0
    assert found.simulations < 300


class Broken(Town):
    """Whatever is not as at the start fails."""

    def evaluate(self, wanted: Sequence[tuple[Mapping[str, int], int]]) -> list[Seen]:
        seen = super().evaluate(wanted)
        return [
            one if set(genes.values()) == {0} else LOST for one, (genes, _) in zip(seen, wanted, strict=True)
        ]


def test_failed_simulations_never_win() -> None:
    found = _search(Broken(), budget=100).run({"zero": dict.fromkeys(TOWN, 0)})
    assert set(found.genes.values()) == {0}
    assert found.delays_s == found.start_delays_s


def test_no_start_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a start"):
        _search(Town()).run({})
