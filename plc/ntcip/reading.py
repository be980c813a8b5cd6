"""What a poll's numbers mean: time, stage, lamps, mode. Pure.

NTCIP carries neither a stage nor its elapsed green: the stage follows from the phases that are green (or
next), and green seconds are counted on the controller's own clock (globalTime) from when they were first
seen. So a green that already ran when the first poll came looks younger than it is, which is the safe side.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from denxanh.networks.model import GroupKind, Intersection
from denxanh.plc.contract import CabinetMode
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.detecting import Counters
from denxanh.plc.ntcip.numbers import CHANNELS, PHASES, Numbers
from denxanh.plc.ntcip.stagemap import StageMap

SYSTEM_CONTROL, MANUAL, BACKUP_MODE = 2, 5, 4
OTHER_CONTROL = 1
NOT_FLASH, FLASH_STARTUP = 2, 7
MMU_FLASH_BIT = 0x10
LOCAL_OVERRIDE_BIT, STOP_TIME_BIT = 0x08, 0x80
"""Of shortAlarmStatus: somebody at the controller has taken it; its signals are stopped where they are."""
CLOCK_STEP_MAX_S = 10
"""A globalTime that moves on by more is a clock that was set, not time that passed. So is one that moves
back, or on by over a second more than sysUpTime."""
UNSEEN_S = 3
"""No stage ends and comes back in so short a time: a yellow lasts as long."""
UP_MAX = 1 << 32
"""sysUpTime starts again at 0 after 497 days."""
UP_WRAP = 3600 * 100
"""That is told from a restart by both values' distance from the turn: an hour."""


class Trail(NamedTuple):
    """What must be remembered between polls; `now` counts the controller's seconds and never jumps."""

    now: int = 0
    time: int | None = None
    stage: int = 0
    green_since: int | None = None
    """In `now`; None between two greens."""
    counters: Counters = Counters()
    up: int | None = None
    """sysUpTime, hundredths of a second; None where the controller has none."""
    backup_s: int | None = None
    """unitBackupTime."""


class Signals(NamedTuple):
    """Masks over groups, and what the phases say. `next_stage` is None where nothing is announced."""

    green: int
    yellow: int
    red: int
    flashing: int
    next_stage: int | None
    known: bool
    """Whether the green phases are a stage of ours, or on the way to one."""


def passed(trail: Trail, numbers: Numbers) -> Trail:
    """Let the controller's own clock move on."""
    time = numbers.scalar(oids.GLOBAL_TIME)
    step = 1 if trail.time is None else time - trail.time
    up = numbers.scalar_if_any(oids.SYS_UP_TIME)
    run_s = _run_s(trail.up, up)
    if run_s is not None and (step < 0 or step > run_s + 1):
        step = run_s
    if not 0 <= step <= CLOCK_STEP_MAX_S:
        step = 1
    backup_s = numbers.scalar(oids.UNIT_BACKUP_TIME)
    return trail._replace(time=time, now=trail.now + step, up=up, backup_s=backup_s)


def _run_s(before: int | None, up: int | None) -> int | None:
    """Seconds between two values of sysUpTime, at least 1; None where they do not tell.

    An agent may count whole seconds, or bring the value up to date now and then. So it bounds how far
    globalTime can have moved on (a clock that was set would else move the end of a promise), and no more.
    """
    if before is None or up is None:
        return None
    run = up - before if up >= before else up - before + UP_MAX
    run_s = (run + 50) // 100
    return run_s if 1 <= run_s <= CLOCK_STEP_MAX_S else None


def silent(before: Trail, numbers: Numbers) -> bool:
    """Whether so much time has passed since the last poll that a stage may have ended and come back.

    By sysUpTime, or by globalTime where that is missing; a clock that was set counts as a silence then.
    """
    if before.time is None:
        return False
    up = numbers.scalar_if_any(oids.SYS_UP_TIME)
    if before.up is not None and up is not None:
        return not 0 <= (up - before.up) % UP_MAX <= UNSEEN_S * 100
    return not 0 <= numbers.scalar(oids.GLOBAL_TIME) - before.time <= UNSEEN_S


def restarted(before: Trail, now: Trail) -> bool:
    """Whether a controller in which no control object stands has restarted between two polls.

    sysUpTime fell; without that object, its unitBackupTime is another (the factory's).
    """
    if before.up is not None and now.up is not None:
        wrapped = before.up > UP_MAX - UP_WRAP and now.up < UP_WRAP
        return now.up < before.up and not wrapped
    return before.backup_s is not None and now.backup_s != before.backup_s


def forgotten(trail: Trail) -> Trail:
    """What is left to know of a controller that has restarted: greens count anew."""
    return trail._replace(green_since=None, counters=replace(trail.counters, sequence=None))


def signals(
    trail: Trail, numbers: Numbers, intersection: Intersection, stages: StageMap
) -> tuple[Trail, Signals]:
    """Stage and lamps."""
    greens, yellows, _, nexts = numbers.masks(oids.PHASE_STATUS_GROUP, PHASES, stages.phases)
    running = stages.stage_of(greens)
    announced: int | None = None
    if running is not None and not yellows:
        fresh = trail.green_since is None or trail.stage != running
        trail = trail._replace(stage=running, green_since=trail.now if fresh else trail.green_since)
        announced = next(
            (
                stage
                for stage in range(len(stages.stages))
                if nexts and stage != running and stages.mask(stage) & ~greens == nexts
            ),
            None,
        )
    else:
        running = stages.stage_of(greens | nexts)
        trail = trail._replace(stage=trail.stage if running is None else running, green_since=None)
    flash = numbers.scalar(oids.UNIT_FLASH_STATUS) != NOT_FLASH
    reds, ambers, lit = numbers.masks(oids.CHANNEL_STATUS_GROUP, CHANNELS, stages.channel_count)
    green = yellow = red = flashing = 0
    for index, channel in enumerate(stages.channels):
        bit = 1 << channel - 1
        if flash:
            flashing |= 1 << index
        elif lit & bit:
            green |= 1 << index
        elif ambers & bit and intersection.groups[index].kind is GroupKind.PEDESTRIAN:
            flashing |= 1 << index
        elif ambers & bit:
            yellow |= 1 << index
        elif reds & bit:
            red |= 1 << index
    return trail, Signals(green, yellow, red, flashing, announced, running is not None)


def overridden(numbers: Numbers, *, alarms: bool = True) -> bool:
    """Whether somebody there has taken it, by unitControlStatus or (`alarms`) shortAlarmStatus."""
    short = numbers.scalar(oids.SHORT_ALARM_STATUS) if alarms else 0
    return numbers.scalar(oids.UNIT_CONTROL_STATUS) == MANUAL or bool(short & LOCAL_OVERRIDE_BIT)


def mode(numbers: Numbers, shown: Signals, promised: int | None, *, alarms: bool = True) -> CabinetMode:
    """Who is in charge; `alarms`: whether shortAlarmStatus counts.

    A stage that the controller has announced by itself counts as its plan's until it has run: only then does
    it do what the masks say.
    """
    flash, control = numbers.scalar(oids.UNIT_FLASH_STATUS), numbers.scalar(oids.UNIT_CONTROL_STATUS)
    pattern = numbers.scalar(oids.COORD_PATTERN_STATUS)
    if flash == FLASH_STARTUP or (flash == NOT_FLASH and control == OTHER_CONTROL):
        return CabinetMode.START
    if flash != NOT_FLASH:
        return CabinetMode.FLASH
    if overridden(numbers, alarms=alarms):
        return CabinetMode.MANUAL
    if alarms and numbers.scalar(oids.SHORT_ALARM_STATUS) & STOP_TIME_BIT:
        return CabinetMode.FAULT
    free = pattern == oids.FREE_PATTERN
    if control != SYSTEM_CONTROL:
        return CabinetMode.LOCAL_ACTUATED if free else CabinetMode.LOCAL_PLAN
    if not free:
        return CabinetMode.CENTRAL_PLAN
    obeys = shown.next_stage is None or shown.next_stage == promised
    return CabinetMode.ADAPTIVE if obeys else CabinetMode.CENTRAL_PLAN
