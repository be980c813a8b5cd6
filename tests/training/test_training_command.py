"""`denxanh train` from the command line, with workers and evaluation that cost nothing."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from denxanh.agents.encoding import Observation
from denxanh.agents.model_card import verify
from denxanh.cli import train as command
from denxanh.cli.main import app
from denxanh.cli.train_words import Pace, duration, evaluation_line, rest, told
from denxanh.errors import ConfigError, MissingExtraError
from denxanh.training import finish, local
from denxanh.training.config import Config, load
from denxanh.training.example import example
from denxanh.training.folder import Evaluated
from denxanh.training.heldout import Score
from denxanh.training.keeper import Progress


@pytest.fixture
def toml(config: Config, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(example(config), encoding="utf-8")
    assert load(path) == config
    return path


@pytest.fixture
def nobody(
    firm: Any, judge: Any, real_observations: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """No process is started; the firm that hires the pretended workers."""
    monkeypatch.setattr(local, "LocalWorker", firm)
    monkeypatch.setattr(finish, "run_fresh", lambda *_, **__: [real_observations])
    return firm


def train(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def test_a_run_reports_itself(toml: Path, tmp_path: Path, nobody: Any, judge: Any) -> None:
    judge.ratios = [0.9, 0.8, 0.95, 0.85]
    out = tmp_path / "runs" / "one"
    done = train(toml, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    model = Path(found["model"])
    assert model == out / "tiny.onnx"
    assert verify(model).sha256 == found["sha256"]
    assert found["best"]["ratio"] == pytest.approx(0.8)
    assert found["steps"] == found["best"]["steps"] == 160
    assert [one["steps"] for one in found["evaluations"]] == [80, 160, 200]
    assert len(found["starts"]) == 1
    assert found["onnx_difference"] <= 1e-5
    assert {row["policy"] for row in found["held_out"]} >= {"tiny", "most-vehicles", "fixed"}
    assert f"tensorboard --logdir {out / 'tensorboard'}" in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("after ")]
    assert lines == [
        "after 80 decisions: held-out delay 0.900 of the rule's (worst network 0.900); the best so far",
        "after 160 decisions: held-out delay 0.800 of the rule's (worst network 0.800); the best so far",
        "after 200 decisions: held-out delay 0.950 of the rule's (worst network 0.950); best 0.800 after 160",
    ]
    words = train(toml, "--out", out)
    assert words.exit_code == 0
    assert "tiny.onnx, best after 160 decisions" in words.stdout
    assert "denxanh gate" in words.stdout
    assert [line.split()[:2] for line in words.stdout.splitlines()[2:4]] == [
        ["tiny", "2"], ["most-vehicles", "2"]
    ]  # fmt: skip


def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(
    toml: Path, tmp_path: Path, nobody: Any, judge: Any
) -> None:
    before = signal.getsignal(signal.SIGINT)
    presses = iter([signal.SIGINT])
    judge.meanwhile = lambda: [os.kill(os.getpid(), number) for number in presses]
    out = tmp_path / "out"
    stopped = train(toml, "--out", out, "--json")
    assert stopped.exit_code == 130
    assert stopped.stdout == ""
    assert "ending after the present step" in stopped.stderr
    assert "stopped; the same command goes on: denxanh" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert all(one.ended for one in nobody.hired)
    assert signal.getsignal(signal.SIGINT) == before
    judge.meanwhile = lambda: None
    done = train(toml, "--out", out, "--json", "--workers", "1")
    assert done.exit_code == 0, done.output
    starts = json.loads(done.stdout)["starts"]
    assert [(one["steps"], one["workers"]) for one in starts] == [(0, 2), (80, 1)]


def test_ctrl_c_twice_ends_at_once(toml: Path, tmp_path: Path, nobody: Any, judge: Any) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    judge.meanwhile = twice
    assert train(toml, "--out", tmp_path / "out").exit_code != 0
    assert all(one.ended for one in nobody.hired)


def test_ctrl_c_while_the_model_is_finished(
    toml: Path, tmp_path: Path, nobody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denxanh.training.processes import StoppedError

    def stopped(*_: Any, **__: Any) -> Any:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(finish, "run_cells", stopped)
        assert train(toml, "--out", tmp_path / "out").exit_code == 130
    assert train(toml, "--out", tmp_path / "out").exit_code == 0


def test_what_was_mended_is_in_the_runs_own_log(
    toml: Path, tmp_path: Path, nobody: Any, pretended_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mortal(pretended_worker):
        def receive(self, patience_s: float) -> Any:
            if self.first == 0 and len(self.asked) == 5:
                raise EOFError("the process ended with signal 9")
            return super().receive(patience_s)

    monkeypatch.setattr(local, "LocalWorker", Mortal)
    done = train(toml, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["restarts"] == 2
    text = (tmp_path / "out" / "train.log").read_text(encoding="utf-8")
    assert text.count("is replaced: the process ended with signal 9") == 2


def test_the_default_folder_is_named_after_the_model(
    toml: Path, tmp_path: Path, nobody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train(toml).exit_code == 0
    assert (tmp_path / "runs" / "tiny" / "tiny.json").is_file()


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    done = train("--example")
    assert done.exit_code == 0
    path = tmp_path / "example.toml"
    path.write_text(done.stdout, encoding="utf-8")
    assert load(path) == Config()


def test_a_configuration_is_needed(tmp_path: Path) -> None:
    done = train()
    assert isinstance(done.exception, ConfigError)
    assert "--example" in str(done.exception)
    assert "atlantis.toml" in str(train(tmp_path / "atlantis.toml").exception)


@pytest.mark.parametrize(
    ("package", "extra"), [("torch", "train"), ("stable_baselines3", "train"), ("libsumo", "sim")]
)
def test_a_missing_extra_is_named(
    toml: Path, monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    found = command.importlib.util.find_spec
    monkeypatch.setattr(
        command.importlib.util, "find_spec", lambda name: None if name == package else found(name)
    )
    error = train(toml).exception
    assert isinstance(error, MissingExtraError)
    assert f"{package} is not installed (pip install 'denxanh[{extra}]'" in str(error)


def progress(steps: int, **others: Any) -> Progress:
    return Progress(steps=steps, total=1000, episodes=0, restarts=0, delay_s=None, **others)


def test_the_pace_leaves_evaluations_out_but_the_time_left_does_not() -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    assert (pace.per_second, pace.left_s(1000)) == (None, None)
    for second, steps, evaluating in [
        (100, 400, False),
        (110, 500, False),
        (110, 500, True),
        (120, 500, True),
    ]:
        clock[0] = float(second)
        pace.seen(steps, evaluating=evaluating)
    clock[0] = 130.0
    pace.seen(600, evaluating=False)
    assert pace.per_second == pytest.approx(200 / 20), "20 s of learning"
    assert pace.left_s(1000) == pytest.approx(400 / (200 / 30)), "resumed at 400, 30 s ago"
    assert pace.left_s(500) == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (29, "29 s"), (61, "1 min"), (3599, "1 h 00 min"), (11100, "3 h 05 min")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_an_evaluation_in_one_line() -> None:
    score = Score(ratio=0.9123, worst=1.2, gridlocks=1, conflicts=0)
    best = Evaluated(steps=400, ratio=0.88, worst=1.0, gridlocks=0, conflicts=0)
    assert evaluation_line(progress(500, score=score, best=best)) == (
        "after 500 decisions: held-out delay 0.912 of the rule's (worst network 1.200), 1 gridlock;"
        " best 0.880 after 400"
    )


def test_a_terminal_has_a_bar_and_log_lines_do_not_cut_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    score = Score(ratio=0.9, worst=1.0, gridlocks=0, conflicts=0)
    best = Evaluated(steps=500, ratio=0.9, worst=1.0, gridlocks=0, conflicts=0)
    with told() as watch:
        watch(progress(400))
        watch(progress(500, evaluating=(3, 6)))
        logging.getLogger("denxanh.training").warning("worker 1 is replaced")
        watch(progress(500, score=score, best=best))
    shown = capsys.readouterr().err
    assert "evaluating 3/6" in shown
    assert "400/1,000" in shown
    assert "best 0.900" in shown
    assert "after 500 decisions" in shown


def test_behind_the_bar() -> None:
    clock = [0.0]
    pace = Pace(lambda: clock[0])
    pace.seen(0, evaluating=False)
    clock[0] = 10.0
    pace.seen(500, evaluating=False)
    best = Evaluated(steps=400, ratio=0.88, worst=1.0, gridlocks=0, conflicts=0)
    now = Progress(steps=500, total=1000, episodes=3, restarts=0, delay_s=31.4, best=best)
    assert rest(now, pace) == "50/s, 10 s left, best 0.880, delay in training 31 s"
