"""DQN with what this problem needs: double targets, masked exploration, averaged weights.

Stable-Baselines3's DQN (Mnih et al. 2015) with n-step returns; the target is that of double DQN (van Hasselt
et al. 2016). The target network follows by Polyak averaging in every step, so it *is* the average of the
recent weights, and it is the one that is evaluated and shipped.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.noise import ActionNoise
from torch.nn import functional

from denxanh.sim.spaces import Padding


class StageDQN(DQN):
    """SB3's DQN for the universal network; `padding` says where the stage mask stands in the flat vector."""

    def _setup_model(self) -> None:
        padding: Padding = self.policy_kwargs["padding"]
        before = list(padding.parts)
        sizes = [int(np.prod(shape)) for shape in padding.parts.values()]
        at = sum(sizes[: before.index("stage_mask")])
        self._stages = slice(at, at + padding.stages)
        with warnings.catch_warnings():  # the target follows in every step: that is what is wanted
            warnings.filterwarnings("ignore", "The number of environments used is greater")
            super()._setup_model()

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """The greedy action; each intersection explores for itself, among the stages that it has."""
        assert isinstance(observation, np.ndarray)
        action, state = self.policy.predict(observation, state, episode_start, True)
        if deterministic:
            return action, state
        masks = np.atleast_2d(observation)[:, self._stages] > 0.5
        chosen = np.atleast_1d(action)
        for place in np.flatnonzero(np.random.rand(len(chosen)) < self.exploration_rate):
            if masks[place].any():  # a slot without an intersection has no stage
                chosen[place] = np.random.choice(np.flatnonzero(masks[place]))
        return chosen.reshape(np.shape(action)), state

    def _sample_action(
        self,
        learning_starts: int,  # noqa: ARG002
        action_noise: ActionNoise | None = None,
        n_envs: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Never uniformly at random, not before the first gradient step either: the rule is good enough."""
        return super()._sample_action(0, action_noise, n_envs)

    def study(self, gradient_steps: int) -> None:
        """Gradient steps once the warm-up is over; called while the workers simulate.

        The warm-up counts from the start of this process: a checkpoint holds no replay buffer.
        """
        if self.num_timesteps - self._num_timesteps_at_start > self.learning_starts:
            self.train(gradient_steps, self.batch_size)

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Double-DQN steps on n-step returns."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        losses = []
        for _ in range(gradient_steps):
            data = self.replay_buffer.sample(batch_size, env=self._vec_normalize_env)  # type: ignore[union-attr]
            discounts = data.discounts if data.discounts is not None else self.gamma
            with torch.no_grad():
                best = self.q_net(data.next_observations).argmax(dim=1, keepdim=True)
                following = torch.gather(self.q_net_target(data.next_observations), 1, best)
                target = data.rewards + (1 - data.dones) * discounts * following
            current = torch.gather(self.q_net(data.observations), 1, data.actions.long())
            loss = functional.smooth_l1_loss(current, target)
            losses.append(loss.item())
            self.policy.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", np.mean(losses))
