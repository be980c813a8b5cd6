"""Real worker processes with real SUMO: the same for the same seed, replaceable, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh.errors import TrainingError
from denxanh.training.config import Config
from denxanh.training.local import LocalWorker
from denxanh.training.stream import Turn

PATIENCE_S = 240.0
SECONDS = 60
DECISIONS = SECONDS // 5


@pytest.fixture(scope="module", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where workers of this module keep their files."""
    folder = tmp_path_factory.mktemp("workers")
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    yield folder
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def small(make_config: Callable[..., Config]) -> Config:
    """One intersection, a minute: a scenario costs about two seconds."""
    course = {"mix": {"gallery": 1, "grid": 0, "random": 0, "arterial": 0, "catalogue": 0}}
    return make_config(
        workers={"count": 1, "slots": 1},
        curriculum={**course, "seconds": SECONDS, "easy_share": 1.0, "field_errors": 1.0, "failed": 1.0},
        lanes=24,
        stages=10,
    )


@pytest.fixture(scope="module")
def twins(small: Config, scratch: Path) -> Iterator[tuple[LocalWorker, LocalWorker]]:
    """Two that were given the same."""
    pair = LocalWorker(small, 0, 0), LocalWorker(small, 0, 0)
    yield pair
    for one in pair:
        one.end()
    assert [*scratch.iterdir()] == [], "no file is left"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def same(one: Turn, two: Turn) -> None:
    np.testing.assert_array_equal(one.observations, two.observations)
    np.testing.assert_array_equal(one.rewards, two.rewards)
    assert one.figures == two.figures
    assert one.problems == two.problems == ()


def test_the_same_seed_is_the_same_traffic_in_any_process(twins: tuple[LocalWorker, LocalWorker]) -> None:
    first, second = (one.receive(PATIENCE_S) for one in twins)
    same(first, second)
    assert first.observations.any()
    for number in range(DECISIONS):
        for one in twins:
            one.send([number // 4 % 3], 0.0)
        first, second = (one.receive(PATIENCE_S) for one in twins)
        same(first, second)
        assert first.rewards[0] <= 0.0
        assert first.done is (number == DECISIONS - 1)
    assert first.figures is not None
    assert first.figures["conflicts"] == 0


def to_the_end(one: LocalWorker) -> None:
    """What it had said before its end comes first."""
    while one.receive(PATIENCE_S):
        pass


def test_a_stopped_process_is_noticed_and_ended(twins: tuple[LocalWorker, LocalWorker]) -> None:
    one = twins[0]
    pid = one.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    one.send([0], 0.0)
    with pytest.raises(TimeoutError, match="no answer for 1 s"):
        one.receive(1.0)
    one.end()
    assert not alive(pid)


def test_a_killed_process_is_noticed_at_once(twins: tuple[LocalWorker, LocalWorker]) -> None:
    one = twins[1]
    assert one.process.pid is not None
    os.kill(one.process.pid, signal.SIGKILL)
    begun = time.monotonic()
    with pytest.raises(EOFError, match="ended with signal 9"):
        to_the_end(one)
    assert time.monotonic() - begun < PATIENCE_S / 4
    one.end()


def test_what_a_dying_worker_says_is_kept(small: Config, scratch: Path) -> None:
    """A bug in a worker is named by the learner, with its last words."""
    before = {*scratch.iterdir()}
    broken = small.model_copy(update={"curriculum": None})
    one = LocalWorker(broken, 0, 0)
    with pytest.raises(EOFError, match=r"ended with status 1: .*AttributeError"):
        one.receive(PATIENCE_S)
    one.end()
    assert {*scratch.iterdir()} == before, "no file is left"


def test_a_worker_that_can_simulate_nothing_gives_up(small: Config) -> None:
    """Ten scenarios of which no intersection fits."""
    course = small.curriculum.model_copy(update={"corridors": ("atlantis",)})
    mix = course.mix.model_copy(update={"gallery": 0.0, "catalogue": 1.0})
    course = course.model_copy(update={"mix": mix, "easy_share": 0.0})
    one = LocalWorker(small.model_copy(update={"curriculum": course}), 0, 0)
    with pytest.raises(TrainingError, match=r"10 scenarios in a row .* no corridor 'atlantis'"):
        one.receive(PATIENCE_S)
    one.end()


LEARNER = """
import sys, time
from denxanh.training.config import Config
from denxanh.training.local import LocalWorker
if __name__ == "__main__":
    one = LocalWorker(Config.model_validate_json(sys.argv[1]), 0, 0)
    print(one.process.pid, flush=True)
    if sys.argv[2] == "later":
        one.receive(240.0)
        print("heard", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("when", ["now", "later"])
def test_no_worker_outlives_a_killed_learner(small: Config, tmp_path: Path, when: str) -> None:
    script = tmp_path / "learner.py"
    script.write_text(LEARNER, encoding="utf-8")
    files = tmp_path / "files"
    files.mkdir()
    learner = subprocess.Popen(
        [sys.executable, str(script), small.model_dump_json(), when],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(files)},
    )  # fmt: skip
    try:
        assert learner.stdout is not None
        worker = int(learner.stdout.readline())
        if when == "later":
            assert learner.stdout.readline() == "heard\n"
        assert alive(worker)
    finally:
        learner.kill()
        learner.communicate()
    deadline = time.monotonic() + 90.0
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(worker)
    left: list[Any] = [*files.iterdir()]
    assert left == []
