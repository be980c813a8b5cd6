"""One worker's endless stream of episodes: a fixed number of intersections, always another scenario."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.agents import registry
from denxanh.agents.encoding import Array, encode
from denxanh.errors import DenXanhError, TrainingError
from denxanh.sim.episode import Episode
from denxanh.training.config import Config
from denxanh.training.curriculum import Task, draw

_LOG = logging.getLogger(__name__)

OTHERS = "max-pressure"
"""Decides for the intersections of a scenario that do not learn."""
MAX_FAILURES = 10
"""Scenarios in a row that could not be made or run: then the machine is broken, not a scenario."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one step of all slots brings.

    Attributes:
        observations: (slots, size).
        rewards: (slots,), of the step just made.
        done: whether the episode is over; the observations are then the next one's.
        final: (slots, size), the last observations of the episode that is over.
        figures: of the episode that is over, for the log.
    """

    observations: Array
    rewards: Array
    done: bool = False
    final: Array | None = None
    figures: dict[str, float] | None = None


class Stream:
    """Episodes one after the other; the next one is made while the present one runs.

    Args:
        config: of the run.
        worker: which one.
        first: number of its first episode.
        make: makes an episode's task.

    Raises:
        TrainingError: too many scenarios in a row failed.
    """

    def __init__(
        self,
        config: Config,
        worker: int,
        first: int = 0,
        make: Callable[[Config, int, int, float, Path], Task] = draw,
    ) -> None:
        self._config, self._worker, self._make = config, worker, make
        self._padding = config.padding
        self._slots = config.workers.slots
        self._number = first
        self._progress = 0.0
        self._root = Path(tempfile.mkdtemp(prefix=f"denxanh-stream-{worker}-"))
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="scenario")
        self._coming: Future[Task] | None = None
        self._episode: Episode | None = None
        self._gained = np.zeros(self._slots, np.float32)
        self._steps = 0
        self._last: Array = np.zeros((self._slots, self._padding.size), np.float32)

    def start(self) -> Array:
        """Begin; the first observations, (slots, size)."""
        self._prepare()
        self._next()
        return self._observe()

    def step(self, actions: Sequence[int], progress: float) -> Turn:
        """One decision of every slot.

        Args:
            actions: one stage per slot; slots without an intersection ignore theirs.
            progress: share of the run that is over.
        """
        self._progress = progress
        assert self._episode is not None
        learners = len(self._episode.learners)
        wanted = [
            int(action) if int(action) < len(state.stages) else state.stage
            for action, state in zip(actions[:learners], self._episode.states, strict=True)
        ]
        rewards = np.zeros(self._slots, np.float32)
        try:
            rewards[:learners] = self._episode.advance(wanted)
        except DenXanhError as error:
            _LOG.warning("worker %d: episode %d broke off: %s", self._worker, self._number, error)
            return self._over(self._last, rewards, {})
        self._gained += rewards
        self._steps += 1
        if not self._episode.over:
            return Turn(self._observe(), rewards)
        final = self._observe()
        summary = self._episode.finish()
        figures = {
            "delay_s": summary.trips.mean_delay_s,
            "gridlock": float(summary.gridlock),
            "conflicts": float(summary.conflicts + summary.short_intergreens + summary.cut_clearances),
            "teleports": float(summary.teleports),
            "reward": float(self._gained[:learners].mean() / max(1, self._steps)),
        }
        return self._over(final, rewards, figures)

    def close(self) -> None:
        """End everything and remove the files."""
        if self._episode is not None:
            self._episode.close()
        self._maker.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._root, ignore_errors=True)

    def _over(self, final: Array, rewards: Array, figures: dict[str, float]) -> Turn:
        self._next()
        return Turn(self._observe(), rewards, done=True, final=final, figures=figures)

    def _observe(self) -> Array:
        """Slots beyond the learners stay zero: no lane, no stage."""
        assert self._episode is not None
        seen = np.zeros((self._slots, self._padding.size), np.float32)
        for place, state in enumerate(self._episode.states):
            seen[place] = self._padding.flat(encode(state))
        self._last = seen
        return seen

    def _prepare(self) -> None:
        folder = self._root / str(self._number)
        folder.mkdir()
        self._coming = self._maker.submit(
            self._make, self._config, self._worker, self._number, self._progress, folder
        )

    def _next(self) -> None:
        """Close the present episode and begin the next one that can be."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None
        problems: list[str] = []
        while len(problems) < MAX_FAILURES:
            number = self._number
            assert self._coming is not None
            try:
                task = self._coming.result()
            except DenXanhError as error:
                problems.append(str(error))
                task = None
            self._number += 1
            self._prepare()
            shutil.rmtree(self._root / str(number - 1), ignore_errors=True)
            if task is None:
                continue
            try:
                self._episode = Episode(
                    task.scenario, task.seed, learners=task.learners, others=registry.policy(OTHERS),
                    errors=task.errors, weights=task.weights,
                )  # fmt: skip
            except DenXanhError as error:
                problems.append(str(error))
                continue
            self._gained[:] = 0.0
            self._steps = 0
            return
        raise TrainingError(
            f"{MAX_FAILURES} scenarios in a row could not be run; the last: {problems[-1]}",
            where=f"worker {self._worker}",
            fix="mend what the message names",
        )


def serve(pipe: Any, config: Config, worker: int, first: int) -> None:
    """A worker process: answers (actions, progress) with a `Turn`, None with its end."""
    stream = Stream(config, worker, first)
    try:
        pipe.send(Turn(stream.start(), np.zeros(config.workers.slots, np.float32)))
        while (heard := pipe.recv()) is not None:
            pipe.send(stream.step(*heard))
    except TrainingError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass  # the learner has gone
    finally:
        stream.close()
