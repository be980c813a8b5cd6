"""What a policy may see: `TrafficState`, the same in training, in simulation and on the street.

Nothing here comes from anything but detectors and the cabinet's read-back: a policy can learn only from
what the street will show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from denxanh.networks.model import Aspect, Intersection

NO_GAP_S = 999.0
"""`LaneState.gap_s` when nothing has passed for so long that it no longer matters, seconds."""


class LaneState(NamedTuple):
    """One incoming lane, from its detectors. Vehicles are in passenger-car units.

    Ranges: counts >= 0; occupancies, confidence in [0, 1]; times >= 0 s. A named tuple, because a second of
    simulation makes one per lane.
    """

    queued: float
    moving: float
    occupancy: float
    """Near the stop line, over the last second."""
    arrivals_10s: float
    arrivals_30s: float
    discharge_10s: float
    gap_s: float
    """Since a loop of this lane was last occupied; at most NO_GAP_S."""
    red_call_s: float
    """Longest time any of the lane's groups has been called and not served."""
    downstream_occupancy: float
    confidence: float


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage, seen from now."""

    min_left_s: float
    """Seconds until the current stage may end (0 for other stages)."""
    max_left_s: float
    """Seconds until the running stage must end; its full max green for other stages."""
    clearance_s: float
    """Interstage seconds that a switch to this stage would cost; 0 for the current one."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """An irrevocable promise: the running stage ends in `end_in_s` seconds and `next_stage` follows."""

    end_in_s: int
    next_stage: int


@dataclass(frozen=True, slots=True)
class TrafficState:
    """One intersection at one tick. `lanes`, `stages`, `called` align with the intersection's tuples."""

    intersection: Intersection
    clock_s: float
    """Local seconds since midnight."""
    stage: int
    """Running stage; during an interstage the one that comes next."""
    elapsed_s: float
    """Green time of the running stage; 0 during an interstage."""
    in_interstage: bool
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]
    called: tuple[bool, ...]
    """Per group, with detector failures already turned into calls."""
    wait_s: tuple[float, ...]
    """Per group, time called and not served."""
    lanes: tuple[LaneState, ...]
    stages: tuple[StageState, ...]
    plan: int | None
    """Number of the scheduled plan."""
    confidence: float
    """Of the whole estimate, in [0, 1]."""
