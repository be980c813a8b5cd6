"""The signal engine of the virtual cabinet: lamps for every second, one small state machine per group.

Interstages are not tables here. When a stage ends, each group that loses green goes to yellow by itself; each
group that is to gain green (a crossing whether called or not, so that no button changes an interstage) works
out the earliest second at which every conflicting group's end of green lies an intergreen back; the latest of
those, and the last yellow's end, starts them all. It never cuts a min green, a walk, a clearance or a yellow,
whatever it is told: `check` says no, or the end waits.

Times are seconds since power-up. `step` moves on one second and returns what is shown during it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from denxanh.errors import CorridorError
from denxanh.networks.model import Aspect, Conflict, DetectorKind, GroupKind, Intersection
from denxanh.plc.cabinet.signal import LONG_AGO, Signal
from denxanh.plc.contract import Refusal

MIN_PEDESTRIAN_RED_S = 1
"""Between a clearance and the next walk of the same crossing red must be seen, seconds (assumed)."""


class Phase(StrEnum):
    """What the engine is doing."""

    FLASH = "flash"
    ALL_RED = "all-red"
    GREEN = "green"
    INTERSTAGE = "interstage"


class Engine:
    """The signals of one intersection.

    Attributes:
        intersection: its tables.
        now: second that is being shown.
        phase: what the engine is doing.
        stage: running stage; during an interstage (and start-up) the one that comes next.
        next_stage: committed next stage; equal to `stage` without a commitment.
        end_at: second at which the committed green ends, or None.
        green_since: second at which `stage` got its green.
        walked: groups whose walk started in the second that is being shown.

    Raises:
        CorridorError: a stage shows conflicting greens, or the start-up stage does not exist.
    """

    def __init__(self, intersection: Intersection) -> None:
        self.intersection = intersection
        _self_test(intersection)
        self.signals = tuple(Signal(group) for group in intersection.groups)
        buttons = [d.groups for d in intersection.detectors if d.kind is DetectorKind.BUTTON]
        self._recalled = {
            index
            for index, group in enumerate(intersection.groups)
            if group.kind is GroupKind.PEDESTRIAN and not any(index in groups for groups in buttons)
        }
        """Crossings without a button: called at the start of every stage that serves them."""
        self.now = -1
        self.phase = Phase.FLASH
        self.stage = intersection.startup_stage
        self.next_stage = self.stage
        self.end_at: int | None = None
        self.green_since = 0
        self.walked: tuple[int, ...] = ()
        self._phase_since = 0
        self._not_before = LONG_AGO
        self._held_flash = False

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """What is being shown."""
        return tuple(signal.aspect for signal in self.signals)

    @property
    def elapsed_s(self) -> int:
        """Green time of the stage, the second being shown included; 0 outside green."""
        return self.now - self.green_since + 1 if self.phase is Phase.GREEN else 0

    @property
    def countdown_s(self) -> int:
        """Committed seconds of green left, the second being shown included; 0 without a commitment."""
        return max(0, self.end_at - self.now) if self.end_at is not None else 0

    def min_left_s(self, next_stage: int | None = None) -> int:
        """Seconds until the running stage may end, from the next one; the worst without a successor."""
        return max(0, self._earliest_end(next_stage) - (self.now + 1)) if self.phase is Phase.GREEN else 0

    def check(self, end_in_s: int, next_stage: int) -> Refusal:
        """Whether a commitment may be made: the green ends `end_in_s` after the second being shown."""
        if not 0 <= next_stage < len(self.intersection.stages):
            return Refusal.UNKNOWN_STAGE
        if self.phase is not Phase.GREEN or self.end_at is not None:
            return Refusal.COMMITMENT
        if next_stage == self.stage or not self.intersection.transitions[self.stage][next_stage]:
            return Refusal.TRANSITION
        if end_in_s < self.intersection.commitment_s:
            return Refusal.COMMITMENT
        if self.now + 1 + end_in_s < self._earliest_end(next_stage):
            return Refusal.MIN_GREEN
        return Refusal.NONE

    def commit(self, end_in_s: int, next_stage: int, *, start_not_before: int | None = None) -> Refusal:
        """Make a commitment if `check` allows it.

        Args:
            end_in_s: seconds of green still shown after the current second.
            next_stage: what follows.
            start_not_before: second before which the next stage's greens wait (a plan's own second).
        """
        refusal = self.check(end_in_s, next_stage)
        if refusal is Refusal.NONE:
            self.end_at = self.now + 1 + end_in_s
            self.next_stage = next_stage
            self._not_before = LONG_AGO if start_not_before is None else start_not_before
        return refusal

    def force_off(self, next_stage: int) -> None:
        """End the running stage as soon as it may, without a commitment time; no effect where it may not.

        A running commitment stays as it is.
        """
        free = self.phase is Phase.GREEN and self.end_at is None
        if free and next_stage != self.stage and self.intersection.transitions[self.stage][next_stage]:
            self.end_at = max(self.now + 1, self._earliest_end(next_stage))
            self.next_stage = next_stage
            self._not_before = LONG_AGO

    def flash(self) -> None:
        """Failure: flashing yellow now and until `restart`."""
        self._held_flash = True
        self._enter_flash()

    def restart(self) -> None:
        """Start up as after power-on: flash, all red, start-up stage."""
        self._held_flash = False
        self._enter_flash()

    def step(
        self,
        called: Sequence[bool],
        *,
        latest_end: int | None = None,
        omitted: Collection[int] = frozenset(),
    ) -> tuple[Aspect, ...]:
        """Show the next second.

        Args:
            called: per group; only pedestrian groups look at it.
            latest_end: second by which the running stage is to end, if known, so that a late walk fits.
            omitted: groups whose walk must not start now, called or not.
        """
        self.now += 1
        self.walked = ()
        for signal in self.signals:
            signal.advance(self.now)
        if self.phase is Phase.FLASH and not self._held_flash:
            if self.now - self._phase_since >= self.intersection.startup_flash_s:
                self._enter(Phase.ALL_RED)
                for signal in self.signals:
                    signal.force(Aspect.RED, self.now)
        elif self.phase is Phase.ALL_RED:
            if self.now - self._phase_since >= self.intersection.startup_all_red_s:
                self._enter(Phase.INTERSTAGE)
        elif self.phase is Phase.GREEN and self.end_at is not None and self.now >= self.end_at:
            self._end_stage()
        if self.phase is Phase.INTERSTAGE:
            self._try_start(called, omitted)
        elif self.phase is Phase.GREEN:
            wanted = [call and group not in omitted for group, call in enumerate(called)]
            self._start_late_walks(wanted, latest_end)
        return self.aspects

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._phase_since = self.now

    def _enter_flash(self) -> None:
        self._enter(Phase.FLASH)
        self._phase_since = max(self.now, 0)
        self.stage = self.next_stage = self.intersection.startup_stage
        self.end_at = None
        self._not_before = LONG_AGO
        for signal in self.signals:
            signal.force(Aspect.FLASH, self.now)

    def _end_stage(self) -> None:
        there = self.intersection.stages[self.next_stage].aspects
        if self.now < self._earliest_end(self.next_stage):
            return
        for signal, aspect in zip(self.signals, there, strict=True):
            if signal.is_pedestrian or not signal.aspect.is_green:
                continue
            if aspect is Aspect.RED:
                signal.end(self.now)
            elif signal.aspect is Aspect.PROTECTED and aspect is Aspect.YIELDING:
                signal.lower(self.now)
        self.stage = self.next_stage
        self.end_at = None
        self._enter(Phase.INTERSTAGE)

    def _try_start(self, called: Sequence[bool], omitted: Collection[int]) -> None:
        if self.now < self._not_before:
            return
        if any(signal.aspect is Aspect.YELLOW for signal in self.signals):
            return
        starters = [
            (index, Aspect.WALK if signal.is_pedestrian else aspect)
            for index, (signal, aspect) in enumerate(
                zip(self.signals, self.intersection.stages[self.stage].aspects, strict=True)
            )
            if aspect is not Aspect.RED and signal.aspect is not aspect
        ]
        if any(self._earliest_start(index, aspect) > self.now for index, aspect in starters):
            return
        for index, aspect in starters:
            wanted = (called[index] or index in self._recalled) and index not in omitted
            if aspect is not Aspect.WALK or wanted:
                self.signals[index].start(aspect, self.now)
        self.walked = tuple(
            index for index, signal in enumerate(self.signals) if signal.aspect is Aspect.WALK
        )
        self.green_since = self.now
        self.next_stage = self.stage
        self._not_before = LONG_AGO
        self._enter(Phase.GREEN)

    def _start_late_walks(self, called: Sequence[bool], latest_end: int | None) -> None:
        served = self.intersection.stages[self.stage].aspects
        end = self.end_at
        if end is None:
            end = latest_end
        starters = [
            index
            for index, signal in enumerate(self.signals)
            if signal.is_pedestrian
            and served[index] is not Aspect.RED
            and called[index]
            and signal.aspect is Aspect.RED
            and (end is None or self.now + signal.crossing_s <= end)
            and self._earliest_start(index, Aspect.WALK) <= self.now
        ]
        for index in starters:
            self.signals[index].start(Aspect.WALK, self.now)
        self.walked = tuple(starters)

    def _earliest_end(self, next_stage: int | None) -> int:
        there = None if next_stage is None else self.intersection.stages[next_stage].aspects
        ends = [
            signal.earliest_end
            for index, signal in enumerate(self.signals)
            if there is None or signal.is_pedestrian or there[index] not in (signal.aspect, Aspect.PROTECTED)
        ]
        return max(ends, default=LONG_AGO)

    def _earliest_start(self, group: int, aspect: Aspect) -> int:
        """First second at which every conflicting group's end of green lies an intergreen back."""
        signal = self.signals[group]
        earliest = signal.since + MIN_PEDESTRIAN_RED_S if signal.is_pedestrian else LONG_AGO
        for other in range(len(self.signals)):
            since = self._clear_since(other, group, aspect)
            if since is not None:
                earliest = max(earliest, since + self.intersection.intergreens[other][group])
        return earliest

    def _clear_since(self, other: int, group: int, aspect: Aspect) -> int | None:
        """Second from which the intergreen from `other` to `group` counts; None where it need not wait.

        A group that is on counts from where it last had priority if it gives way now, not at all if the
        starting one gives way, and else as if it ended right now.
        """
        conflict = self.intersection.conflicts[other][group]
        signal = self.signals[other]
        if conflict is Conflict.NONE or other == group:
            return None
        if not signal.aspect.is_green and signal.aspect is not Aspect.CLEARANCE:
            return signal.any_end
        if conflict is Conflict.YIELDS and signal.aspect is Aspect.YIELDING:
            return signal.full_end
        if conflict is Conflict.HAS_PRIORITY and aspect is Aspect.YIELDING:
            return None
        return self.now + 1


def _self_test(intersection: Intersection) -> None:
    where = f"intersection {intersection.id}"
    if not 0 <= intersection.startup_stage < len(intersection.stages):
        raise CorridorError("the start-up stage does not exist", where=where, fix="correct startup_stage")
    for stage in intersection.stages:
        green = [index for index, aspect in enumerate(stage.aspects) if aspect is not Aspect.RED]
        if not green:
            raise CorridorError(f"stage {stage.id} serves nobody", where=where, fix="remove the stage")
        for first in green:
            for second in green:
                if first != second and not _together(intersection, stage.aspects, first, second):
                    names = f"{intersection.groups[first].id} and {intersection.groups[second].id}"
                    raise CorridorError(
                        f"stage {stage.id} shows {names} together although they conflict",
                        where=where,
                        fix="let the one that gives way show g, or move it to another stage",
                    )
    for group in intersection.groups:
        if group.kind is GroupKind.PEDESTRIAN and group.walk_s <= 0:
            raise CorridorError(f"group {group.id} has no walk time", where=where, fix="set walk_s")


def _together(intersection: Intersection, aspects: Sequence[Aspect], first: int, second: int) -> bool:
    match intersection.conflicts[first][second]:
        case Conflict.PROHIBITED:
            return False
        case Conflict.YIELDS:
            return aspects[first] is Aspect.YIELDING
        case Conflict.HAS_PRIORITY:
            return aspects[second] is Aspect.YIELDING
        case _:
            return True
