"""An independent judge of signal states: it sees lamps and promises second by second, not the guard's state.

It keeps its own books of when each green began and ended, shares no code with the guard or with `timing`, and
names every breach of G1, G2, G3, G6 and G7. `verify` runs it along every reachable transition; anything else
that shows lamps can run it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from denxanh.agents.observation import Commitment
from denxanh.networks.model import Aspect, Conflict, GroupKind, Intersection

_R, _Y, _G, _P, _W, _C, _F = (
    Aspect.RED,
    Aspect.YELLOW,
    Aspect.YIELDING,
    Aspect.PROTECTED,
    Aspect.WALK,
    Aspect.CLEARANCE,
    Aspect.FLASH,
)
_FOLLOWS = {_R: (_R, _G, _P), _G: (_G, _P, _Y), _P: (_P, _G, _Y), _Y: (_Y, _R)}
_NOBODY = -1


class LampHistory(NamedTuple):
    """What the judge remembers. Clocks stop where they no longer matter."""

    stage: int
    """Green stage, or the one before the running interstage; -1 before the first."""
    target: int
    """Where the running interstage leads; -1 while a stage is green."""
    promise: Commitment | None
    """What must be shown as promised in the next second."""
    shown: tuple[Aspect, ...]
    lit_s: tuple[int, ...]
    """Green so far, `g` and `G` together; walk and clearance together."""
    protected_s: tuple[int, ...]
    """`G` so far."""
    dark_s: tuple[int, ...]
    """Since green or clearance ended."""
    unprotected_s: tuple[int, ...]
    """Since `G` ended."""


class LampCheck:
    """The judge of one intersection."""

    __slots__ = ("_groups", "_intersection", "_long_s", "_need_s", "_pairs", "_vehicles")

    def __init__(self, intersection: Intersection) -> None:
        every = range(len(intersection.groups))
        self._intersection = intersection
        self._groups = intersection.groups
        self._vehicles = [i for i in every if intersection.groups[i].kind is GroupKind.VEHICLE]
        self._need_s = [max(g.min_green_s, intersection.commitment_s) for g in intersection.groups]
        # Longer than any yellow, intergreen, walk or clearance: two clocks that both stand here tell nothing.
        self._long_s = 1 + max(
            *(gap for row in intersection.intergreens for gap in row),
            *(g.yellow_s for g in intersection.groups),
        )
        self._pairs = [
            (i, j, intersection.conflicts[i][j])
            for i in every
            for j in every
            if intersection.conflicts[i][j] is Conflict.YIELDS
            or (i < j and intersection.conflicts[i][j] is Conflict.PROHIBITED)
        ]

    def start(self) -> LampHistory:
        """The history of an intersection that flashes."""
        count = len(self._groups)
        nothing, long_ago = (0,) * count, (self._long_s,) * count
        target = self._intersection.startup_stage
        return LampHistory(_NOBODY, target, None, (_F,) * count, nothing, nothing, long_ago, long_ago)

    def judge(
        self, past: LampHistory, lamps: tuple[Aspect, ...], promise: Commitment | None
    ) -> tuple[LampHistory, tuple[str, ...]]:
        """What is wrong with the second that shows `lamps` and `promise` after `past`; hopefully nothing."""
        if all(lamp is _F for lamp in lamps):
            return self.start(), ()
        before = tuple(_R if lamp is _F else lamp for lamp in past.shown)
        now = self._clocks(past, before, lamps)
        found = list(self._wrong_lamps(now, before))
        found += self._wrong_together(now)
        now, wrong = self._follow(now, promise)
        return now, (*found, *wrong)

    def _clocks(
        self, past: LampHistory, before: tuple[Aspect, ...], lamps: tuple[Aspect, ...]
    ) -> LampHistory:
        """Bring every clock to the start of this second."""
        lit, protected, dark, unprotected = [], [], [], []
        for i, (old, lamp) in enumerate(zip(before, lamps, strict=True)):
            group = self._groups[i]
            cap = self._need_s[i] if group.kind is GroupKind.VEHICLE else group.walk_s + group.clearance_s
            was_lit = _lit(old)
            lit.append(min(past.lit_s[i] + 1, cap) if was_lit else 0)
            protected.append(min(past.protected_s[i] + 1, cap) if old is _P else 0)
            dark.append(0 if was_lit or _lit(lamp) else min(past.dark_s[i] + 1, self._long_s))
            unprotected.append(0 if old is _P or lamp is _P else min(past.unprotected_s[i] + 1, self._long_s))
        return past._replace(
            shown=lamps,
            lit_s=tuple(lit),
            protected_s=tuple(protected),
            dark_s=tuple(dark),
            unprotected_s=tuple(unprotected),
        )

    def _wrong_lamps(self, now: LampHistory, before: tuple[Aspect, ...]) -> Iterator[str]:
        """Each group on its own: the order and the length of its aspects."""
        for i, (old, lamp) in enumerate(zip(before, now.shown, strict=True)):
            group = self._groups[i]
            if group.kind is GroupKind.PEDESTRIAN:
                yield from self._wrong_walk(i, old, lamp, now.lit_s[i])
            else:
                if lamp not in _FOLLOWS[old]:
                    yield f"G2 {group.id} went from {old.value} to {lamp.value}"
                over = now.dark_s[i] >= group.yellow_s
                if old is _Y and over != (lamp is _R):
                    yield f"G2 {group.id}: yellow is not {group.yellow_s} s"
                if old is _P and lamp is not _P and now.protected_s[i] < self._need_s[i]:
                    yield f"G3 {group.id}: protected green of {now.protected_s[i]} s"
                if lamp is _Y and _lit(old) and now.lit_s[i] < self._need_s[i]:
                    yield f"G3 {group.id}: green of {now.lit_s[i]} s"
            starts = _lit(lamp) and not _lit(old)
            if starts or (old is _G and lamp is _P):
                yield from self._wrong_start(i, lamp, now)

    def _wrong_walk(self, i: int, old: Aspect, lamp: Aspect, lit_s: int) -> Iterator[str]:
        group = self._groups[i]
        whole_s = group.walk_s + group.clearance_s
        if not _lit(old):
            legal = lamp in (_R, _W)
        elif lit_s < group.walk_s:
            legal = lamp is _W
        elif lit_s < whole_s:
            legal = lamp is _C
        else:
            legal = lamp is _R
        if not legal:
            yield f"G3 {group.id} showed {lamp.value} after {old.value}, {lit_s} s into its walk"

    def _wrong_start(self, j: int, lamp: Aspect, now: LampHistory) -> Iterator[str]:
        """G2: time since the last conflicting aspect of every foe."""
        for i, foe in enumerate(self._groups):
            conflict = self._intersection.conflicts[j][i]
            gap_s = self._intersection.intergreens[i][j]
            if conflict is Conflict.PROHIBITED or (conflict is Conflict.YIELDS and lamp is _P):
                since_s = now.dark_s[i]
            elif conflict is Conflict.HAS_PRIORITY:
                since_s = now.unprotected_s[i]
            else:
                continue
            if since_s < gap_s:
                yield f"G2 {self._groups[j].id} started {since_s} s after {foe.id}, not {gap_s} s"

    def _wrong_together(self, now: LampHistory) -> Iterator[str]:
        """G1. A yellow that follows `G` still conflicts as `G` does."""
        for i, j, conflict in self._pairs:
            mine, theirs = now.shown[i], now.shown[j]
            if mine is _R or theirs is _R:
                continue
            after_protected = mine is _Y and now.unprotected_s[i] == now.dark_s[i]
            if conflict is Conflict.PROHIBITED or mine is _P or after_protected:
                yield (
                    f"G1 {self._groups[i].id} {mine.value} together with {self._groups[j].id} {theirs.value}"
                )

    def _follow(self, now: LampHistory, promise: Commitment | None) -> tuple[LampHistory, list[str]]:
        """G6 and G7: stages change along the graph, and only as promised."""
        found: list[str] = []
        if now.target != _NOBODY and self._shows(now, now.target):
            now = now._replace(stage=now.target, target=_NOBODY)
        if now.target != _NOBODY:
            if promise is not None:
                found.append("G7 a promise during the interstage")
            found += self._wrong_interstage(now)
            return now._replace(promise=None), found
        if now.promise is not None and promise != now.promise:
            found.append(f"G7 promised {now.promise}, then {promise}")
        elif now.promise is None and promise is not None:
            if promise.end_in_s < self._intersection.commitment_s:
                found.append(f"G7 promised only {promise.end_in_s} s ahead")
            if not self._intersection.transitions[now.stage][promise.next_stage]:
                found.append(f"G6 stage {now.stage} was promised to be followed by {promise.next_stage}")
        if promise is not None and promise.end_in_s == 0:
            if any(lamp in (_W, _C) and lit_s > 0 for lamp, lit_s in zip(now.shown, now.lit_s, strict=True)):
                found.append("G3 the stage ended while pedestrians were walking")
            now = now._replace(target=promise.next_stage, promise=None)
            if self._shows(now, now.target):
                return now._replace(stage=now.target, target=_NOBODY), found
            return now, found + self._wrong_interstage(now)
        if not self._shows(now, now.stage):
            found.append(f"G7 the lamps left stage {now.stage} without a promise")
        ahead = None if promise is None else Commitment(promise.end_in_s - 1, promise.next_stage)
        return now._replace(promise=ahead), found

    def _shows(self, now: LampHistory, stage: int) -> bool:
        aspects = self._intersection.stages[stage].aspects
        return all(now.shown[i] is aspects[i] for i in self._vehicles)

    def _wrong_interstage(self, now: LampHistory) -> list[str]:
        """During an interstage nothing may be green that the next stage does not show."""
        aspects = self._intersection.stages[now.target].aspects
        return [
            f"G6 {self._groups[i].id} is {now.shown[i].value} on the way to stage {now.target}"
            for i in self._vehicles
            if _lit(now.shown[i])
            and now.shown[i] is not aspects[i]
            and not (now.shown[i] is _G and aspects[i] is _P)
        ]


def _lit(lamp: Aspect) -> bool:
    return lamp in (_G, _P, _W, _C)
