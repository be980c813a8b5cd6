"""`denxanh evaluate` as a shell starts it: files, JSON, errors without traceback, stopping and going on."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.eval import tuning

Command = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-m", "denxanh.cli", "evaluate")


def test_it_writes_three_files_and_prints_the_same_document(
    grid: Path, tmp_path: Path, denxanh: Command
) -> None:
    asked = (
        "evaluate",
        "--sumocfg",
        str(grid),
        "--policies",
        "fixed,most-vehicles@5+2",
        "--seeds",
        "2",
        "--seconds",
        "60",
    )
    done = denxanh(*asked, "--out", str(tmp_path), "--jobs", "2", "--emissions", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "results.json").read_text())
    assert [(run["policy"], run["seed"]) for run in told["runs"]] == [
        ("fixed", 1), ("most-vehicles@5+2", 1), ("fixed", 2), ("most-vehicles@5+2", 2),
    ]  # fmt: skip
    assert all(run["co2_kg"] > 0 for run in told["runs"])
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert [float(row["mean_delay_s"]) for row in rows] == [run["mean_delay_s"] for run in told["runs"]]
    assert "most-vehicles@5+2" in (tmp_path / "report.html").read_text()
    words = denxanh(*asked, "--out", str(tmp_path), "--emissions")
    assert words.returncode == 0
    assert "4 of them finished before" in words.stdout
    assert "95 % CI" in words.stdout


def test_tuning_tries_settings_on_other_seeds_and_tests_the_best(
    grid: Path, tmp_path: Path, denxanh: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "HYSTERESES_PCU", (0,))
    monkeypatch.setattr(tuning, "INTERVALS_S", (5, 10))
    asked = (
        "evaluate",
        "--sumocfg",
        str(grid),
        "--policies",
        "max-pressure",
        "--seeds",
        "1",
        "--seconds",
        "20",
    )
    done = denxanh(*asked, "--tune", "--tune-seeds", "7,", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ((choice,), (run,)) = told["tuning"], told["runs"]
    assert {one["setting"] for one in choice["tried"]} == {"max-pressure@5+0", "max-pressure@10+0"}
    assert choice["tried"][0]["setting"] == choice["setting"] == run["setting"]
    assert run["policy"] == told["summary"][0]["policy"] == "max-pressure"
    assert run["setting"].startswith("max-pressure@")
    assert choice["setting"] in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--policies", "best"), ("best", "most-vehicles")),
        (("--policies", "most-vehicles@0"), ("decision interval",)),
        (("--policies", "fixed", "--seeds", "none"), ("--seeds", "11-20")),
        (("--policies", "fixed", "--seeds", "0"), ("--seeds",)),
        (("--policies", "fixed", "--reference", "actuated"), ("--reference",)),
        (("--policies", ","), ("--policies",)),
        (("--policies", "most-vehicles", "--tune", "--tune-seeds", "1-3"), ("tunes and tests",)),
    ],
)
def test_wrong_wishes_are_one_clear_message(
    arguments: tuple[str, ...], words: tuple[str, ...], grid: Path, tmp_path: Path, denxanh: Command
) -> None:
    done = denxanh("evaluate", "--sumocfg", str(grid), "--out", str(tmp_path / "out"), *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--corridor", "truc-30-4-hoa-binh", "--begin", "5"),
        ("--corridor", "truc-30-4-hoa-binh", "--emissions", "--proxy"),
        ("--sumo-options", '"unclosed'),
        ("--failed-detectors", "10"),
        ("--yellow", "1"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(
    arguments: tuple[str, ...], tmp_path: Path, denxanh: Command
) -> None:
    done = denxanh("evaluate", "--out", str(tmp_path), *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_failed_runs_are_reported_and_the_status_says_so(
    grid: Path, tmp_path: Path, denxanh: Command
) -> None:
    done = denxanh(
        "evaluate",
        *("--sumocfg", str(grid), "--policies", "fixed", "--seeds", "1", "--seconds", "20"),
        *("--sumo-options=--no-such-option", "--out", str(tmp_path), "--json"),
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["runs"], told["failures"][0]["seed"]) == ([], 1)
    assert "grid fixed seed 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "report.html").is_file()


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(
    grid: Path, tmp_path: Path, denxanh: Command
) -> None:
    asked = ("--sumocfg", str(grid), "--policies", "fixed", "--seconds", "20", "--out", str(tmp_path))
    running = subprocess.Popen(
        [*COMMAND, *asked, "--seeds", "400", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts tests in the background has them ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    cells = tmp_path / "cells"
    deadline = time.monotonic() + 120
    while not (cells.is_dir() and any(cells.glob("*_1_*.json"))):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in told
    assert "goes on" in told
    assert not [path for path in cells.iterdir() if path.suffix != ".json"]
    again = denxanh("evaluate", *asked, "--seeds", "1", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["resumed"] == 1
