"""The timed faults of a street: what goes wrong, where, from when to when, the same in every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from denxanh.errors import SiteError
from denxanh.networks.model import Aspect, Conflict, Intersection
from denxanh.sim.spec import FaultSpec, Happening


@dataclass(frozen=True, slots=True)
class Hooks:
    """How each kind of fault is made and ended; `bool` is on or off."""

    detector: Callable[[FaultSpec, bool], None]
    link: Callable[[str, bool], None]
    panel: Callable[[str, bool], None]
    lamps: Callable[[str, bool], None]
    power: Callable[[str, bool], None]


class Mishaps:
    """Begins and ends the faults of a list.

    Raises:
        SiteError: a fault names an intersection or a detector that does not exist.
    """

    def __init__(
        self, faults: Sequence[FaultSpec], intersections: Sequence[Intersection], hooks: Hooks
    ) -> None:
        known = {one.id: {detector.id for detector in one.detectors} for one in intersections}
        for fault in faults:
            place, _, detector = fault.target.partition("/")
            if place not in known:
                raise SiteError("no such intersection", where=f"faults, target {fault.target}")
            if fault.happening is Happening.DETECTOR and detector not in known[place]:
                raise SiteError("no such detector", where=f"faults, target {fault.target}")
        self._faults = tuple(faults)
        self._hooks = hooks

    def second(self, now_s: int) -> None:
        """Begin what begins and end what ends in this second of the run; ends come first."""
        for fault in self._faults:
            if fault.for_s and fault.at_s + fault.for_s == now_s:
                self._switch(fault, on=False)
        for fault in self._faults:
            if fault.at_s == now_s:
                self._switch(fault, on=True)

    def _switch(self, fault: FaultSpec, *, on: bool) -> None:
        match fault.happening:
            case Happening.DETECTOR:
                self._hooks.detector(fault, on)
            case Happening.LINK:
                self._hooks.link(fault.target, on)
            case Happening.PANEL:
                self._hooks.panel(fault.target, on)
            case Happening.CONFLICT:
                self._hooks.lamps(fault.target, on)
            case Happening.RESTART:
                self._hooks.power(fault.target, on)


def conflicting_lamps(intersection: Intersection) -> tuple[Aspect, ...]:
    """Red for all but one prohibited pair of vehicle groups, which is green.

    Raises:
        SiteError: the intersection has no such pair.
    """
    aspects = [Aspect.RED] * len(intersection.groups)
    for one, row in enumerate(intersection.conflicts):
        for other, relation in enumerate(row):
            pair = (intersection.groups[one], intersection.groups[other])
            if relation is Conflict.PROHIBITED and not any(group.walk_s for group in pair):
                aspects[one] = aspects[other] = Aspect.PROTECTED
                return tuple(aspects)
    raise SiteError("no two vehicle groups conflict here", where=f"faults, target {intersection.id}")
