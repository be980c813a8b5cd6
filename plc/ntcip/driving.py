"""From the contract's commands to NTCIP's control objects: hold, force-off, omit, calls, pattern. Pure.

NTCIP cannot carry a committed end, so it is kept here: the running phases are held until the second before
it, then the phases that end are forced off, with calls for the next stage alone. Because the controller does
not know the end, it is also told, phase by phase, to start no walk that would not be over by then. A
commitment is kept even when PLAN or RELEASE is asked for in between: the zeros of a release are written once
it is over, or overdue. Whoever stops commanding on purpose therefore goes on until then. Where the commands
break off (a killed centre, a cut cable), the backup timer gives the controller back, with the green held so
long: no object of NTCIP ends a green at a set second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from denxanh.networks.model import GroupKind, Intersection
from denxanh.plc.contract import Command, ModeRequest, Refusal
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid
from denxanh.plc.ntcip.numbers import MASKS
from denxanh.plc.ntcip.oids import cell, group_octets, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap

DS_PER_S = 10
LEAD_S = 15
"""Furthest that a commitment may lie beyond the intersection's own time, s (assumed), as over Modbus."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Stage `stage` ends at second `end` (of `Trail.now`; the first that is not green), then `following`."""

    stage: int
    end: int
    following: int


@dataclass(frozen=True, slots=True)
class Wish:
    """All control objects: the masks by column of phaseControlGroup, and those of coordination."""

    masks: Mapping[int, int]
    pattern: int
    sync: int = oids.OWN_TIME_BASE

    @property
    def nothing(self) -> bool:
        """Whether this is control given back."""
        return self.pattern == oids.STANDBY_PATTERN and not any(self.masks.values())


RELEASED = Wish(dict.fromkeys(MASKS, 0), oids.STANDBY_PATTERN)


def judge(
    command: Command, intersection: Intersection, stage: int, green: bool, promise: Promise | None, now: int
) -> tuple[Refusal, Promise | None]:
    """Whether a command can be carried out, and the promise that stands then.

    Args:
        command: the contract's.
        intersection: its stages.
        stage: running, or next between two greens.
        green: whether it is running.
        promise: before.
        now: second of the last poll.
    """
    if command.mode is ModeRequest.PLAN:
        known = any(plan.number == command.plan for plan in intersection.plans)
        sound = known and command.plan < oids.FREE_PATTERN
        return (Refusal.NONE if sound else Refusal.UNKNOWN_PLAN), promise
    if command.mode is ModeRequest.RELEASE:
        return Refusal.NONE, promise if promise is not None and now <= promise.end else None
    following = command.committed_next if command.committed_end_ds else command.stage
    if following >= len(intersection.stages) or command.stage >= len(intersection.stages):
        return Refusal.UNKNOWN_STAGE, promise
    if following == stage or not green or promise is not None:
        return Refusal.NONE, promise
    if not intersection.transitions[stage][following]:
        return Refusal.TRANSITION, promise
    if not command.committed_end_ds and intersection.commitment_s:
        return Refusal.COMMITMENT, promise
    left_s = -(-command.committed_end_ds // DS_PER_S)
    if left_s > intersection.commitment_s + LEAD_S:
        return Refusal.COMMITMENT, promise
    return Refusal.NONE, Promise(stage, now + 1 + left_s, following)


def wish(
    command: Command,
    intersection: Intersection,
    stages: StageMap,
    stage: int,
    promise: Promise | None,
    now: int,
) -> Wish:
    """The control objects for the coming second."""
    if command.mode is ModeRequest.RELEASE and promise is None:
        return RELEASED
    if command.mode is ModeRequest.PLAN and promise is None:
        return Wish(dict.fromkeys(MASKS, 0), command.plan)
    masks = dict.fromkeys(MASKS, 0)
    running = stages.mask(stage)
    masks[oids.CONTROL_HOLD] = running
    if promise is not None and promise.stage == stage:
        there = stages.mask(promise.following)
        masks[oids.CONTROL_PED_OMIT] = _late_walks(intersection, stages, stage, promise.end - now - 1)
        if now + 1 >= promise.end:
            masks[oids.CONTROL_HOLD] = running & there
            masks[oids.CONTROL_FORCE_OFF] = running & ~there
            masks[oids.CONTROL_VEH_CALL] = there
            everything = sum(1 << phase - 1 for ring in stages.rings for phase in ring)
            masks[oids.CONTROL_PHASE_OMIT] = everything & ~(running | there)
    return Wish(masks, oids.FREE_PATTERN)


def control_names(stages: StageMap, suffix: Oid = (0,)) -> tuple[Oid, ...]:
    """The objects to set, all in one SET; `control_numbers` gives their values in this order."""
    masks = (
        cell(oids.PHASE_CONTROL_GROUP, column, number) for column in MASKS for number in groups(stages.phases)
    )
    return (*masks, scalar(oids.SYSTEM_SYNC_CONTROL, suffix), scalar(oids.SYSTEM_PATTERN_CONTROL, suffix))


def control_numbers(given: Wish, phases: int) -> tuple[int, ...]:
    """What to set; `phases` is the highest phase number."""
    octets = [octet for column in MASKS for octet in group_octets(given.masks[column], phases)]
    return (*octets, given.sync, given.pattern)


def _late_walks(intersection: Intersection, stages: StageMap, stage: int, left_s: int) -> int:
    """Running phases that bring a crossing of which walk and clearance take longer than the green left."""
    mask = 0
    for index, group in enumerate(intersection.groups):
        serves = group.kind is GroupKind.PEDESTRIAN and intersection.stages[stage].serves(index)
        if serves and group.walk_s + group.clearance_s > left_s:
            mask |= stages.carriers(intersection, index) & stages.mask(stage)
    return mask
