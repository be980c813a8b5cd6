"""One worker's endless stream of episodes: a fixed number of intersections, always another scenario."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from denxanh.agents import registry
from denxanh.agents.encoding import Array, encode
from denxanh.errors import DenXanhError, SimulationError, TrainingError
from denxanh.sim.episode import Episode
from denxanh.training.config import Config
from denxanh.training.curriculum import Task, draw

OTHERS = "max-pressure"
"""Decides for the intersections of a scenario that do not learn."""
MAX_FAILURES = 10
"""Scenarios in a row that could not be made or run: then the process or the machine is broken, not these."""

Make = Callable[[Config, int, int, float, Path], Task]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one step of all slots brings.

    Attributes:
        observations: (slots, size).
        rewards: (slots,), of the step just made.
        done: whether the episode is over; the observations are then the next one's.
        final: (slots, size), the last observations of the episode that is over.
        figures: of the episode that is over, for the log; none if it broke off.
        problems: what went wrong since the last turn, for the log: the stream went on without it.
    """

    observations: Array
    rewards: Array
    done: bool = False
    final: Array | None = None
    figures: dict[str, float] | None = None
    problems: tuple[str, ...] = ()


class Stream:
    """Episodes one after the other; the next one is made while the present one runs.

    A scenario that cannot be made, or in which SUMO fails, is left out and named in the next turn.

    Args:
        config: of the run.
        worker: which one.
        first: number of its first episode.
        make: makes an episode's task.

    Raises:
        TrainingError: no scenario could be run at all.
        SimulationError: some could, but now too many in a row could not: this process is worn out.
    """

    def __init__(self, config: Config, worker: int, first: int = 0, make: Make = draw) -> None:
        self._config, self._worker, self._make = config, worker, make
        self._padding = config.padding
        self._slots = config.workers.slots
        self._number = self._present = first
        self._progress = 0.0
        self._root = Path(tempfile.mkdtemp(prefix=f"denxanh-stream-{worker}-"))
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="scenario")
        self._coming: Future[Task] | None = None
        self._episode: Episode | None = None
        self._begun = 0
        self._gained = np.zeros(self._slots, np.float32)
        self._steps = 0
        self._problems: list[str] = []
        self._last: Array = np.zeros((self._slots, self._padding.size), np.float32)

    def start(self) -> Turn:
        """Begin; the first observations."""
        self._prepare()
        self._next()
        return Turn(self._observe(), np.zeros(self._slots, np.float32), problems=self._told())

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
            self._problems.append(f"{self._name} broke off: {error}")
            return self._over(self._last, rewards, None)
        self._gained += rewards
        self._steps += 1
        if not self._episode.over:
            return Turn(self._observe(), rewards)
        return self._over(self._observe(), rewards, self._figures(self._episode))

    def close(self) -> None:
        """End everything and remove the files."""
        self._leave()
        self._maker.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def _name(self) -> str:
        return f"worker {self._worker}, episode {self._present}"

    def _figures(self, episode: Episode) -> dict[str, float] | None:
        try:
            summary = episode.finish()
        except DenXanhError as error:
            self._problems.append(f"{self._name} has no figures: {error}")
            return None
        return {
            "delay_s": summary.trips.mean_delay_s,
            "gridlock": float(summary.gridlock),
            "conflicts": float(summary.conflicts + summary.short_intergreens + summary.cut_clearances),
            "teleports": float(summary.teleports),
            "reward": float(self._gained[: len(episode.learners)].mean() / max(1, self._steps)),
        }

    def _over(self, final: Array, rewards: Array, figures: dict[str, float] | None) -> Turn:
        self._next()
        return Turn(self._observe(), rewards, done=True, final=final, figures=figures, problems=self._told())

    def _told(self) -> tuple[str, ...]:
        told, self._problems = tuple(self._problems), []
        return told

    def _observe(self) -> Array:
        """Slots beyond the learners stay zero: no lane, no stage."""
        assert self._episode is not None
        seen = np.zeros((self._slots, self._padding.size), np.float32)
        for place, state in enumerate(self._episode.states):
            seen[place] = self._padding.flat(encode(state))
        self._last = seen
        return seen

    def _prepare(self) -> None:
        """Let the maker begin with the scenario that comes next."""
        self._coming = self._maker.submit(self._made, self._number, self._progress)
        self._number += 1

    def _made(self, number: int, progress: float) -> Task:
        folder = self._root / str(number)
        folder.mkdir()
        return self._make(self._config, self._worker, number, progress, folder)

    def _leave(self) -> None:
        """Close the present episode, whatever state it is in."""
        if self._episode is None:
            return
        try:
            self._episode.close()
        except DenXanhError as error:
            self._problems.append(f"worker {self._worker}: {error}")
        self._episode = None

    def _next(self) -> None:
        """Close the present episode and begin the next one that can be."""
        self._leave()
        failures: list[str] = []
        while len(failures) < MAX_FAILURES:
            coming, number = self._coming, self._number - 1
            assert coming is not None
            try:
                task = coming.result()
                if not task.learners:
                    raise SimulationError(
                        f"no intersection has at most {self._padding.lanes} lanes and"
                        f" {self._padding.stages} stages",
                        where=task.scenario.id,
                    )
                self._prepare()
                self._episode = self._begin(task)
            except (DenXanhError, OSError) as error:
                failures.append(f"worker {self._worker}, episode {number} cannot be run: {error}")
                if self._coming is coming:
                    self._prepare()
                continue
            finally:
                shutil.rmtree(self._root / str(number - 1), ignore_errors=True)
            self._problems += failures
            self._present = number
            self._begun += 1
            self._gained[:] = 0.0
            self._steps = 0
            return
        kind = SimulationError if self._begun else TrainingError
        raise kind(
            f"{MAX_FAILURES} scenarios in a row could not be run; the last: {failures[-1]}",
            fix="mend what the message names; is there room for temporary files?",
        )

    def _begin(self, task: Task) -> Episode:
        return Episode(
            task.scenario, task.seed, learners=task.learners, others=registry.policy(OTHERS),
            errors=task.errors, weights=task.weights,
        )  # fmt: skip
