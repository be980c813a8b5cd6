"""The vectorised environment whose slots are intersections: several workers, each with one SUMO.

A worker that dies or hangs is reported and replaced; its slots see the end of their episode. So training
never waits for ever and never ends because of one SUMO.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn

from denxanh.agents.encoding import LIMIT, Array
from denxanh.errors import TrainingError
from denxanh.training.config import Config
from denxanh.training.stream import Turn, serve

_LOG = logging.getLogger(__name__)

MAX_RESTARTS = 20
"""Replacements of workers without a single good episode between them: then the machine is broken."""
FIRST_OF_RESTART = 100_000
"""A replaced worker's episodes are numbered from a multiple of this, so that it does not repeat the one that
may have killed it."""


class Worker(Protocol):
    """A stream of episodes somewhere else."""

    def send(self, actions: Sequence[int], progress: float) -> None:
        """Ask for one step.

        Raises:
            OSError: it is gone.
        """
        ...

    def receive(self, patience_s: float) -> Turn:
        """The answer.

        Raises:
            EOFError: it is gone.
            TimeoutError: it did not answer in time.
            TrainingError: it gives up.
        """
        ...

    def end(self) -> None:
        """End it, whatever state it is in."""
        ...


class Hire(Protocol):
    """Starts workers."""

    def __call__(self, config: Config, worker: int, first: int) -> Worker:
        """Start number `worker`, whose episodes are numbered from `first`."""
        ...


class LocalWorker:
    """A worker in a process of its own on this machine (spawned: a process with libsumo must not fork)."""

    def __init__(self, config: Config, worker: int, first: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=serve, args=(theirs, config, worker, first), name=f"denxanh-worker-{worker}", daemon=True
        )
        self.process.start()
        theirs.close()

    def send(self, actions: Sequence[int], progress: float) -> None:
        """Ask for one step."""
        self._pipe.send((list(actions), progress))

    def receive(self, patience_s: float) -> Turn:
        """The answer; it notices at once when the process has died."""
        if not self._pipe.poll(patience_s):
            raise TimeoutError(f"no answer for {patience_s:.0f} s")
        heard = self._pipe.recv()
        if isinstance(heard, TrainingError):
            raise heard
        assert isinstance(heard, Turn)
        return heard

    def end(self) -> None:
        """Let it end by itself, then by force."""
        with contextlib.suppress(OSError):
            self._pipe.send(None)
        self.process.join(5.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._pipe.close()


class IntersectionVecEnv(VecEnv):
    """`workers.count` times `workers.slots` intersections.

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
        self.config, self._hire = config, hire
        self.padding = config.padding
        self.progress = 0.0
        self.restarts = 0
        self.episodes: list[dict[str, float]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._since_good = 0
        self._slots = config.workers.slots
        super().__init__(
            config.workers.count * self._slots,
            spaces.Box(-LIMIT, LIMIT, (self.padding.size,), np.float32),
            spaces.Discrete(self.padding.stages),
        )
        self._workers = [hire(config, number, first) for number in range(config.workers.count)]
        self._first = [first] * config.workers.count
        self._last: list[Array] = [
            np.zeros((self._slots, self.padding.size), np.float32) for _ in self._workers
        ]
        self._asked: list[bool] = [False] * len(self._workers)

    def reset(self) -> VecEnvObs:
        """The first observations, (slots, size)."""
        for number in range(len(self._workers)):
            self._last[number] = self._greeting(number).observations
        return np.concatenate(self._last)

    def step_async(self, actions: np.ndarray) -> None:
        """Send every worker its slots' actions."""
        for number, worker in enumerate(self._workers):
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
                self._since_good = 0
            for slot in range(self._slots):
                info: dict[str, Any] = {"TimeLimit.truncated": turn.done}
                if turn.done and turn.final is not None:
                    info["terminal_observation"] = turn.final[slot]
                infos.append(info)
            self._last[number] = turn.observations
        return np.concatenate(self._last), np.concatenate([turn.rewards for turn in turns]), dones, infos

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _answer(self, number: int) -> Turn:
        """A worker's turn; where there is none, the end of its episode and the beginning of another's."""
        try:
            if not self._asked[number]:
                raise EOFError("it had ended")
            return self._workers[number].receive(self.config.workers.patience_s)
        except (EOFError, OSError, TimeoutError) as problem:
            last = self._last[number]
            fresh = self._replace(number, problem)
            return Turn(fresh.observations, np.zeros(self._slots, np.float32), done=True, final=last)

    def _greeting(self, number: int) -> Turn:
        """A new worker's first observations."""
        try:
            return self._workers[number].receive(self.config.workers.patience_s)
        except (EOFError, OSError, TimeoutError) as problem:
            return self._replace(number, problem)

    def _replace(self, number: int, problem: Exception) -> Turn:
        self.restarts += 1
        self._since_good += 1
        if self._since_good > MAX_RESTARTS:
            raise TrainingError(
                f"{MAX_RESTARTS} workers in a row ended without finishing an episode; the last: {problem}",
                where=f"worker {number}",
                fix="look at the log above; is there enough memory, and room for temporary files?",
            )
        _LOG.warning("worker %d is replaced: %s", number, str(problem) or type(problem).__name__)
        self._workers[number].end()
        self._first[number] = (self._first[number] // FIRST_OF_RESTART + 1) * FIRST_OF_RESTART
        time.sleep(min(5.0, 0.2 * self._since_good))
        self._workers[number] = self._hire(self.config, number, self._first[number])
        return self._greeting(number)

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
