"""The environments: other people's checkers, one meaning per seed, clean ends, and what the ids make."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

import gymnasium
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from denxanh.errors import ConfigError, NetworkError, SimulationError
from denxanh.sim import gymnasium_ids
from denxanh.sim.environments import CorridorParallelEnv, IntersectionEnv
from denxanh.sim.faults import FIELD_LIKE
from denxanh.sim.generator import Layout, Recipe
from denxanh.sim.nursery import ChildPlayer
from denxanh.sim.player import Terms
from denxanh.sim.reward import RewardWeights
from denxanh.sim.session import sumo_binary
from denxanh.sim.sources import Foreign, Generated
from denxanh.sim.spaces import Padding

SECONDS = 60
OTHER_STREETS = 2
"""A seed whose generated intersection has other stages than that of seed 1, by which agents are named."""
FLOWS = """<routes>
  <flow id="we" from="left0A0" to="B0right0" begin="0" end="400" probability="0.3" departSpeed="max"/>
  <flow id="ew" from="right0B0" to="A0left0" begin="0" end="400" probability="0.2"/>
  <flow id="a" from="top0A0" to="A0bottom0" begin="0" end="400" probability="0.15"/>
  <flow id="b" from="top1B0" to="B0bottom1" begin="0" end="400" probability="0.15"/>
</routes>
"""
CONFIG = """<configuration>
  <input><net-file value="pair.net.xml"/><route-files value="pair.rou.xml"/></input>
  <time><begin value="0"/><end value="400"/></time>
</configuration>
"""
STRANGER = '''
"""A source that somebody else wrote."""
import os, signal
from dataclasses import dataclass
from pathlib import Path
from denxanh.sim.sources import Foreign

@dataclass(frozen=True)
class Noted:
    inner: Foreign
    notes: str

    def __call__(self, seed, folder):
        with Path(self.notes).open("a") as notes:
            notes.write(f"{os.getpid()} {os.getppid()}\\n")
        if seed == 13:
            os.kill(os.getpid(), signal.SIGSEGV)
        if seed == 14:
            raise KeyError("a bug")
        return self.inner(seed, folder)
'''


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """Two signals side by side, traffic in all directions; SUMO's sublane model."""
    folder = tmp_path_factory.mktemp("pair")
    subprocess.run(
        [
            sumo_binary("netgenerate"),
            *("--grid", "--grid.x-number", "2", "--grid.y-number", "1", "--grid.length", "150"),
            *("--grid.attach-length", "100", "--default.lanenumber", "2", "--no-turnarounds", "true"),
            *("-j", "traffic_light", "--seed", "1", "-o", str(folder / "pair.net.xml")),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    (folder / "pair.rou.xml").write_text(FLOWS)
    (folder / "pair.sumocfg").write_text(CONFIG)
    return Foreign(folder / "pair.sumocfg", end_s=SECONDS, options=("--lateral-resolution=0.8",))


@dataclass(frozen=True)
class Noted:
    """A stranger's source, and what it noted: its process and that one's parent, per scenario made."""

    source: Any
    notes: Path

    def players(self) -> list[tuple[int, int]]:
        """Of the children; what this process made is left out."""
        lines = [line.split() for line in self.notes.read_text().splitlines()]
        return [(int(me), int(parent)) for me, parent in lines if int(me) != os.getpid()]


@pytest.fixture
def noted(pair: Foreign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noted:
    (tmp_path / "strangers_source.py").write_text(STRANGER)
    monkeypatch.syspath_prepend(tmp_path)
    import strangers_source  # ty: ignore

    notes = tmp_path / "notes"
    return Noted(strangers_source.Noted(pair, str(notes)), notes)


@pytest.fixture
def made(pair: Foreign) -> Iterator[Callable[..., IntersectionEnv]]:
    """Makes environments that are closed afterwards."""
    every: list[IntersectionEnv] = []

    def make(source: Any = pair, **options: Any) -> IntersectionEnv:
        every.append(IntersectionEnv(source, **options))
        return every[-1]

    yield make
    for one in every:
        one.close()


@pytest.fixture(scope="module")
def usual(pair: Foreign) -> Iterator[IntersectionEnv]:
    """One with the default options, used by many tests: an episode does not depend on those before it."""
    env = IntersectionEnv(pair)
    yield env
    env.close()


@pytest.fixture(scope="module")
def corridor(pair: Foreign) -> Iterator[CorridorParallelEnv]:
    env = CorridorParallelEnv(pair)
    yield env
    env.close()


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _whole(env: IntersectionEnv, seed: int) -> tuple[list[Any], dict[str, Any]]:
    """Everything that one episode shows, and its last info."""
    seen, info = env.reset(seed=seed)
    shown: list[Any] = [seen.tobytes()]
    over, number = False, 0
    while not over:
        seen, reward, _, over, info = env.step(np.int64(number // 3 % 2))
        shown += [seen.tobytes(), reward, info["action_mask"].tolist()]
        number += 1
    return shown, info


# Other people's checkers; every warning is an error (pyproject.toml).


@pytest.mark.parametrize("flat", [True, False])
def test_gymnasiums_checker_passes(pair: Foreign, flat: bool) -> None:
    env = gymnasium.make(
        gymnasium_ids.FOREIGN,
        sumocfg=pair.sumocfg,
        end_s=SECONDS,
        flat=flat,
        errors=FIELD_LIKE,
        disable_env_checker=True,
    )
    check_env(env.unwrapped)
    env.close()


def test_stable_baselines3s_checker_passes(usual: IntersectionEnv) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs the extra train")
    checker.check_env(usual)


def test_pettingzoos_checkers_pass(pair: Foreign, corridor: CorridorParallelEnv) -> None:
    parallel_api_test(corridor, num_cycles=SECONDS)
    parallel_seed_test(lambda: CorridorParallelEnv(pair, errors=FIELD_LIKE), num_cycles=5)


# One meaning per seed.


def test_a_seed_means_the_same_whatever_ran_before(
    usual: IntersectionEnv, made: Callable[..., IntersectionEnv]
) -> None:
    fresh, _ = _whole(made(errors=FIELD_LIKE), 7)
    used = made(errors=FIELD_LIKE)
    other, _ = _whole(used, 3)
    used.reset(seed=5)
    used.step(np.int64(1))  # and leave it there
    assert _whole(used, 7)[0] == fresh
    assert other != fresh
    assert _whole(usual, 7)[0] != fresh  # without detector errors


def test_episodes_without_a_seed_are_a_series(usual: IntersectionEnv) -> None:
    usual.reset(seed=11)
    series = [usual.reset()[1]["seed"] for _ in range(2)]
    usual.reset(seed=11)
    assert [usual.reset()[1]["seed"] for _ in range(2)] == series
    assert len({11, *series}) == 3
    assert usual.reset(seed=2**31 + 4)[1]["seed"] == 4


# What comes out.


def test_the_episode_ends_by_truncation_with_a_summary(made: Callable[..., IntersectionEnv]) -> None:
    env = made(decision_s=7, backend="inside")
    shown, info = _whole(env, 1)
    assert len(shown) == 1 + 3 * 9  # nine decisions: the last one is shorter
    assert info["summary"]["seconds"] == SECONDS
    assert info["summary"]["vehicles"] > 10
    assert info["summary"]["mean_delay_s"] > 0
    assert info["summary"]["conflicts"] == 0
    assert min(shown[2::3]) < 0
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.int64(0))


def test_a_request_is_followed_and_one_that_does_not_exist_keeps_the_stage(
    made: Callable[..., IntersectionEnv],
) -> None:
    env = made(flat=False, padding=Padding(30, 9), backend="inside")
    _, info = env.reset(seed=1)
    stages = len(info["stages"])
    assert stages < 9
    assert info["action_mask"].shape == (9,)
    assert info["action_mask"].sum() == 1  # start-up: the coming stage only

    def running(seen: Any) -> int:
        return int(seen["stages"][:, 0].argmax())

    seen = [env.step(np.int64(8))[0] for _ in range(6)]
    assert {running(one) for one in seen} == {0}
    *_, info = env.step(np.int64(8))
    assert env.action_masks().tolist() == info["action_mask"].astype(bool).tolist()
    assert info["action_mask"].tolist() == [1] * stages + [0] * (9 - stages)
    for _ in range(3):
        one, *_ = env.step(np.int64(1))
    assert running(one) == 1
    assert one["stage_mask"].sum() == stages


def test_the_options_reach_the_episode(usual: IntersectionEnv, made: Callable[..., IntersectionEnv]) -> None:
    shown, _ = _whole(usual, 1)
    dearer, _ = _whole(made(weights=RewardWeights(scale=2.5)), 1)
    assert sum(dearer[2::3]) == pytest.approx(2 * sum(shown[2::3]))
    for option in ({"others": "fixed"}, {"intersection": "B0"}):
        env = made(backend="inside", **option)
        assert _whole(env, 1)[0] != shown
    with pytest.raises(ConfigError, match="most"):
        made(others="most")
    with pytest.raises(SimulationError, match="A0, B0"):
        made(intersection="Z9")
    with pytest.raises(SimulationError, match="decision_s"):
        made(decision_s=0)


def test_all_agents_of_a_corridor_act_and_end_together(corridor: CorridorParallelEnv) -> None:
    seen, infos = corridor.reset(seed=1)
    assert set(seen) == set(infos) == {"A0", "B0"}
    assert all(corridor.observation_space(agent).contains(seen[agent]) for agent in seen)
    stages = []
    while corridor.agents:
        seen, rewards, ended, cut, infos = corridor.step({"A0": 1})  # B0 keeps its stage
        assert not any(ended.values())
        stages.append([int(seen[agent]["stages"][:, 0].argmax()) for agent in ("A0", "B0")])
    assert len(stages) == SECONDS // 5
    assert cut == {"A0": True, "B0": True}
    assert [0, 0] in stages
    assert [1, 0] in stages
    assert infos["A0"]["summary"] == infos["B0"]["summary"]
    assert rewards["A0"] < 0
    assert corridor.step({}) == ({}, {}, {}, {}, {})


# Processes.


def test_inside_there_is_one_simulation_at_a_time(
    usual: IntersectionEnv, made: Callable[..., IntersectionEnv]
) -> None:
    first, second = made(backend="inside"), made(backend="inside")
    first.reset(seed=1)
    with pytest.raises(SimulationError, match="one simulation at a time"):
        second.reset(seed=1)
    shown, _ = _whole(usual, 2)  # a child does not mind
    first.step(np.int64(0))
    first.close()
    first.close()
    assert _whole(second, 2)[0] == shown
    second.reset(seed=3)
    with pytest.raises(SimulationError, match="child or inside"):
        made(backend="outside")


def test_every_episode_has_a_process_and_closing_leaves_none_and_no_file(
    noted: Noted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    closed, dropped = IntersectionEnv(noted.source), IntersectionEnv(noted.source)
    for env in (closed, dropped):
        for seed in (1, 2):
            env.reset(seed=seed)
            env.step(np.int64(0))
    players = noted.players()
    processes = {one for player in players for one in player}
    assert len(players) == 4
    assert len(processes) == 6  # every episode its own, every environment its nursery
    assert [_alive(player) for player, _ in players] == [False, True, False, True]
    closed.close()
    closed.close()
    del env, dropped
    gc.collect()
    assert not any(_alive(one) for one in processes)
    assert list(scratch.iterdir()) == []


def test_a_dying_simulation_is_an_error_and_the_next_reset_works(
    noted: Noted, made: Callable[..., IntersectionEnv]
) -> None:
    env = made(noted.source)
    with pytest.raises(SimulationError, match="ended by signal 11"):
        env.reset(seed=13)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.int64(0))
    with pytest.raises(SimulationError, match=r"status 1.*a bug"):
        env.reset(seed=14)
    env.reset(seed=1)
    player, nursery = noted.players()[-1]
    os.kill(nursery, 9)
    os.kill(player, 9)
    with pytest.raises(SimulationError, match="process is gone"):
        env.step(np.int64(0))
    env.reset(seed=1)
    env.step(np.int64(0))


def test_errors_of_the_scenario_come_back_as_they_are(tmp_path: Path) -> None:
    player = ChildPlayer(Foreign(tmp_path / "nowhere.sumocfg"), Terms())
    with pytest.raises(NetworkError, match="nowhere"):
        player.begin(1)
    with pytest.raises(SimulationError, match="begin one first"):
        player.decide([0])
    player.close()


def test_a_source_that_cannot_cross_says_so(pair: Foreign, made: Callable[..., IntersectionEnv]) -> None:
    env = made(lambda seed, folder: pair(seed, folder))
    with pytest.raises(SimulationError, match="cannot cross"):
        env.reset(seed=1)

    @dataclass
    class Here:
        inner: Foreign

        def __call__(self, seed: int, folder: Path) -> Any:
            return self.inner(seed, folder)

    Here.__qualname__ = "Here"
    Here.__module__ = "__main__"
    sys.modules["__main__"].Here = Here  # type: ignore[attr-defined]
    try:
        env = made(Here(pair))
        with pytest.raises(SimulationError, match="cannot cross"):
            env.reset(seed=1)
    finally:
        del sys.modules["__main__"].Here  # type: ignore[attr-defined]


# Sources and ids.


def test_generated_streets_differ_by_seed_or_stay(made: Callable[..., IntersectionEnv]) -> None:
    recipe = Recipe(Layout.GALLERY, signals=1, seconds=60)
    env = made(Generated(recipe), padding=Padding(), flat=False, backend="inside")
    shapes = [env.reset(seed=seed)[0]["service"] for seed in (1, 2, 1)]
    assert not np.array_equal(shapes[0], shapes[1])
    assert np.array_equal(shapes[0], shapes[2])
    env.close()
    env = made(Generated(recipe, network=1), flat=False, backend="inside")
    seen = [env.reset(seed=seed)[0]["service"] for seed in (1, 2)]
    assert np.array_equal(seen[0], seen[1])


def test_a_corridor_that_changes_with_the_seed_is_refused() -> None:
    env = CorridorParallelEnv(Generated(Recipe(Layout.GALLERY, signals=1, seconds=60)))
    with pytest.raises(SimulationError, match="give it a network"):
        env.reset(seed=OTHER_STREETS)
    assert env.agents == []
    env.close()


def test_ids_are_there_without_sumo() -> None:
    code = (
        "import sys, gymnasium\n"
        "import denxanh.sim.gymnasium_ids\n"
        "spec = gymnasium.spec('denxanh/truc-30-4-hoa-binh-pm-v0')\n"
        "assert spec.kwargs == {'corridor': 'truc-30-4-hoa-binh', 'scenario': 'pm'}, spec.kwargs\n"
        "assert {'denxanh/Foreign-v0', 'denxanh/Generated-v0'} <= set(gymnasium.registry)\n"
        "bad = {'libsumo', 'traci', 'sumolib', 'torch', 'scipy', 'pettingzoo'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_corridor_and_demand_has_an_id_and_one_of_them_runs() -> None:
    names = gymnasium_ids.corridors()
    assert {corridor for corridor, _ in names.values()} >= {"mang-thi-diem-12", "truc-30-4-hoa-binh"}
    assert set(names) <= set(gymnasium.registry)
    env = gymnasium.make(
        f"{gymnasium_ids.__name__}:{gymnasium_ids.corridor_id('truc-30-4-hoa-binh', 'am')}",
        fidelity="proxy",
        seconds=30,
        intersection="MT_304",
    )
    seen, info = env.reset(seed=1)
    assert env.observation_space.contains(seen)
    assert info["clock_s"] > 6 * 3600
    for _ in range(6):
        seen, reward, _, over, info = env.step(0)
    assert over
    assert reward < 0
    assert info["summary"]["vehicles"] > 0
    env.close()
