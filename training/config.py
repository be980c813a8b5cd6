"""CONFIG.toml of a training run: every value has a default, unknown keys are errors.

The text under each field is its documentation: `example.py` prints it, docs/training.md repeats it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from denxanh.agents import registry
from denxanh.errors import ConfigError, DenXanhError
from denxanh.networks import catalogue, corridor_files
from denxanh.networks.timing import MAX_STAGES
from denxanh.sim.fleet import OCCUPANCY, RoadUser
from denxanh.sim.generator.recipe import MAX_COMMITMENT_S, MAX_DEMAND
from denxanh.sim.spaces import Padding


def _rising(given: tuple[float, float]) -> tuple[float, float]:
    if given[0] > given[1]:
        raise ValueError("the first of a range is not above the second")
    return given


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0)]
Shares = Annotated[tuple[Share, Share], AfterValidator(_rising)]
Saturation = Annotated[float, Field(ge=0.05, le=MAX_DEMAND)]
Saturations = Annotated[tuple[Saturation, Saturation], AfterValidator(_rising)]
Factor = Annotated[float, Field(gt=0.0, le=5.0)]
Factors = Annotated[tuple[Factor, Factor], AfterValidator(_rising)]
Commitment = Annotated[int, Field(ge=0, le=MAX_COMMITMENT_S)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )  # fmt: skip


class Run(_Table):
    """Identity of the run."""

    name: str = Field(default="universal", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the model: NAME.onnx and NAME.json."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of networks, scenarios and exploration; evaluation has seeds of its own."""
    steps: int = Field(default=600_000, ge=1)
    """Decisions to learn from, over all intersections."""


class Workers(_Table):
    """Who simulates."""

    count: int = Field(default=2, ge=1, le=256)
    """Processes, one SUMO each. May differ when a run is resumed."""
    slots: int = Field(default=6, ge=1, le=60)
    """Intersections per SUMO that learn; a scenario's others follow a rule."""
    patience_s: float = Field(default=300.0, gt=0.0)
    """A worker that has not answered for so long, wall seconds, is replaced. May differ too."""


class Mix(_Table):
    """Share of each kind of scenario; normalised."""

    gallery: Weight = 0.3
    """Separate single intersections of every layout."""
    grid: Weight = 0.1
    """Blocks of a planned town."""
    random: Weight = 0.1
    """Streets that grew."""
    arterial: Weight = 0.2
    """A main road with minor side streets."""
    catalogue: Weight = 0.3
    """The corridors of `corridors`."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not sum(self.model_dump().values()) > 0.0:
            raise ValueError("one share at least must be above 0")
        return self


class Curriculum(_Table):
    """What is trained on."""

    mix: Mix = Mix()
    corridors: tuple[str, ...] = ("truc-30-4-hoa-binh", "mang-thi-diem-12")
    """Corridors of the share `catalogue`: names, or folders with a corridor.toml (from this file's folder);
    held-out ones are refused."""
    seconds: int = Field(default=900, ge=60, le=14_400)
    """Length of an episode, simulated seconds."""
    demand: Saturations = (0.3, 1.15)
    """Range of the critical degree of saturation of generated networks."""
    easy_share: Share = 0.1
    """Share of the run during which only single intersections below saturation are drawn."""
    scale: Factors = (0.6, 1.1)
    """Range of the factor on the corridors' demand."""
    commitment_s: tuple[Commitment, ...] = Field(default=(0, 0, 0, 0, 4, 8, 10), min_length=1)
    """Countdown commitments of generated networks, drawn evenly."""
    mixed_traffic: Share = 0.25
    """Probability of a motorbike fleet in generated networks."""
    sublane: Share = 0.0
    """Share of the motorbike scenarios that run in the sublane model."""
    locking: Share = 0.0
    """Share of the generated networks in which vehicles that block each other inside a junction stay so, as
    in most nets that people bring; elsewhere they are driven around after a while."""
    standing_start: Share = 0.5
    """Share of the generated networks into which vehicles come standing and on the first lane; into the
    others at the speed of the road and on the lane that suits them."""
    field_errors: Share = 0.4
    """Probability of field-like detector errors."""
    failed: Share = 0.15
    """Probability that some detectors have failed from the start."""
    failed_share: Shares = (0.03, 0.2)
    """Range of the share of detectors that has then failed."""


class Occupancy(_Table):
    """People in one vehicle, driver included: what makes the vehicles of a corridor's mix weigh."""

    motorbike: Weight = OCCUPANCY[RoadUser.MOTORBIKE]
    """Motorbikes (mc)."""
    bicycle: Weight = OCCUPANCY[RoadUser.BICYCLE]
    """Bicycles, electric ones too (ebike)."""
    car: Weight = OCCUPANCY[RoadUser.CAR]
    """Cars."""
    bus: Weight = OCCUPANCY[RoadUser.BUS]
    """Buses."""
    truck: Weight = OCCUPANCY[RoadUser.TRUCK]
    """Trucks."""

    def by_user(self) -> tuple[tuple[RoadUser, float], ...]:
        """As a scenario's fleet has it."""
        return tuple((RoadUser(name), people) for name, people in self.model_dump().items())


class Reward(_Table):
    """Weights of the reward; sim/reward.py has the formula."""

    moving: Weight = 0.5
    """A vehicle that moves in a detection zone, against one that stands."""
    pedestrian: Weight = 2.0
    """People who wait at a crossing that is called."""
    starvation: Weight = 5.0
    """A called group that has waited for its whole max red, in standing people."""
    overflow: Weight = 4.0
    """A lane with a queue whose exit is full, in standing people."""
    scale: float = Field(default=5.0, gt=0.0)
    """People per lane at which one second costs 1."""
    worst: float = Field(default=4.0, gt=0.0)
    """A second never costs more than this."""
    people_per_pcu: float = Field(default=1.0, gt=0.0)
    """People in one passenger-car unit of generated traffic; in a corridor its mix and `occupancy` say it."""
    occupancy: Occupancy = Occupancy()


class Dqn(_Table):
    """Double DQN with n-step returns."""

    kind: Literal["dqn"] = "dqn"
    """The learner, "dqn" or "ppo"; each has keys of its own."""
    learning_rate: float = Field(default=5e-4, gt=0.0)
    """At the start; it falls linearly to a fiftieth."""
    buffer: int = Field(default=200_000, ge=1000)
    """Decisions that are remembered; each takes about 7 kB at 20 lanes and 8 stages."""
    batch: int = Field(default=128, ge=8)
    """Decisions per gradient step."""
    gamma: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Discount per decision (5 s)."""
    n_steps: int = Field(default=4, ge=1, le=50)
    """Decisions whose rewards are summed before the network's own estimate takes over."""
    gradient_steps: int = Field(default=1, ge=1)
    """Per step of all intersections together."""
    tau: float = Field(default=0.002, gt=0.0, le=1.0)
    """Weight of the newest in the averaged weights, per step of all intersections together."""
    warm_up: int = Field(default=5_000, ge=0)
    """Decisions to remember before the first gradient step; a resumed run, which remembers none, warms up
    again."""
    explore: Share = 0.05
    """Share of random decisions at the start; falls linearly to `explore_end`."""
    explore_end: Share = 0.01
    """Share of random decisions at the end."""


class Ppo(_Table):
    """Proximal policy optimisation (PPO)."""

    kind: Literal["ppo"] = "ppo"
    """The learner, "dqn" or "ppo"; each has keys of its own."""
    learning_rate: float = Field(default=3e-4, gt=0.0)
    """At the start; it falls linearly to a fiftieth."""
    rollout: int = Field(default=480, ge=8)
    """Decisions per intersection between updates."""
    batch: int = Field(default=960, ge=8)
    """Decisions per gradient step."""
    epochs: int = Field(default=4, ge=1)
    """How often each decision is learned from."""
    gamma: float = Field(default=0.97, gt=0.0, lt=1.0)
    """Discount per decision (5 s)."""
    gae_lambda: float = Field(default=0.95, gt=0.0, le=1.0)
    """Of the generalised advantage estimate."""
    clip: float = Field(default=0.2, gt=0.0)
    """How far one update may move the probability of a decision."""
    entropy: float = Field(default=0.0005, ge=0.0)
    """Weight of the decisions' entropy."""
    target_kl: float = Field(default=0.03, gt=0.0)
    """An update ends early beyond this divergence."""
    sharpness: float = Field(default=60.0, gt=0.0)
    """Logits per unit of score."""
    critic_first: int = Field(default=60_000, ge=0)
    """Decisions at the start during which only the critic learns."""
    tau: float = Field(default=0.1, gt=0.0, le=1.0)
    """Weight of the newest in the averaged weights, per update."""


class Evaluation(_Table):
    """Periodic evaluation on networks that are never trained on; the best checkpoint is kept."""

    every: int = Field(default=100_000, ge=1)
    """Decisions between evaluations."""
    seconds: int = Field(default=1200, ge=60, le=14_400)
    """Length of each run, simulated seconds."""
    scenarios: int = Field(default=16, ge=1, le=64)
    """Generated networks, from seeds of their own."""
    rule: str = "most-vehicles"
    """Delays are given relative to this policy's on the same network and seed."""


class Config(_Table):
    """One training run."""

    run: Run = Run()
    workers: Workers = Workers()
    curriculum: Curriculum = Curriculum()
    reward: Reward = Reward()
    algorithm: Annotated[Dqn | Ppo, Field(discriminator="kind")] = Dqn()
    width: int = Field(default=64, ge=8, le=512)
    """Of the network's hidden layers."""
    lanes: int = Field(default=20, ge=4, le=64)
    """Intersections with more lanes than this do not learn (they still can be controlled)."""
    stages: int = Field(default=8, ge=2, le=MAX_STAGES)
    """The same for stages."""
    start_from: Path | None = None
    """What to start from instead of the rule: a checkpoint of another run (best.zip) or a model (NAME.onnx),
    from this file's folder; "universal" is the model that is shipped."""
    evaluation: Evaluation = Evaluation()

    @property
    def padding(self) -> Padding:
        """The size of one slot's observation."""
        return Padding(self.lanes, self.stages)


def load(path: Path) -> Config:
    """Read a CONFIG.toml; paths in it start at its own folder.

    Raises:
        ConfigError: it cannot be read, or a key or a value is wrong; `defects` names each.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigError(f"the training configuration cannot be read: {cause}", where=str(path)) from cause
    try:
        config = _anchored(Config.model_validate(raw), path.parent)
        defects: list[DenXanhError] = list(check(config))
    except ValidationError as cause:
        defects = [_defect(one) for one in cause.errors(include_url=False)]
    if defects:
        raise ConfigError(
            "the training configuration is wrong", where=str(path), fix="correct each", defects=defects
        )
    return config


def check(config: Config) -> Iterator[ConfigError]:
    """What is wrong with a configuration beyond its form: above all, training on what must stay unseen."""
    try:
        if registry.check(config.evaluation.rule) is not None:
            yield ConfigError("a rule is needed, not a model", where="evaluation.rule")
    except DenXanhError as error:
        yield ConfigError(str(error), where="evaluation.rule")
    for name in config.curriculum.corridors:
        try:
            corridor = corridor_files.read_corridor(catalogue.folder(name))
        except DenXanhError as error:
            yield ConfigError(str(error), where="curriculum.corridors")
            continue
        if corridor.held_out or corridor.id in catalogue.held_out():
            yield ConfigError(
                f"{name} is held out, never to be trained on", where="curriculum.corridors", fix="remove it"
            )
    if config.curriculum.mix.catalogue > 0.0 and not config.curriculum.corridors:
        yield ConfigError(
            "names no corridor",
            where="curriculum.corridors",
            fix="name one, or set curriculum.mix.catalogue to 0",
        )
    if config.start_from is not None and not config.start_from.is_file():
        yield ConfigError(f"there is no file {config.start_from}", where="start_from")
    if isinstance(config.algorithm, Ppo) and config.algorithm.critic_first >= config.run.steps:
        yield ConfigError(
            f"all {config.run.steps:,} decisions go to the critic",
            where="algorithm.critic_first",
            fix="lower it",
        )


def _anchored(config: Config, folder: Path) -> Config:
    """Relative paths from the file's folder, absolute from then on."""
    known = catalogue.names()
    corridors = tuple(
        name if name in known or not (folder / name).is_dir() else str((folder / name).resolve())
        for name in config.curriculum.corridors
    )
    start = config.start_from
    if start is not None:
        start = registry.SHIPPED if str(start) == registry.UNIVERSAL else (folder / start).resolve()
    return config.model_copy(
        update={
            "curriculum": config.curriculum.model_copy(update={"corridors": corridors}),
            "start_from": start,
        }
    )


def _defect(detail: Any) -> ConfigError:
    """One thing that the form found, in words."""
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] != "extra_forbidden":
        return ConfigError(detail["msg"].removeprefix("Value error, "), where=place)
    meant = difflib.get_close_matches(str(detail["loc"][-1]), _keys(Config), n=1)
    return ConfigError(f"unknown key; did you mean {meant[0]}?" if meant else "unknown key", where=place)


def _keys(table: type[BaseModel]) -> Iterator[str]:
    """Every key of a table and the tables in it."""
    for name, field in table.model_fields.items():
        yield name
        if isinstance(field.default, BaseModel):
            yield from _keys(type(field.default))
    if table is Config:
        yield from Ppo.model_fields
