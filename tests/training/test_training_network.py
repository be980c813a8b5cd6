"""The network: knows no order, no padding, and begins as the rule; the exported file says the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from denxanh.agents import registry
from denxanh.agents.encoding import Batch, Observation
from denxanh.agents.observation import TrafficState
from denxanh.agents.universal import OnnxScorer, Universal
from denxanh.sim.spaces import Padding
from denxanh.training.export import TOLERANCE, difference, export
from denxanh.training.network import HYSTERESIS, MASKED, RULE_GAINS, StageCompetition
from denxanh.training.policies import StageQNetwork, Unflatten

STAGES, LANES = 5, 9
RULES = ("most-vehicles", "max-pressure", "longest-queue")
"""In the order of the network's gains."""


def trained(width: int = 8, seed: int = 3) -> StageCompetition:
    """Weights of no special kind: every part matters."""
    torch.manual_seed(seed)
    network = StageCompetition(width)
    with torch.no_grad():
        for one in network.parameters():
            one.normal_(0.0, one.shape[-1] ** -0.5 if one.dim() > 1 else 0.1)
    return network.eval()


def made_up(seed: int = 1, count: int = 4) -> Batch:
    rng = np.random.default_rng(seed)
    padding = Padding(LANES, STAGES)
    parts = {name: rng.random((count, *shape)).astype(np.float32) for name, shape in padding.parts.items()}
    parts["lane_mask"][:] = 1.0
    parts["stage_mask"][:] = 1.0
    parts["service"] /= 2.0
    return Batch(**parts)


def scored(network: StageCompetition, given: Batch) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        scores, value = network(*(torch.from_numpy(getattr(given, name)) for name in Batch.__slots__))
    return scores.numpy(), value.numpy()


def test_another_order_of_lanes_changes_nothing() -> None:
    network, given = trained(), made_up()
    order = np.random.default_rng(2).permutation(LANES)
    other = Batch(
        given.lanes[:, order], given.lane_mask[:, order], given.service[:, :, order],
        given.stages, given.stage_mask, given.node,
    )  # fmt: skip
    for one, two in zip(scored(network, given), scored(network, other), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


def test_another_order_of_stages_is_the_same_order_of_scores() -> None:
    network, given = trained(), made_up()
    order = np.random.default_rng(2).permutation(STAGES)
    other = Batch(
        given.lanes, given.lane_mask, given.service[:, order],
        given.stages[:, order], given.stage_mask[:, order], given.node,
    )  # fmt: skip
    scores, value = scored(network, given)
    turned, same = scored(network, other)
    assert np.ptp(scores, axis=1).min() > 1e-3, "scores that are all alike would show nothing"
    np.testing.assert_allclose(scores[:, order], turned, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(value, same, rtol=1e-4, atol=1e-5)


def test_padding_changes_no_score(real_observations: list[Observation]) -> None:
    network = trained()
    flat, wide = Padding(6, 3), Padding(17, 8)
    for padding in (flat, wide):
        seen = torch.from_numpy(np.stack([padding.flat(one) for one in real_observations]))
        scores, value = network(*Unflatten(padding)(seen))
        if padding is flat:
            first, worth = scores, value
    torch.testing.assert_close(scores[:, :3], first, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(value, worth, rtol=1e-4, atol=1e-5)
    assert (scores[:, 3:] == MASKED).all()


def test_q_values_of_absent_stages_are_never_the_highest(real_observations: list[Observation]) -> None:
    from gymnasium import spaces
    from stable_baselines3.common.torch_layers import FlattenExtractor

    padding = Padding(8, 6)
    space = spaces.Box(-5.0, 5.0, (padding.size,), np.float32)
    network = StageQNetwork(
        space,
        spaces.Discrete(6),
        FlattenExtractor(space),
        padding.size,
        net_arch=[],
        padding=padding,
        width=8,
    )
    seen = torch.from_numpy(np.stack([padding.flat(one) for one in real_observations]))
    assert int(network(seen).argmax(dim=1).max()) < 3
    nothing = network(torch.zeros(1, padding.size))
    assert torch.isfinite(nothing).all(), "a slot without an intersection"


def test_an_untrained_network_decides_as_the_rule(
    make_state: Callable[..., TrafficState], tmp_path: Path
) -> None:
    export(StageCompetition(8), tmp_path / "new.onnx")
    learner = Universal("new", OnnxScorer(tmp_path / "new.onnx"))
    (gained,) = np.flatnonzero(RULE_GAINS)
    rule = registry.policy(f"{RULES[gained]}@5+{HYSTERESIS * 20:g}")
    rng = np.random.default_rng(11)
    states = [make_state(rng) for _ in range(200)]
    mine = [learner.decide(state).stage for state in states]
    assert mine == [rule.decide(state).stage for state in states]
    assert len(set(mine)) == 3
    changed = sum(one != state.stage for one, state in zip(mine, states, strict=True))
    assert 20 < changed < 180, "both keeping and changing are shown"


def test_the_exported_file_scores_as_torch_does(real_observations: list[Observation], tmp_path: Path) -> None:
    network = trained(width=32)
    export(network, tmp_path / "m.onnx")
    assert difference(network, tmp_path / "m.onnx", real_observations) <= TOLERANCE
    alone = [difference(network, tmp_path / "m.onnx", [one]) for one in real_observations[:3]]
    assert max(alone) <= TOLERANCE, "a batch of one too"
    other = trained(width=32, seed=4)
    assert difference(other, tmp_path / "m.onnx", real_observations) > 100 * TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]
