"""The guard: turns stage requests into legal signal states, or refuses. Pure; one call is one second."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.agents.observation import Commitment
from denxanh.controller.mode import Mode
from denxanh.networks.model import Aspect


class GuardRefusal(StrEnum):
    """Why a request was not followed this second."""

    STARTING = "starting"
    INTERSTAGE = "interstage"
    COMMITTED = "committed"
    UNKNOWN_STAGE = "unknown-stage"
    NOT_IN_GRAPH = "not-in-graph"
    MIN_GREEN = "min-green"
    PEDESTRIAN = "pedestrian"
    STARVATION = "starvation"
    MAX_GREEN = "max-green"


@dataclass(frozen=True, slots=True)
class GuardInput:
    """What the guard hears each second. `request` is the stage wanted next (the running one: extend), or None.

    `called` and `discharging` align with the groups; a bad detector counts as a call.
    """

    mode: Mode
    request: int | None
    called: tuple[bool, ...]
    discharging: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class GuardOutput:
    """What the lamps show for the second that begins now, the running promise, and why a request was not followed."""

    aspects: tuple[Aspect, ...]
    commitment: Commitment | None
    refusal: GuardRefusal | None
    starved: tuple[int, ...]
    """Groups whose green does not discharge: an alarm."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the cabinet says it is doing at the start of this second."""

    stage: int
    """Running stage; during an interstage the one that comes next."""
    elapsed_s: int
    in_interstage: bool
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]
