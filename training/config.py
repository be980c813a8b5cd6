"""CONFIG.toml of a training run: every value has a default, unknown keys are errors."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.errors import ConfigError
from denxanh.networks import catalogue
from denxanh.networks.timing import MAX_STAGES
from denxanh.sim.spaces import Padding

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Table):
    """Identity of the run."""

    name: str = Field(default="universal", pattern=r"^[A-Za-z0-9._-]+$")
    """Name of the model."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of networks, scenarios and exploration; evaluation seeds lie elsewhere."""
    steps: int = Field(default=1_000_000, ge=1)
    """Decisions to learn from, over all intersections."""


class Workers(_Table):
    """Who simulates."""

    count: int = Field(default=2, ge=1, le=256)
    """Processes, one SUMO each."""
    slots: int = Field(default=6, ge=1, le=64)
    """Intersections per SUMO that learn; a scenario's others follow the rule."""
    patience_s: float = Field(default=300.0, gt=0.0)
    """A worker that has not answered for so long, wall seconds, is replaced."""


class Mix(_Table):
    """Share of each kind of scenario; normalised."""

    gallery: float = Field(default=0.4, ge=0.0)
    grid: float = Field(default=0.1, ge=0.0)
    random: float = Field(default=0.1, ge=0.0)
    arterial: float = Field(default=0.2, ge=0.0)
    catalogue: float = Field(default=0.2, ge=0.0)


class Curriculum(_Table):
    """What is trained on."""

    mix: Mix = Mix()
    corridors: tuple[str, ...] = ("truc-30-4-hoa-binh", "mang-thi-diem-12")
    """Catalogue corridors of the share `catalogue`; held-out ones are refused."""
    seconds: int = Field(default=1200, ge=60, le=14_400)
    """Length of an episode, simulated seconds."""
    demand: tuple[float, float] = (0.3, 1.05)
    """Range of the critical degree of saturation of generated networks."""
    easy_share: Share = 0.1
    """Share of the run during which only single intersections below saturation are drawn."""
    scale: tuple[float, float] = (0.6, 1.1)
    """Range of the factor on the catalogue's demand."""
    commitment_s: tuple[int, ...] = (0, 0, 0, 0, 4, 8, 10)
    """Countdown commitments of generated networks, drawn evenly."""
    mixed_traffic: Share = 0.25
    """Probability of a motorbike fleet in generated networks."""
    sublane: Share = 0.0
    """Share of the motorbike scenarios that run in the sublane model."""
    field_errors: Share = 0.4
    """Probability of field-like detector errors."""
    failed: Share = 0.15
    """Probability that some detectors have failed from the start."""
    failed_share: tuple[float, float] = (0.03, 0.2)
    """Range of the share that has."""


class Reward(_Table):
    """Weights of the reward; sim/reward.py says what each means."""

    moving: float = Field(default=0.5, ge=0.0)
    pedestrian: float = Field(default=2.0, ge=0.0)
    starvation: float = Field(default=5.0, ge=0.0)
    overflow: float = Field(default=2.0, ge=0.0)
    scale: float = Field(default=5.0, gt=0.0)
    worst: float = Field(default=4.0, gt=0.0)


class Dqn(_Table):
    """Double DQN with n-step returns."""

    kind: Literal["dqn"] = "dqn"
    learning_rate: float = Field(default=5e-4, gt=0.0)
    buffer: int = Field(default=200_000, ge=1000)
    batch: int = Field(default=256, ge=8)
    gamma: float = Field(default=0.95, gt=0.0, lt=1.0)
    n_steps: int = Field(default=4, ge=1, le=50)
    gradient_steps: int = Field(default=1, ge=1)
    """Per step of the vectorised environment."""
    tau: float = Field(default=0.002, gt=0.0, le=1.0)
    """Weight of the newest in the averaged weights, per gradient step."""
    warm_up: int = Field(default=5_000, ge=0)
    """Decisions before the first gradient step."""
    explore: float = Field(default=0.05, ge=0.0, le=1.0)
    """Share of random decisions at the start; falls linearly to `explore_end`."""
    explore_end: float = Field(default=0.01, ge=0.0, le=1.0)


class Ppo(_Table):
    """Proximal policy optimisation."""

    kind: Literal["ppo"] = "ppo"
    learning_rate: float = Field(default=3e-4, gt=0.0)
    rollout: int = Field(default=128, ge=8)
    """Decisions per intersection between updates."""
    batch: int = Field(default=512, ge=8)
    epochs: int = Field(default=4, ge=1)
    gamma: float = Field(default=0.95, gt=0.0, lt=1.0)
    gae_lambda: float = Field(default=0.9, gt=0.0, le=1.0)
    clip: float = Field(default=0.2, gt=0.0)
    entropy: float = Field(default=0.003, ge=0.0)
    target_kl: float = Field(default=0.03, gt=0.0)
    sharpness: float = Field(default=20.0, gt=0.0)
    """Logits per unit of score."""


class Evaluation(_Table):
    """Periodic evaluation on networks that are never trained on; the best checkpoint is kept."""

    every: int = Field(default=100_000, ge=1)
    """Decisions between evaluations."""
    seconds: int = Field(default=1500, ge=60)
    scenarios: int = Field(default=6, ge=1, le=64)
    """Generated networks, from seeds of their own."""
    rule: str = "most-vehicles"
    """Delays are given relative to this policy's on the same scenario and seed."""


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
    """A checkpoint of another run to start from, instead of the rule."""
    evaluation: Evaluation = Evaluation()

    @property
    def padding(self) -> Padding:
        """The size of one slot's observation."""
        return Padding(self.lanes, self.stages)


def load(path: Path) -> Config:
    """Read a CONFIG.toml.

    Raises:
        ConfigError: it cannot be read, or a key or a value is wrong; `defects` names each.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigError(f"the training configuration cannot be read: {cause}", where=str(path)) from cause
    try:
        config = Config.model_validate(raw)
    except ValidationError as cause:
        defects = [
            ConfigError(one["msg"], where=".".join(str(part) for part in one["loc"]))
            for one in cause.errors()
        ]
        raise ConfigError(
            "the training configuration is wrong", where=str(path), fix="correct each", defects=defects
        ) from cause
    check(config, where=str(path))
    return config


def check(config: Config, where: str) -> None:
    """Refuse to train on what must stay unseen.

    Raises:
        ConfigError: a corridor is held out or does not exist.
    """
    wrong = sorted(set(config.curriculum.corridors) & set(catalogue.held_out()))
    if wrong:
        raise ConfigError(
            f"held out, never to be trained on: {', '.join(wrong)}",
            where=f"{where}: curriculum.corridors",
            fix="remove it",
        )
    unknown = sorted(set(config.curriculum.corridors) - set(catalogue.names()))
    if unknown:
        raise ConfigError(
            f"the catalogue has no {', '.join(unknown)}",
            where=f"{where}: curriculum.corridors",
            fix=f"choose among {', '.join(catalogue.names())}",
        )
