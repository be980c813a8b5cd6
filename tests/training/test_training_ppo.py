"""PPO: every intersection counts alike, the critic learns first, an empty slot disturbs nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer

from denxanh.agents.encoding import LIMIT, Observation
from denxanh.errors import ConfigError
from denxanh.sim.spaces import Padding
from denxanh.training import config as configuration
from denxanh.training.config import Config
from denxanh.training.learn import learn
from denxanh.training.policies import StageActorCriticPolicy
from denxanh.training.ppo import CRITIC_RATE, EvenRolloutBuffer, StagePPO
from denxanh.training.weights import load_network

STEPS, SLOTS, EPISODE = 24, 3, 8
PADDING = Padding(6, 4)


def filled(kind: type[RolloutBuffer]) -> RolloutBuffer:
    """The same rollout every time; slots differ in traffic by orders of magnitude, the last one is empty."""
    rng = np.random.default_rng(4)
    box = spaces.Box(-1.0, 1.0, (2,), np.float32)
    made = kind(STEPS, box, spaces.Discrete(2), device="cpu", gamma=0.9, gae_lambda=0.8, n_envs=SLOTS)
    busy = np.array([1.0, 0.01, 0.0])
    for step in range(STEPS):
        begins = np.full(SLOTS, step % EPISODE == 0)
        values = torch.tensor(rng.random(SLOTS) * busy)
        made.add(
            np.zeros((SLOTS, 2)), np.zeros((SLOTS, 1)), -rng.random(SLOTS) * busy, begins, values,
            torch.zeros(SLOTS),
        )  # fmt: skip
    made.compute_returns_and_advantage(torch.zeros(SLOTS), np.zeros(SLOTS))
    return made


def test_advantages_are_even_and_returns_are_not_touched() -> None:
    plain, even = filled(RolloutBuffer), filled(EvenRolloutBuffer)
    np.testing.assert_array_equal(even.returns, plain.returns)
    for begin in range(0, STEPS, EPISODE):
        part = slice(begin, begin + EPISODE)
        np.testing.assert_allclose(even.advantages[part, :2].std(axis=0), 1.0, rtol=1e-4)
        for slot in range(2):
            ratio = even.advantages[part, slot] / plain.advantages[part, slot]
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4, err_msg="scaled, nothing else")
    np.testing.assert_array_equal(even.advantages[:, 2], 0.0, err_msg="an empty slot stays empty")


def trained(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, out: Path, critic_first: int
) -> tuple[dict[str, torch.Tensor], list[tuple[int, float]]]:
    """A run's last weights, and the learning rate of each of its updates."""
    rates: list[tuple[int, float]] = []
    original = StagePPO._update_learning_rate

    def noted(self: StagePPO, optimizers: Any) -> None:
        original(self, optimizers)
        rates.append((self.num_timesteps, self.policy.optimizer.param_groups[0]["lr"]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StagePPO, "_update_learning_rate", noted)
        learn(make_config(algorithm={**ppo, "critic_first": critic_first}), out, hire=firm)
    return load_network(out / "latest.zip", 8).state_dict(), rates


def test_the_critic_learns_before_the_actor(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path
) -> None:
    alone, rates = trained(make_config, ppo, firm, tmp_path / "alone", critic_first=199)
    assert all(rate == CRITIC_RATE for steps, rate in rates if steps <= 199)
    assert torch.count_nonzero(alone["score.weight"]) == 0 or rates[-1][0] > 199
    both, rates = trained(make_config, ppo, firm, tmp_path / "both", critic_first=96)
    assert torch.count_nonzero(both["score.weight"]) > 0, "the actor has learned"
    assert {rate == CRITIC_RATE for steps, rate in rates if steps <= 96} == {True}
    assert {rate == CRITIC_RATE for steps, rate in rates if steps > 96} == {False}


def test_the_actor_stands_still_meanwhile(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path
) -> None:
    moved: list[tuple[int, bool]] = []
    original = StagePPO.train

    def train(self: StagePPO) -> None:
        before = {name: one.clone() for name, one in self.policy.pi_features_extractor.named_parameters()}
        critic = [one.clone() for one in self.policy.vf_features_extractor.parameters()]
        original(self)
        after = dict(self.policy.pi_features_extractor.named_parameters())
        moved.append((self.num_timesteps, any(not torch.equal(before[name], after[name]) for name in after)))
        now = self.policy.vf_features_extractor.parameters()
        assert any(not torch.equal(one, two) for one, two in zip(critic, now, strict=True))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StagePPO, "train", train)
        learn(make_config(algorithm={**ppo, "critic_first": 96}), tmp_path / "out", hire=firm)
    assert {changed for steps, changed in moved if steps <= 96} == {False}
    assert all(changed for steps, changed in moved if steps > 96)


def test_what_is_shipped_is_the_running_average(
    make_config: Callable[..., Config], ppo: dict[str, Any], firm: Any, judge: Any, tmp_path: Path
) -> None:
    meant: dict[str, torch.Tensor] = {}
    newest: dict[str, torch.Tensor] = {}
    original = StagePPO.train

    def train(self: StagePPO) -> None:
        before = {name: one.clone() for name, one in self.policy.averaged.named_parameters()}
        original(self)
        for name, one in self.policy.pi_features_extractor.universal.named_parameters():
            meant[name] = 0.75 * before[name] + 0.25 * one.detach()
            newest[name] = one.detach().clone()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StagePPO, "train", train)
        learn(make_config(algorithm={**ppo, "tau": 0.25}), tmp_path / "out", hire=firm)
    found = load_network(tmp_path / "out" / "latest.zip", 8).state_dict()
    for name, one in meant.items():
        torch.testing.assert_close(found[name], one, msg=name)
    assert not torch.equal(found["score.weight"], newest["score.weight"])


def test_a_run_of_the_critic_only_is_refused(make_config: Callable[..., Config], ppo: dict[str, Any]) -> None:
    found = list(configuration.check(make_config(algorithm={**ppo, "critic_first": 200})))
    assert [type(one) for one in found] == [ConfigError]
    assert "critic_first" in str(found[0])
    assert not list(configuration.check(make_config(algorithm={**ppo, "critic_first": 199})))


def test_an_empty_slot_has_sound_figures(real_observations: list[Observation]) -> None:
    """A corridor has fewer intersections than a worker has slots: all zeros, no stage."""
    torch.manual_seed(1)
    policy = StageActorCriticPolicy(
        spaces.Box(-LIMIT, LIMIT, (PADDING.size,), np.float32), spaces.Discrete(PADDING.stages),
        lambda _: 1e-3, padding=PADDING, width=8, sharpness=60.0,
    )  # fmt: skip
    full = torch.from_numpy(np.stack([PADDING.flat(one) for one in real_observations]))
    empty = torch.zeros_like(full)
    with torch.no_grad():
        for seen, stages in ((full, real_observations[0].stages.shape[0]), (empty, PADDING.stages)):
            chosen = policy.get_distribution(seen).distribution
            values = policy.predict_values(seen)
            assert (chosen.probs[:, stages:] == 0.0).all(), "no stage that does not exist"
            assert (chosen.entropy() <= np.log(stages) + 1e-3).all()
            assert (values.abs() < 100.0).all()
        even = policy.get_distribution(empty).distribution.entropy()
    torch.testing.assert_close(
        even, torch.full_like(even, float(np.log(PADDING.stages))), rtol=0.0, atol=1e-3
    )
