"""What is trained on, drawn at random: networks, demand, detectors, countdowns.

Every draw comes from (run's seed, worker, number), so a run can be repeated and resumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from denxanh.networks import catalogue
from denxanh.networks.corridor_files import CorridorFiles, read
from denxanh.networks.demand import Fidelity, class_mix
from denxanh.networks.flows import scenario_of
from denxanh.sim.faults import FIELD_LIKE, DetectorErrors, ErrorModel
from denxanh.sim.fleet import Fleet
from denxanh.sim.generator import RUNNING_START, Layout, Recipe, generate
from denxanh.sim.reward import RewardWeights
from denxanh.sim.scenario import Scenario, catalogue_scenario
from denxanh.training.config import Config

CORRIDOR_SCENARIOS = ("am", "pm", "offpeak")
"""Demands of a corridor that are trained on: those with traffic. One that has none of these names trains on
all that it has."""
TELEPORT_S = 180
"""In training a jam is resolved after this long, s, or the episode would be lost; never in evaluation."""
BLOCKER_OPTION = "--ignore-junction-blocker"
EVALUATION_SEEDS = 7_000_000
"""Generated networks from here on are for evaluation only."""


@dataclass(frozen=True, slots=True)
class Task:
    """One episode to learn from."""

    scenario: Scenario
    seed: int
    learners: tuple[int, ...]
    errors: DetectorErrors
    weights: RewardWeights


def draw(config: Config, worker: int, number: int, progress: float, folder: Path) -> Task:
    """The `number`-th episode of a worker.

    Args:
        config: of the run.
        worker: which one.
        number: counts this worker's episodes.
        progress: share of the run that is over, in [0, 1].
        folder: for the scenario's files.

    Raises:
        DenXanhError: the scenario cannot be made.
    """
    random = Random(f"{config.run.seed}/{worker}/{number}")
    course = config.curriculum
    seed = random.randrange(1, EVALUATION_SEEDS)
    easy = progress < course.easy_share
    if easy:
        kind = "gallery"
    else:
        shares = course.mix.model_dump()
        kind = random.choices(list(shares), weights=list(shares.values()))[0]
    if kind == "catalogue":
        scenario, weights = _corridor(config, random, seed, folder)
    else:
        scenario = generate(_recipe(config, Layout(kind), easy=easy), seed, folder)
        if random.random() < course.locking:
            scenario = locking(scenario)
        if random.random() < course.standing_start:
            scenario = standing_start(scenario)
        weights = reward_weights(config)
    scenario = _with_teleport(scenario)
    padding = config.padding
    fitting = [n for n, one in enumerate(scenario.intersections) if padding.fits(one)]
    random.shuffle(fitting)
    return Task(
        scenario=scenario,
        seed=seed % 2**31,
        learners=tuple(fitting[: config.workers.slots]),
        errors=_errors(config, random, scenario, seed),
        weights=weights,
    )


def reward_weights(config: Config, people: float | None = None) -> RewardWeights:
    """The configured weights; for a traffic with so many people per passenger-car unit, where it is known."""
    given = config.reward.model_dump(exclude={"occupancy", "people_per_pcu"})
    return RewardWeights(people_per_pcu=people or config.reward.people_per_pcu, **given)


def _recipe(config: Config, layout: Layout, *, easy: bool) -> Recipe:
    course = config.curriculum
    low, high = course.demand
    return Recipe(
        layout=layout,
        signals=config.workers.slots,
        demand=(low, min(high, 0.8)) if easy else (low, high),
        mixed_traffic=course.mixed_traffic,
        sublane=course.sublane,
        commitment_s=course.commitment_s,
        seconds=course.seconds,
    )


def _corridor(config: Config, random: Random, seed: int, folder: Path) -> tuple[Scenario, RewardWeights]:
    course = config.curriculum
    name = random.choice(course.corridors)
    files = read(catalogue.folder(name))
    which = random.choice(_demands(files))
    fidelity = Fidelity.SUBLANE if random.random() < course.sublane else Fidelity.PROXY
    scenario = catalogue_scenario(
        name, which, fidelity, seed % 2**31,
        seconds=course.seconds, scale=random.uniform(*course.scale), folder=folder,
    )  # fmt: skip
    fleet = replace(scenario.fleet, occupancy=config.reward.occupancy.by_user())
    return scenario, reward_weights(config, people_per_pcu(files, which, fleet))


def people_per_pcu(files: CorridorFiles, which: str, fleet: Fleet) -> float:
    """People in one passenger-car unit of a corridor's traffic under one of its demands."""
    return fleet.people_per_pcu(class_mix(files, scenario_of(files, which)))


def _demands(files: CorridorFiles) -> tuple[str, ...]:
    known = tuple(files.demand.scenario)
    return tuple(name for name in CORRIDOR_SCENARIOS if name in known) or known


def locking(scenario: Scenario) -> Scenario:
    """The same without SUMO's way around vehicles that block each other inside a junction."""
    options = list(scenario.options)
    if BLOCKER_OPTION in options:
        at = options.index(BLOCKER_OPTION)
        del options[at : at + 2]
    return replace(scenario, options=tuple(options))


def standing_start(scenario: Scenario) -> Scenario:
    """The same generated scenario, but vehicles come in standing and on the first lane.

    SUMO's defaults were so for many years, and most published figures are of such runs.
    """
    options = [one for one in scenario.options if one not in RUNNING_START]
    return replace(scenario, options=(*options, "--default.departlane=first", "--default.departspeed=0"))


def _with_teleport(scenario: Scenario) -> Scenario:
    return replace(scenario, options=(*scenario.options, f"--time-to-teleport={TELEPORT_S}"))


def _errors(config: Config, random: Random, scenario: Scenario, seed: int) -> DetectorErrors:
    course = config.curriculum
    model = FIELD_LIKE if random.random() < course.field_errors else ErrorModel()
    errors = DetectorErrors(model, seed)
    if random.random() < course.failed:
        errors.fail_share(scenario.intersections, random.uniform(*course.failed_share))
    return errors
