"""The universal network: stages compete for the green, whatever the intersection looks like.

A shared encoder reads every lane. A stage is the sum of the lanes that it serves protected, the sum of those
that it serves yielding, and the mean of those that it leaves red, together with its own figures. Stages are
then seen against each other (mean, maximum, and the running one), and one head gives each a score. Sums and
maxima do not know order or number, so the weights fit any layout, and permuting lanes or stages permutes the
scores (FRAP, Zheng et al. 2019, and AttendLight, Oroojlooy et al. 2020: the same idea with other parts).

The score is a rule's (pressure served, less a hysteresis) plus a learned correction that starts at zero: an
untrained network decides exactly as the rule.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from denxanh.agents.encoding import (
    FREE,
    LANE_FEATURES,
    NODE_FEATURES,
    PRESENT,
    RUNNING,
    STAGE_FEATURES,
)

MASKED = -1e6
"""Score of a stage that does not exist."""
HYSTERESIS = 2.0 / 20.0
"""The rule changes only for more than 2 pcu, in units of the stage features (pcu / 20)."""
RULE_GAINS = (0.0, 0.5, 0.0)
"""Worth of vehicles present, pressure and queue served, in units of value, before training: max-pressure,
the best single rule on the public networks (docs/learning.md)."""


def _mlp(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers)


class StageCompetition(nn.Module):
    """Scores of stages and the value of an intersection's state.

    Args:
        width: of every hidden layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.width = width
        node = len(NODE_FEATURES)
        self.lane = _mlp(len(LANE_FEATURES), width, width)
        self.stage = _mlp(3 * width + len(STAGE_FEATURES) + node, width, width)
        self.compare = _mlp(4 * width, width, width)
        self.score = nn.Linear(width, 1)
        self.worth = nn.Sequential(_mlp(3 * width + node, width), nn.Linear(width, 1))
        self.gains = nn.Parameter(torch.tensor(RULE_GAINS))
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(
        self,
        lanes: Tensor,
        lane_mask: Tensor,
        service: Tensor,
        stages: Tensor,
        stage_mask: Tensor,
        node: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Score the stages of a batch; shapes as in `agents.encoding.Batch`.

        Returns:
            (B, S) scores, `MASKED` where there is no stage and 0 for all while nothing can be decided; (B,)
            values: the expected sum of discounted rewards.
        """
        coded = self.lane(lanes) * lane_mask.unsqueeze(-1)
        protected, yielding = service[..., 0], service[..., 1]
        count = lane_mask.sum(dim=1).clamp(min=1.0)
        unserved = (1.0 - protected - yielding).clamp(min=0.0) * lane_mask.unsqueeze(1)
        left = torch.matmul(unserved, coded) / count[:, None, None]
        each = node.unsqueeze(1).expand(-1, stages.shape[1], -1)
        parts = (torch.matmul(protected, coded) / 4.0, torch.matmul(yielding, coded) / 4.0, left)
        stage = self.stage(torch.cat([*parts, stages, each], dim=-1))
        here = stage_mask.unsqueeze(-1)
        mean = (stage * here).sum(dim=1) / stage_mask.sum(dim=1).clamp(min=1.0).unsqueeze(-1)
        most = stage.masked_fill(here < 0.5, MASKED).amax(dim=1)
        most = most * (stage_mask.sum(dim=1, keepdim=True) > 0.5)  # a slot without an intersection has none
        running = (stage * stages[..., RUNNING : RUNNING + 1]).sum(dim=1)
        others = torch.cat([mean, most, running], dim=-1)
        wide = others.unsqueeze(1).expand(-1, stages.shape[1], -1)
        compared = self.compare(torch.cat([stage, wide], dim=-1))
        ahead = stages[..., PRESENT : PRESENT + len(RULE_GAINS)]
        ahead = ahead - HYSTERESIS * (1.0 - stages[..., RUNNING : RUNNING + 1])
        rule = (ahead * self.gains).sum(dim=-1)
        scores = (rule + self.score(compared).squeeze(-1)) * node[:, FREE : FREE + 1]
        value = self.worth(torch.cat([others, node], dim=-1)).squeeze(-1)
        return scores.masked_fill(stage_mask < 0.5, MASKED), value
