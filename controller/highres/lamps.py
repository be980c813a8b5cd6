"""Events of the signal groups: vehicle phases and pedestrian phases. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from denxanh.controller.guardtypes import GuardRefusal
from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.detectors import Demand
from denxanh.controller.highres.memory import UNKNOWN, LampMemory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.mode import Mode
from denxanh.networks.model import Conflict, GroupKind, Intersection
from denxanh.plc.contract import CabinetMode

SECOND_MS = 1000
SERVED_PCU = 1.0
"""A queue shorter than one car is none (assumed)."""
PASSAGE_MS = 3000
"""A loop that nobody was on for so long has a gap, ms (assumed; FHWA's Signal Timing Manual has passage times
of 2 to 4 s)."""
SPLITS = 16
"""Phases that have a code for their actual split."""
GREEN, YELLOW, RED, DARK, WALK, CLEARANCE = "GyroWC"
"""Aspects, `g` taken for `G`."""
_FOLLOWS = {GREEN: YELLOW, YELLOW: RED, RED: GREEN}
_WALK_FOLLOWS = {WALK: CLEARANCE, CLEARANCE: RED, RED: WALK}
_WALKING = {
    WALK: Code.BEGIN_WALK,
    CLEARANCE: Code.BEGIN_PED_CLEARANCE,
    RED: Code.BEGIN_DONT_WALK,
    DARK: Code.PED_DARK,
}


class Lamps:
    """One intersection's signal groups; a phase is a position in `Intersection.groups` plus 1."""

    def __init__(self, intersection: Intersection) -> None:
        groups = intersection.groups
        self._reference = intersection.startup_stage
        self._walks = tuple(group.kind is GroupKind.PEDESTRIAN for group in groups)
        self._min_ms = tuple(group.min_green_s * SECOND_MS for group in groups)
        self._max_ms = tuple(group.max_green_s * SECOND_MS for group in groups)
        self._foes = tuple(
            tuple(
                foe
                for foe, conflict in enumerate(intersection.conflicts[group])
                if conflict is not Conflict.NONE
            )
            for group in range(len(groups))
        )
        self._lanes = tuple(
            tuple(
                at
                for at, lane in enumerate(intersection.lanes)
                if any(part.group == group for part in lane.groups)
            )
            for group in range(len(groups))
        )

    def read(self, aspects: str) -> str | None:
        """The aspects with `g` as `G`; None where they are not this intersection's."""
        if len(aspects) != len(self._walks):
            return None
        plain = aspects.replace("g", GREEN)
        for walks, aspect in zip(self._walks, plain, strict=True):
            if aspect not in ("WCro" if walks else "Gyro"):
                return None
        return plain

    def follows(self, before: str, now: str) -> bool:
        """Whether no lamp can have shown something unseen between the two (some 5 s apart at most)."""
        return all(
            new == old or new == (_WALK_FOLLOWS if walks else _FOLLOWS).get(old)
            for walks, old, new in zip(self._walks, before, now, strict=True)
        )

    def fits(self, memory: LampMemory, known: bool) -> bool:
        """Whether this is the memory of this intersection."""
        found = (memory.aspects, memory.green_ms, memory.used_ms, memory.clearing, memory.called)
        return not known or all(len(one) == len(self._walks) for one in found)

    def adopt(self, memory: LampMemory, moment: Moment, aspects: str) -> Iterator[SignalEvent]:
        """Begin anew: greens that run are told as found."""
        count = len(self._walks)
        memory.aspects = aspects
        memory.green_ms = [UNKNOWN] * count
        memory.clearing, memory.called = [False] * count, [False] * count
        memory.used_ms = [moment.at_ms] * count
        memory.maxed, memory.cycle_ms = False, UNKNOWN
        memory.stage = UNKNOWN if moment.in_interstage else moment.stage
        for group, aspect in enumerate(aspects):
            if aspect == GREEN:
                yield SignalEvent(moment.at_ms, Code.FOUND_GREEN, group + 1)

    def second(
        self, memory: LampMemory, moment: Moment, aspects: str, demand: Demand, since_ms: int
    ) -> Iterator[SignalEvent]:
        """What has changed since `since_ms`."""
        before, memory.aspects = memory.aspects, aspects
        at_ms = moment.at_ms
        for group in demand.passing:
            memory.used_ms[group] = at_ms
        for group, old in enumerate(before):
            new = aspects[group]
            if self._walks[group]:
                if new != old:
                    yield SignalEvent(at_ms, _WALKING[new], group + 1)
                continue
            for code in self._ended(memory, moment, group, old, new):
                yield SignalEvent(at_ms, code, group + 1)
            if memory.clearing[group] and (new != RED or not self._all_red(moment, aspects, group)):
                yield from self._inactive(memory, at_ms, group)
            if new == GREEN:
                if old != GREEN:
                    yield from self._begun(memory, at_ms, group)
                elif since_ms < memory.green_ms[group] + self._min_ms[group] <= at_ms:
                    yield SignalEvent(at_ms, Code.MIN_COMPLETE, group + 1)
            elif new == RED and group in demand.calling and not memory.called[group]:
                memory.called[group] = True
                yield SignalEvent(at_ms, Code.CALL_REGISTERED, group + 1)
        yield from self._stage(memory, moment)

    def _ended(self, memory: LampMemory, moment: Moment, group: int, old: str, new: str) -> Iterator[Code]:
        """A green or a yellow that has ended, a yellow that has begun."""
        if new == old:
            return
        if old == GREEN:
            why = self._why(memory, moment, group)
            if why is not None:
                yield why
            yield Code.GREEN_TERMINATION
        if old == YELLOW:
            yield Code.END_YELLOW
        if new == YELLOW:
            yield Code.BEGIN_YELLOW
        elif new == RED and old != DARK:
            memory.clearing[group] = True
            yield Code.BEGIN_RED_CLEARANCE
        elif new == DARK and old != RED:
            memory.green_ms[group] = UNKNOWN
            yield Code.PHASE_INACTIVE

    def _why(self, memory: LampMemory, moment: Moment, group: int) -> Code | None:
        """Why the green of a group has ended; None: the cabinet does not say (docs: Why a green ended)."""
        cabinet = None if moment.status is None else moment.status.mode
        if moment.mode is Mode.FLASH or cabinet is CabinetMode.LOCAL_ACTUATED:
            return None
        if moment.mode is not Mode.ADAPTIVE:
            return Code.FORCE_OFF
        if memory.maxed:
            return Code.MAX_OUT
        if not moment.queued:
            return Code.FORCE_OFF
        lanes = [moment.queued[lane] for lane in self._lanes[group] if lane < len(moment.queued)]
        idle = moment.at_ms - memory.used_ms[group] >= PASSAGE_MS
        if idle and all(queue < SERVED_PCU for queue in lanes):
            return Code.GAP_OUT
        began = memory.green_ms[group]
        if began != UNKNOWN and moment.at_ms - began >= self._max_ms[group]:
            return Code.MAX_OUT
        return Code.FORCE_OFF

    def _all_red(self, moment: Moment, aspects: str, group: int) -> bool:
        """Whether nothing may go yet that conflicts with the group."""
        return moment.in_interstage and all(aspects[foe] not in (GREEN, WALK) for foe in self._foes[group])

    def _inactive(self, memory: LampMemory, at_ms: int, group: int) -> Iterator[SignalEvent]:
        memory.clearing[group] = False
        yield SignalEvent(at_ms, Code.END_RED_CLEARANCE, group + 1)
        yield SignalEvent(at_ms, Code.PHASE_INACTIVE, group + 1)
        began, memory.green_ms[group] = memory.green_ms[group], UNKNOWN
        if began != UNKNOWN and group < SPLITS:
            yield SignalEvent(at_ms, Code.ACTUAL_SPLIT + group, round((at_ms - began) / SECOND_MS))

    def _begun(self, memory: LampMemory, at_ms: int, group: int) -> Iterator[SignalEvent]:
        memory.green_ms[group] = at_ms
        yield SignalEvent(at_ms, Code.PHASE_ON, group + 1)
        yield SignalEvent(at_ms, Code.BEGIN_GREEN, group + 1)
        if memory.called[group]:
            memory.called[group] = False
            yield SignalEvent(at_ms, Code.CALL_DROPPED, group + 1)

    def _stage(self, memory: LampMemory, moment: Moment) -> Iterator[SignalEvent]:
        """A stage that has begun, and the cycle from one reference stage to the next."""
        promised_by_guard = moment.guard_refusal == GuardRefusal.MAX_GREEN.value
        if moment.in_interstage:
            memory.stage = UNKNOWN
            return
        if memory.stage != moment.stage:
            memory.stage, memory.maxed = moment.stage, False
            yield SignalEvent(moment.at_ms, Code.STAGE_BEGAN, moment.stage + 1)
            if moment.stage == self._reference:
                if memory.cycle_ms != UNKNOWN:
                    lasted_s = round((moment.at_ms - memory.cycle_ms) / SECOND_MS)
                    yield SignalEvent(moment.at_ms, Code.ACTUAL_CYCLE, lasted_s)
                memory.cycle_ms = moment.at_ms
        memory.maxed |= promised_by_guard
