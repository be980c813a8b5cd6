"""`denxanh gate`: status, words, one JSON document, and what it leaves in the card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("libsumo", reason="needs the extra sim")

from denxanh.agents.model_card import Gate, ModelCard, read_card, refusals, sha256_of, write_card
from denxanh.cli.main import app
from denxanh.eval import gate_run
from denxanh.eval.gate_run import Outcome, Wish
from denxanh.eval.gate_types import (
    IDLE,
    PERSON,
    VEHICLE,
    Case,
    Check,
    Contender,
    Evidence,
    Reason,
    Row,
    Rule,
    Rules,
    Verdict,
)
from denxanh.networks import catalogue

CASE = Case("truc-30-4-hoa-binh/am", held_out=False)
REASON = Reason(Rule.GRIDLOCK, "kẹt cứng", "gridlock", CASE.id, 1.0, 0.0)


class Gates:
    """Stands for the runs: it remembers what was asked for and answers with a verdict."""

    def __init__(self) -> None:
        self.asked: list[Wish] = []
        self.reasons: tuple[Reason, ...] = ()
        self.meanwhile: Callable[[], object] = lambda: None

    def run(self, wish: Wish, _tell: object) -> Outcome:
        self.asked.append(wish)
        sha256 = sha256_of(wish.model)
        self.meanwhile()
        checks = (
            Check(PERSON, -0.2, 0.0, 30.0, 40.0, strict=True),
            Check(VEHICLE, -0.2, 0.05, 29.0, 41.0),
            Check(IDLE, 0.0, 0.02, 0.01, 0.01),
        )
        row = Row(CASE, Contender("own", searched=True), 10, 30.0, 40.0, -0.25, (-0.3, -0.2), 0.7, checks)
        return Outcome(
            Evidence("model", {}, ()), Rules((CASE,)), Verdict(self.reasons, (row,)), "test", sha256
        )


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gates:
    found = Gates()
    monkeypatch.setattr(gate_run, "run", found.run)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def model(tmp_path: Path, make_card: Callable[..., ModelCard]) -> Path:
    path = tmp_path / "universal.onnx"
    path.write_bytes(b"a model")
    write_card(path, make_card(path))
    return path


def gate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["gate", *map(str, arguments)])


def test_passed(model: Path, gates: Gates) -> None:
    done = gate(model, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["model"], found["passed"], found["reasons"]) == (str(model), True, [])
    assert refusals(read_card(model)) == []
    assert json.loads(Path("runs/gate/gate.json").read_text(encoding="utf-8")) == found
    assert "ĐẠT" in Path("runs/gate/gate.html").read_text(encoding="utf-8")


def test_failed(model: Path, gates: Gates, make_gate: Callable[..., Gate]) -> None:
    write_card(model, read_card(model).model_copy(update={"gate": make_gate()}))
    gates.reasons = (REASON,)
    done = gate(model, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["passed"] is False
    assert found["reasons"] == [str(REASON)]
    assert found["details"][0]["corridor"] == catalogue.names()[-1]
    assert found["details"][0]["scenario"] == "am"
    assert len(refusals(read_card(model))) == 1


def test_words(model: Path, gates: Gates) -> None:
    gates.reasons = (REASON,)
    done = gate(model)
    assert done.exit_code == 1
    for word in (CASE.id, "−25.0 %", "kẹt cứng", "gridlock", "KHÔNG ĐẠT · FAILED", "gate.html"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (("--quick",), {"quick": True}),
        (("--corridor", "nguyen-van-cu"), {"corridors": ("nguyen-van-cu",)}),
        (("--scenarios", "am, pm"), {"scenarios": ("am", "pm")}),
        (("--yellow", "3"), {"yellow_s": 3, "all_red_s": 0}),
        (("--all-red", "2"), {"yellow_s": 3, "all_red_s": 2}),
    ],
)
def test_a_look_leaves_the_card_alone(
    model: Path, gates: Gates, option: tuple[str, ...], wanted: dict[str, Any]
) -> None:
    gates.reasons = (REASON,)
    done = gate(model, *option)
    assert done.exit_code == 1
    assert {name: getattr(gates.asked[0], name) for name in wanted} == wanted
    assert gates.asked[0].looked
    assert read_card(model).gate is None
    assert "the card is as it was" in done.stdout


def test_a_pass_that_cannot_be_written_is_none(
    model: Path, gates: Gates, make_card: Callable[..., ModelCard]
) -> None:
    def exchange() -> None:
        model.write_bytes(b"another model")
        write_card(model, make_card(model))

    gates.meanwhile = exchange
    done = gate(model, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["passed"] is False
    assert "exchanged" in found["reasons"][0]
    assert read_card(model).gate is None


def test_the_plans_of_a_search_are_met_without_being_named(model: Path, gates: Gates) -> None:
    gate(model)
    assert gates.asked[-1].plans == ()
    folder = Path("runs/plans/truc-30-4-hoa-binh-am")
    folder.mkdir(parents=True)
    (folder / "plans.toml").write_text("", encoding="utf-8")
    gate(model)
    assert gates.asked[-1].plans == (Path("runs/plans"),)
    gate(model, "--plans", "a.toml", "--plans", "b")
    assert gates.asked[-1].plans == (Path("a.toml"), Path("b"))


def test_stopped(model: Path, gates: Gates) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    gates.meanwhile = stop
    done = gate(model)
    assert done.exit_code != 0
    assert "goes on" in done.stderr
    assert read_card(model).gate is None
