"""`universal` and `model:PATH`: found, checked against their cards, loaded once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from denxanh.agents import registry
from denxanh.agents.model_card import ModelCard, sha256_of, write_card
from denxanh.agents.observation import TrafficState
from denxanh.errors import ConfigError, ModelError

MakeCard = Callable[..., ModelCard]


@pytest.fixture
def model(tmp_path: Path, random_onnx: bytes, make_card: MakeCard) -> Path:
    path = tmp_path / "mine.onnx"
    path.write_bytes(random_onnx)
    write_card(path, make_card(path))
    return path


@pytest.fixture
def unshipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shipped" / "universal.onnx"
    path.parent.mkdir()
    monkeypatch.setattr(registry, "SHIPPED", path)
    return path


def test_universal_is_known_only_where_it_is_shipped(
    unshipped: Path, random_onnx: bytes, make_card: MakeCard
) -> None:
    assert registry.UNIVERSAL not in registry.names()
    with pytest.raises(ModelError, match=r"ships no model.*model:PATH.*max-pressure"):
        registry.policy("universal")
    unshipped.write_bytes(random_onnx)
    assert registry.names()[-1] == "universal"
    with pytest.raises(ModelError, match="card cannot be read"):
        registry.policy("universal")
    write_card(unshipped, make_card(unshipped))
    assert registry.policy("universal").name == "universal"


def test_a_model_is_loaded_once_and_decides(model: Path, make_state: Callable[..., TrafficState]) -> None:
    policy = registry.policy(f"model:{model}")
    assert registry.policy(f"model:{model}") is policy
    assert (policy.name, policy.interval_s) == (f"model:{model}", 5)
    decision = policy.decide(make_state({"queued": 5.0}, {"queued": 2.0}))
    assert decision.stage in (0, 1, 2)
    assert "stage" in decision.why


def test_a_relative_path_starts_where_the_command_does(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert registry.model_of("model:mine.onnx") == model
    assert registry.anchored("model:mine.onnx", model.parent) == f"model:{model}"
    assert registry.anchored(f"model:{model}", Path("/elsewhere")) == f"model:{model}"
    assert registry.anchored("max-pressure", model.parent) == "max-pressure"
    assert registry.anchored("model:", model.parent) == "model:"


def test_a_model_that_was_replaced_is_not_used(model: Path, make_card: MakeCard) -> None:
    first = registry.policy(f"model:{model}")
    card = make_card(model)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="its card says"):
        registry.policy(f"model:{model}")
    write_card(model, make_card(model))
    with pytest.raises(ModelError, match="another model"):
        registry.policy(f"model:{model}", sha256=card.sha256)
    model.write_bytes(model.read_bytes()[:-1])
    write_card(model, card)
    assert registry.policy(f"model:{model}", sha256=sha256_of(model)) is first


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("model:", ConfigError, "no model is named"),
        ("universal@5", ConfigError, "universal has no settings"),
        ("model:absent.onnx", ModelError, "card cannot be read"),
        ("Universal", ConfigError, r"unknown policy.*model:PATH"),
    ],
)
def test_wrong_names_are_explained(name: str, kind: type[Exception], words: str) -> None:
    for ask in (registry.policy, registry.check):
        with pytest.raises(kind, match=words):
            ask(name)


def test_a_rule_is_no_model() -> None:
    assert registry.check("most-vehicles@5+3") is None
    assert registry.model_of("most-vehicles@5+3") is None
    assert not registry.is_learned("most-vehicles@5+3")
    with pytest.raises(ModelError, match="a rule has no model"):
        registry.policy("fixed", sha256="0" * 64)


def test_onnxruntime_comes_with_the_first_model(model: Path) -> None:
    code = (
        "import sys; from denxanh.agents import registry; name = sys.argv[1]\n"
        "registry.policy('fixed'); assert registry.check(name).name == 'test'\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "registry.policy(name); assert 'onnxruntime' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"model:{model}"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
