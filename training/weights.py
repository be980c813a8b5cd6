"""The universal network's weights, out of a checkpoint of either algorithm or out of a model file."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from stable_baselines3.common.save_util import load_from_zip_file
from torch import Tensor, nn

from denxanh.errors import TrainingError
from denxanh.training.network import StageCompetition

DQN_NETWORK = "q_net_target.universal."
PPO_NETWORK = "averaged."
"""Where the network that decides lies among a checkpoint's weights."""
UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, AttributeError, ImportError,
    zipfile.BadZipFile, pickle.UnpicklingError,
)  # fmt: skip
"""What reading a file that is not such a checkpoint raises."""
EXPORTED = "network."
"""What the exporter puts before the name of each weight that keeps one."""
MODEL = ".onnx"


def load_network(file: Path, width: int) -> StageCompetition:
    """The network that a checkpoint would ship, or that a model file holds (then with an untrained value).

    Raises:
        TrainingError: it is no such file, or of another width.
    """
    network = StageCompetition(width)
    try:
        if file.suffix == MODEL:
            found = _of_model(file)
            missing = network.load_state_dict(found, strict=False)
            if missing.unexpected_keys or any(not one.startswith("worth.") for one in missing.missing_keys):
                raise ValueError("its weights have other names")
        else:
            network.load_state_dict(_of_checkpoint(file))
    except (*UNREADABLE, AssertionError) as cause:
        raise TrainingError(
            f"not a checkpoint or model of this network: {cause}",
            where=str(file),
            fix="give best.zip of a run or NAME.onnx, of the same width",
        ) from cause
    network.eval()
    return network


def start_from(file: Path, policy: nn.Module, width: int) -> None:
    """Begin with the weights of another run or of a model; an optimiser's memory is left behind.

    Another run's value is taken over where the algorithm is the same one; PPO's critic and DQN's value mean
    different things, and a model file has none.

    Args:
        file: a checkpoint (best.zip) of either algorithm, or a model.
        policy: of Stable-Baselines3, with the universal network in it, once or several times.
        width: of that network.

    Raises:
        TrainingError: it is no such file, or of another width.
    """
    start = load_network(file, width).state_dict()
    whole = {} if file.suffix == MODEL else _policy_of(file)
    if set(whole) == set(policy.state_dict()):
        policy.load_state_dict(whole)
        return
    for one in policy.modules():
        if isinstance(one, StageCompetition):
            one.load_state_dict(start)


def _policy_of(file: Path) -> dict[str, Tensor]:
    _, parameters, _ = load_from_zip_file(file, device="cpu", load_data=False)
    weights = (parameters or {})["policy"]
    assert isinstance(weights, dict)
    return weights


def _of_checkpoint(file: Path) -> dict[str, Tensor]:
    weights = _policy_of(file)
    prefix = DQN_NETWORK if any(name.startswith(DQN_NETWORK) for name in weights) else PPO_NETWORK
    return {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}


def _of_model(file: Path) -> dict[str, Tensor]:
    """A model's weights by their torch names.

    The exporter transposes a layer's matrix and forgets its name, but not its bias's; so each matrix is
    named after the bias that is added to what it made.
    """
    try:
        graph = onnx.load(file).graph
    except Exception as cause:  # protobuf's errors share no type with ours
        raise ValueError(f"not ONNX: {cause}") from cause
    constants = {one.name: one for one in graph.initializer}
    found = {
        name.removeprefix(EXPORTED): torch.from_numpy(numpy_helper.to_array(one).copy())
        for name, one in constants.items()
        if name.startswith(EXPORTED)
    }
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        layers = [one for one in node.input if one.startswith(EXPORTED) and one.endswith(".bias")]
        matrices = [products[one] for one in node.input if products.get(one) in constants]
        if node.op_type == "Add" and layers and matrices:
            matrix = numpy_helper.to_array(constants[matrices[0]]).T.copy()
            name = layers[0].removeprefix(EXPORTED).removesuffix(".bias")
            found[f"{name}.weight"] = torch.from_numpy(matrix)
    return found
