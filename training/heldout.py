"""Periodic evaluation on generated networks that training never draws, against the rule on the same ones."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from denxanh.agents import registry
from denxanh.agents.policy import Policy
from denxanh.agents.universal import OnnxScorer, Universal
from denxanh.errors import TrainingError
from denxanh.sim import direct
from denxanh.sim.generator import Layout, Recipe, generate
from denxanh.sim.scenario import Scenario
from denxanh.training.config import Evaluation
from denxanh.training.curriculum import EVALUATION_SEEDS, locking, standing_start
from denxanh.training.processes import Failed, run_fresh

_LOG = logging.getLogger(__name__)

LAYOUTS = (Layout.GALLERY, Layout.ARTERIAL, Layout.GRID, Layout.RANDOM)
COMMITMENTS_S = (0, 0, 8)
DEMAND = (0.7, 1.1)
SIGNALS = 6
LIMIT_S = 3600.0
"""Wall time after which one run is given up."""
ATTEMPTS = 2
"""A run that failed is tried so often: a process may have been killed for want of memory."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: evaluation network `number` under a rule's name or a model file."""

    number: int
    seconds: int
    policy: str
    model: Path | None = None

    @property
    def seed(self) -> int:
        """Of the network and of SUMO."""
        return EVALUATION_SEEDS + self.number

    @property
    def scenario(self) -> str:
        """The network's name."""
        return f"{LAYOUTS[self.number % len(LAYOUTS)]}-{self.seed}"

    def made(self, folder: Path) -> Scenario:
        """The network and its traffic.

        Every other four are entered standing, and those without a countdown can lock up inside junctions.

        Raises:
            NetworkError: no draw came to enough usable signals.
        """
        recipe = Recipe(
            layout=LAYOUTS[self.number % len(LAYOUTS)],
            signals=SIGNALS,
            demand=DEMAND,
            commitment_s=(COMMITMENTS_S[self.number % len(COMMITMENTS_S)],),
            seconds=self.seconds,
        )
        scenario = generate(recipe, self.seed, folder)
        if self.number // len(LAYOUTS) % 2:
            scenario = standing_start(scenario)
        return scenario if recipe.commitment_s[0] else locking(scenario)

    def decider(self) -> Policy:
        """The policy.

        Raises:
            ModelError: the model cannot be used.
        """
        if self.model is None:
            return registry.policy(self.policy)
        return Universal(self.policy, OnnxScorer(self.model))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it came to; delay in s per vehicle."""

    number: int
    delay_s: float
    gridlock: bool
    conflicts: int


@dataclass(frozen=True, slots=True)
class Score:
    """A model against the rule.

    Attributes:
        ratio: geometric mean over the networks of the model's mean delay over the rule's; below 1 is better.
        worst: the largest of these ratios.
        gridlocks: networks on which the model locked up.
        conflicts: conflicts, short intergreens and cut clearances; 0 or something is badly wrong.
    """

    ratio: float
    worst: float
    gridlocks: int
    conflicts: int


def run_cell(cell: Cell) -> Outcome:
    """Simulate one cell; call it in a process of its own."""
    policy = cell.decider()
    with tempfile.TemporaryDirectory(prefix="denxanh-heldout-") as folder:
        result = direct.run(cell.made(Path(folder)), policy, cell.seed)
    return Outcome(
        cell.number,
        result.mean_delay_s,
        result.gridlock,
        result.conflicts + result.short_intergreens + result.cut_clearances,
    )


class HeldOut:
    """The evaluation of one run; the rule is simulated once.

    Args:
        given: what to evaluate.
        jobs: processes.
        stop: asked now and then.
        told: runs that are done, and how many there are.
    """

    def __init__(
        self,
        given: Evaluation,
        jobs: int,
        *,
        stop: Callable[[], bool] = lambda: False,
        told: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._given, self._jobs, self._stop, self._told = given, jobs, stop, told
        self._rule: dict[int, Outcome] | None = None

    def score(self, model: Path) -> Score | None:
        """Simulate the model on every network and compare; None where not every run came to an end.

        Raises:
            TrainingError: the rule could not be simulated on any network.
            StoppedError: somebody asked to stop.
        """
        if self._rule is None:
            self._rule = self._run(self._given.rule, None, range(self._given.scenarios))
            if not self._rule:
                raise TrainingError(
                    "no held-out network could be simulated", fix="look at the log: it names the reasons"
                )
        mine = self._run("universal", model, self._rule)
        if len(mine) < len(self._rule):
            return None
        return scored(mine, self._rule)

    def _run(
        self, policy: str, model: Path | None, numbers: Sequence[int] | dict[int, Outcome]
    ) -> dict[int, Outcome]:
        cells = [Cell(number, self._given.seconds, policy, model) for number in numbers]
        found = run_cells(cells, self._jobs, stop=self._stop, told=self._told)
        return {cell.number: one for cell, one in found.items()}


def scored(mine: dict[int, Outcome], rule: dict[int, Outcome]) -> Score:
    """A model's outcomes against the rule's on the same networks."""
    ratios = [relative(mine[number], rule[number]) for number in rule]
    return Score(
        ratio=math.exp(math.fsum(math.log(one) for one in ratios) / len(ratios)),
        worst=max(ratios),
        gridlocks=sum(one.gridlock for one in mine.values()),
        conflicts=sum(one.conflicts for one in mine.values()),
    )


def relative(one: Outcome, rule: Outcome) -> float:
    """Delay over the rule's, above 0."""
    return max(one.delay_s, 1e-6) / max(rule.delay_s, 1e-6)


def run_cells(
    cells: Sequence[Cell],
    jobs: int,
    *,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[Cell, Outcome]:
    """Every cell in a fresh process. One that fails is tried again, then left out and named in the log.

    Raises:
        StoppedError: somebody asked to stop.
    """
    outcomes: dict[Cell, Outcome] = {}
    missing = list(cells)
    for attempt in range(ATTEMPTS):
        count = partial(_count, told, len(outcomes), len(cells))
        answers = run_fresh(run_cell, missing, jobs, limit_s=LIMIT_S, stop=stop, told=count)
        for cell, answer in zip(missing, answers, strict=True):
            if isinstance(answer, Failed):
                again = "" if attempt + 1 < ATTEMPTS else "; it is left out"
                _LOG.warning("%s under %s failed: %s%s", cell.scenario, cell.policy, answer.reason, again)
            else:
                outcomes[cell] = answer
        missing = [cell for cell in missing if cell not in outcomes]
        if not missing:
            break
    return {cell: outcomes[cell] for cell in cells if cell in outcomes}


def _count(told: Callable[[int, int], None], before: int, every: int, done: int) -> None:
    told(before + done, every)
