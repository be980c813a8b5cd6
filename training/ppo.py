"""PPO with what this problem needs: every intersection counts alike, and the critic learns before the actor.

Stable-Baselines3's PPO (Schulman et al. 2017). Intersections differ in traffic by an order of magnitude, and
so do their advantages, while the evaluation compares each network with itself under a rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from torch.optim import Optimizer

from denxanh.training.policies import StageActorCriticPolicy

LEAST_SPREAD = 1e-3
"""Advantages with a smaller standard deviation, in mean reward per second, are not made larger than this
allows: they are noise."""
CRITIC_RATE = 1e-3
"""Learning rate while the critic learns alone."""


class EvenRolloutBuffer(RolloutBuffer):
    """Advantages in units of their own standard deviation, per intersection and episode."""

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: np.ndarray) -> None:
        """As SB3's, then scaled; the returns, which the critic learns, are not."""
        super().compute_returns_and_advantage(last_values, dones)
        for slot in range(self.n_envs):
            begun = np.flatnonzero(self.episode_starts[1:, slot]) + 1
            for part in np.split(self.advantages[:, slot], begun):  # views: scaled in place
                part /= max(LEAST_SPREAD, float(part.std()))


class StagePPO(PPO):
    """PPO for the universal network.

    The actor starts from something good, the rule or other weights; a critic that knows nothing yet would
    lead it away from there. So for the first decisions the critic learns alone.

    Args:
        critic_first: decisions before the actor learns too.
        tau: weight of the newest in the averaged weights, per update.
        args, kwargs: as for SB3's PPO.
    """

    policy: StageActorCriticPolicy

    def __init__(self, *args: Any, critic_first: int = 0, tau: float = 1.0, **kwargs: Any) -> None:
        self.critic_first, self.tau = critic_first, tau
        super().__init__(*args, **kwargs)

    @property
    def _critic_alone(self) -> bool:
        return self.num_timesteps <= self.critic_first

    def train(self) -> None:
        """One update; the actor's weights stand still while the critic learns alone."""
        for weight in self.policy.pi_features_extractor.parameters():
            weight.requires_grad_(not self._critic_alone)
        super().train()
        self.policy.follow(self.tau)

    def _update_learning_rate(self, optimizers: list[Optimizer] | Optimizer) -> None:
        super()._update_learning_rate(optimizers)
        if self._critic_alone:
            for one in optimizers if isinstance(optimizers, list) else [optimizers]:
                for group in one.param_groups:
                    group["lr"] = CRITIC_RATE
