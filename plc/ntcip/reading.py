"""What a poll asks for, and what its numbers mean: stage, lamps, detectors. Pure.

NTCIP carries neither a stage nor its elapsed green: the stage follows from the phases that are green (or
next), and green seconds are counted on the controller's own clock (globalTime) from when they were first
seen. So a green that already ran when the first poll came looks younger than it is, which is the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from denxanh.errors import FrameError
from denxanh.networks.model import DetectorKind, GroupKind, Intersection
from denxanh.plc.contract import CabinetMode, LoopReading, Readings, ZoneReading
from denxanh.plc.modbus.layout import WORD_MAX, Layout
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Oid, text
from denxanh.plc.ntcip.oids import cell, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap

MASKS = (
    oids.CONTROL_PHASE_OMIT,
    oids.CONTROL_PED_OMIT,
    oids.CONTROL_HOLD,
    oids.CONTROL_FORCE_OFF,
    oids.CONTROL_VEH_CALL,
    oids.CONTROL_PED_CALL,
)
"""The control groups that are written, and read back every second."""
CALLS = oids.STATUS_PED_CALLS
PHASES = (oids.STATUS_GREENS, oids.STATUS_YELLOWS, oids.STATUS_PHASE_ONS, oids.STATUS_PHASE_NEXTS)
CHANNELS = (oids.CHANNEL_REDS, oids.CHANNEL_YELLOWS, oids.CHANNEL_GREENS)
SCALARS = (
    oids.UNIT_BACKUP_TIME,
    oids.UNIT_CONTROL_STATUS,
    oids.UNIT_FLASH_STATUS,
    oids.UNIT_ALARM_STATUS_1,
    oids.SHORT_ALARM_STATUS,
    oids.COORD_PATTERN_STATUS,
    oids.COORD_SYNC_STATUS,
    oids.SYSTEM_PATTERN_CONTROL,
    oids.SYSTEM_SYNC_CONTROL,
    oids.GLOBAL_TIME,
    oids.SET_ID_PARAMETER,
)
SYSTEM_CONTROL, MANUAL, BACKUP_MODE = 2, 5, 4
OTHER_CONTROL = 1
NOT_FLASH, FLASH_STARTUP = 2, 7
MMU_FLASH_BIT = 0x10
OCCUPANCY_FULL = 200
"""Half a per cent each; above it stand fault codes."""
OCCUPANCY_PERIOD_S = 1
CLOCK_STEP_MAX_S = 10
"""A globalTime that moves on by more is a clock that was set, not time that passed."""
STRADDLE_S = 1
"""A poll of several messages can fall on both sides of the controller's second: its zones may then be so much
younger than its clock."""
MAX_SPEED_DKMH = 3000
VOLUME_OVERFLOW = 255


def poll_names(layout: Layout, stages: StageMap, suffix: Oid = (0,)) -> tuple[Oid, ...]:
    """Everything that one second needs."""
    names = [scalar(oid, suffix) for oid in SCALARS]
    for number in groups(stages.phases):
        names += [cell(oids.PHASE_STATUS_GROUP, column, number) for column in (*PHASES, CALLS)]
        names += [cell(oids.PHASE_CONTROL_GROUP, column, number) for column in MASKS]
    for number in groups(stages.channel_count):
        names += [cell(oids.CHANNEL_STATUS_GROUP, column, number) for column in CHANNELS]
    if layout.loops:
        names.append(scalar(oids.VOLUME_OCCUPANCY_SEQUENCE, suffix))
    for loop in range(1, layout.loops + 1):
        names.append(cell(oids.VOLUME_OCCUPANCY_TABLE, oids.DETECTOR_VOLUME, loop))
        names.append(cell(oids.VOLUME_OCCUPANCY_TABLE, oids.DETECTOR_OCCUPANCY, loop))
    names += [
        cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, number)
        for number in groups(layout.buttons)
    ]
    for zone in range(1, layout.zones + 1):
        columns = (
            oids.TSS_END_TIME,
            oids.TSS_VOLUME,
            oids.TSS_OCCUPANCY,
            oids.TSS_SPEED,
            oids.TSS_ZONE_STATUS,
        )
        names += [cell(oids.TSS_DATA, column, zone, 1) for column in columns]
        names.append(cell(oids.TSS_DATA, oids.TSS_VOLUME, zone, 2))
    return tuple(names)


def optional(name: Oid) -> bool:
    """Whether control works without this object: sensor zones (1209) and button states (1202 v03).

    Without them the zones read as faulty, and a button as called where the controller shows a pedestrian call
    of one of its phases.
    """
    return name[: len(oids.TSS)] == oids.TSS or name[: len(_BUTTONS)] == _BUTTONS


_BUTTONS = oids.PED_DETECTOR_STATUS_GROUP


class Numbers:
    """The integers of one poll, by name; asking for one that did not come is a `FrameError`."""

    __slots__ = ("_found", "_suffix")

    def __init__(self, found: Mapping[Oid, int], suffix: Oid) -> None:
        self._found = found
        self._suffix = suffix

    def of(self, oid: Oid) -> int:
        """One instance."""
        try:
            return self._found[oid]
        except KeyError:
            raise FrameError("no number came for this object", where=text(oid), fix="poll again") from None

    def has(self, oid: Oid) -> bool:
        """Whether it was asked for and came."""
        return oid in self._found

    def scalar(self, oid: Oid) -> int:
        """A scalar's."""
        return self.of((*oid, *self._suffix))

    def mask(self, table: Oid, column: int, items: int) -> int:
        """The octets of a group's column together, bit n for item n + 1."""
        found = 0
        for number in groups(items):
            octet = self.of(cell(table, column, number))
            if not 0 <= octet <= 0xFF:
                raise FrameError(
                    f"{octet} is no mask of 8 items",
                    where=text(cell(table, column, number)),
                    fix="check that the peer is an NTCIP 1202 controller",
                )
            found |= octet << oids.ITEMS_PER_GROUP * (number - 1)
        return found


@dataclass(frozen=True, slots=True)
class Trail:
    """What must be remembered between polls; `now` counts the controller's seconds and never jumps."""

    now: int = 0
    time: int | None = None
    stage: int = 0
    green_since: int | None = None
    """In `now`; None between two greens."""
    sequence: int | None = None
    counts: tuple[int, ...] = ()
    occupied: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Signals:
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
    if not 0 <= step <= CLOCK_STEP_MAX_S:
        step = 1
    return replace(trail, time=time, now=trail.now + step)


def signals(
    trail: Trail, numbers: Numbers, intersection: Intersection, stages: StageMap
) -> tuple[Trail, Signals]:
    """Stage and lamps."""
    greens, yellows, _, nexts = (
        numbers.mask(oids.PHASE_STATUS_GROUP, column, stages.phases) for column in PHASES
    )
    running = stages.stage_of(greens)
    announced: int | None = None
    if running is not None and not yellows:
        fresh = trail.green_since is None or trail.stage != running
        trail = replace(trail, stage=running, green_since=trail.now if fresh else trail.green_since)
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
        trail = replace(trail, stage=trail.stage if running is None else running, green_since=None)
    flash = numbers.scalar(oids.UNIT_FLASH_STATUS) != NOT_FLASH
    reds, ambers, lit = (
        numbers.mask(oids.CHANNEL_STATUS_GROUP, column, stages.channel_count) for column in CHANNELS
    )
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


def mode(numbers: Numbers, shown: Signals, promised: int | None) -> CabinetMode:
    """Who is in charge.

    A stage that the controller has announced by itself counts as its own until it has run: only then does it
    do what the masks say.
    """
    flash, control = numbers.scalar(oids.UNIT_FLASH_STATUS), numbers.scalar(oids.UNIT_CONTROL_STATUS)
    pattern = numbers.scalar(oids.COORD_PATTERN_STATUS)
    if flash == FLASH_STARTUP or (flash == NOT_FLASH and control == OTHER_CONTROL):
        return CabinetMode.START
    if flash != NOT_FLASH:
        return CabinetMode.FLASH
    if control == MANUAL:
        return CabinetMode.MANUAL
    free = pattern == oids.FREE_PATTERN
    if control != SYSTEM_CONTROL:
        return CabinetMode.LOCAL_ACTUATED if free else CabinetMode.LOCAL_PLAN
    if not free:
        return CabinetMode.CENTRAL_PLAN
    obeys = shown.next_stage is None or shown.next_stage == promised
    return CabinetMode.ADAPTIVE if obeys else CabinetMode.LOCAL_ACTUATED


def readings(
    trail: Trail, numbers: Numbers, layout: Layout, callers: tuple[int, ...], phases: int
) -> tuple[Trail, Readings]:
    """Detectors. Volumes and occupancies of a period are added up into free-running counters.

    A period that was missed between two polls is not made up for: its vehicles are lost, as its sequence
    number shows. `callers` are the phases that serve each button, `phases` their highest number.
    """
    counts = trail.counts or (0,) * layout.loops
    occupied = trail.occupied or (0.0,) * layout.loops
    loops: list[LoopReading] = []
    if layout.loops:
        sequence = numbers.scalar(oids.VOLUME_OCCUPANCY_SEQUENCE)
        new = sequence != trail.sequence
        table = oids.VOLUME_OCCUPANCY_TABLE
        more_counts, more_occupied = list(counts), list(occupied)
        for loop in range(layout.loops):
            volume = numbers.of(cell(table, oids.DETECTOR_VOLUME, loop + 1))
            share = numbers.of(cell(table, oids.DETECTOR_OCCUPANCY, loop + 1))
            fault = not (0 <= share <= OCCUPANCY_FULL and 0 <= volume <= VOLUME_OVERFLOW)
            if new and not fault:
                more_counts[loop] = (counts[loop] + volume) & WORD_MAX
                more_occupied[loop] = (occupied[loop] + share * OCCUPANCY_PERIOD_S / 20) % (WORD_MAX + 1)
            loops.append(LoopReading(more_counts[loop], int(more_occupied[loop]), fault, 0))
        counts, occupied = tuple(more_counts), tuple(more_occupied)
        trail = replace(trail, sequence=sequence, counts=counts, occupied=occupied)
    if numbers.has(cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, 1)):
        pressed = numbers.mask(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, layout.buttons)
        buttons = tuple(bool(pressed >> n & 1) for n in range(layout.buttons))
    else:
        calls = numbers.mask(oids.PHASE_STATUS_GROUP, CALLS, phases)
        buttons = tuple(bool(calls & phases_of) for phases_of in callers)
    zones = tuple(_zone(numbers, zone) for zone in range(1, layout.zones + 1))
    return trail, Readings(tuple(loops), zones, buttons)


def callers(intersection: Intersection, stages: StageMap) -> tuple[int, ...]:
    """For each push button, the phases that serve it."""
    served = []
    for detector in intersection.detectors:
        if detector.kind is DetectorKind.BUTTON:
            phases = 0
            for index, stage in enumerate(intersection.stages):
                if any(stage.serves(group) for group in detector.groups):
                    phases |= stages.mask(index)
            served.append(phases)
    return tuple(served)


_NO_ZONE = ZoneReading(0, 0, 0.0, 0.0, fault=True, age_ds=WORD_MAX)


def _zone(numbers: Numbers, zone: int) -> ZoneReading:
    if not numbers.has(cell(oids.TSS_DATA, oids.TSS_VOLUME, zone, 2)):
        return _NO_ZONE

    def value(column: int, output: int = 1) -> int:
        return numbers.of(cell(oids.TSS_DATA, column, zone, output))

    vehicles, queued = value(oids.TSS_VOLUME), value(oids.TSS_VOLUME, 2)
    occupancy, speed = value(oids.TSS_OCCUPANCY), value(oids.TSS_SPEED)
    age_s = numbers.scalar(oids.GLOBAL_TIME) - value(oids.TSS_END_TIME)
    sound = (
        value(oids.TSS_ZONE_STATUS) == 1
        and 0 <= queued <= vehicles <= WORD_MAX
        and 0 <= occupancy <= 1000
        and 0 <= speed <= MAX_SPEED_DKMH
        and age_s >= -STRADDLE_S
    )
    return ZoneReading(
        vehicles=min(max(vehicles, 0), WORD_MAX),
        queued=min(max(queued, 0), max(vehicles, 0), WORD_MAX),
        occupancy=min(max(occupancy, 0), 1000) / 1000,
        speed_kmh=min(max(speed, 0), MAX_SPEED_DKMH) / 10,
        fault=not sound,
        age_ds=min(max(age_s, 0) * 10, WORD_MAX),
    )
