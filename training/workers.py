"""The vectorised environment whose slots are intersections: several workers, each with one SUMO.

A worker that dies or hangs is reported and replaced; its slots see the end of their episode. So training
never waits for ever and never ends because of one SUMO.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn

from denxanh.agents.encoding import LIMIT, Array
from denxanh.errors import TrainingError
from denxanh.training.config import Config
from denxanh.training.crew import Hire, Worker
from denxanh.training.local import LocalWorker
from denxanh.training.stream import Turn

_LOG = logging.getLogger(__name__)

MAX_RESTARTS = 20
"""Replacements of one worker without a good episode of it between them: then its machine is broken."""
EPISODES_PER_RESTART = 10_000
"""A replaced worker's episodes are numbered from a further multiple of this, so that it does not repeat the
one that may have killed it."""
MAX_PAUSE_S = 5.0
"""Longest wait before a replacement, s."""


class IntersectionVecEnv(VecEnv):
    """`workers.count` times `workers.slots` intersections.

    The workers are started by the first `reset`.

    Args:
        config: of the run.
        hire: starts workers; local processes if not given.
        first: number of each worker's first episode (a resumed run goes on with new ones).

    Attributes:
        progress: share of the run that is over; the learner sets it.
        restarts: how many workers were replaced.
        episodes: figures of episodes that ended since somebody last emptied the list.
        meanwhile: called in every step while the workers simulate; the learner's time.
    """

    def __init__(self, config: Config, hire: Hire = LocalWorker, first: int = 0) -> None:
        self.config, self._hire, self._first = config, hire, first
        self.padding = config.padding
        self.progress = 0.0
        self.restarts = 0
        self.episodes: list[dict[str, float]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._slots = config.workers.slots
        count = config.workers.count
        super().__init__(
            count * self._slots,
            spaces.Box(-LIMIT, LIMIT, (self.padding.size,), np.float32),
            spaces.Discrete(self.padding.stages),
        )
        self._workers: list[Worker | None] = [None] * count
        self._replaced = [0] * count
        self._since_good = [0] * count
        self._asked = [False] * count
        self._last: list[Array] = [
            np.zeros((self._slots, self.padding.size), np.float32) for _ in range(count)
        ]

    def reset(self) -> VecEnvObs:
        """The first observations, (slots, size); where the workers run already, the present ones."""
        fresh = [number for number, worker in enumerate(self._workers) if worker is None]
        problems: dict[int, Exception] = {}
        for number in fresh:  # first all of them: they begin at the same time
            try:
                self._start(number)
            except OSError as problem:
                problems[number] = problem
        for number in fresh:
            self._last[number] = self._receive(number, problems.get(number)).observations
        return np.concatenate(self._last)

    def step_async(self, actions: np.ndarray) -> None:
        """Send every worker its slots' actions."""
        for number, worker in enumerate(self._workers):
            assert worker is not None
            mine = actions[number * self._slots : (number + 1) * self._slots]
            try:
                worker.send([int(one) for one in mine], self.progress)
                self._asked[number] = True
            except OSError:
                self._asked[number] = False

    def step_wait(self) -> VecEnvStepReturn:
        """What came of it."""
        self.meanwhile()
        turns = [self._answer(number) for number in range(len(self._workers))]
        infos: list[dict[str, Any]] = []
        dones = np.zeros(self.num_envs, bool)
        for number, turn in enumerate(turns):
            if turn.done:
                dones[number * self._slots : (number + 1) * self._slots] = True
            if turn.figures:
                self.episodes.append(turn.figures)
                self._since_good[number] = 0
            for slot in range(self._slots):
                info: dict[str, Any] = {"TimeLimit.truncated": turn.done}
                if turn.done and turn.final is not None:
                    info["terminal_observation"] = turn.final[slot]
                infos.append(info)
            self._last[number] = turn.observations
        return np.concatenate(self._last), np.concatenate([turn.rewards for turn in turns]), dones, infos

    def close(self) -> None:
        """End every worker."""
        running = [worker for worker in self._workers if worker is not None]
        for worker in running:
            worker.dismiss()
        for worker in running:
            worker.end()
        self._workers = [None] * len(self._workers)

    def _answer(self, number: int) -> Turn:
        """A worker's turn; where there is none, the end of its episode and the beginning of another's."""
        last = self._last[number]
        restarts = self.restarts
        turn = self._receive(number, None if self._asked[number] else EOFError("it had ended"))
        if self.restarts == restarts:
            return turn
        return Turn(turn.observations, np.zeros(self._slots, np.float32), done=True, final=last)

    def _receive(self, number: int, problem: Exception | None) -> Turn:
        """What a worker says, or what its replacement says first."""
        while True:
            worker = self._workers[number]
            try:
                if problem is not None:
                    self._replace(number, problem)
                    worker, problem = self._workers[number], None
                assert worker is not None
                turn = worker.receive(self.config.workers.patience_s)
            except (EOFError, OSError) as found:  # TimeoutError is an OSError
                problem = found
                continue
            for one in turn.problems:
                _LOG.warning("%s", one)
            return turn

    def _replace(self, number: int, problem: Exception) -> None:
        """Start another worker in the place of one that is gone.

        Raises:
            OSError: it cannot be started now.
            TrainingError: too many in a row.
        """
        self.restarts += 1
        self._replaced[number] += 1
        self._since_good[number] += 1
        said = str(problem) or type(problem).__name__
        if self._since_good[number] > MAX_RESTARTS:
            raise TrainingError(
                f"ended {MAX_RESTARTS} times in a row without finishing an episode; the last: {said}",
                where=f"worker {number}",
                fix="look at the log above; is there enough memory, and room for temporary files?",
            )
        _LOG.warning("worker %d is replaced: %s", number, said)
        worker = self._workers[number]
        if worker is not None:
            worker.end()
        time.sleep(min(MAX_PAUSE_S, 0.2 * self._since_good[number]))
        self._start(number)

    def _start(self, number: int) -> None:
        first = self._first + self._replaced[number] * EPISODES_PER_RESTART
        self._workers[number] = self._hire(self.config, number, first)

    # -- what VecEnv asks for besides: a slot is not an object -------------------------------------

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same for every slot."""
        return [getattr(self, attr_name, None) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:  # noqa: ARG002
        """Refused."""
        raise AttributeError(attr_name)

    def env_method(self, method_name: str, *_args: Any, indices: Any = None, **_kwargs: Any) -> list[Any]:  # noqa: ARG002
        """Refused."""
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:  # noqa: ARG002
        """Nothing is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def seed(self, seed: int | None = None) -> Sequence[int | None]:  # noqa: ARG002
        """The configuration's seed decides everything."""
        return [None] * self.num_envs
