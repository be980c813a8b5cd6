"""From a cabinet's status block to what the guard understands.

Timing: at a poll the second that the status describes has been shown, and the decision is about the next
one. So elapsed green counts the shown seconds, a countdown that reads c has c - 1 seconds left, and a lamp
whose time is over (yellow, walk, clearance) is about to change by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from denxanh.agents.observation import Commitment
from denxanh.controller.guard import ReadBack
from denxanh.networks.model import Aspect, GroupKind, Intersection, SignalGroup
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault

DS_PER_S = 10
_POLICE_BIT = 2
_ALONE = (CabinetMode.START, CabinetMode.FLASH, CabinetMode.DARK, CabinetMode.FAULT, CabinetMode.MANUAL)
"""Modes in which nothing is written."""


class Lamps(NamedTuple):
    """What each group shows and for how many seconds it has been seen to, the last one included."""

    aspects: tuple[Aspect, ...]
    shown_s: tuple[int, ...]
    said: tuple[int, ...] = ()
    """What of the poll they follow from."""


def lamps(intersection: Intersection, status: CabinetStatus, before: Lamps | None, seconds: int) -> Lamps:
    """The lamps now.

    Args:
        intersection: whose.
        status: the poll.
        before: at the last poll, None before the first.
        seconds: since the last poll, at least 1.
    """
    said = (
        status.stage,
        status.stage_elapsed_ds == 0,
        status.green,
        status.yellow,
        status.red,
        status.flashing,
    )
    if before is not None and said == before.said:
        # What follows from the same words and the lamps that they have led to is these lamps again.
        return Lamps(before.aspects, tuple([age + seconds for age in before.shown_s]), said)
    groups = range(len(intersection.groups))
    if before is None:
        now = tuple([_aspect(intersection, status, index, None) for index in groups])
        return Lamps(now, (1,) * len(now), said)
    now = tuple([_aspect(intersection, status, index, before.aspects[index]) for index in groups])
    shown_s = [
        age + seconds if same is aspect else 1
        for aspect, same, age in zip(now, before.aspects, before.shown_s, strict=True)
    ]
    return Lamps(now, tuple(shown_s), said)


def _aspect(intersection: Intersection, status: CabinetStatus, index: int, before: Aspect | None) -> Aspect:
    """One group's aspect. An unlit group reads as flashing: nobody may rely on it."""
    bit = 1 << index
    pedestrian = intersection.groups[index].kind is GroupKind.PEDESTRIAN
    if status.green & bit:
        if pedestrian:
            return Aspect.WALK
        # The wire says green, not which: what the stage gives; between two stages, the weaker of both. One
        # that nobody saw before may be about to be raised, and is no older than that.
        wanted = intersection.stages[status.stage].aspects[index]
        weaker = before is not Aspect.PROTECTED if wanted is Aspect.PROTECTED else before is Aspect.YIELDING
        between = status.stage_elapsed_ds == 0
        return Aspect.YIELDING if wanted is Aspect.YIELDING or (between and weaker) else Aspect.PROTECTED
    if status.yellow & bit:
        return Aspect.YELLOW
    if status.flashing & bit:
        return Aspect.CLEARANCE if pedestrian else Aspect.FLASH
    return Aspect.RED if status.red & bit else Aspect.FLASH


def read_back(status: CabinetStatus, now: Lamps) -> ReadBack:
    """The second that has been shown. Decoding has refused stages that the intersection does not have."""
    committed = status.countdown_s > 0
    return ReadBack(
        stage=status.stage,
        elapsed_s=status.stage_elapsed_ds // DS_PER_S,
        in_interstage=status.stage_elapsed_ds == 0,
        commitment=Commitment(status.countdown_s - 1, status.stage_next) if committed else None,
        aspects=now.aspects,
    )


def at_boundary(intersection: Intersection, back: ReadBack, now: Lamps) -> ReadBack:
    """The same as the next second begins: lamps whose time is over have changed by themselves."""
    changed = tuple(
        _next(group, aspect, age)
        for group, aspect, age in zip(intersection.groups, now.aspects, now.shown_s, strict=True)
    )
    return replace(back, aspects=changed)


def _next(group: SignalGroup, aspect: Aspect, shown_s: int) -> Aspect:
    if aspect is Aspect.WALK and shown_s >= group.walk_s:
        return Aspect.CLEARANCE
    if aspect is Aspect.YELLOW:
        return Aspect.RED if shown_s >= group.yellow_s else aspect
    if aspect is Aspect.CLEARANCE:
        return Aspect.RED if shown_s >= group.clearance_s else aspect
    return aspect


def same_lamps(
    intersection: Intersection, stage: int | None, shown: tuple[Aspect, ...], said: tuple[Aspect, ...]
) -> bool:
    """Whether the cabinet shows what was said; `stage` is the green one, None between two.

    Within a stage that serves a crossing the cabinet starts the walk by its own push button, which it may
    hear a second before us: there, walk and clearance are its own affair.
    """
    return shown == said or all(
        one is other
        or (
            stage is not None
            and group.kind is GroupKind.PEDESTRIAN
            and intersection.stages[stage].serves(index)
        )
        for index, (group, one, other) in enumerate(zip(intersection.groups, shown, said, strict=True))
    )


def believed(status: CabinetStatus) -> CabinetStatus:
    """The status as it is to be taken: with a latched conflict it flashes, whatever its mode says."""
    conflict = status.monitor != 0 or Fault.CONFLICT in status.faults
    return replace(status, mode=CabinetMode.FLASH) if conflict else status


def may_be_written(status: CabinetStatus) -> bool:
    """Whether the centre may write to it: neither the police nor the cabinet itself has taken it."""
    return status.mode not in _ALONE and not police_panel(status)


def police_panel(status: CabinetStatus) -> bool:
    """Whether the police panel is on."""
    return bool(status.panel & _POLICE_BIT)
