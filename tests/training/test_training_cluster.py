"""Workers on a local Ray of two processes: the same turns as a local worker's; a dead actor is replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.errors import MissingExtraError, TrainingError
from denxanh.training import cluster
from denxanh.training.cluster import Remote
from denxanh.training.config import Config
from denxanh.training.local import LocalWorker

PATIENCE_S = 240.0
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed (pip install 'denxanh[cluster]')"
)
LEARNER = """
import json, logging, sys
import numpy as np
from denxanh.training.cluster import LOCAL, cluster
from denxanh.training.config import Config
from denxanh.training.workers import IntersectionVecEnv

logging.basicConfig(stream=sys.stderr)
config = Config.model_validate_json(sys.argv[1])
with cluster(LOCAL, 2) as hire:
    import ray

    env = IntersectionVecEnv(config, hire)
    seen = [env.reset()]
    for number in range(5):
        env.step_async(np.array([number % 2, 0]))
        seen.append(env.step_wait()[0])
    ray.kill(env._workers[1]._actor)
    env.step_async(np.array([0, 0]))
    observations, rewards, dones, _ = env.step_wait()
    replaced = {"dones": dones.tolist(), "reward": float(rewards[1]), "seen": bool(observations[1].any())}
    env.close()
print(json.dumps({"seen": np.stack(seen)[:, 0].tolist(), "replaced": replaced, "restarts": env.restarts}))
"""


@pytest.fixture(scope="module")
def small(make_config: Callable[..., Config]) -> Config:
    return make_config(
        workers={"count": 2, "slots": 1, "patience_s": PATIENCE_S},
        curriculum={"seconds": 60, "easy_share": 1.0},
        lanes=24,
        stages=10,
    )


@needs_ray
def test_intersections_learn_on_a_cluster(small: Config, tmp_path: Path) -> None:
    """In a process of its own: Ray reads its environment once, and never waits for what it started."""
    script = tmp_path / "learner.py"
    script.write_text(LEARNER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), small.model_dump_json()],
        capture_output=True, text=True, timeout=280, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
    )  # fmt: skip
    if "timed out during startup" in done.stderr:
        pytest.skip("this machine is too busy: Ray gives itself 30 s to start")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    local = LocalWorker(small, 0, 0)
    mine = [local.receive(PATIENCE_S).observations[0]]
    for number in range(5):
        local.send([number % 2], 0.0)
        mine.append(local.receive(PATIENCE_S).observations[0])
    local.end()
    np.testing.assert_array_equal(np.array(found["seen"], np.float32), np.stack(mine), "wherever it runs")
    assert found["replaced"] == {"dones": [False, True], "reward": 0.0, "seen": True}
    assert found["restarts"] == 1
    assert "worker 1 is replaced" in done.stderr


def test_another_version_on_the_cluster_is_refused(small: Config) -> None:
    answer = Remote(small, 0, 0, "0.0.0").start()
    assert isinstance(answer, TrainingError)
    assert "the learner 0.0.0" in str(answer)


class PretendedRay:
    """What `cluster` asks of Ray."""

    processors = 3.0
    error: Exception | None = None

    def init(self, **_: Any) -> None:
        if self.error is not None:
            raise self.error

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.processors}

    def shutdown(self) -> None: ...


def connected(count: int) -> None:
    with cluster.cluster("10.0.0.1:6379", count):
        pass


def test_no_cluster_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = PretendedRay()
    ray.error = ConnectionError("Could not find any running Ray instance")
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(TrainingError, match=r"--ray 10\.0\.0\.1:6379: no Ray there: Could not find"):
        connected(2)


def test_too_few_processors_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", PretendedRay())
    connected(3)
    with pytest.raises(TrainingError, match="has 3 processors, 8 workers"):
        connected(8)


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"denxanh\[cluster\]"):
        connected(1)
