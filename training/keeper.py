"""What happens beside the learning: checkpoints, evaluations, the best, the curves, whoever watches."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from denxanh.errors import TrainingError
from denxanh.training.dqn import StageDQN
from denxanh.training.export import export
from denxanh.training.folder import BEST, BEST_MODEL, LATEST, LATEST_MODEL, Evaluated, RunFolder, replaced
from denxanh.training.heldout import HeldOut, Score
from denxanh.training.network import StageCompetition
from denxanh.training.policies import StageActorCriticPolicy, StageQNetwork
from denxanh.training.processes import StoppedError
from denxanh.training.workers import IntersectionVecEnv

_LOG = logging.getLogger(__name__)

CHECKPOINT_S = 300.0
"""Wall seconds between checkpoints: what a killed run loses at most."""
RECENT = 20
"""Episodes over which the delay in training is averaged."""


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
    best: Evaluated | None = None
    evaluating: tuple[int, int] | None = None
    """Runs of the evaluation under way that are done, and how many there are."""


Watcher = Callable[[Progress], None]


def network_of(algorithm: BaseAlgorithm) -> StageCompetition:
    """The network that an algorithm would ship, with its averaged weights."""
    if isinstance(algorithm, StageDQN):
        assert isinstance(algorithm.q_net_target, StageQNetwork)
        return algorithm.q_net_target.universal
    assert isinstance(algorithm.policy, StageActorCriticPolicy)
    return algorithm.policy.averaged


class _Curves(KVWriter):
    """TensorBoard's files; a full disk costs a curve, not the run."""

    def __init__(self, folder: Path) -> None:
        self._inner = TensorBoardOutputFormat(str(folder))
        self._broken = False

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        if self._broken:
            return
        try:
            self._inner.write(key_values, key_excluded, step)
        except OSError as error:
            self._broken = True
            _LOG.warning("no more curves for TensorBoard: %s", error)

    def close(self) -> None:
        try:
            self._inner.close()
        except OSError as error:
            _LOG.warning("TensorBoard's file is not complete: %s", error)


def curves(folder: Path) -> Logger:
    """Stable-Baselines3's logger into this folder, nothing on the terminal."""
    folder.mkdir(exist_ok=True)
    return Logger(str(folder), [_Curves(folder)])


class Keeper(BaseCallback):
    """Evaluates, keeps the best and the latest, tells the watcher.

    Args:
        run: the run's folder.
        watch: told about progress.
        stop: asked in every step.

    Attributes:
        stopped: somebody asked to stop, and learning ended early.
    """

    def __init__(self, run: RunFolder, watch: Watcher, stop: Callable[[], bool]) -> None:
        super().__init__()
        config = run.config
        self._run, self._watch, self._stop = run, watch, stop
        self._total = config.run.steps
        self._heldout = HeldOut(
            config.evaluation,
            min(config.workers.count, os.cpu_count() or 1),
            stop=stop,
            told=lambda done, of: self._tell(evaluating=(done, of)),
        )
        self._episodes = 0
        self._delays: list[float] = []
        self._saved = monotonic()
        self._next = 0
        self.stopped = False

    def _on_training_start(self) -> None:
        """An evaluation that was due when the run was killed is made up for."""
        every = self._run.config.evaluation.every
        self._next = (self._run.state.evaluated // every + 1) * every

    def _on_step(self) -> bool:
        env = self._env
        env.progress = min(1.0, self.num_timesteps / self._total)
        for figures in env.episodes:
            self._episodes += 1
            self._delays = [*self._delays[1 - RECENT :], figures["delay_s"]]
            for name, value in figures.items():
                self.logger.record_mean(f"episode/{name}", value)
            if figures["conflicts"]:
                _LOG.error("an episode had %d conflicts: a defect of guard or net", figures["conflicts"])
        env.episodes.clear()
        self._tell()
        if self.num_timesteps >= self._next:
            every = self._run.config.evaluation.every
            self._next = (self.num_timesteps // every + 1) * every
            self._evaluate_if_there_is_room()
        elif monotonic() - self._saved > CHECKPOINT_S:
            self._checkpoint_if_there_is_room()
        self.stopped = self.stopped or self._stop()
        return not self.stopped

    def checkpoint(self) -> None:
        """Save the latest.

        Raises:
            OSError: it cannot be written; the one before is as it was.
            TrainingError: the learning has diverged; the one before is from before that.
        """
        self._saved = monotonic()
        sound(network_of(self.model))
        with replaced(self._run / LATEST) as file:
            self.model.save(file)

    def evaluate(self) -> None:
        """Save the latest, look how good it is, keep it if it is the best.

        Raises:
            OSError: something cannot be written; what was there before is as it was.
            TrainingError: the learning has diverged, or no network could be simulated.
            StoppedError: somebody asked to stop.
        """
        self.checkpoint()
        model = self._run / LATEST_MODEL
        export(network_of(self.model), model)
        self._tell(evaluating=(0, 0))
        score = self._heldout.score(model)
        self._saved = monotonic()
        if score is None:
            _LOG.warning("evaluation after %d decisions is incomplete and not used", self.num_timesteps)
            return
        if score.conflicts:
            _LOG.error("the evaluation had %d conflicts: a defect of guard or net", score.conflicts)
        found = Evaluated(steps=self.num_timesteps, **asdict(score))
        best = self._run.state.best
        if best is None or found.order < best.order:
            best = found
            for latest, kept in ((LATEST, BEST), (LATEST_MODEL, BEST_MODEL)):
                with replaced(self._run / kept) as file, (self._run / latest).open("rb") as source:
                    shutil.copyfileobj(source, file)
        self._run.update(best=best, evaluations=(*self._run.state.evaluations, found))
        for name, value in asdict(score).items():
            self.logger.record(f"heldout/{name}", value)
        self.logger.dump(self.num_timesteps)
        self._tell(score=score)

    def _evaluate_if_there_is_room(self) -> None:
        try:
            self.evaluate()
        except StoppedError:
            self.stopped = True
        except OSError as error:
            _LOG.error("evaluation skipped, the run goes on: %s", error)

    def _checkpoint_if_there_is_room(self) -> None:
        try:
            self.checkpoint()
        except OSError as error:
            _LOG.error("checkpoint not written, the run goes on: %s", error)

    @property
    def _env(self) -> IntersectionVecEnv:
        env = self.training_env
        assert isinstance(env, IntersectionVecEnv)
        return env

    def _tell(self, *, score: Score | None = None, evaluating: tuple[int, int] | None = None) -> None:
        self._watch(
            Progress(
                steps=self.num_timesteps,
                total=self._total,
                episodes=self._episodes,
                restarts=self._env.restarts,
                delay_s=sum(self._delays) / len(self._delays) if self._delays else None,
                score=score,
                best=self._run.state.best,
                evaluating=evaluating,
            )
        )


def sound(network: StageCompetition) -> None:
    """Refuse weights that are no longer numbers.

    Raises:
        TrainingError: they are not.
    """
    if not all(bool(torch.isfinite(one).all()) for one in network.state_dict().values()):
        raise TrainingError(
            "the learning has diverged: weights are no longer numbers",
            fix="lower the learning rate; the last checkpoint is from before",
        )
