"""Weights come back out of every file that training or the package writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from denxanh.agents import registry
from denxanh.agents.encoding import Observation
from denxanh.errors import TrainingError
from denxanh.training import keeper
from denxanh.training.config import Config
from denxanh.training.export import TOLERANCE, difference, export
from denxanh.training.learn import learn
from denxanh.training.network import StageCompetition
from denxanh.training.weights import load_network

Weights = dict[str, torch.Tensor]


def some(width: int) -> StageCompetition:
    torch.manual_seed(7)
    network = StageCompetition(width)
    with torch.no_grad():
        for one in network.parameters():
            one.normal_(0.0, 0.3)
    return network.eval()


@pytest.mark.parametrize("width", [8, 17, 64])
def test_a_model_gives_back_what_was_exported(width: int, tmp_path: Path) -> None:
    network = some(width)
    export(network, tmp_path / "made.onnx")
    found, meant = load_network(tmp_path / "made.onnx", width).state_dict(), network.state_dict()
    for name in meant:
        if not name.startswith("worth."):
            assert torch.equal(found[name], meant[name]), name


def test_the_shipped_model_too(real_observations: list[Observation]) -> None:
    network = load_network(registry.SHIPPED, 64)
    assert difference(network, registry.SHIPPED, real_observations) <= TOLERANCE


def begun_from(config: Config, out: Path, firm: Any) -> Weights:
    """The weights with which a run begins."""
    kept: list[Weights] = []
    original = keeper.Keeper._on_training_start

    def on_start(self: keeper.Keeper) -> None:
        now = keeper.network_of(self.model).state_dict()
        kept.append({name: one.clone() for name, one in now.items()})
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper.Keeper, "_on_training_start", on_start)
        learn(config, out, hire=firm)
    return kept[0]


@pytest.mark.parametrize("kind", ["dqn", "ppo"])
@pytest.mark.parametrize("file", ["dqn/best.zip", "ppo/best.zip", "ppo/best.onnx"])
def test_a_run_may_start_from_either_algorithm_or_from_a_model(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path,
    kind: str, file: str,
) -> None:  # fmt: skip
    given = {"dqn": make_config(), "ppo": make_config(algorithm=ppo)}
    source = file.partition("/")[0]
    learn(given[source], tmp_path / source, hire=firm)
    start = load_network(tmp_path / file, 8).state_dict()
    config = given[kind].model_copy(update={"start_from": tmp_path / file})
    found = begun_from(config, tmp_path / "next", firm)
    same_algorithm = kind == source and file.endswith(".zip")
    for name in start:
        if same_algorithm or not name.startswith("worth."):
            assert torch.equal(found[name], start[name]), name


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x08\x07garbage"])
@pytest.mark.parametrize("name", ["made.onnx", "made.zip"])
def test_other_files_are_refused(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainingError, match="not a checkpoint or model") as refused:
        load_network(tmp_path / name, 8)
    assert name in str(refused.value)


def test_another_width_is_refused(tmp_path: Path) -> None:
    export(some(8), tmp_path / "made.onnx")
    with pytest.raises(TrainingError, match="same width"):
        load_network(tmp_path / "made.onnx", 16)
