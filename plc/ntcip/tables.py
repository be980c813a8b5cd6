"""An intersection's timings and plans as the objects of NTCIP 1202 hold them; for both ends of the wire.

What NTCIP cannot say stays out of the comparison: its red clearance belongs to a phase, ours to a pair of
groups; conflicts live in the conflict monitor's card.
"""

from __future__ import annotations

from denxanh.networks.model import Aspect, GroupKind, Intersection, Plan
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid
from denxanh.plc.ntcip.stagemap import StageMap

DS_PER_S = 10
MAX_RECALL, COORDINATED, SEQUENCE = 4, 1, 1
"""splitMode, splitCoordPhase and patternSequenceNumber of a downloaded plan: every phase runs its whole split
whether called or not, the cycle begins with the coordinated phases, rings run in the first sequence."""


def column_of(aspect: Aspect, walks: bool) -> int | None:
    """The channel output that an aspect lights; None for flashing (unitFlashStatus says so)."""
    if aspect.is_green:
        return oids.CHANNEL_GREENS
    if aspect is Aspect.YELLOW or (walks and aspect is Aspect.CLEARANCE):
        return oids.CHANNEL_YELLOWS
    return oids.CHANNEL_REDS if aspect is Aspect.RED else None


def phase_timings(intersection: Intersection, stages: StageMap, phase: int) -> dict[int, int]:
    """Columns of phaseTable that both sides must agree on.

    Of all groups that are green in every stage of the phase: the longest minimum green, walk and clearance
    (seconds) and yellow (0.1 s). A phase without a stage has zeros.
    """
    own = [stage for stage, phases in enumerate(stages.stages) if phase in phases]
    groups = [
        group
        for index, group in enumerate(intersection.groups)
        if own and all(intersection.stages[stage].serves(index) for stage in own)
    ]
    walks = [group for group in groups if group.kind is GroupKind.PEDESTRIAN]
    vehicles = [group for group in groups if group.kind is GroupKind.VEHICLE]
    return {
        oids.PHASE_WALK: max((group.walk_s for group in walks), default=0),
        oids.PHASE_PED_CLEAR: max((group.clearance_s for group in walks), default=0),
        oids.PHASE_MIN_GREEN: max((group.min_green_s for group in vehicles), default=0),
        oids.PHASE_MAX_1: min((group.max_green_s for group in vehicles), default=0),
        oids.PHASE_YELLOW_CHANGE: max((group.yellow_s for group in vehicles), default=0) * DS_PER_S,
    }


def split_times(plan: Plan, stages: StageMap) -> dict[int, int]:
    """By phase, splitTime: the seconds of all the plan's stages in which it is green; 0 for one without."""
    times = dict.fromkeys(sorted({phase for phases in stages.stages for phase in phases}), 0)
    for split in plan.splits:
        for phase in stages.stages[split.stage]:
            times[phase] += split.split_s
    return times


def plan_objects(plan: Plan, stages: StageMap) -> dict[Oid, int]:
    """A plan as pattern and split of its own number."""
    number = plan.number
    objects = {
        oids.cell(oids.PATTERN_TABLE, oids.PATTERN_CYCLE, number): plan.cycle_s,
        oids.cell(oids.PATTERN_TABLE, oids.PATTERN_OFFSET, number): plan.offset_s,
        oids.cell(oids.PATTERN_TABLE, oids.PATTERN_SPLIT, number): number,
    }
    for phase, seconds in split_times(plan, stages).items():
        objects[oids.cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, number, phase)] = seconds
    return objects


def download_objects(plan: Plan, stages: StageMap) -> dict[Oid, int]:
    """A plan, and what else a controller needs to run it at fixed times.

    While a street runs, `plan_objects` alone are compared: who sets a controller up by hand may choose other
    ways to the same times.
    """
    number, first = plan.number, stages.stages[plan.splits[0].stage]
    objects = plan_objects(plan, stages)
    objects[oids.cell(oids.PATTERN_TABLE, oids.PATTERN_SEQUENCE, number)] = SEQUENCE
    for phase, seconds in split_times(plan, stages).items():
        if not seconds:
            continue
        objects[oids.cell(oids.SPLIT_TABLE, oids.SPLIT_MODE, number, phase)] = MAX_RECALL
        objects[oids.cell(oids.SPLIT_TABLE, oids.SPLIT_COORD_PHASE, number, phase)] = COORDINATED * (
            phase in first
        )
    return objects


def expected(intersection: Intersection, stages: StageMap) -> dict[Oid, int]:
    """What a controller must read for both sides to hold the same tables."""
    objects: dict[Oid, int] = {}
    for phase in sorted({phase for phases in stages.stages for phase in phases}):
        for column, number in phase_timings(intersection, stages, phase).items():
            objects[oids.cell(oids.PHASE_TABLE, column, phase)] = number
    for plan in intersection.plans:
        objects |= plan_objects(plan, stages)
    return objects
