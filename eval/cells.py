"""What is run: a place, under conditions, with a policy and a seed. Plain data, so that a process can get it.

A cell's key is made of everything that decides its outcome but the code: two cells with one key are the same
run.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from denxanh.agents import registry
from denxanh.agents.policy import Policy
from denxanh.errors import ConfigError, NetworkError
from denxanh.eval.searched import searched
from denxanh.networks import catalogue, corridor_files
from denxanh.networks.clearance import with_fixed_intergreens
from denxanh.networks.demand import Fidelity
from denxanh.networks.flows import scenario_of
from denxanh.networks.sumocfg import read_configuration
from denxanh.sim import references
from denxanh.sim.scenario import WARMUP_S, WINDOW_S, Scenario, catalogue_scenario, foreign_scenario

FIXED = "fixed"
EMISSION_OPTIONS = ("--device.emissions.probability", "1")


@dataclass(frozen=True, slots=True)
class Place:
    """A corridor under one of its demands, or anyone's SUMO configuration (then `corridor` is empty)."""

    id: str
    corridor: str = ""
    demand: str = ""
    sumocfg: str = ""
    name_vi: str = ""
    """For people; empty where it has no name but its id."""
    name_en: str = ""

    @property
    def foreign(self) -> bool:
        """Whether it is not one of our corridors: delay is then compared per vehicle, not per person."""
        return not self.corridor

    def files(self) -> tuple[Path, ...]:
        """Every file that describes it.

        Raises:
            NetworkError: the configuration, or a file that it names, is not there.
            CorridorError: there is no such corridor.
        """
        if self.corridor:
            folder = catalogue.folder(self.corridor)
            wanted = (*folder.glob("*.toml"), *folder.glob("*.xml"))
            return tuple(sorted(wanted))
        given = read_configuration(Path(self.sumocfg))
        return (Path(self.sumocfg), given.net, *given.routes, *given.additional)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What every policy of a matrix has to live with. Times in SUMO seconds; None: the place's own."""

    begin_s: int | None = None
    end_s: int | None = None
    seconds: int | None = None
    """Stop so long after the begin."""
    sumo_options: tuple[str, ...] = ()
    yellow_s: int | None = None
    """With `all_red_s`: fixed clearances in every intersection, for benchmarks only."""
    all_red_s: int | None = None
    intersections: tuple[str, ...] = ()
    """Those that are controlled; empty: all."""
    failed_share: float = 0.0
    """Of loops and zones, broken from the start."""
    field_like: bool = False
    """Detectors with the assumed errors of `faults.FIELD_LIKE`."""
    emissions: bool = False
    proxy: bool = False
    """Corridors with one car-sized unit for three two-wheelers."""
    scale: float = 1.0
    """Factor on the vehicle flows of a corridor."""

    @property
    def fixed_clearances(self) -> tuple[int, int] | None:
        """Yellow and all-red in seconds where they replace those of the street."""
        if self.yellow_s is None or self.all_red_s is None:
            return None
        return self.yellow_s, self.all_red_s


@dataclass(frozen=True, slots=True)
class Cell:
    """One run to make. `policy` is its name in the tables, `setting` what really runs."""

    place: Place
    policy: str
    setting: str
    seed: int
    conditions: Conditions = field(default_factory=Conditions)
    events: Path | None = None
    """Folder for its high-resolution events; decides nothing of the outcome."""

    @property
    def guarded(self) -> bool:
        """Whether it runs behind our guard; SUMO's own programmes do not."""
        return self.setting not in references.NAMES

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.place.id} {self.setting} seed {self.seed}"

    def events_file(self) -> Path | None:
        """Where its high-resolution events go; None: nowhere, or SUMO's own programme tells none.

        Raises:
            DenXanhError: as `key`.
        """
        return self.events / f"{self.key()}.csv" if self.events is not None and self.guarded else None

    def behind(self) -> tuple[str, Path] | None:
        """The kind of policy and its file, a model or what a search left; None for a plain rule.

        Raises:
            DenXanhError: there is no such file.
        """
        found = searched(self.setting, self.place.id)
        if found is not None:
            return found.rule, found.path
        model = registry.model_of(self.setting) if self.guarded else None
        return None if model is None else ("model", model)

    def key(self) -> str:
        """File name without suffix: readable, and unique for what decides the outcome.

        Raises:
            DenXanhError: a file that the cell needs is not there.
        """
        parts = asdict(self)
        del parts["policy"], parts["events"]
        parts["place"] = self.place.demand
        parts["files"] = digests(self.place.files())
        behind = self.behind()
        if behind is not None:
            rule, path = behind
            parts["setting"], parts["behind"] = rule, digests((path,))[0][1]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
        words = re.sub(r"[^A-Za-z0-9.@+-]+", "-", f"{self.place.id}_{self.setting}").strip("-")[-80:]
        return f"{words}_{self.seed}_{digest}"


@lru_cache(maxsize=256)
def _digest_of(path: Path, _size: int, _changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(paths: tuple[Path, ...]) -> list[tuple[str, str]]:
    """Name and SHA-256 of files.

    Raises:
        ConfigError: one cannot be read.
    """
    found = []
    for path in paths:
        try:
            state = path.stat()
            found.append((path.name, _digest_of(path, state.st_size, state.st_mtime_ns)))
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return found


def corridor_places(name: str, wanted: tuple[str, ...] = ()) -> tuple[Place, ...]:
    """A corridor's scenarios.

    Args:
        name: of the catalogue, or a folder.
        wanted: scenarios of its `demand.toml`; empty: all.

    Raises:
        CorridorError: the corridor or a scenario does not exist, or is wrong.
    """
    files = corridor_files.read(catalogue.folder(name))
    for one in wanted:
        scenario_of(files, one)
    corridor, demands = files.corridor, files.demand.scenario
    return tuple(
        Place(
            id=f"{corridor.id}/{one}",
            corridor=str(name),
            demand=one,
            name_vi=f"{corridor.name_vi} · {demands[one].name_vi}",
            name_en=f"{corridor.name_en} · {demands[one].name_en}",
        )
        for one in wanted or tuple(demands)
    )


def sumocfg_places(paths: tuple[Path, ...]) -> tuple[Place, ...]:
    """Anyone's configurations; those with one name are told apart by their folder's.

    Raises:
        NetworkError: one is not there, is wrong, or two cannot be told apart.
    """
    stems = [path.name.removesuffix(".sumocfg") for path in paths]
    places = []
    for path, stem in zip(paths, stems, strict=True):
        read_configuration(path)
        name = stem if stems.count(stem) == 1 else f"{path.resolve().parent.name}/{stem}"
        places.append(Place(id=name, sumocfg=str(path.resolve())))
    names = [place.id for place in places]
    for place in places:
        if names.count(place.id) > 1:
            raise NetworkError("is given twice, or two have one name and folder name", where=place.sumocfg)
    return tuple(places)


def scenario_of_cell(cell: Cell) -> Scenario:
    """What to simulate; the seed draws a corridor's demand.

    Raises:
        DenXanhError: the place is wrong, or has no such intersection.
    """
    place, given = cell.place, cell.conditions
    options = (*given.sumo_options, *(EMISSION_OPTIONS if given.emissions else ()))
    if place.corridor:
        scenario = catalogue_scenario(
            place.corridor,
            place.demand,
            Fidelity.PROXY if given.proxy else Fidelity.SUBLANE,
            cell.seed,
            seconds=given.seconds or WARMUP_S + WINDOW_S,
            scale=given.scale,
        )
        scenario = replace(scenario, options=(*scenario.options, *options))
        scenario = _controlling(scenario, given.intersections)
    else:
        scenario = foreign_scenario(
            Path(place.sumocfg),
            begin_s=given.begin_s,
            end_s=given.end_s,
            options=options,
            controlled=given.intersections,
        )
        if given.seconds is not None:
            scenario = scenario.until(given.seconds)
    return _planned(_cleared(scenario, given.fixed_clearances), cell)


def _planned(scenario: Scenario, cell: Cell) -> Scenario:
    """The same with the plans of a file, where the policy is the fixed plan of one."""
    found = searched(cell.setting, cell.place.id)
    if found is None or found.rule != FIXED:
        return scenario
    from denxanh.eval.plans import load_plans, with_plans

    return with_plans(scenario, load_plans(found.path))


def policy_of_cell(cell: Cell) -> Policy:
    """Who decides in a guarded cell.

    Raises:
        DenXanhError: there is no such policy, or its file is wrong.
    """
    found = searched(cell.setting, cell.place.id)
    if found is None:
        return registry.policy(cell.setting)
    if found.rule == FIXED:
        return registry.policy(FIXED)
    from denxanh.eval.optimise_actuated import load_actuated

    return load_actuated(found.path)


def _controlling(scenario: Scenario, wanted: tuple[str, ...]) -> Scenario:
    """The same with only these intersections driven."""
    if not wanted:
        return scenario
    known = [one.id for one in scenario.corridor.intersections]
    for one in wanted:
        if one not in known:
            raise ConfigError(
                f"{scenario.corridor.id} has no intersection {one!r}",
                where="--intersections",
                fix=f"choose among {', '.join(known)}",
            )
    return replace(scenario, controlled=wanted)


def _cleared(scenario: Scenario, clearances: tuple[int, int] | None) -> Scenario:
    """The same with fixed clearances in every intersection."""
    if clearances is None:
        return scenario
    intersections = tuple(with_fixed_intergreens(one, *clearances) for one in scenario.corridor.intersections)
    return replace(scenario, corridor=replace(scenario.corridor, intersections=intersections))
