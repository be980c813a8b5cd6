"""From the trained network to the ONNX file that the street runs."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from denxanh.agents.encoding import Batch, Observation, batch
from denxanh.agents.universal import OnnxScorer
from denxanh.sim.spaces import Padding
from denxanh.training.folder import replaced
from denxanh.training.network import StageCompetition

TOLERANCE = 1e-5
"""Largest difference between the file's scores and torch's."""
OPSET = 18


class _Scores(torch.nn.Module):
    """The network without its value."""

    def __init__(self, network: StageCompetition) -> None:
        super().__init__()
        self.network = network

    def forward(self, *parts: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.network(*parts)[0]
        return scores


def export(network: StageCompetition, path: Path) -> None:
    """Write the network as ONNX, as a whole or not at all; batch, lanes and stages stay free.

    Raises:
        OSError: the file cannot be written.
    """
    padding = Padding(lanes=6, stages=4)
    parts = tuple(torch.rand(3, *shape) for shape in padding.parts.values())
    names = list(padding.parts)
    dynamic = {
        "lanes": {0: "batch", 1: "lane"},
        "lane_mask": {0: "batch", 1: "lane"},
        "service": {0: "batch", 1: "stage", 2: "lane"},
        "stages": {0: "batch", 1: "stage"},
        "stage_mask": {0: "batch", 1: "stage"},
        "node": {0: "batch"},
    }
    training = network.training
    network.eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        made = Path(folder) / path.name
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            _Scores(network), parts, str(made), input_names=names, output_names=["scores"],
            dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        content = made.read_bytes()
    network.train(training)
    with replaced(path) as file:
        file.write(content)


def difference(network: StageCompetition, path: Path, observations: Sequence[Observation]) -> float:
    """Largest absolute difference between the file's scores and torch's, over real stages only."""
    given = batch(observations)
    from_file = OnnxScorer(path)(given)
    with torch.no_grad():
        parts = [torch.from_numpy(getattr(given, name)) for name in Batch.__slots__]
        from_torch = network(*parts)[0].numpy()
    return float(np.abs(np.where(given.stage_mask > 0.5, from_file - from_torch, 0.0)).max())
