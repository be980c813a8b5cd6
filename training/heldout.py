"""Periodic evaluation on generated networks that training never draws, against the rule on the same ones."""

from __future__ import annotations

import math
import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from denxanh.agents import registry
from denxanh.agents.policy import Policy
from denxanh.agents.universal import OnnxScorer, Universal
from denxanh.sim import direct
from denxanh.sim.generator import Layout, Recipe, generate
from denxanh.training.config import Evaluation
from denxanh.training.curriculum import EVALUATION_SEEDS

LAYOUTS = (Layout.GALLERY, Layout.ARTERIAL, Layout.GRID, Layout.RANDOM)
COMMITMENTS_S = (0, 0, 8)
DEMAND = (0.6, 0.95)
SIGNALS = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: evaluation network `number` under a rule's name or a model file."""

    number: int
    seconds: int
    policy: str
    model: Path | None = None


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
    seed = EVALUATION_SEEDS + cell.number
    recipe = Recipe(
        layout=LAYOUTS[cell.number % len(LAYOUTS)],
        signals=SIGNALS,
        demand=DEMAND,
        commitment_s=(COMMITMENTS_S[cell.number % len(COMMITMENTS_S)],),
        seconds=cell.seconds,
    )
    policy: Policy
    if cell.model is None:
        policy = registry.policy(cell.policy)
    else:
        policy = Universal(cell.policy, OnnxScorer(cell.model))
    with tempfile.TemporaryDirectory(prefix="denxanh-heldout-") as folder:
        result = direct.run(generate(recipe, seed, Path(folder)), policy, seed)
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
    """

    def __init__(self, given: Evaluation, jobs: int) -> None:
        self._given, self._jobs = given, jobs
        self._rule: list[Outcome] | None = None

    def score(self, model: Path) -> Score:
        """Simulate the model on every network and compare."""
        if self._rule is None:
            self._rule = self._run(self._given.rule, None)
        mine = self._run("universal", model)
        ratios = [one.delay_s / max(rule.delay_s, 1e-6) for one, rule in zip(mine, self._rule, strict=True)]
        return Score(
            ratio=math.exp(math.fsum(math.log(one) for one in ratios) / len(ratios)),
            worst=max(ratios),
            gridlocks=sum(one.gridlock for one in mine),
            conflicts=sum(one.conflicts for one in mine),
        )

    def _run(self, policy: str, model: Path | None) -> list[Outcome]:
        cells = [Cell(n, self._given.seconds, policy, model) for n in range(self._given.scenarios)]
        return run_cells(cells, self._jobs)


def run_cells(cells: Sequence[Cell], jobs: int) -> list[Outcome]:
    """Every cell in a fresh process: libsumo carries random state from one simulation to the next."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(run_cell, cells))
