"""An observer on the pavement: sees only lamps, knows only the built street, trusts nobody.

It shares no code with the guard or with the cabinet's monitor, so that each checks the others (G1, G2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection

DARK = (Aspect.RED, Aspect.FLASH)
"""Aspects that give nobody the way by a lamp."""


@dataclass(slots=True)
class Observer:
    """Counts conflicts and short intergreens of one intersection, each once when it begins."""

    intersection: Intersection
    conflicts: int = 0
    short_intergreens: int = 0
    cut_clearances: int = 0
    _second: int = 0
    _shown: tuple[Aspect, ...] | None = None
    _standing: frozenset[tuple[int, int]] = frozenset()
    _green_end: dict[int, tuple[int, Aspect]] = field(default_factory=dict)
    _clear_since: dict[int, int] = field(default_factory=dict)

    def see(self, aspects: Sequence[Aspect]) -> bool:
        """Take up one second of lamps; True when something forbidden begins in it."""
        self._second += 1
        shown = tuple(aspects)
        previous, self._shown = self._shown, shown
        if shown == previous:
            return False
        before = (self.conflicts, self.short_intergreens, self.cut_clearances)
        self._see_conflicts(shown)
        if previous is not None:
            self._see_changes(previous, shown)
        return before != (self.conflicts, self.short_intergreens, self.cut_clearances)

    def _see_conflicts(self, shown: tuple[Aspect, ...]) -> None:
        lit = [group for group, aspect in enumerate(shown) if aspect not in DARK]
        now = frozenset(
            (one, other)
            for place, one in enumerate(lit)
            for other in lit[place + 1 :]
            if self._incompatible(one, shown[one], other, shown[other])
        )
        self.conflicts += len(now - self._standing)
        self._standing = now

    def _incompatible(self, one: int, shows: Aspect, other: int, other_shows: Aspect) -> bool:
        relation = self.intersection.conflicts[one][other]
        if relation is Conflict.PROHIBITED:
            return True
        if relation is Conflict.YIELDS:
            return shows is Aspect.PROTECTED
        if relation is Conflict.HAS_PRIORITY:
            return other_shows is Aspect.PROTECTED
        return False

    def _see_changes(self, previous: tuple[Aspect, ...], shown: tuple[Aspect, ...]) -> None:
        if Aspect.FLASH in shown or Aspect.FLASH in previous:
            self._green_end.clear()
            self._clear_since.clear()
            return
        for group, (was, now) in enumerate(zip(previous, shown, strict=True)):
            if was is now:
                continue
            if self.intersection.groups[group].kind is GroupKind.PEDESTRIAN:
                self._see_pedestrians(group, was, now)
            elif was.is_green and (not now.is_green or was is Aspect.PROTECTED):
                self._green_end[group] = (self._second, was)
        for group, (was, now) in enumerate(zip(previous, shown, strict=True)):
            if now.is_green and now is not was and not (was is Aspect.PROTECTED and now is Aspect.YIELDING):
                self._see_start(group, now)

    def _see_pedestrians(self, group: int, was: Aspect, now: Aspect) -> None:
        """A pedestrian group's green ends with its clearance."""
        if now is Aspect.CLEARANCE:
            self._clear_since[group] = self._second
        elif was in (Aspect.WALK, Aspect.CLEARANCE) and not now.is_green:
            since = self._clear_since.pop(group, self._second)
            if self._second - since < self.intersection.groups[group].clearance_s:
                self.cut_clearances += 1
            self._green_end[group] = (self._second, Aspect.WALK)

    def _see_start(self, group: int, now: Aspect) -> None:
        for other, (ended, was) in self._green_end.items():
            if other == group or not self._incompatible(other, was, group, now):
                continue
            if self._second - ended < self.intersection.intergreens[other][group]:
                self.short_intergreens += 1
