"""Cards: read strictly, written whole, and only valid for the file that they name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from denxanh.agents.encoding import SCHEMA
from denxanh.agents.model_card import (
    Gate,
    ModelCard,
    card_path,
    read_card,
    refusals,
    sha256_of,
    verify,
    write_card,
)
from denxanh.errors import ModelError

MakeCard = Callable[..., ModelCard]
MakeGate = Callable[..., Gate]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "mô hình.v2.onnx"
    path.write_bytes(b"weights")
    return path


def _spoil(model: Path, **changes: Any) -> None:
    path = card_path(model)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}), encoding="utf-8")


def test_what_is_written_is_read_back(model: Path, make_card: MakeCard, make_gate: MakeGate) -> None:
    row = {"scenario": "am", "policy": "test", "ci95": [1.5, 2], "gridlock": False, "note": None}
    card = make_card(model, gate=make_gate(passed=False, reasons=("trễ hơn 3 %",), table=(row,)))
    write_card(model, card)
    assert card_path(model).name == "mô hình.v2.json"
    assert read_card(model) == verify(model) == card
    assert "Chưa được huấn luyện" in card_path(model).read_text(encoding="utf-8"), "people read it, too"


def test_a_card_is_replaced_whole_or_not_at_all(
    model: Path, make_card: MakeCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make_card(model)
    write_card(model, before)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match="No space left"):
        write_card(model, make_card(model, name="other"))
    assert read_card(model) == before
    assert sorted(path.name for path in model.parent.iterdir()) == ["mô hình.v2.json", "mô hình.v2.onnx"]
    monkeypatch.undo()
    write_card(model, make_card(model, name="other"))
    assert read_card(model).name == "other"
    assert len(list(model.parent.iterdir())) == 2
    with pytest.raises(ModelError, match="cannot be written"):
        write_card(model.parent / "absent" / "m.onnx", before)


def test_another_file_is_refused_with_both_hashes(model: Path, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    was = sha256_of(model)
    model.write_bytes(b"other weights")
    with pytest.raises(ModelError) as caught:
        verify(model)
    assert was in str(caught.value)
    assert sha256_of(model) in str(caught.value)
    assert str(model) in str(caught.value)


def test_another_observation_is_refused(model: Path, make_card: MakeCard) -> None:
    write_card(model, make_card(model, observation_schema=SCHEMA + 1))
    with pytest.raises(ModelError, match=f"observation schema {SCHEMA + 1}, this program has {SCHEMA}"):
        verify(model)


def test_what_is_missing_is_named(model: Path, make_card: MakeCard) -> None:
    with pytest.raises(ModelError, match=r"mô hình\.v2\.json: the model's card cannot be read"):
        verify(model)
    write_card(model, make_card(model))
    model.unlink()
    with pytest.raises(ModelError, match=r"mô hình\.v2\.onnx: the model cannot be read"):
        verify(model)
    with pytest.raises(ModelError, match=r"a card, not a model.*\.onnx"):
        verify(card_path(model))


def test_every_wrong_field_is_named(model: Path, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    _spoil(model, colour="red", steps=-1, sha256="ABC", gate={"passed": "yes"})
    with pytest.raises(ModelError) as caught:
        read_card(model)
    for field in ("colour: ", "steps: ", "sha256: ", "gate.passed: ", "gate.date: "):
        assert field in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 1}'])
def test_what_is_no_card_is_refused(model: Path, text: bytes) -> None:
    card_path(model).write_bytes(text)
    with pytest.raises(ModelError, match="not a model card"):
        read_card(model)


def test_another_form_of_card_is_refused(model: Path, make_card: MakeCard) -> None:
    write_card(model, make_card(model))
    _spoil(model, version=2)
    with pytest.raises(ModelError, match="version"):
        read_card(model)


def test_figures_are_numbers(model: Path, make_gate: MakeGate) -> None:
    with pytest.raises(ValidationError):
        make_gate(margin=float("nan"))


def test_a_gate_does_not_contradict_itself(make_gate: MakeGate) -> None:
    with pytest.raises(ValidationError, match="has no reasons against"):
        make_gate(reasons=("slow",))
    with pytest.raises(ValidationError, match="says why"):
        make_gate(passed=False)


def test_who_may_control(model: Path, make_card: MakeCard, make_gate: MakeGate) -> None:
    assert refusals(make_card(model)) == ["no gate has judged this model"]
    assert refusals(make_card(model, gate=make_gate())) == []
    failed = make_gate(passed=False, reasons=("slower at night", "one gridlock"))
    assert refusals(make_card(model, gate=failed)) == [
        "it failed the gate of 2026-11-26: slower at night",
        "it failed the gate of 2026-11-26: one gridlock",
    ]


def test_a_card_cannot_be_changed_by_accident(model: Path, make_card: MakeCard) -> None:
    with pytest.raises(ValidationError):
        make_card(model).gate = None  # type: ignore[misc]
