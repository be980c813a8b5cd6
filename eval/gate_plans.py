"""The fixed plans that a policy has to beat: the corridor's own, Webster's, and those of given files.

Each runs in a copy of the corridor's folder with another `plans.toml`: nothing else differs, and the copy
shows afterwards what was run. Plans that do the same in a scenario's window are run once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from denxanh.errors import ConfigError
from denxanh.eval.cells import Place, corridor_places
from denxanh.eval.gate_types import Case, Contender
from denxanh.eval.plans import PlansDocument, corridor_with_plans, document, load_plans, plans_text
from denxanh.networks import catalogue, corridor_files, flows, webster
from denxanh.networks.build import build
from denxanh.networks.model import Corridor, Plan
from denxanh.networks.schedule import SECONDS_PER_DAY, active_plan
from denxanh.sim.scenario import WARMUP_S, WINDOW_S, Scenario

OWN, WEBSTER = "own", "webster"
PLANS = "plans.toml"
SEARCHED = "search"
"""Plans whose `source` has this word and names a scenario came out of a search for it (`plan optimise`)."""
_LOOK_EVERY_S = 60
_DATE = str(next(one.default for one in fields(Scenario) if one.name == "date"))


@dataclass(frozen=True, slots=True)
class Opponent:
    """A contender and the place that has its plans."""

    contender: Contender
    place: Place


def plan_files(given: Sequence[Path]) -> tuple[Path, ...]:
    """The files of plans among files and folders; a folder is looked through as `plan optimise` leaves it.

    Raises:
        ConfigError: a folder has none.
    """
    found: list[Path] = []
    for path in given:
        inside = sorted(path.rglob(PLANS)) if path.is_dir() else [path]
        if not inside:
            raise ConfigError(f"has no {PLANS}", where=f"--plans {path}", fix="run denxanh plan optimise")
        found += inside
    return tuple(dict.fromkeys(one.resolve() for one in found))


def opponents(
    cases: Sequence[Case], files: Sequence[Path], folder: Path
) -> Mapping[str, tuple[Opponent, ...]]:
    """Every fixed plan that could run, by case.

    Args:
        cases: corridors of the catalogue under their demands.
        files: of plans; each belongs to the corridors that have all of its intersections.
        folder: where the copies of the corridors go.

    Raises:
        ConfigError: a file is wrong, or belongs to no corridor.
        CorridorError: a corridor is wrong.
        MissingExtraError: SUMO is not installed.
    """
    read = [(path, load_plans(path)) for path in files]
    corridors = {case.corridor: catalogue.corridor(case.corridor) for case in cases}
    for path, plans in read:
        if not any(_belongs(plans, one) for one in corridors.values()):
            raise ConfigError(
                f"has intersections that none of {', '.join(corridors)} has",
                where=str(path),
                fix="give plans of these corridors",
            )
    ready = {name: tuple(_planned(name, one, read, folder)) for name, one in corridors.items()}
    return {case.id: tuple(_distinct(case, ready[case.corridor])) for case in cases}


def _belongs(plans: PlansDocument, corridor: Corridor) -> bool:
    return {line.intersection for line in plans.plan} <= {one.id for one in corridor.intersections}


@dataclass(frozen=True, slots=True)
class _Planned:
    """A corridor with a contender's plans; `where` is its name or folder."""

    label: str
    source: str
    corridor: Corridor
    where: str

    def contender(self, case: Case) -> Contender:
        """What it is in a case."""
        named = re.search(rf"(?<![\w/-]){re.escape(case.id)}(?![\w/-])", self.source) is not None
        return Contender(self.label, named and SEARCHED in self.source.casefold(), self.source)


def _planned(
    name: str, corridor: Corridor, read: Iterable[tuple[Path, PlansDocument]], folder: Path
) -> Iterator[_Planned]:
    source = corridor_files.read(catalogue.folder(name)).plans.source
    yield _Planned(OWN, source, corridor, name)
    yield _copied(name, corridor, WEBSTER, webster.plans_text(build(name)), folder)
    taken = {OWN, WEBSTER}
    for path, plans in read:
        if _belongs(plans, corridor):
            label = _label(path, taken)
            whole = document(corridor_with_plans(corridor, plans), plans.source)
            yield _copied(name, corridor, label, plans_text(whole), folder)


def _copied(name: str, corridor: Corridor, label: str, text: str, folder: Path) -> _Planned:
    """A copy of the corridor's files with other plans."""
    target = folder / label / name
    target.mkdir(parents=True, exist_ok=True)
    for path in catalogue.folder(name).iterdir():
        if path.suffix in (".toml", ".xml") and path.name != PLANS:
            shutil.copyfile(path, target / path.name)
    (target / PLANS).write_text(text, encoding="utf-8")
    plans = load_plans(target / PLANS)
    return _Planned(label, plans.source, corridor_with_plans(corridor, plans), str(target.resolve()))


def _label(path: Path, taken: set[str]) -> str:
    """A short name of a file: its own, or its folder's where it is one of many `plans.toml`."""
    plain = path.parent.name if path.name == PLANS else path.stem
    label, number = plain, 1
    while label in taken or not label:
        number += 1
        label = f"{plain}-{number}"
    taken.add(label)
    return label


def _distinct(case: Case, ready: Sequence[_Planned]) -> Iterator[Opponent]:
    """Contenders that do something of their own in a case's window; a searched one stands for its equals."""
    numbers = _numbers(case, ready[0].corridor)
    best: dict[tuple[object, ...], tuple[Contender, str]] = {}
    for one in ready:
        does = tuple(
            _does(plan)
            for place in one.corridor.intersections
            for plan in place.plans
            if plan.number in numbers
        )
        contender = one.contender(case)
        if does not in best or (contender.searched and not best[does][0].searched):
            best[does] = contender, one.where
    for contender, where in best.values():
        (place,) = corridor_places(where, (case.demand,))
        yield Opponent(contender, place)


def _does(plan: Plan) -> tuple[object, ...]:
    return plan.number, plan.offset_s, tuple((split.stage, split.split_s) for split in plan.splits)


def _numbers(case: Case, corridor: Corridor) -> set[int]:
    """The plans that the timetable runs in a case's window."""
    start = flows.scenario_of(corridor_files.read(catalogue.folder(case.corridor)), case.demand).start
    end = start + WARMUP_S + WINDOW_S
    seconds = (*range(start, end, _LOOK_EVERY_S), end - 1)
    return {active_plan(corridor.schedule, _DATE, second % SECONDS_PER_DAY) for second in seconds}
