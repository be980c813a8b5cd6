"""A training run from its configuration to its best model: progress, checkpoints, resume."""

from __future__ import annotations

import json
import logging
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from denxanh.errors import TrainingError
from denxanh.training.config import Config, Dqn, Ppo
from denxanh.training.dqn import StageDQN
from denxanh.training.export import export
from denxanh.training.heldout import HeldOut, Score
from denxanh.training.network import StageCompetition
from denxanh.training.policies import StageActorCriticPolicy, StageDQNPolicy, StageQNetwork
from denxanh.training.workers import Hire, IntersectionVecEnv, LocalWorker

_LOG = logging.getLogger(__name__)

LATEST = "latest.zip"
BEST = "best.zip"
BEST_MODEL = "best.onnx"
LATEST_MODEL = "latest.onnx"
STATE = "state.json"
CONFIG = "config.json"
LEAST_RATE = 0.02
"""The learning rate falls linearly to this share of its start: policies swing until it has come down."""
EPISODES_PER_RESUME = 10_000
"""A resumed run's episodes are numbered from a multiple of this: it goes on with new ones."""
PACKAGES = (
    "denxanh",
    "torch",
    "stable-baselines3",
    "sb3-contrib",
    "eclipse-sumo",
    "libsumo",
    "numpy",
    "onnx",
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a watcher is told."""

    steps: int
    total: int
    episodes: int
    restarts: int
    delay_s: float | None
    """Mean of the last episodes."""
    score: Score | None = None
    """Set when an evaluation has just ended."""
    best: float | None = None


Watcher = Callable[[Progress], None]


def network_of(algorithm: BaseAlgorithm) -> StageCompetition:
    """The network that an algorithm would ship: DQN's averaged weights, PPO's own."""
    if isinstance(algorithm, StageDQN):
        assert isinstance(algorithm.q_net_target, StageQNetwork)
        return algorithm.q_net_target.universal
    found = algorithm.policy.features_extractor.universal
    assert isinstance(found, StageCompetition)
    return found


def learn(config: Config, out: Path, *, hire: Hire = LocalWorker, watch: Watcher = lambda _: None) -> Path:
    """Run or resume a training; returns the best model's file.

    Args:
        config: of the run.
        out: its folder; a run that was killed there is resumed.
        hire: starts the rollout workers.
        watch: told about progress.

    Raises:
        TrainingError: the folder belongs to another configuration, or the workers cannot run.
    """
    state = _open(config, out)
    torch.set_num_threads(1)
    torch.manual_seed(config.run.seed)
    np.random.seed(config.run.seed)
    env = IntersectionVecEnv(config, hire, first=state["resumed"] * EPISODES_PER_RESUME)
    try:
        algorithm = _algorithm(config, env, out)
        if isinstance(algorithm, StageDQN) and isinstance(config.algorithm, Dqn):
            env.meanwhile = partial(algorithm.study, config.algorithm.gradient_steps)
        if algorithm.num_timesteps < config.run.steps:
            keeper = _Keeper(config, out, state, watch)
            algorithm.learn(
                config.run.steps - algorithm.num_timesteps,
                callback=keeper,
                reset_num_timesteps=False,
                tb_log_name="tensorboard",
            )
            keeper.evaluate()
    finally:
        env.close()
    return out / BEST_MODEL


def _open(config: Config, out: Path) -> dict[str, Any]:
    """The run folder's state; a new one records configuration and versions."""
    out.mkdir(parents=True, exist_ok=True)
    text = config.model_dump_json(indent=1)
    if (out / CONFIG).exists():
        if (out / CONFIG).read_text(encoding="utf-8") != text:
            raise TrainingError(
                "the folder holds a run with another configuration",
                where=str(out),
                fix="give another --out, or the configuration that it was started with (config.json)",
            )
        state: dict[str, Any] = json.loads((out / STATE).read_text(encoding="utf-8"))
        state["resumed"] += 1
    else:
        (out / CONFIG).write_text(text, encoding="utf-8")
        versions = {"python": platform.python_version(), **{p: metadata.version(p) for p in PACKAGES}}
        state = {"resumed": 0, "versions": versions, "best": None, "evaluations": []}
    _save_state(out, state)
    return state


def _save_state(out: Path, state: dict[str, Any]) -> None:
    scratch = out / f"{STATE}.new"
    scratch.write_text(json.dumps(state, indent=1), encoding="utf-8")
    scratch.replace(out / STATE)


def _algorithm(config: Config, env: IntersectionVecEnv, out: Path) -> BaseAlgorithm:
    """A new algorithm, or the one that the run folder holds."""
    kind: type[BaseAlgorithm] = StageDQN if isinstance(config.algorithm, Dqn) else PPO
    if (out / LATEST).exists():
        _LOG.info("resuming from %s", out / LATEST)
        return kind.load(out / LATEST, env=env)
    algorithm = (
        _dqn(config, config.algorithm, env, out)
        if isinstance(config.algorithm, Dqn)
        else _ppo(config, config.algorithm, env, out)
    )
    if config.start_from is not None:
        algorithm.set_parameters(str(config.start_from), exact_match=False)
    return algorithm


def _falling(start: float) -> Callable[[float], float]:
    return lambda left: start * max(LEAST_RATE, left)


def _dqn(config: Config, given: Dqn, env: IntersectionVecEnv, out: Path) -> StageDQN:
    return StageDQN(
        StageDQNPolicy,
        env,
        learning_rate=_falling(given.learning_rate),
        buffer_size=given.buffer,
        learning_starts=given.warm_up,
        batch_size=given.batch,
        tau=given.tau,
        gamma=given.gamma,
        n_steps=given.n_steps,
        train_freq=1,
        gradient_steps=0,
        target_update_interval=1,
        exploration_initial_eps=given.explore,
        exploration_final_eps=given.explore_end,
        exploration_fraction=1.0,
        policy_kwargs={"padding": env.padding, "width": config.width},
        tensorboard_log=str(out),
        seed=config.run.seed,
        device="cpu",
    )


def _ppo(config: Config, given: Ppo, env: IntersectionVecEnv, out: Path) -> PPO:
    return PPO(
        StageActorCriticPolicy,
        env,
        learning_rate=_falling(given.learning_rate),
        n_steps=given.rollout,
        batch_size=given.batch,
        n_epochs=given.epochs,
        gamma=given.gamma,
        gae_lambda=given.gae_lambda,
        clip_range=given.clip,
        ent_coef=given.entropy,
        target_kl=given.target_kl,
        policy_kwargs={"padding": env.padding, "width": config.width, "sharpness": given.sharpness},
        tensorboard_log=str(out),
        seed=config.run.seed,
        device="cpu",
    )


class _Keeper(BaseCallback):
    """Evaluates, keeps the best and the latest, tells the watcher."""

    def __init__(self, config: Config, out: Path, state: dict[str, Any], watch: Watcher) -> None:
        super().__init__()
        self._config, self._out, self._run_state, self._watch = config, out, state, watch
        self._heldout = HeldOut(config.evaluation, config.workers.count)
        self._episodes = 0
        self._delays: list[float] = []
        self._next = 0

    def _on_training_start(self) -> None:
        every = self._config.evaluation.every
        self._next = (self.num_timesteps // every + 1) * every

    def _on_step(self) -> bool:
        env = self.training_env
        assert isinstance(env, IntersectionVecEnv)
        env.progress = min(1.0, self.num_timesteps / self._config.run.steps)
        for figures in env.episodes:
            self._episodes += 1
            self._delays = [*self._delays[-19:], figures["delay_s"]]
            for name, value in figures.items():
                self.logger.record_mean(f"episode/{name}", value)
        env.episodes.clear()
        self._tell()
        if self.num_timesteps >= self._next:
            self._next += self._config.evaluation.every
            self.evaluate()
        return True

    def evaluate(self) -> None:
        """Save the latest, look how good it is, keep it if it is the best."""
        model = self._out / LATEST_MODEL
        export(network_of(self.model), model)
        self.model.save(self._out / LATEST)
        score = self._heldout.score(model)
        best = self._run_state["best"]
        better = best is None or (score.gridlocks, score.ratio) < (best["gridlocks"], best["ratio"])
        entry = {"steps": self.num_timesteps, **asdict(score)}
        if better:
            self._run_state["best"] = entry
            shutil.copyfile(model, self._out / BEST_MODEL)
            shutil.copyfile(self._out / LATEST, self._out / BEST)
        self._run_state["evaluations"].append(entry)
        _save_state(self._out, self._run_state)
        for name, value in asdict(score).items():
            self.logger.record(f"heldout/{name}", value)
        self.logger.dump(self.num_timesteps)
        self._tell(score)

    def _tell(self, score: Score | None = None) -> None:
        env = self.training_env
        assert isinstance(env, IntersectionVecEnv)
        best = self._run_state["best"]
        self._watch(
            Progress(
                steps=self.num_timesteps,
                total=self._config.run.steps,
                episodes=self._episodes,
                restarts=env.restarts,
                delay_s=sum(self._delays) / len(self._delays) if self._delays else None,
                score=score,
                best=None if best is None else best["ratio"],
            )
        )
