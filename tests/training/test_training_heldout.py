"""Simulations in fresh processes, and the evaluation that is made of them."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from denxanh.training import heldout
from denxanh.training.curriculum import EVALUATION_SEEDS
from denxanh.training.finish import observe
from denxanh.training.heldout import Cell, Outcome, run_cells, scored
from denxanh.training.processes import Failed, StoppedError, run_fresh


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [*folder.iterdir()] == [], "no file is left"


def test_every_item_has_a_process_of_its_own(scratch: Path) -> None:
    done: list[int] = []
    answers = run_fresh(math.factorial, [3, 4, 5], 2, limit_s=120.0, told=done.append)
    assert answers == [6, 24, 120]
    assert done == [1, 2, 3]
    processes = run_fresh(os.path.realpath, ["/proc/self"] * 2, 2, limit_s=120.0)
    assert len({*processes, f"/proc/{os.getpid()}"}) == 3


def test_what_fails_is_named_and_the_others_go_on(scratch: Path) -> None:
    died, wrong, missing, good = (
        run_fresh(os._exit, [3], 1, limit_s=120.0)
        + run_fresh(math.sqrt, [-1], 1, limit_s=120.0)
        + run_fresh(os.listdir, ["/atlantis", "/proc/self/fdinfo"], 2, limit_s=120.0)
    )
    assert died == Failed("the process ended with status 3")
    assert isinstance(wrong, Failed)
    assert wrong.reason.startswith("ValueError: ")
    assert isinstance(missing, Failed)
    assert "/atlantis" in missing.reason
    assert isinstance(good, list)


def test_what_takes_for_ever_is_given_up(scratch: Path) -> None:
    begun = time.monotonic()
    assert run_fresh(time.sleep, [300], 1, limit_s=1.0) == [Failed("it took too long and was given up")]
    assert time.monotonic() - begun < 60.0


def test_stopping_ends_what_runs(scratch: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(StoppedError):
        run_fresh(time.sleep, [300, 300], 2, limit_s=600.0, stop=lambda: time.monotonic() - begun > 1.0)
    assert time.monotonic() - begun < 60.0


def outcome(number: int, delay_s: float, *, gridlock: bool = False, conflicts: int = 0) -> Outcome:
    return Outcome(number, delay_s, gridlock, conflicts)


def test_the_score_is_the_geometric_mean_over_networks() -> None:
    rule = {0: outcome(0, 20.0), 1: outcome(1, 40.0)}
    score = scored({0: outcome(0, 10.0), 1: outcome(1, 80.0, gridlock=True, conflicts=2)}, rule)
    assert score.ratio == pytest.approx(1.0)
    assert (score.worst, score.gridlocks, score.conflicts) == (2.0, 1, 2)
    assert math.isfinite(scored({0: outcome(0, 0.0)}, {0: outcome(0, 0.0)}).ratio), "an empty street"


def test_a_run_that_failed_is_tried_again_then_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[tuple[int, ...]] = []
    counted: list[tuple[int, int]] = []

    def fresh(
        _function: object, cells: list[Cell], _jobs: int, *, told: Callable[[int], None], **_: object
    ) -> list[Outcome | Failed]:
        tries.append(tuple(cell.number for cell in cells))
        answers: list[Outcome | Failed] = []
        for place, cell in enumerate(cells):
            told(place + 1)
            lucky = cell.number == 0 or (cell.number == 1 and len(tries) == 2)
            answers.append(outcome(cell.number, 9.0) if lucky else Failed("out of memory"))
        return answers

    monkeypatch.setattr(heldout, "run_fresh", fresh)
    cells = [Cell(number, 60, "fixed") for number in range(3)]
    found = run_cells(cells, 1, told=lambda done, every: counted.append((done, every)))
    assert tries == [(0, 1, 2), (1, 2)]
    assert [cell.number for cell in found] == [0, 1]
    assert counted == [(1, 3), (2, 3), (3, 3), (2, 3), (3, 3)]
    assert "under fixed failed: out of memory; it is left out" in caplog.text


def test_networks_of_the_evaluation_are_never_trained_on() -> None:
    cell = Cell(5, 60, "fixed")
    assert cell.seed == EVALUATION_SEEDS + 5
    assert cell.scenario == f"arterial-{cell.seed}"


def test_a_model_and_a_rule_really_meet(random_onnx: bytes, tmp_path: Path, scratch: Path) -> None:
    """The one test here with SUMO: the shortest network, a model, a rule, and what the model saw."""
    model = tmp_path / "random.onnx"
    model.write_bytes(random_onnx)
    cells = [Cell(0, 60, "most-vehicles"), Cell(0, 60, "universal", model)]
    found = run_cells(cells, 2)
    assert [*found] == cells
    rule, mine = found.values()
    assert rule.delay_s > 0.0
    assert mine.delay_s != rule.delay_s
    assert rule.conflicts == mine.conflicts == 0
    (seen,) = run_fresh(observe, cells[1:], 1, limit_s=240.0)
    assert not isinstance(seen, Failed)
    assert len(seen) >= 6 * 12
    assert len({one.stages.tobytes() for one in seen}) > 20
