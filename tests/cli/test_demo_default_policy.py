"""Who decides in the demo when nobody is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.agents import registry
from denxanh.agents.model_card import Gate, ModelCard, write_card
from denxanh.cli.demo import policy_named
from denxanh.cli.demo_files import DEFAULT_RULE, default_policy

MakeCard = Callable[..., ModelCard]
MakeGate = Callable[..., Gate]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the shipped model would lie; it is not there."""
    path = tmp_path / "universal.onnx"
    monkeypatch.setattr(registry, "SHIPPED", path)
    return path


def _ship(path: Path, make_card: MakeCard, **changes: object) -> None:
    path.write_bytes(b"weights")
    write_card(path, make_card(path, **changes))


def test_without_a_model_a_rule_decides(shipped: Path) -> None:
    assert default_policy() == (DEFAULT_RULE, "")


def test_the_shipped_model_decides_once_it_has_passed(
    shipped: Path, make_card: MakeCard, make_gate: MakeGate
) -> None:
    _ship(shipped, make_card, gate=make_gate())
    assert default_policy() == ("universal", "")
    assert policy_named(None) == "universal"


def test_a_model_that_has_not_passed_does_not_and_it_is_said(
    shipped: Path, make_card: MakeCard, make_gate: MakeGate, capsys: pytest.CaptureFixture[str]
) -> None:
    _ship(shipped, make_card)
    assert default_policy() == (DEFAULT_RULE, "no gate has judged this model")
    _ship(shipped, make_card, gate=make_gate(passed=False, reasons=("slower at night", "a gridlock")))
    name, why = default_policy()
    assert name == DEFAULT_RULE
    assert "slower at night" in why
    assert "a gridlock" in why
    assert policy_named(None) == DEFAULT_RULE
    said = capsys.readouterr()
    assert said.out == ""
    assert "slower at night" in said.err


def test_a_model_that_is_spoilt_does_not(shipped: Path, make_card: MakeCard, make_gate: MakeGate) -> None:
    _ship(shipped, make_card, gate=make_gate())
    shipped.write_bytes(b"other weights")
    name, why = default_policy()
    assert name == DEFAULT_RULE
    assert "its card says" in why


def test_who_is_named_decides(shipped: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert policy_named("fixed") == "fixed"
    assert policy_named("model:m.onnx") == f"model:{tmp_path / 'm.onnx'}"


@pytest.mark.parametrize("name", ["model:absent.onnx", "universal@5"])
def test_a_model_that_is_not_there_is_one_clear_message(name: str, tmp_path: Path) -> None:
    pytest.importorskip("sumo", reason="SUMO is not installed (make setup)")
    done = subprocess.run(
        [sys.executable, "-m", "denxanh.cli", "demo", "--headless", "--policy", name, "--json"],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "denxanh: " in done.stderr


def test_run_refuses_an_ungated_model_with_every_reason(
    tmp_path: Path, make_card: MakeCard, make_gate: MakeGate
) -> None:
    model = tmp_path / "m.onnx"
    _ship(model, make_card, gate=make_gate(passed=False, reasons=("slower at night", "a gridlock")))
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\ncorridor = "truc-30-4-hoa-binh"\nstate_dir = "s"\npolicy = "model:m.onnx"\n'
        '[[cabinet]]\nintersection = "THN_304"\nhost = "127.0.0.1"\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "denxanh.cli", "run", str(site), "--json"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    for words in ("2 defects", "slower at night", "a gridlock", "denxanh gate", "ungated"):
        assert words in done.stderr
    assert not (tmp_path / "s").exists(), "nothing was begun"


def test_help_says_who_decides() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "denxanh.cli", "demo", "--help"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert "passed its gate" in done.stdout
