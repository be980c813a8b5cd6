"""The conflict monitor: looks only at what the lamps show, and latches.

It is fed back from the plant once per second, knows the conflict matrix and the intergreens, and knows
nothing of stages, plans or commands. At one second of resolution it sees what lasts a second; the hardware
unit of a real cabinet (latching after 0.3 to 0.45 s of conflict) stays underneath and is not claimed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection, SignalGroup

_LONG_AGO = -1_000_000


@dataclass(slots=True)
class _Lamp:
    """One group's recent past. `held` is the last green that it showed: a yellow counts as that green."""

    aspect: Aspect = Aspect.FLASH
    since: int = 0
    held: Aspect = Aspect.PROTECTED
    any_end: int = _LONG_AGO
    full_end: int = _LONG_AGO


class ConflictMonitor:
    """Watches one intersection's lamps.

    Attributes:
        latched: why it tripped, one line, or None. Only `reset` clears it.
    """

    def __init__(self, intersection: Intersection) -> None:
        self._intersection = intersection
        self.latched: str | None = None
        self._lamps: tuple[_Lamp, ...] = ()
        self._now = 0
        self._forget()

    def reset(self) -> None:
        """The manual reset at the cabinet."""
        self.latched = None
        self._forget()

    def watch(self, lamps: Sequence[Aspect]) -> str | None:
        """Look at one second of lamps, one aspect per group; returns `latched`."""
        self._now += 1
        if len(lamps) != len(self._lamps):
            self._latch(f"{len(lamps)} lamps fed back instead of {len(self._lamps)}")
            return self.latched
        flashing = [aspect is Aspect.FLASH for aspect in lamps]
        if any(flashing) and not all(flashing):
            self._latch("some groups flash while others do not")
        before = [lamp.aspect for lamp in self._lamps]
        for index, aspect in enumerate(lamps):
            if aspect is not before[index]:
                self._change(index, aspect)
        for index, aspect in enumerate(lamps):
            raised = aspect is Aspect.PROTECTED and before[index] is Aspect.YIELDING
            if raised or (aspect.is_green and not before[index].is_green):
                self._check_intergreens(index, aspect)
        self._look_for_conflicts()
        return self.latched

    def _change(self, index: int, aspect: Aspect) -> None:
        lamp, group = self._lamps[index], self._intersection.groups[index]
        fault = _sequence_fault(group, lamp.aspect, aspect, self._now - lamp.since)
        if fault:
            self._latch(f"group {group.id} {fault}")
        if lamp.aspect.is_green and not aspect.is_green and aspect is not Aspect.CLEARANCE:
            lamp.any_end = self._now
        if lamp.aspect in (Aspect.PROTECTED, Aspect.CLEARANCE):
            lamp.full_end = self._now
            if lamp.aspect is Aspect.CLEARANCE:
                lamp.any_end = self._now
        if aspect.is_green:
            lamp.held = aspect
        lamp.aspect = aspect
        lamp.since = self._now

    def _check_intergreens(self, index: int, aspect: Aspect) -> None:
        for other, lamp in enumerate(self._lamps):
            conflict = self._intersection.conflicts[other][index]
            if conflict is Conflict.NONE or other == index:
                continue
            if conflict is Conflict.HAS_PRIORITY and aspect is Aspect.YIELDING:
                continue
            yields = conflict is Conflict.YIELDS and lamp.aspect is Aspect.YIELDING
            end = lamp.full_end if yields else lamp.any_end
            gap, least = self._now - end, self._intersection.intergreens[other][index]
            if gap < least:
                names = f"{self._intersection.groups[other].id} and {self._intersection.groups[index].id}"
                self._latch(f"intergreen of {gap} s instead of {least} s between {names}")

    def _look_for_conflicts(self) -> None:
        shown = [
            (index, lamp.held if lamp.aspect is Aspect.YELLOW else lamp.aspect)
            for index, lamp in enumerate(self._lamps)
            if lamp.aspect not in (Aspect.RED, Aspect.FLASH)
        ]
        for index, aspect in shown:
            for other, _ in shown:
                conflict = self._intersection.conflicts[index][other]
                gives_way = conflict is Conflict.YIELDS and aspect is Aspect.YIELDING
                partner_gives_way = conflict is Conflict.HAS_PRIORITY  # checked from the partner's row
                if conflict is not Conflict.NONE and not gives_way and not partner_gives_way:
                    first, second = self._intersection.groups[index], self._intersection.groups[other]
                    self._latch(f"groups {first.id} and {second.id} conflict and are lit together")

    def _latch(self, cause: str) -> None:
        if self.latched is None:
            self.latched = cause

    def _forget(self) -> None:
        self._now = 0
        self._lamps = tuple(_Lamp() for _ in self._intersection.groups)


def _sequence_fault(group: SignalGroup, before: Aspect, after: Aspect, lasted_s: int) -> str | None:
    """What is wrong with this change of one group's lamps, or None."""
    pedestrian = group.kind is GroupKind.PEDESTRIAN
    if Aspect.FLASH in (before, after):
        return "went from flashing to green" if after.is_green else None
    match before, after:
        case (Aspect.PROTECTED | Aspect.YIELDING, Aspect.RED) if group.yellow_s and not pedestrian:
            return "went from green to red without yellow"
        case (Aspect.YELLOW, Aspect.RED) if lasted_s < group.yellow_s:
            return f"showed {lasted_s} s of yellow instead of {group.yellow_s} s"
        case (Aspect.YELLOW, Aspect.PROTECTED | Aspect.YIELDING | Aspect.WALK):
            return "went from yellow back to green"
        case (Aspect.RED, Aspect.YELLOW | Aspect.CLEARANCE):
            return "showed the end of a green that it did not have"
        case (Aspect.WALK, Aspect.RED) if group.clearance_s:
            return "went from walk to red without clearance"
        case (Aspect.CLEARANCE, Aspect.RED) if lasted_s < group.clearance_s:
            return f"had {lasted_s} s of clearance instead of {group.clearance_s} s"
        case (Aspect.CLEARANCE, Aspect.WALK):
            return "went from clearance back to walk"
    return None
