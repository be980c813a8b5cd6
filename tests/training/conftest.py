"""A run that is over in a second: tiny network, workers without SUMO, an evaluation with given results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("stable_baselines3", reason="needs the extra train")
pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.agents.encoding import Observation, encode
from denxanh.agents.observation import LaneState, StageState, TrafficState
from denxanh.networks.example import crossroads
from denxanh.networks.model import Intersection
from denxanh.training import heldout
from denxanh.training.config import Config
from denxanh.training.heldout import Cell, Outcome
from denxanh.training.stream import Turn

EPISODE = 10
"""Decisions of a pretended episode."""
SITE = crossroads()


def state_of(rng: np.random.Generator, site: Intersection = SITE, most: float = 15.0) -> TrafficState:
    """Some traffic, nothing promised or under way."""
    running = int(rng.integers(len(site.stages)))

    def lane() -> LaneState:
        queued, moving, arrivals, discharge = (float(one) for one in rng.random(4) * most)
        return LaneState(
            queued, moving, float(rng.random()), arrivals, 2 * arrivals, discharge, 1.0, 5.0,
            float(rng.random()), 1.0,
        )  # fmt: skip

    return TrafficState(
        intersection=site,
        clock_s=0.0,
        stage=running,
        elapsed_s=float(rng.integers(60)),
        in_interstage=False,
        commitment=None,
        aspects=site.stages[running].aspects,
        called=(True,) * len(site.groups),
        wait_s=tuple(float(one) for one in rng.integers(0, 90, len(site.groups))),
        lanes=tuple(lane() for _ in site.lanes),
        stages=tuple(StageState(0.0, 60.0, 0.0 if n == running else 5.0) for n in range(len(site.stages))),
        plan=1,
        confidence=1.0,
    )


def observation_of(rng: np.random.Generator) -> Observation:
    return encode(state_of(rng))


def tiny_config(**changes: Any) -> Config:
    """A configuration as CONFIG.toml would give it; changes are tables."""
    tables: dict[str, Any] = {
        "run": {"name": "tiny", "steps": 200},
        "workers": {"count": 2, "slots": 2, "patience_s": 60.0},
        "curriculum": {"mix": {"gallery": 1, "grid": 0, "random": 0, "arterial": 0, "catalogue": 0}},
        "algorithm": {"kind": "dqn", "buffer": 1000, "batch": 8, "warm_up": 20, "learning_rate": 0.01},
        "evaluation": {"every": 80, "scenarios": 2, "seconds": 60},
        "width": 8,
        "lanes": 6,
        "stages": 4,
    }
    for name, value in changes.items():
        mergeable = isinstance(value, dict) and "kind" not in value
        tables[name] = {**tables[name], **value} if mergeable else value
    return Config.model_validate(tables)


PPO = {"kind": "ppo", "rollout": 8, "batch": 16, "epochs": 1, "critic_first": 0}


class PretendedWorker:
    """Turns without SUMO; the traffic depends on (worker, first) only."""

    def __init__(self, config: Config, worker: int, first: int) -> None:
        self.config, self.worker, self.first = config, worker, first
        self.asked: list[tuple[tuple[int, ...], float]] = []
        self.ended = 0
        self._rng = np.random.default_rng((worker, first))

    def send(self, actions: Sequence[int], progress: float) -> None:
        self.asked.append((tuple(actions), progress))

    def receive(self, patience_s: float) -> Turn:
        slots, steps = self.config.workers.slots, len(self.asked)
        flat = [self.config.padding.flat(observation_of(self._rng)) for _ in range(slots)]
        seen = np.stack(flat).astype(np.float32)
        if not steps:
            return Turn(seen, np.zeros(slots, np.float32))
        rewards = -self._rng.random(slots).astype(np.float32)
        over = steps % EPISODE == 0
        figures = {"delay_s": 20.0, "gridlock": 0.0, "conflicts": 0.0, "teleports": 0.0, "reward": -0.5}
        return Turn(seen, rewards, over, seen.copy() if over else None, figures if over else None)

    def dismiss(self) -> None: ...

    def end(self) -> None:
        self.ended += 1


@dataclass
class Firm:
    """Hires workers without SUMO and remembers them."""

    kind: type[PretendedWorker] = PretendedWorker
    hired: list[PretendedWorker] = field(default_factory=list)

    def __call__(self, config: Config, worker: int, first: int) -> PretendedWorker:
        self.hired.append(self.kind(config, worker, first))
        return self.hired[-1]


@pytest.fixture
def firm() -> Firm:
    return Firm()


@dataclass
class Judge:
    """Stands for the held-out simulations.

    Attributes:
        ratios: of the models' delay over the rule's, one evaluation after the other; the last one stays.
        gridlocks: the same for networks locked up.
        asked: every cell that was to be simulated.
        failing: policies whose runs do not come to an end.
    """

    ratios: list[float] = field(default_factory=lambda: [1.0])
    gridlocks: list[int] = field(default_factory=lambda: [0])
    asked: list[Cell] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, cells: Sequence[Cell], jobs: int, **_: Any) -> dict[Cell, Outcome]:
        self.meanwhile()
        self.asked += cells
        judged = any(cell.model is not None for cell in cells)
        ratio, locked = self.ratios[0], self.gridlocks[0]
        if judged and len(self.ratios) > 1:
            self.ratios.pop(0)
        if judged and len(self.gridlocks) > 1:
            self.gridlocks.pop(0)
        return {
            cell: Outcome(
                cell.number,
                30.0 * (ratio if cell.model is not None else 1.0),
                gridlock=cell.model is not None and place < locked,
                conflicts=0,
            )
            for place, cell in enumerate(cells)
            if cell.policy not in self.failing
        }


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Replaces the held-out simulations of training and of the model card."""
    from denxanh.training import finish

    made = Judge()
    monkeypatch.setattr(heldout, "run_cells", made)
    monkeypatch.setattr(finish, "run_cells", made)
    return made


@pytest.fixture
def config() -> Config:
    return tiny_config()


@pytest.fixture
def ppo() -> dict[str, Any]:
    return dict(PPO)


@pytest.fixture(scope="session")
def real_observations() -> list[Observation]:
    rng = np.random.default_rng(5)
    return [observation_of(rng) for _ in range(40)]


@pytest.fixture(scope="session")
def make_state() -> Callable[..., TrafficState]:
    return state_of


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in training; two test processes would fight for the cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pretended_worker() -> type[PretendedWorker]:
    return PretendedWorker


@pytest.fixture(scope="session")
def make_config() -> Callable[..., Config]:
    return tiny_config
