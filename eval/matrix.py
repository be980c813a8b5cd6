"""The matrix: every policy at every place with every seed, in parallel, going on where it was stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from denxanh.agents import registry
from denxanh.errors import ConfigError
from denxanh.eval.cells import Cell, Conditions, Place, digests
from denxanh.eval.results import Failure, InputFile, Results, Run
from denxanh.eval.runner import LIMIT_S, run_cells
from denxanh.eval.searched import rule_of
from denxanh.eval.store import Store
from denxanh.eval.worker import Broken
from denxanh.sim import references

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What to run. `settings` says what a policy's name means at a place, where it is not the name itself."""

    places: tuple[Place, ...]
    policies: tuple[str, ...]
    seeds: tuple[int, ...]
    out: Path
    conditions: Conditions = field(default_factory=Conditions)
    settings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By (place id, policy)."""
    events: Path | None = None
    """Folder for each run's high-resolution events; a finished run without them is made again."""
    jobs: int = 1
    limit_s: float = LIMIT_S

    def cells(self) -> Iterator[Cell]:
        """Every run: seed by seed, so that a stopped matrix holds whole pairs."""
        for place in self.places:
            for seed in self.seeds:
                for policy in self.policies:
                    setting = self.settings.get((place.id, policy), policy)
                    yield Cell(place, policy, setting, seed, self.conditions, self.events)


@dataclass(frozen=True, slots=True)
class Step:
    """One more cell is done: `outcome` is its run, or why there is none."""

    done: int
    total: int
    outcome: Run | Failure
    resumed: bool


Progress = Callable[[Step], None]


def check(policies: tuple[str, ...]) -> None:
    """Find a wrong name before anything runs.

    Raises:
        DenXanhError: there is no such policy, it is named twice, or its model cannot be used.
    """
    for name in policies:
        if policies.count(name) > 1:
            raise ConfigError(f"{name} is named twice", where="--policies")
        if name not in references.NAMES and rule_of(name) is None:
            registry.check(name)


def run_matrix(request: Request, progress: Progress = lambda _: None) -> Results:
    """Make every run that is not finished in `request.out` yet. Stopping it loses no finished run.

    Args:
        request: what to run.
        progress: told of every cell.

    Returns:
        All runs in the order of `request.cells()`, and the cells that failed (tried again next time).

    Raises:
        DenXanhError: the folder cannot be used, or a place's files are missing.
    """
    begun = time.monotonic()
    cells = list(request.cells())
    store = Store(request.out)
    store.prepare()
    files = tuple(_files(request))
    outcomes: dict[Cell, Run | Failure] = {}

    def take(cell: Cell, outcome: Run | Failure, *, resumed: bool) -> None:
        outcomes[cell] = outcome
        progress(Step(len(outcomes), len(cells), outcome, resumed))

    for cell in cells:
        run, told = store.find(cell), cell.events_file()
        if run is not None and (told is None or told.exists()):
            take(cell, run, resumed=True)
    if store.stale:
        logger.warning("%d finished runs in %s were made by other code: made again", store.stale, request.out)
    resumed = len(outcomes)
    missing = [cell for cell in cells if cell not in outcomes]
    with closing(run_cells(missing, request.jobs, request.limit_s)) as ended:
        for cell, answer in ended:
            if isinstance(answer, Broken):
                error = answer.error
                if answer.trace:
                    error += f" (see {store.keep_trace(cell, answer.trace)})"
                failure = Failure(cell.place.id, cell.policy, cell.setting, cell.seed, error)
                take(cell, failure, resumed=False)
            else:
                store.save(cell, answer.run, answer.code)
                take(cell, answer.run, resumed=False)
    found = [outcomes[cell] for cell in cells]
    runs = tuple(one for one in found if isinstance(one, Run))
    return Results(
        runs=runs,
        failures=tuple(one for one in found if isinstance(one, Failure)),
        foreign={place.id: place.foreign for place in request.places},
        files=files,
        changed=store.changed(runs),
        resumed=resumed,
        wall_s=time.monotonic() - begun,
    )


def _files(request: Request) -> Iterator[InputFile]:
    """What the figures will rest on: the places' files, models, searched plans."""
    for place in request.places:
        for name, sha in digests(place.files()):
            yield InputFile(place.id, None, name, sha)
        for policy in request.policies:
            setting = request.settings.get((place.id, policy), policy)
            behind = Cell(place, policy, setting, request.seeds[0]).behind()
            if behind is not None:
                yield InputFile(place.id, policy, str(behind[1]), digests((behind[1],))[0][1])
