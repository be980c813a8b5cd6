"""Model files with their cards, for the rooms that load them."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from denxanh.agents.encoding import SCHEMA
from denxanh.agents.model_card import Algorithm, Data, Gate, HeldOutRow, ModelCard, Sentence, sha256_of

TODAY = datetime.date(2026, 11, 26)


def pytest_configure() -> None:
    """What tests start shall not compile every module anew, nor share two cores among threads of its own.

    Examples are not measured by the clock: a busy machine is no bug.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    usual = settings.get_profile(settings.get_current_profile_name())  # CI has one of its own
    calm = {*usual.suppress_health_check, HealthCheck.too_slow}
    settings.register_profile("patient", parent=usual, deadline=None, suppress_health_check=sorted(calm))
    settings.load_profile("patient")


def passed_gate(**changes: Any) -> Gate:
    """A gate that was passed."""
    return Gate(**{"passed": True, "date": TODAY, "reasons": (), "margin": 0.02, "table": (), **changes})


def card_of(model: Path, **changes: Any) -> ModelCard:
    """A card that fits a file; no gate has judged it."""
    usual = {
        "name": "test",
        "observation_schema": SCHEMA,
        "sha256": sha256_of(model),
        "trained": TODAY,
        "data": Data(trained_on=("gallery",), held_out=("somewhere",)),
        "algorithm": Algorithm(name="none", hyper_parameters={"width": 16, "layers": [16, 16]}),
        "versions": {"python": "3"},
        "seeds": (1, 2),
        "steps": 0,
        "held_out": (HeldOutRow(scenario="am", policy="test", mean_delay_s=20.0, relative=0.9),),
        "known_limits": (Sentence(vi="Chưa được huấn luyện", en="It was never trained"),),
    }
    return ModelCard(**{**usual, **changes})


@pytest.fixture(scope="session")
def make_card() -> Callable[..., ModelCard]:
    return card_of


@pytest.fixture(scope="session")
def make_gate() -> Callable[..., Gate]:
    return passed_gate


@pytest.fixture(scope="session")
def random_onnx(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a small network with random weights: every stage's score depends on everything."""
    torch = pytest.importorskip("torch", reason="torch is not installed (make setup)")
    from denxanh.training.export import export
    from denxanh.training.network import StageCompetition

    generator = torch.Generator().manual_seed(7)
    network = StageCompetition(width=16)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.dim() > 1:
                weights.copy_(torch.randn(weights.shape, generator=generator) / weights.shape[1] ** 0.5)
    path = tmp_path_factory.mktemp("model") / "random.onnx"
    export(network, path)
    return path.read_bytes()
