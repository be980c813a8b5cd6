"""What the guard hears, says, remembers and knows: its types. `controller/guard.py` is the door to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from denxanh.agents.observation import Commitment
from denxanh.controller.mode import Mode
from denxanh.controller.urgency import Urgency
from denxanh.errors import GuardError
from denxanh.networks import feasibility, timing
from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection

WAIT_CAP_S = 3600
"""Where the clocks of wait stop; far above any max red."""


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


class Phase(StrEnum):
    """What an intersection is doing."""

    STARTUP_FLASH = "startup-flash"
    STARTUP_ALL_RED = "startup-all-red"
    GREEN = "green"
    INTERSTAGE = "interstage"


@dataclass(frozen=True, slots=True)
class GuardInput:
    """What the guard hears each second.

    `request` is the stage wanted next (the running one: extend), or None. `called` and `discharging` align
    with the groups; a bad detector counts as a call.
    """

    mode: Mode
    request: int | None
    called: tuple[bool, ...]
    discharging: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class GuardOutput:
    """What the lamps show in the second that begins, the running promise, why a request was not followed.

    `commitment.end_in_s` counts from now; it is 0 in the second in which the green has ended, after which the
    commitment is gone.
    """

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


@dataclass(frozen=True, slots=True)
class GuardState:
    """How an intersection stands at the boundary between two seconds. Times in seconds, one entry per group.

    Every clock stops at a cap, so the set of reachable states is finite.
    """

    phase: Phase
    stage: int
    """Running stage; during an interstage the one that comes next."""
    elapsed_s: int
    """In this phase. For people and policies, and in GREEN for `_lead_s` (0 or not)."""
    commitment: Commitment | None
    aspects: tuple[Aspect, ...]
    """What the lamps have shown for the second that ends."""
    green_for: tuple[int, ...]
    """In the present green aspect; for pedestrians since the walk began."""
    since_end: tuple[int, ...]
    """Since the green (pedestrians: the clearance) ended; 0 while it lasts."""
    since_protected: tuple[int, ...]
    """Since `G` ended, whether `g` followed or not; 0 while it lasts."""
    wait_s: tuple[int, ...]
    """Called and not served by the best aspect (networks/timing.py)."""
    stalled_s: tuple[int, ...]
    """Green, called, and nothing has discharged."""
    conflict_for: int
    """Since the first conflicting call of this stage's green."""

    @property
    def in_interstage(self) -> bool:
        """True unless a stage is green."""
        return self.phase is not Phase.GREEN


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """One intersection's timings, in the shape that `tick` needs. Build it with `guard_config`."""

    intersection: Intersection
    commitment_s: int
    walker: tuple[bool, ...]
    targets: tuple[tuple[Aspect, ...], ...]
    """Aspects per stage."""
    foes: tuple[tuple[tuple[int, Conflict, int], ...], ...]
    """Per group: (foe, how the group stands to it, intergreen from the foe's end to the group's start)."""
    need_s: tuple[int, ...]
    """The least green: max(min green, commitment), or walk + clearance."""
    walk_s: tuple[int, ...]
    yellow_s: tuple[int, ...]
    memory_s: tuple[int, ...]
    """How long the end of a group's green matters to anyone; at least a second, for `_rests`."""
    max_green_s: tuple[int, ...]
    """Per stage."""
    graph: tuple[tuple[bool, ...], ...]
    urgency: Urgency


def guard_config(intersection: Intersection) -> GuardConfig:
    """Check an intersection and prepare it for `tick`.

    Raises:
        GuardError: the timings cannot hold the invariants together; the message lists every defect.
    """
    defects = feasibility.feasibility_defects(intersection)
    if defects:
        raise GuardError(
            "; ".join(defects),
            where=f"intersection {intersection.id}",
            fix="correct its timings or its stages",
        )
    groups = intersection.groups
    every = range(len(groups))
    gaps, conflicts = intersection.intergreens, intersection.conflicts
    commitment_s = intersection.commitment_s
    walker = tuple(g.kind is GroupKind.PEDESTRIAN for g in groups)
    return GuardConfig(
        intersection=intersection,
        commitment_s=commitment_s,
        walker=walker,
        targets=tuple(stage.aspects for stage in intersection.stages),
        foes=tuple(
            tuple((i, conflicts[j][i], gaps[i][j]) for i in every if conflicts[j][i] is not Conflict.NONE)
            for j in every
        ),
        need_s=tuple(
            g.walk_s + g.clearance_s if walker[i] else max(g.min_green_s, commitment_s)
            for i, g in enumerate(groups)
        ),
        walk_s=tuple(g.walk_s for g in groups),
        yellow_s=tuple(g.yellow_s for g in groups),
        memory_s=tuple(max(1, groups[i].yellow_s, *gaps[i]) for i in every),
        max_green_s=tuple(timing.max_green_s(intersection, s) for s in range(len(intersection.stages))),
        graph=intersection.transitions,
        urgency=Urgency.of(intersection),
    )


def initial(config: GuardConfig) -> GuardState:
    """Power has just come on: flash begins."""
    count = len(config.walker)
    zero = (0,) * count
    return GuardState(
        phase=Phase.STARTUP_FLASH,
        stage=config.intersection.startup_stage,
        elapsed_s=0,
        commitment=None,
        aspects=(Aspect.FLASH,) * count,
        green_for=zero,
        since_end=config.memory_s,
        since_protected=config.memory_s,
        wait_s=zero,
        stalled_s=zero,
        conflict_for=0,
    )
