"""Running the gate: choose the best fixed plan, run policy and plan on the test seeds, judge, write the card.

A stopped gate goes on from its folder: finished runs are not made again. Nothing is written into the card
before every run has ended.

    OUT/model/SHA/     copy of the model that runs, whatever happens to the file meanwhile
    OUT/plans/NAME/    corridors with the plans of each contender
    OUT/cells/ …       finished runs, as those of `evaluate`
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from denxanh.agents import registry
from denxanh.agents.model_card import ModelCard, card_path, sha256_of, verify
from denxanh.errors import ConfigError, ModelError
from denxanh.eval import gate_card, gate_words
from denxanh.eval.cells import Cell, Conditions, corridor_places
from denxanh.eval.gate import best_plan, judge
from denxanh.eval.gate_plans import Opponent, opponents, plan_files
from denxanh.eval.gate_types import CHOOSING_SEEDS, SEEDS, Case, Evidence, Reason, Rules, Verdict
from denxanh.eval.matrix import Progress, Request, Step, run_matrix
from denxanh.eval.results import Failure, Results, Run
from denxanh.eval.store import Store
from denxanh.networks import catalogue, corridor_files
from denxanh.sim.scenario import WARMUP_S

POLICY = "model"
"""The candidate's name in the tables."""
FIXED = "fixed"
QUICK_SEEDS, QUICK_CHOOSING, QUICK_S = 2, 1, 900
"""Of a quick look: seeds, and how long a run lasts, warm-up included."""

Matrix = Callable[[Request, Progress], Results]
Tell = Callable[[int, int, Step], None]
"""Told of every run: how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run.

    Attributes:
        model: file of the model.
        out: folder of the results.
        plans: files of fixed plans, and folders with some.
        corridors: only these (empty: the whole catalogue); then it is a look.
        scenarios: only these demands; then it is a look.
        quick: few seeds and short runs; then it is a look.
        yellow_s: with `all_red_s`, fixed clearances; then it is a look.
        jobs: processes.
    """

    model: Path
    out: Path
    plans: tuple[Path, ...] = ()
    corridors: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    quick: bool = False
    yellow_s: int | None = None
    all_red_s: int | None = None
    jobs: int = 1

    @property
    def conditions(self) -> Conditions:
        """Under which everything runs."""
        return Conditions(
            seconds=QUICK_S if self.quick else None,
            yellow_s=self.yellow_s,
            all_red_s=self.all_red_s,
        )

    @property
    def looked(self) -> bool:
        """Whether this is no full gate, so that the card stays as it is."""
        parts = (self.quick, self.corridors, self.scenarios, self.conditions != Conditions())
        return any(map(bool, parts))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate came to."""

    evidence: Evidence
    rules: Rules
    verdict: Verdict
    name: str = ""
    """The model's, from its card."""
    sha256: str = ""
    """Of the model that ran."""
    resumed: int = 0
    wall_s: float = 0.0


def catalogue_cases() -> tuple[Case, ...]:
    """Every corridor of the catalogue under every one of its demands.

    Raises:
        CorridorError: a corridor is wrong.
    """
    held_out = set(catalogue.held_out())
    return tuple(
        Case(f"{name}/{demand}", name in held_out)
        for name in catalogue.names()
        for demand in corridor_files.read(catalogue.folder(name)).demand.scenario
    )


def run(wish: Wish, tell: Tell = lambda _done, _total, _step: None, matrix: Matrix = run_matrix) -> Outcome:
    """Run what is missing and judge; the card is not touched (`gate_card.record`).

    Args:
        wish: what to run.
        tell: told of every run.
        matrix: makes the runs.

    Raises:
        DenXanhError: plans, a corridor or the folder cannot be used.
    """
    begun = time.monotonic()
    cases = _wanted(wish)
    rules = Rules(cases)
    if wish.quick:
        rules = replace(
            rules,
            seeds=SEEDS[:QUICK_SEEDS],
            choosing_seeds=CHOOSING_SEEDS[:QUICK_CHOOSING],
            window_s=max(0, QUICK_S - WARMUP_S),
        )
    try:
        card = verify(wish.model)
        model = _kept(wish.model, card, wish.out)
    except ModelError as error:
        evidence = Evidence(POLICY, {}, (), objections=(gate_card.refused(error),))
        verdict = Verdict(evidence.objections, ())
        return Outcome(evidence, rules, verdict, wall_s=time.monotonic() - begun)
    against = opponents(cases, plan_files(wish.plans), wish.out / "plans")
    evidence = Evidence(
        policy=POLICY,
        contenders={case: tuple(one.contender for one in some) for case, some in against.items()},
        runs=(),
        conditions=wish.conditions,
        objections=(*_look(wish, cases), *gate_card.objections(card, catalogue.held_out(), rules)),
    )
    bench = _Bench(wish, rules, against, model, matrix, tell)
    evidence, resumed = bench.filled(evidence)
    return Outcome(
        evidence=evidence,
        rules=rules,
        verdict=judge(evidence, rules),
        name=card.name,
        sha256=card.sha256,
        resumed=resumed,
        wall_s=time.monotonic() - begun,
    )


def _wanted(wish: Wish) -> tuple[Case, ...]:
    """The cases asked for.

    Raises:
        ConfigError: there is none, or a name is unknown.
    """
    every = catalogue_cases()
    known = {one.corridor for one in every}, {one.demand for one in every}
    for names, some, where in zip(
        (wish.corridors, wish.scenarios), known, ("--corridor", "--scenarios"), strict=True
    ):
        lost = [one for one in names if one not in some]
        if lost:
            raise ConfigError(
                f"the catalogue has no {lost[0]!r}",
                where=where,
                fix=f"choose among {', '.join(sorted(some))}",
            )
    found = tuple(
        one
        for one in every
        if one.corridor in (wish.corridors or known[0]) and one.demand in (wish.scenarios or known[1])
    )
    if not found:
        raise ConfigError("no corridor has such a scenario", where="--scenarios")
    return found


def _look(wish: Wish, cases: Sequence[Case]) -> Iterator[Reason]:
    if wish.quick:
        yield gate_words.look(f"{QUICK_SEEDS} seed, {QUICK_S} s", f"{QUICK_SEEDS} seeds, {QUICK_S} s")
    every = catalogue_cases()
    if set(cases) != set(every):
        yield gate_words.look(
            f"{len(cases)} trong {len(every)} kịch bản", f"{len(cases)} of {len(every)} scenarios"
        )


def _kept(model: Path, card: ModelCard, out: Path) -> Path:
    """A copy of model and card that nobody exchanges while the gate runs.

    Raises:
        ModelError: the file changed in this moment.
        ConfigError: the folder cannot be written.
    """
    target = out.resolve() / "model" / card.sha256[:16] / model.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for source, copy in ((model, target), (card_path(model), card_path(target))):
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                shutil.copyfile(source, copy)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=f"--out {out}") from error
    if sha256_of(target) != card.sha256:
        raise ModelError("the file changed while it was copied", where=str(model), fix="run the gate again")
    verify(target)
    return target


@dataclass(frozen=True, slots=True)
class _Cells(Request):
    """A matrix of chosen cells."""

    wanted: tuple[Cell, ...] = ()

    def cells(self) -> Iterator[Cell]:
        """Every run."""
        yield from self.wanted


@dataclass(slots=True)
class _Bench:
    """Makes the runs of a gate."""

    wish: Wish
    rules: Rules
    against: Mapping[str, tuple[Opponent, ...]]
    model: Path
    matrix: Matrix
    tell: Tell
    runs: list[Run] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    resumed: int = 0

    def filled(self, evidence: Evidence) -> tuple[Evidence, int]:
        """The evidence with every run that could be made, and how many of them were finished before."""
        choosing = tuple(self._choosing())
        total = len(choosing) + 2 * len(self.rules.seeds) * len(self.rules.cases)
        self._make(choosing, 0, total)
        chosen = replace(evidence, runs=tuple(self.runs))
        test = tuple(self._test(chosen))
        self._make(test, len(choosing), len(choosing) + len(test))
        runs = tuple(self.runs)
        changed = Store(self.wish.out).changed(runs)
        return replace(evidence, runs=runs, failures=tuple(self.failures), changed=changed), self.resumed

    def _choosing(self) -> Iterator[Cell]:
        """Every plan where there are several."""
        for case in self.rules.cases:
            some = self.against[case.id]
            if len(some) > 1:
                for seed in self.rules.choosing_seeds:
                    for one in some:
                        yield self._plan(one, seed)

    def _test(self, evidence: Evidence) -> Iterator[Cell]:
        """Seed by seed the policy and the best plan; nothing where no plan could be chosen."""
        setting = f"{registry.MODEL}{self.model}"
        for case in self.rules.cases:
            best = best_plan(evidence, self.rules, case)
            for one in self.against[case.id]:
                if best is None or one.contender != best:
                    continue
                (place,) = corridor_places(case.corridor, (case.demand,))
                for seed in self.rules.seeds:
                    yield Cell(place, POLICY, setting, seed, self.wish.conditions)
                    yield self._plan(one, seed)

    def _plan(self, one: Opponent, seed: int) -> Cell:
        return Cell(one.place, one.contender.name, FIXED, seed, self.wish.conditions)

    def _make(self, cells: Sequence[Cell], before: int, total: int) -> None:
        if not cells:
            return
        places = tuple({cell.place.id: cell.place for cell in cells}.values())
        request = _Cells(
            places=places, policies=(), seeds=(), out=self.wish.out, conditions=self.wish.conditions,
            jobs=self.wish.jobs, wanted=tuple(cells),
        )  # fmt: skip
        found = self.matrix(request, lambda step: self.tell(before + step.done, total, step))
        self.runs += found.runs
        self.failures += found.failures
        self.resumed += found.resumed
