"""A worker's stream: what cannot be simulated is left out and named; the next scenario is made meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from denxanh.errors import NetworkError, SimulationError, TrainingError
from denxanh.training import stream
from denxanh.training.config import Config
from denxanh.training.stream import MAX_FAILURES, Stream

TURNS = 3
"""Decisions of an episode here."""


@dataclass
class Stage:
    """What the episodes of a test do; `events` is the story as it happened."""

    events: list[str]
    breaks_off: set[int]
    no_start: set[int]
    no_figures: set[int]
    no_end: set[int]


class PretendedEpisode:
    """Stands for a simulation; its scenario's id is the episode's number."""

    stage: Stage
    make_state: Callable[..., Any]

    def __init__(self, scenario: Any, seed: int, *, learners: Sequence[int], **_: Any) -> None:
        self.number, self.learners = scenario.id, tuple(learners)
        if self.number in self.stage.no_start:
            raise SimulationError("SUMO did not start")
        self.stage.events.append(f"begin {self.number}")
        self._turns = 0
        self._rng = np.random.default_rng(seed)

    @property
    def over(self) -> bool:
        return self._turns >= TURNS

    @property
    def states(self) -> tuple[Any, ...]:
        return tuple(self.make_state(self._rng) for _ in self.learners)

    def advance(self, requests: Sequence[int]) -> tuple[float, ...]:
        self._turns += 1
        self.stage.events.append(f"{self.number}: {[*requests]}")
        if self.number in self.stage.breaks_off:
            raise SimulationError("SUMO stopped")
        return (-1.0,) * len(self.learners)

    def finish(self) -> Any:
        if self.number in self.stage.no_figures:
            raise SimulationError("the trip output cannot be read")
        trips = SimpleNamespace(mean_delay_s=12.0)
        return SimpleNamespace(
            trips=trips, gridlock=False, conflicts=0, short_intergreens=0, cut_clearances=0, teleports=1
        )

    def close(self) -> None:
        self.stage.events.append(f"close {self.number}")
        if self.number in self.stage.no_end:
            raise SimulationError("SUMO did not close")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, make_state: Callable[..., Any]) -> Stage:
    made = Stage([], set(), set(), set(), set())
    monkeypatch.setattr(PretendedEpisode, "stage", made, raising=False)
    monkeypatch.setattr(PretendedEpisode, "make_state", staticmethod(make_state), raising=False)
    monkeypatch.setattr(stream, "Episode", PretendedEpisode)
    return made


class Maker:
    """Makes tasks of the pretended episodes."""

    def __init__(self, failing: set[int] | None = None, learners: tuple[int, ...] = (0, 1)) -> None:
        self.failing, self.learners = failing or set(), learners
        self.folders: dict[int, Path] = {}

    def __call__(self, config: Config, worker: int, number: int, progress: float, folder: Path) -> Any:
        self.folders[number] = folder
        (folder / "net.xml").write_text("net", encoding="utf-8")
        if number in self.failing:
            raise NetworkError(f"no usable scenario {number}")
        scenario = SimpleNamespace(id=number)
        return SimpleNamespace(
            scenario=scenario, seed=number, learners=self.learners, errors=None, weights=None
        )


@pytest.fixture
def opened(config: Config) -> Iterator[Callable[..., Stream]]:
    streams: list[Stream] = []

    def build(maker: Maker, first: int = 0) -> Stream:
        streams.append(Stream(config, 0, first, maker))
        return streams[-1]

    yield build
    for one in streams:
        one.close()


def test_episodes_follow_each_other(stage: Stage, opened: Callable[..., Stream], config: Config) -> None:
    maker = Maker()
    worker = opened(maker, first=40)
    first = worker.start()
    assert first.observations.shape == (2, config.padding.size)
    assert (first.done, first.problems) == (False, ())
    turns = [worker.step([0, 1], 0.0) for _ in range(TURNS)]
    assert [turn.done for turn in turns] == [False, False, True]
    last = turns[-1]
    assert last.final is not None
    assert last.final.shape == last.observations.shape
    assert not np.array_equal(last.final, last.observations), "the next episode's, and the last of this one"
    assert last.figures == {
        "delay_s": 12.0, "gridlock": 0.0, "conflicts": 0.0, "teleports": 1.0, "reward": -1.0
    }  # fmt: skip
    assert stage.events == ["begin 40", *["40: [0, 1]"] * TURNS, "close 40", "begin 41"]
    assert not maker.folders[40].exists(), "files of an episode go when the next one begins"
    assert maker.folders[41].exists()


def test_actions_that_do_not_exist_keep_the_running_stage(
    stage: Stage, opened: Callable[..., Stream]
) -> None:
    worker = opened(Maker(learners=(0,)))
    worker.start()
    worker.step([3, 3], 0.0)  # three stages; the second slot has no intersection
    assert stage.events[1] in {"0: [0]", "0: [1]", "0: [2]"}


def test_slots_without_an_intersection_stay_empty(stage: Stage, opened: Callable[..., Stream]) -> None:
    worker = opened(Maker(learners=(0,)))
    worker.start()
    turn = worker.step([0, 0], 0.0)
    assert turn.observations[0].any()
    assert not turn.observations[1].any()
    assert turn.rewards.tolist() == [-1.0, 0.0]


def test_a_scenario_that_cannot_be_made_is_left_out(stage: Stage, opened: Callable[..., Stream]) -> None:
    worker = opened(Maker(failing={0, 2, 3}))
    first = worker.start()
    assert [one.split(":")[0] for one in first.problems] == ["worker 0, episode 0 cannot be run"]
    turns = [worker.step([0, 0], 0.0) for _ in range(TURNS)]
    assert len(turns[-1].problems) == 2
    assert [one for one in stage.events if one.startswith("begin")] == ["begin 1", "begin 4"]


def test_a_scenario_that_sumo_refuses_is_left_out(stage: Stage, opened: Callable[..., Stream]) -> None:
    stage.no_start |= {0, 1}
    problems = opened(Maker()).start().problems
    assert len(problems) == 2
    assert "episode 1 cannot be run: SUMO did not start" in problems[1]


def test_an_episode_that_breaks_off_ends_there(stage: Stage, opened: Callable[..., Stream]) -> None:
    stage.breaks_off |= {0}
    worker = opened(Maker())
    seen = worker.start().observations
    turn = worker.step([0, 0], 0.0)
    assert turn.done
    assert turn.rewards.tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(turn.final, seen)  # type: ignore[arg-type]
    assert turn.figures is None
    assert turn.problems == ("worker 0, episode 0 broke off: SUMO stopped",)
    assert stage.events[-2:] == ["close 0", "begin 1"]


def test_missing_figures_and_a_bad_end_cost_no_step(stage: Stage, opened: Callable[..., Stream]) -> None:
    stage.no_figures |= {0}
    stage.no_end |= {0}
    worker = opened(Maker())
    worker.start()
    *_, turn = [worker.step([0, 0], 0.0) for _ in range(TURNS)]
    assert (turn.done, turn.figures) == (True, None)
    assert len(turn.problems) == 2
    assert not worker.step([0, 0], 0.0).problems, "each is told once"


def test_intersections_that_do_not_fit_are_not_waited_for(
    stage: Stage, opened: Callable[..., Stream]
) -> None:
    with pytest.raises(TrainingError, match="no intersection has at most 6 lanes and 4 stages"):
        opened(Maker(learners=())).start()


def test_where_nothing_can_be_simulated_the_run_ends(stage: Stage, opened: Callable[..., Stream]) -> None:
    with pytest.raises(TrainingError, match=f"{MAX_FAILURES} scenarios in a row"):
        opened(Maker(failing=set(range(50)))).start()


def test_a_worn_out_process_is_not_the_end_of_the_run(stage: Stage, opened: Callable[..., Stream]) -> None:
    worker = opened(Maker(failing=set(range(1, 50))))
    worker.start()
    for _ in range(TURNS - 1):
        worker.step([0, 0], 0.0)
    with pytest.raises(SimulationError, match=f"{MAX_FAILURES} scenarios in a row"):
        worker.step([0, 0], 0.0)


def test_a_full_disk_is_a_problem_of_the_scenario(
    stage: Stage, opened: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = iter([True, True, False])
    mkdir = Path.mkdir

    def maybe(path: Path, *args: Any, **kwargs: Any) -> None:
        if path.name.isdigit() and next(full, False):
            raise OSError(28, "No space left on device")
        mkdir(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", maybe)
    assert len(opened(Maker()).start().problems) == 2


def test_closing_removes_every_file(stage: Stage, config: Config) -> None:
    maker = Maker()
    worker = Stream(config, 0, 0, maker)
    worker.start()
    worker.close()
    assert not maker.folders[0].parent.exists()
    assert stage.events[-1] == "close 0"
