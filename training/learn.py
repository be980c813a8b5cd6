"""A training run from its configuration to its best checkpoint; a run that was killed goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from denxanh.errors import TrainingError
from denxanh.training.config import Config, Dqn, Ppo
from denxanh.training.crew import Hire
from denxanh.training.dqn import StageDQN
from denxanh.training.folder import BEST, LATEST, TENSORBOARD, RunFolder, State, opened
from denxanh.training.keeper import Keeper, Watcher, curves
from denxanh.training.local import LocalWorker
from denxanh.training.policies import StageActorCriticPolicy, StageDQNPolicy
from denxanh.training.ppo import EvenRolloutBuffer, StagePPO
from denxanh.training.processes import StoppedError
from denxanh.training.weights import UNREADABLE, start_from
from denxanh.training.workers import IntersectionVecEnv

_LOG = logging.getLogger(__name__)

LEAST_RATE = 0.02
"""The learning rate falls linearly to this share of its start: policies swing until it has come down."""
EPISODES_PER_START = 10_000_000
"""A resumed run's episodes are numbered from a further multiple of this: it goes on with new ones."""


@dataclass(frozen=True, slots=True)
class Learned:
    """How a run ended.

    Attributes:
        finished: every decision was made; False if somebody asked to stop.
        best: the checkpoint that was best in the held-out evaluation; None if there was none yet.
        state: all that the run recorded.
        restarts: workers that were replaced since this start.
    """

    finished: bool
    best: Path | None
    state: State
    restarts: int


def learn(
    config: Config,
    out: Path,
    *,
    hire: Hire = LocalWorker,
    watch: Watcher = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Learned:
    """Run or resume a training.

    Args:
        config: of the run.
        out: its folder; a run that was stopped or killed there is resumed.
        hire: starts the rollout workers.
        watch: told about progress.
        stop: asked in every step; True ends the run after it, with a checkpoint.

    Raises:
        TrainingError: the folder belongs to another run, the workers cannot run, the learning has diverged,
            or the last checkpoint cannot be written.
    """
    with opened(out, config) as run:
        restarts = 0
        if not run.state.finished:
            restarts = _go_on(run, hire, watch, stop)
        best = run / BEST
        return Learned(run.state.finished, best if best.exists() else None, run.state, restarts)


def _go_on(run: RunFolder, hire: Hire, watch: Watcher, stop: Callable[[], bool]) -> int:
    config = run.config
    if run.known:
        run.update(resumed=run.state.resumed + 1)
    torch.set_num_threads(1)
    env = IntersectionVecEnv(config, hire, first=run.state.resumed * EPISODES_PER_START)
    logger = curves(run / TENSORBOARD)
    try:
        algorithm = _algorithm(run, env)
        algorithm.set_logger(logger)
        run.started(algorithm.num_timesteps)
        env.progress = min(1.0, algorithm.num_timesteps / config.run.steps)
        keeper = Keeper(run, watch, stop)
        keeper.init_callback(algorithm)
        if isinstance(algorithm, StageDQN) and isinstance(config.algorithm, Dqn):
            env.meanwhile = partial(algorithm.study, config.algorithm.gradient_steps)
        if algorithm.num_timesteps < config.run.steps:
            algorithm.learn(
                config.run.steps - algorithm.num_timesteps, callback=keeper, reset_num_timesteps=False
            )
        if keeper.stopped:
            keeper.checkpoint()
        else:
            _finish(run, keeper, algorithm)
    finally:
        env.close()
        logger.close()
    return env.restarts


def _finish(run: RunFolder, keeper: Keeper, algorithm: BaseAlgorithm) -> None:
    """Evaluate the last network, unless that is done."""
    if run.state.evaluated < algorithm.num_timesteps:
        keeper.num_timesteps = algorithm.num_timesteps
        try:
            keeper.evaluate()
        except StoppedError:
            return
    if run.state.best is None:
        raise TrainingError(
            "no held-out evaluation came to its end, so there is no best checkpoint",
            where=str(run.path),
            fix="the log names the reasons; the same command evaluates again",
        )
    run.update(finished=True)


def _algorithm(run: RunFolder, env: IntersectionVecEnv) -> BaseAlgorithm:
    """A new algorithm, or the one that the run folder holds."""
    config, latest = run.config, run / LATEST
    given = config.algorithm
    seed = config.run.seed + run.state.resumed
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    if latest.exists():
        kind: type[BaseAlgorithm] = StageDQN if isinstance(given, Dqn) else StagePPO
        rate = _falling(given.learning_rate)
        try:
            algorithm = kind.load(
                latest, env=env, device="cpu", tensorboard_log=None,
                custom_objects={"learning_rate": rate, "lr_schedule": rate, "replay_buffer_class": None},
            )  # fmt: skip
        except UNREADABLE as cause:
            raise TrainingError(
                f"the checkpoint cannot be read: {cause}", where=str(latest), fix="give another --out"
            ) from cause
        algorithm.set_random_seed(seed)
        return algorithm
    algorithm = _dqn(config, given, env) if isinstance(given, Dqn) else _ppo(config, given, env)
    if config.start_from is not None:
        start_from(config.start_from, algorithm.policy, config.width)
    return algorithm


def _falling(start: float) -> Callable[[float], float]:
    return lambda left: start * max(LEAST_RATE, left)


def _dqn(config: Config, given: Dqn, env: IntersectionVecEnv) -> StageDQN:
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
        seed=config.run.seed,
        device="cpu",
    )


def _ppo(config: Config, given: Ppo, env: IntersectionVecEnv) -> StagePPO:
    return StagePPO(
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
        vf_coef=(1.0 - given.gamma) ** 2,  # values are sums of 1 / (1 - gamma) rewards; advantages near 1
        rollout_buffer_class=EvenRolloutBuffer,
        critic_first=given.critic_first,
        tau=given.tau,
        policy_kwargs={"padding": env.padding, "width": config.width, "sharpness": given.sharpness},
        seed=config.run.seed,
        device="cpu",
    )
