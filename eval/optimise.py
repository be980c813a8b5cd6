"""The best fixed plan and the best actuated settings of a place, searched in simulation.

What an engineer could run instead of a learned policy must be as good as it can be made: fixed plans start
from Webster's and from those that are there and are improved by `plan_search`; the actuated rule's settings
are tuned by the same search. Tuning seeds begin at `FIRST_SEED` and are never a test's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from denxanh.agents.fixed import Fixed
from denxanh.agents.policy import Policy
from denxanh.errors import ConfigError
from denxanh.eval import optimise_actuated, optimise_starts, provenance
from denxanh.eval.cells import Cell, Conditions, Place, scenario_of_cell
from denxanh.eval.optimise_actuated import Setting, SettingSpace
from denxanh.eval.optimise_jobs import Bench, Job, Memory, Outcome, digest
from denxanh.eval.optimise_moves import PlanSpace
from denxanh.eval.optimise_starts import OWN, WEBSTER, Traffic
from denxanh.eval.plan_search import LOST, Found, Search, Seen, Space
from denxanh.eval.plans import Contender, best_of, with_plans
from denxanh.networks.model import Plan
from denxanh.networks.schedule import active_plan
from denxanh.sim.scenario import Scenario

FIRST_SEED = 1001
"""Tuning seeds count up from here; test seeds count from 1."""
SEARCHED = "searched"
FIXED = "fixed"
_DAY_S = 86_400

G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Wish:
    """What to search, and how.

    Attributes:
        place: corridor and demand, or a foreign configuration.
        conditions: of the search.
        confirm: conditions under which the contenders meet behind the guard; None: no such run.
        seeds: number of tuning seeds.
        evaluations: simulations that the search may use.
        jobs: simulations beside each other.
        guarded: search behind the guard too, not with SUMO's own programmes.
        seed: of the search's own random numbers.
        folder: where finished simulations are kept; None: nowhere.
    """

    place: Place
    conditions: Conditions = field(default_factory=Conditions)
    confirm: Conditions | None = None
    seeds: int = 3
    evaluations: int = 300
    jobs: int = 1
    guarded: bool = False
    seed: int = 1
    folder: Path | None = None

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """The seeds, from `FIRST_SEED` on."""
        return tuple(range(FIRST_SEED, FIRST_SEED + self.seeds))


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far it is.

    Attributes:
        stage: a part of the work begins: what, and of how many simulations.
        done: a simulation ended; whether it was remembered.
        better: a new best: mean delay, simulations that the search has used.
        said: what went wrong, in words.
    """

    stage: Callable[[str, int], None] = lambda _what, _total: None
    done: Callable[[bool], None] = lambda _remembered: None
    better: Callable[[float, int], None] = lambda _delay, _used: None
    said: Callable[[str], None] = lambda _text: None


@dataclass(frozen=True, slots=True)
class Optimised(Generic[G]):
    """What a search came to.

    Attributes:
        found: the search's own end, under its own conditions.
        confirmed: the contenders behind the guard; empty without confirmation.
        best: name of the contender to use: of the confirmed ones, else of start and searched.
        genes: that contender's settings by intersection.
        scenario: of the first seed, as it was before.
        number: of the plan that was searched; 0 for rules.
        failures: simulations that failed.
        seeds: the tuning seeds.
    """

    found: Found[G]
    confirmed: tuple[Contender, ...]
    best: str
    genes: Mapping[str, G]
    scenario: Scenario
    number: int
    failures: int
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trials(Generic[G]):
    """Turns candidates into jobs.

    Attributes:
        wish: what to search.
        number: of the plan that runs.
        applied: a scenario under a candidate, and the policy that runs it (None: SUMO alone).
        named: a candidate as plain data, for its key.
    """

    wish: Wish
    number: int
    applied: Callable[[Scenario, Mapping[str, G], bool], tuple[Scenario, Policy | None]]
    named: Callable[[Mapping[str, G]], object]
    _scenarios: dict[tuple[Conditions, int], Scenario] = field(default_factory=dict)

    def job(
        self,
        genes: Mapping[str, G],
        seed: int,
        conditions: Conditions,
        *,
        guarded: bool,
        counted: bool = False,
    ) -> Job:
        """One candidate on one seed."""
        place = self.wish.place
        cell = Cell(place, FIXED, FIXED, seed, conditions)
        scenario, policy = self.applied(self.scenario(conditions, seed), genes, guarded)
        what = [cell.key(), self.number, policy.name if policy else "", self.named(genes)]
        what.append(provenance.versions())
        return Job(digest(what), scenario, seed, self.number, policy, not place.foreign, counted)

    def scenario(self, conditions: Conditions, seed: int) -> Scenario:
        """The scenario of a seed; a foreign one is the same for all."""
        key = (conditions, 0 if self.wish.place.foreign else seed)
        if key not in self._scenarios:
            self._scenarios[key] = scenario_of_cell(Cell(self.wish.place, FIXED, FIXED, seed, conditions))
        return self._scenarios[key]


def optimise_plans(wish: Wish, watch: Watch) -> Optimised[Plan]:
    """Search fixed plans for a place: splits, offsets and cycle.

    Raises:
        DenXanhError: the place, its conditions or the folder cannot be used, or every simulation fails.
    """
    bench = _bench(wish, watch)
    scenario = scenario_of_cell(Cell(wish.place, FIXED, FIXED, FIRST_SEED, wish.conditions))
    number = plan_number(scenario)
    trials: Trials[Plan] = Trials(wish, number, _planned, _plans_as_data)
    own = {one.id: one.plan(number) for one in scenario.intersections}
    watch.stage("counting", 1)
    counts = _counted(bench, trials.job(own, FIRST_SEED, wish.conditions, guarded=wish.guarded, counted=True))
    traffic = _traffic(wish.place, scenario, counts)
    cycles = {plan.cycle_s for plan in own.values()}
    space = PlanSpace(
        scenario.intersections,
        {(start, end): vehicles for start, end, vehicles in counts.links},
        common_cycle=not wish.place.foreign and len(cycles) == 1,
    )
    return _search(wish, watch, bench, trials, space, optimise_starts.starts(scenario, number, traffic))


def tune_actuated(wish: Wish, watch: Watch) -> Optimised[Setting]:
    """Search the settings of the actuated rule for a place: the same everywhere first, then one by one.

    Raises:
        DenXanhError: as for `optimise_plans`.
    """
    wish = replace(wish, guarded=True)
    bench = _bench(wish, watch)
    scenario = scenario_of_cell(Cell(wish.place, FIXED, FIXED, FIRST_SEED, wish.conditions))
    ids = [one.id for one in scenario.intersections]
    trials: Trials[Setting] = Trials(wish, 0, _actuated, _settings_as_data)
    starts = optimise_actuated.starts(ids)
    watch.stage("counting", 1)
    counts = _counted(bench, trials.job(starts[OWN], FIRST_SEED, wish.conditions, guarded=True, counted=True))
    space = SettingSpace(ids, {(start, end): vehicles for start, end, vehicles in counts.links})
    return _search(wish, watch, bench, trials, space, starts)


def _actuated(
    scenario: Scenario, genes: Mapping[str, Setting], _guarded: bool
) -> tuple[Scenario, Policy | None]:
    return scenario, optimise_actuated.policy_of(genes)


def _settings_as_data(genes: Mapping[str, Setting]) -> object:
    return {key: [setting.passage_s, setting.max_green_s] for key, setting in genes.items()}


def plan_number(scenario: Scenario) -> int:
    """The plan that the schedule runs in the measured window.

    Raises:
        ConfigError: the corridor has no schedule, or an intersection lacks the plan.
    """
    schedule = scenario.corridor.schedule
    if not schedule.entries:
        raise ConfigError("has no schedule of plans", where=scenario.corridor.id, fix="add one")
    number = active_plan(schedule, scenario.date, scenario.measure_from_s % _DAY_S)
    for one in scenario.intersections:
        if all(plan.number != number for plan in one.plans):
            raise ConfigError(f"{one.id} has no plan {number}", where=scenario.corridor.id)
    return number


def _planned(scenario: Scenario, genes: Mapping[str, Plan], guarded: bool) -> tuple[Scenario, Policy | None]:
    return with_plans(scenario, genes), Fixed() if guarded else None


def _plans_as_data(genes: Mapping[str, Plan]) -> object:
    return {
        key: [plan.offset_s, [[split.stage, split.split_s] for split in plan.splits]]
        for key, plan in genes.items()
    }


def _counted(bench: Bench, job: Job) -> Outcome:
    (counts,) = bench.run([job])
    assert counts is not None  # a lone failure raises
    return counts


def _traffic(place: Place, scenario: Scenario, counts: Outcome) -> Traffic:
    if not place.foreign:
        return optimise_starts.catalogue_traffic(place.corridor, place.demand)
    volumes = {(edge, after): flow for edge, after, flow in counts.volumes}
    return optimise_starts.counted_traffic(scenario, volumes)


def _bench(wish: Wish, watch: Watch) -> Bench:
    memory = Memory(wish.folder)
    if memory.forgotten:
        watch.said(f"{memory.forgotten} kept simulations are of other code and are made anew")
    return Bench(memory, wish.jobs, watch.done, lambda what: watch.said(f"a simulation failed: {what}"))


def _search(
    wish: Wish,
    watch: Watch,
    bench: Bench,
    trials: Trials[G],
    space: Space[G],
    starts: Mapping[str, Mapping[str, G]],
) -> Optimised[G]:
    seeds = wish.tuning_seeds

    def evaluate(wanted: Sequence[tuple[Mapping[str, G], int]]) -> list[Seen]:
        jobs = [trials.job(genes, seed, wish.conditions, guarded=wish.guarded) for genes, seed in wanted]
        return [LOST if made is None else Seen(made.delay_s, made.local) for made in bench.run(jobs)]

    watch.stage("searching", wish.evaluations)
    search = Search(evaluate, space, seeds, wish.evaluations, wish.seed, watch.better)
    found = search.run(starts)
    contenders = {name: starts[name] for name in starts if name in (OWN, WEBSTER, found.start)}
    contenders[SEARCHED] = found.genes
    confirmed: tuple[Contender, ...] = ()
    if wish.confirm is not None:
        watch.stage("confirming", len(contenders) * len(seeds))
        confirmed = _confirmed(wish.confirm, bench, trials, contenders, seeds)
    best = best_of(confirmed).name if confirmed else SEARCHED
    return Optimised(
        found=found,
        confirmed=confirmed,
        best=best,
        genes=contenders[best],
        scenario=trials.scenario(wish.conditions, seeds[0]),
        number=trials.number,
        failures=bench.failures,
        seeds=seeds,
    )


def _confirmed(
    conditions: Conditions,
    bench: Bench,
    trials: Trials[G],
    contenders: Mapping[str, Mapping[str, G]],
    seeds: Sequence[int],
) -> tuple[Contender, ...]:
    jobs = [
        trials.job(genes, seed, conditions, guarded=True) for genes in contenders.values() for seed in seeds
    ]
    made = bench.run(jobs)
    count = len(seeds)
    return tuple(
        Contender(
            name,
            tuple(
                float("inf") if one is None else one.delay_s
                for one in made[place * count : (place + 1) * count]
            ),
        )
        for place, name in enumerate(contenders)
    )
