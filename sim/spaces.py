"""Observations as fixed shapes, for environments that must say beforehand how large they are.

An observation (agents/encoding.py) is as large as its intersection. Environments pad it with zeros to a
`Padding` and say in two masks what is real. Learning stacks it as one flat vector of the same parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from denxanh.agents.encoding import (
    LANE_FEATURES,
    LIMIT,
    NODE_FEATURES,
    SERVICE,
    STAGE_FEATURES,
    Array,
    Observation,
)
from denxanh.errors import SimulationError
from denxanh.networks.model import Intersection
from denxanh.networks.timing import MAX_STAGES

Parts = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Padding:
    """The most lanes and stages that an environment's observations hold."""

    lanes: int = 24
    stages: int = MAX_STAGES

    @property
    def parts(self) -> Parts:
        """Name and shape of every part of a padded observation, in the order of the flat vector."""
        return {
            "lanes": (self.lanes, len(LANE_FEATURES)),
            "lane_mask": (self.lanes,),
            "service": (self.stages, self.lanes, SERVICE),
            "stages": (self.stages, len(STAGE_FEATURES)),
            "stage_mask": (self.stages,),
            "node": (len(NODE_FEATURES),),
        }

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(math.prod(shape) for shape in self.parts.values())

    def fits(self, intersection: Intersection) -> bool:
        """Whether an intersection's observations fit."""
        return len(intersection.lanes) <= self.lanes and len(intersection.stages) <= self.stages

    @classmethod
    def of(cls, *intersections: Intersection) -> Padding:
        """The least that holds the observations of these intersections."""
        return cls(
            max(1, *(len(one.lanes) for one in intersections)),
            max(len(one.stages) for one in intersections),
        )

    def space(self) -> spaces.Dict:
        """The padded observation's space: values in [-LIMIT, LIMIT], masks and shares in [0, 1]."""
        low = {"lanes": -LIMIT, "stages": -LIMIT}
        high = {"lanes": LIMIT, "stages": LIMIT, "node": LIMIT}
        return spaces.Dict(
            {
                name: spaces.Box(low.get(name, 0.0), high.get(name, 1.0), shape, np.float32)
                for name, shape in self.parts.items()
            }
        )

    def pad(self, observation: Observation) -> dict[str, Array]:
        """The padded observation.

        Raises:
            SimulationError: it does not fit.
        """
        stages, lanes = observation.service.shape[:2]
        if lanes > self.lanes or stages > self.stages:
            raise SimulationError(
                f"{lanes} lanes and {stages} stages do not fit into {self.lanes} and {self.stages}",
                fix="choose a larger padding",
            )
        padded = {name: np.zeros(shape, np.float32) for name, shape in self.parts.items()}
        padded["lanes"][:lanes] = observation.lanes
        padded["lane_mask"][:lanes] = 1.0
        padded["service"][:stages, :lanes] = observation.service
        padded["stages"][:stages] = observation.stages
        padded["stage_mask"][:stages] = 1.0
        padded["node"][:] = observation.node
        return padded

    def flat(self, observation: Observation) -> Array:
        """The padded observation as one vector of `size`."""
        return np.concatenate([part.ravel() for part in self.pad(observation).values()])
