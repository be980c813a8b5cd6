"""A search that changes many signals in one simulation and judges each change by the delay around it.

The network's settings are a candidate: one gene (a plan, or a rule's settings) per intersection. The search

1. runs every start once, the best of them on all tuning seeds, and goes on from the best;
2. in each round tries `ROUND` candidates on one seed. A candidate holds several random moves at places that
   do not feel each other; a move gains what the delay of those who feel it fell by;
3. lets the regression of all simulations so far (`plan_model`) propose a candidate and runs that on all
   seeds: only if the mean delay falls, it is the new best. If it does not, the moves that gained in this
   round are put into one candidate, which gets the same chance;
4. lengthens its steps after a success and shortens them after a failure, and ends when the budget is spent or
   nothing was gained for `PATIENCE` rounds.

All candidates meet the same traffic, seed by seed. Nothing here knows SUMO: it calls `evaluate`. With the
same outcomes the search takes the same way, so one that was stopped repeats itself from kept outcomes.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from denxanh.eval.plan_model import Model

ROUND = 4
"""Candidates tried in a round, each on one seed."""
KEPT_STARTS = 2
"""Starts that are run on all seeds."""
PATIENCE = 15
"""Rounds without a gain after which the search ends."""
GROW, SHRINK = 1.2, 0.85
"""What a success and a failure do to the step length."""
STEP_RANGE = (0.2, 1.5)
TRIES = 6
"""Proposals per intersection before a candidate counts as full."""
THOUGHTS = 40
"""Moves per intersection that are tried on the regression for one proposal."""

G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Move(Generic[G]):
    """Some genes exchanged, and the intersections whose delay tells what that was good for."""

    genes: Mapping[str, G]
    felt_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a candidate came to on one seed: the delay that counts, and where it arose (any unit)."""

    delay_s: float
    local: Mapping[str, float] = field(default_factory=dict)


LOST = Seen(math.inf)
"""The simulation failed."""


class Space(Protocol[G]):
    """How candidates may be changed."""

    def move(self, genes: Mapping[str, G], dice: random.Random, step: float) -> Move[G] | None:
        """A random move; None where this throw gives none. `step` scales its size, 1 is usual."""
        ...

    def features(self, genes: Mapping[str, G], one: str) -> Sequence[float]:
        """Numbers on which the delay around one intersection depends; always as many."""
        ...


Candidate = Mapping[str, G]
Evaluate = Callable[[Sequence[tuple[Mapping[str, G], int]]], Sequence[Seen]]
"""Candidates with their seeds to what they came to, in the same order."""


@dataclass(frozen=True, slots=True)
class Found(Generic[G]):
    """The end of a search. Delays in seconds, by seed in the seeds' order."""

    start: str
    """Name of the start that it went on from."""
    start_delays_s: tuple[float, ...]
    genes: Mapping[str, G]
    delays_s: tuple[float, ...]
    rounds: int
    gains: int
    """Rounds that found something better."""
    simulations: int

    @property
    def delay_s(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.delays_s)


@dataclass(slots=True)
class Search(Generic[G]):
    """One search.

    Attributes:
        evaluate: runs candidates; it may run them beside each other.
        space: the moves.
        seeds: tuning seeds.
        budget: simulations that may be asked for; a candidate on one seed is one.
        seed: of the search's own random numbers.
        watch: told of each new best: mean delay, simulations used.
    """

    evaluate: Evaluate[G]
    space: Space[G]
    seeds: Sequence[int]
    budget: int
    seed: int = 1
    watch: Callable[[float, int], None] = lambda _delay, _used: None
    used: int = 0
    _model: Model = field(init=False, repr=False)

    def run(self, starts: Mapping[str, Candidate[G]]) -> Found[G]:
        """Search from the best of these starts; the earlier one wins a tie.

        Raises:
            ValueError: there is no start or no seed.
        """
        if not starts or not self.seeds:
            raise ValueError("a search needs a start and a seed")
        dice = random.Random(self.seed)
        self._model = Model(sorted(next(iter(starts.values()))), self.space)
        name, genes, base = self._first(starts)
        begun = tuple(seen.delay_s for seen in base)
        step, idle, rounds, gains = 1.0, 0, 0, 0
        while idle < PATIENCE and self.used + ROUND + len(self.seeds) <= self.budget:
            place = rounds % len(self.seeds)
            rounds += 1
            better = self._round(genes, base, place, dice, step)
            low, high = STEP_RANGE
            if better is None:
                idle, step = idle + 1, max(low, step * SHRINK)
                continue
            genes, base = better
            idle, gains, step = 0, gains + 1, min(high, step * GROW)
            self.watch(_mean(base), self.used)
        return Found(name, begun, genes, tuple(seen.delay_s for seen in base), rounds, gains, self.used)

    def _first(self, starts: Mapping[str, Candidate[G]]) -> tuple[str, Candidate[G], Sequence[Seen]]:
        names = list(starts)
        first = self._ask([(starts[name], self.seeds[0]) for name in names])
        ranked = sorted(range(len(names)), key=lambda place: (first[place].delay_s, place))[:KEPT_STARTS]
        rest = self._ask([(starts[names[place]], seed) for place in ranked for seed in self.seeds[1:]])
        count = len(self.seeds) - 1
        runs = [
            [first[place], *rest[number * count : (number + 1) * count]]
            for number, place in enumerate(ranked)
        ]
        best = min(range(len(ranked)), key=lambda number: (_mean(runs[number]), ranked[number]))
        self.watch(_mean(runs[best]), self.used)
        return names[ranked[best]], starts[names[ranked[best]]], runs[best]

    def _round(
        self, genes: Candidate[G], base: Sequence[Seen], place: int, dice: random.Random, step: float
    ) -> tuple[Candidate[G], Sequence[Seen]] | None:
        """A better candidate with its outcomes; None where nothing better was found."""
        tried = [list(self._moves(genes, dice, step)) for _ in range(ROUND)]
        tried = [moves for moves in tried if moves]
        if not tried:
            return None
        seen = self._ask([(_changed(genes, moves), self.seeds[place]) for moves in tried])
        gains = [
            (_gain(move, base[place], after), move)
            for moves, after in zip(tried, seen, strict=True)
            for move in moves
        ]
        gains = sorted((one for one in gains if one[0] > 0), key=lambda one: -one[0])
        chosen: list[Move[G]] = []
        for _, move in gains:
            if all(not (move.genes.keys() & other.genes.keys()) for other in chosen):
                chosen.append(move)

        def proposals() -> Iterator[Candidate[G]]:
            yield self._thought(genes, dice, step)
            yield _changed(genes, chosen)

        for candidate in proposals():
            if candidate == genes or self.used + len(self.seeds) > self.budget:
                continue
            after = self._ask([(candidate, seed) for seed in self.seeds])
            if _mean(after) < _mean(base):
                return candidate, after
        return None

    def _thought(self, genes: Candidate[G], dice: random.Random, step: float) -> Candidate[G]:
        """What the regression thinks best: one move of this step per intersection at most."""
        self._model.fit()
        moves = [self.space.move(genes, dice, step) for _ in range(THOUGHTS * len(genes))]
        now = {one: self._model.local(genes, one) for one in genes}
        best, delay = dict(genes), dict(now)
        ranked = sorted(
            (
                (
                    sum(self._model.local({**genes, **move.genes}, one) - now[one] for one in move.felt_by),
                    place,
                )
                for place, move in enumerate(moves)
                if move is not None
            ),
        )
        touched: set[str] = set()
        for gain, place in ranked:
            move = moves[place]
            if gain >= 0 or move is None:
                break
            if touched & move.genes.keys():
                continue
            other = {**best, **move.genes}
            after = {one: self._model.local(other, one) for one in move.felt_by}
            if sum(after.values()) < sum(delay[one] for one in after):
                best = other
                delay.update(after)
                touched |= move.genes.keys()
        return best

    def _moves(self, genes: Candidate[G], dice: random.Random, step: float) -> Iterator[Move[G]]:
        """Random moves none of which is felt where another one changes something."""
        changed: set[str] = set()
        felt: set[str] = set()
        for _ in range(TRIES * len(genes)):
            move = self.space.move(genes, dice, step)
            if move is None or move.felt_by & changed or move.genes.keys() & felt:
                continue
            changed |= move.genes.keys()
            felt |= move.felt_by
            yield move

    def _ask(self, wanted: Sequence[tuple[Candidate[G], int]]) -> Sequence[Seen]:
        if not wanted:
            return ()
        self.used += len(wanted)
        seen = self.evaluate(wanted)
        for (genes, seed), one in zip(wanted, seen, strict=True):
            if math.isfinite(one.delay_s):
                self._model.add(genes, seed, one.delay_s, one.local)
        return seen


def _changed(genes: Candidate[G], moves: Sequence[Move[G]]) -> Candidate[G]:
    changed = dict(genes)
    for move in moves:
        changed.update(move.genes)
    return changed


def _gain(move: Move[G], before: Seen, after: Seen) -> float:
    if not math.isfinite(after.delay_s):
        return -math.inf
    return sum(before.local.get(one, 0.0) - after.local.get(one, 0.0) for one in move.felt_by)


def _mean(seen: Sequence[Seen]) -> float:
    return statistics.fmean(one.delay_s for one in seen)
