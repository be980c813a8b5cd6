"""Stable-Baselines3 policies around the universal network.

SB3 sees one flat vector per intersection; `Unflatten` gives the network its parts back.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from denxanh.sim.spaces import Padding
from denxanh.training.network import StageCompetition

LEAST_LOGIT = -1e3
"""Of a stage that does not exist: never drawn, and small enough that the logits of a slot without an
intersection keep their digits."""


class Unflatten(nn.Module):
    """From the flat vector to the network's six parts."""

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self._shapes = tuple(padding.parts.values())
        self._sizes = [math.prod(shape) for shape in self._shapes]

    def forward(self, flat: Tensor) -> tuple[Tensor, ...]:
        """(B, size) to the parts, in the order of `Padding.parts`."""
        parts = torch.split(flat, self._sizes, dim=1)
        return tuple(part.reshape(-1, *shape) for part, shape in zip(parts, self._shapes, strict=True))


class StageQNetwork(QNetwork):
    """Q values: the state's value plus each stage's score, less the mean (dueling; Wang et al. 2016)."""

    def __init__(self, *args: Any, padding: Padding, width: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.padding, self.width = padding, width
        self.unflatten = Unflatten(padding)
        self.q_net = nn.Sequential()
        self.universal = StageCompetition(width)

    def forward(self, obs: PyTorchObs) -> Tensor:
        """(B, stages) Q values."""
        assert isinstance(obs, Tensor)
        parts = self.unflatten(obs)
        scores, value = self.universal(*parts)
        mask = parts[4]
        mean = (scores * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1.0)
        q_values: Tensor = value.unsqueeze(-1) + scores - mean.unsqueeze(-1)
        return q_values

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "padding": self.padding, "width": self.width}


class StageDQNPolicy(DQNPolicy):
    """DQN's policy with the universal network in it."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        *,
        padding: Padding,
        width: int = 64,
        **kwargs: Any,
    ) -> None:
        self._padding, self._width = padding, width
        super().__init__(observation_space, action_space, lr_schedule, **kwargs)

    def make_q_net(self) -> StageQNetwork:
        """A network of its own for the policy, another for the target."""
        made = self._update_features_extractor(self.net_args, features_extractor=None)
        return StageQNetwork(**made, padding=self._padding, width=self._width).to(self.device)


class _Scores(BaseFeaturesExtractor):
    """Scores and value as one vector of stages + 1 features."""

    def __init__(self, observation_space: spaces.Box, padding: Padding, width: int) -> None:
        super().__init__(observation_space, features_dim=padding.stages + 1)
        self.unflatten = Unflatten(padding)
        self.universal = StageCompetition(width)

    def forward(self, observations: Tensor) -> Tensor:
        """(B, stages + 1)."""
        scores, value = self.universal(*self.unflatten(observations))
        return torch.cat([scores, value.unsqueeze(-1)], dim=1)


class _ActorPart(nn.Module):
    """The scores as logits."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.sharpness = sharpness

    def forward(self, features: Tensor) -> Tensor:
        return (features[:, :-1] * self.sharpness).clamp(min=LEAST_LOGIT)


class _CriticPart(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features[:, -1:]


class StageActorCriticPolicy(ActorCriticPolicy):
    """PPO's policy: scores times `sharpness` are the logits, the value of a second network is the critic.

    Actor and critic share nothing: the value's error is so much larger than the policy's gradient that it
    would decide what a common network learns.

    Attributes:
        averaged: running average of the actor's weights, which is evaluated and shipped (`follow`).
    """

    averaged: StageCompetition

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *,
        padding: Padding,
        width: int = 64,
        sharpness: float = 20.0,
        **kwargs: Any,
    ) -> None:
        self._sharpness = sharpness
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            net_arch=[],
            ortho_init=False,
            features_extractor_class=_Scores,
            features_extractor_kwargs={"padding": padding, "width": width},
            share_features_extractor=False,
            **kwargs,
        )

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.action_net = _ActorPart(self._sharpness)
        self.value_net = _CriticPart()  # type: ignore[assignment]  # SB3 says Linear, uses any module
        rate = lr_schedule(1)
        self.optimizer = self.optimizer_class(self.parameters(), lr=rate, **self.optimizer_kwargs)  # type: ignore[call-arg]
        self.averaged = copy.deepcopy(self._actor).requires_grad_(False)

    @property
    def _actor(self) -> StageCompetition:
        assert isinstance(self.pi_features_extractor, _Scores)
        return self.pi_features_extractor.universal

    def follow(self, share: float) -> None:
        """Move the averaged weights towards the actor's by this share."""
        with torch.no_grad():
            for mean, weight in zip(self.averaged.parameters(), self._actor.parameters(), strict=True):
                mean.lerp_(weight, share)
