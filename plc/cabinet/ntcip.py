"""The virtual cabinet as an NTCIP 1202 controller: its objects, their values now, and what setting them does.

Same signals, conflict monitor, plans and detectors as over Modbus; only the language differs. Control objects
stand until they are changed; every SET of one restarts the backup timer, whose end (unitBackupTime) clears
them all and gives the cabinet back to its own time base. A unitBackupTime of 0 means: never; that is how such
controllers leave the factory, and how this one starts.

A channel is a signal group; on a pedestrian channel green is walk and yellow is the clearance. Zones are 1209
sensor zones with two outputs: 1 all vehicles, 2 queued ones. Maps other than `stagemap.derived` work, but
plans can be downloaded only where each stage is one phase.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from denxanh.networks.model import Aspect, GroupKind, Plan, Split
from denxanh.plc.cabinet.cabinet import POLICE, VirtualCabinet
from denxanh.plc.cabinet.direction import Direction
from denxanh.plc.cabinet.engine import Phase
from denxanh.plc.contract import CabinetMode, ModeRequest, Readings, ZoneReading
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import COUNTER32, INTEGER, OCTET_STRING, Oid, Value, integer
from denxanh.plc.ntcip.message import ErrorStatus
from denxanh.plc.ntcip.oids import cell, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap, derived, phase_mask
from denxanh.plc.ntcip.tables import column_of, phase_timings, split_times

log = logging.getLogger(__name__)

OTHER, SYSTEM_CONTROL, BACKUP_MODE, MANUAL, TIME_BASE, INTERCONNECT = 1, 2, 4, 5, 6, 7
"""unitControlStatus."""
NOT_FLASH, FLASH_MMU, FLASH_STARTUP = 2, 6, 7
"""unitFlashStatus."""
NORMAL, TRANSACTION, VERIFY, DONE = 1, 2, 3, 6
"""dbCreateTransaction."""
NOT_DONE, VERIFY_ERROR, VERIFIED = 0, 1, 2
"""dbVerifyStatus."""
OCCUPANCY_FULL, OCCUPANCY_FAULT = 200, 216
VOLUME_MAX = 255
ZONE_OK, ZONE_FAULT = 1, 8
MASKS = (
    oids.CONTROL_PHASE_OMIT,
    oids.CONTROL_PED_OMIT,
    oids.CONTROL_HOLD,
    oids.CONTROL_FORCE_OFF,
    oids.CONTROL_VEH_CALL,
    oids.CONTROL_PED_CALL,
)
_SPARE_SPLITS = 8
"""Patterns beyond the plans that it starts with, to download into."""

Get = Callable[[], Value]


@dataclass(slots=True)
class _Setting:
    """What may be set: the range, and what setting it does. `control` restarts the backup timer."""

    low: int
    high: int
    put: Callable[[int], None]
    control: bool = False
    transaction: bool = False


class NtcipFace:
    """Attaches itself to a cabinet.

    Args:
        cabinet: whose objects these are.
        stages: its phases; None: one phase per stage.
        backup_s: unitBackupTime at power-up, seconds.
    """

    def __init__(self, cabinet: VirtualCabinet, stages: StageMap | None = None, backup_s: int = 0) -> None:
        self.expired = False
        self.refused = 0
        self._cabinet = cabinet
        self._stages = stages or derived(cabinet.intersection)
        self._backup_s = backup_s
        self._silence_s = 0
        self._pattern, self._sync = oids.STANDBY_PATTERN, oids.OWN_TIME_BASE
        self._masks = dict.fromkeys(MASKS, 0)
        self._set_id = 1
        self._transaction, self._verified = NORMAL, NOT_DONE
        self._buffer: dict[Oid, int] = {}
        self._patterns = {plan.number: plan for plan in cabinet.intersection.plans}
        self._most = max(self._patterns, default=0) + _SPARE_SPLITS
        self._volume: list[int] = []
        self._occupancy: list[int] = []
        self._sequence = 0
        self._last = cabinet.shown_readings.loops
        self._settings: dict[Oid, _Setting] = {}
        self._objects: dict[Oid, Get] = dict(self._table())
        self._order = sorted(self._objects)
        self._after: dict[Oid, Oid] = dict(zip(self._order, self._order[1:], strict=False))
        cabinet.steer_by(self)

    # The cabinet's side

    def second(self) -> Direction | None:
        """See `Steering`: what the control objects ask for, the backup timer moved on."""
        if not self._controlled:
            return None
        self._silence_s += 1
        if 0 < self._backup_s < self._silence_s:
            log.warning("%s: no control object set for %d s, own time base", self._name, self._backup_s)
            self._clear()
            self.expired = True
            return None
        if oids.STANDBY_PATTERN < self._pattern < oids.FREE_PATTERN:
            return Direction(ModeRequest.PLAN, plan=self._pattern)
        engine = self._cabinet.signals
        running = self._stages.mask(engine.stage)
        masks = self._masks
        forced = running & masks[oids.CONTROL_FORCE_OFF]
        if engine.phase is not Phase.GREEN:
            masks[oids.CONTROL_FORCE_OFF] = 0  # clears itself with the end of the green
            forced = 0
        return Direction(
            ModeRequest.ADAPTIVE,
            hold=bool(running & masks[oids.CONTROL_HOLD]) and not forced,
            force_to=self._successor(engine.stage) if forced else None,
            omit_walks=bool(running & masks[oids.CONTROL_PED_OMIT]),
        )

    @property
    def _controlled(self) -> bool:
        return self._pattern != oids.STANDBY_PATTERN or any(self._masks.values())

    @property
    def _name(self) -> str:
        return self._cabinet.intersection.id

    def _clear(self) -> None:
        self._pattern, self._sync = oids.STANDBY_PATTERN, oids.OWN_TIME_BASE
        self._masks.update(dict.fromkeys(MASKS, 0))  # in place: the objects that are read are bound to it
        self._silence_s = 0

    def _successor(self, stage: int) -> int | None:
        """The next stage of the ring that is called (all of its phases), not omitted, and legal."""
        count = len(self._stages.stages)
        calls = self._masks[oids.CONTROL_VEH_CALL] | self._masks[oids.CONTROL_PED_CALL] | self._ped_calls()
        for step in range(1, count):
            other = (stage + step) % count
            mask = self._stages.mask(other)
            legal = self._cabinet.intersection.transitions[stage][other]
            if legal and mask & calls == mask and not mask & self._masks[oids.CONTROL_PHASE_OMIT]:
                return other
        return None

    def shown(self, readings: Readings) -> None:
        """See `Steering`: one volume and occupancy period is one second."""
        loops = readings.loops
        before = self._last if len(self._last) == len(loops) else loops
        self._volume = [
            min((now.count - old.count) % 0x10000, VOLUME_MAX) for now, old in zip(loops, before, strict=True)
        ]
        self._occupancy = [
            OCCUPANCY_FAULT
            if now.fault
            else min((now.occupied_ds - old.occupied_ds) % 0x10000 * 20, OCCUPANCY_FULL)
            for now, old in zip(loops, before, strict=True)
        ]
        self._last = loops
        self._sequence = (self._sequence + 1) % 256

    # The wire's side

    def get(self, oid: Oid) -> Value | None:
        """One object's value now; None where there is no such object."""
        found = self._objects.get(oid)
        return None if found is None else found()

    def following(self, oid: Oid) -> Oid | None:
        """The next object after this name in the order of the tree; None at its end."""
        after = self._after.get(oid)
        if after is None and oid not in self._objects:
            after = next((one for one in self._order if one > oid), None)
        return after

    def put(self, pairs: Sequence[tuple[Oid, Value]]) -> tuple[ErrorStatus, int]:
        """All or none; the error and the position (from 1) of what is at fault."""
        for place, (oid, value) in enumerate(pairs, start=1):
            error = self._objection(oid, value)
            if error is not ErrorStatus.NO_ERROR:
                self.refused += 1
                return error, place
        for oid, value in pairs:
            setting, number = self._settings[oid], value.content
            assert isinstance(number, int)
            if setting.transaction:
                self._buffer[oid] = number
                continue
            setting.put(number)
            if setting.control:
                self._silence_s = 0
                self.expired = False
        return ErrorStatus.NO_ERROR, 0

    def _objection(self, oid: Oid, value: Value) -> ErrorStatus:
        if oid not in self._objects:
            return ErrorStatus.NO_SUCH_NAME
        setting = self._settings.get(oid)
        if setting is None:
            return ErrorStatus.READ_ONLY
        number = value.content
        if value.tag != INTEGER or not isinstance(number, int) or not setting.low <= number <= setting.high:
            return ErrorStatus.BAD_VALUE
        if setting.transaction and self._transaction != TRANSACTION:
            return ErrorStatus.GEN_ERR
        if oid == scalar(oids.SYSTEM_PATTERN_CONTROL) and not self._runnable(number):
            return ErrorStatus.BAD_VALUE
        if oid == scalar(oids.DB_CREATE_TRANSACTION) and not self._may_go(number):
            return ErrorStatus.BAD_VALUE
        return ErrorStatus.NO_ERROR

    def _runnable(self, pattern: int) -> bool:
        """Flash by command is refused: this cabinet flashes by its own faults alone."""
        return pattern in (oids.STANDBY_PATTERN, oids.FREE_PATTERN) or pattern in self._patterns

    # Plans by transaction

    def _may_go(self, state: int) -> bool:
        allowed = {
            NORMAL: (NORMAL, TRANSACTION),
            TRANSACTION: (NORMAL, TRANSACTION, VERIFY),
            DONE: (NORMAL, DONE),
        }
        return state in allowed[self._transaction]

    def _transact(self, state: int) -> None:
        if state == VERIFY:
            plans = self._merged()
            self._verified = VERIFIED if plans is not None else VERIFY_ERROR
            self._transaction = DONE
            return
        if state == NORMAL and self._transaction == DONE and self._verified == VERIFIED:
            plans = self._merged()
            if plans is not None and self._buffer:
                self._patterns = {plan.number: plan for plan in plans}
                self._cabinet.load_plans(plans)
                self._set_id = self._set_id % 0xFFFF + 1
        if state == NORMAL or (state == TRANSACTION and self._transaction == NORMAL):
            self._buffer.clear()
            self._verified = NOT_DONE
        self._transaction = state

    def _merged(self) -> list[Plan] | None:
        """The plans with what was buffered; None where they would not be sound."""
        plans = []
        for number in range(1, self._most + 1):
            cycle = self._buffered(cell(oids.PATTERN_TABLE, oids.PATTERN_CYCLE, number))
            if cycle == 0:
                continue
            offset = self._buffered(cell(oids.PATTERN_TABLE, oids.PATTERN_OFFSET, number))
            split = self._buffered(cell(oids.PATTERN_TABLE, oids.PATTERN_SPLIT, number))
            entries = []
            for stage, phases in enumerate(self._stages.stages):
                (phase,) = phases if len(phases) == 1 else (0,)
                length = self._buffered(cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, split, phase))
                if length:
                    entries.append(Split(stage, length))
            old = self._patterns.get(number)
            if old is not None and {entry.stage for entry in old.splits} == {e.stage for e in entries}:
                lengths = {entry.stage: entry.split_s for entry in entries}
                entries = [Split(entry.stage, lengths[entry.stage]) for entry in old.splits]
            if sum(entry.split_s for entry in entries) != cycle or offset >= cycle or len(entries) < 2:
                return None
            plans.append(Plan(number, old.name if old else f"P{number}", offset, tuple(entries)))
        return plans

    def _buffered(self, oid: Oid) -> int:
        if oid in self._buffer:
            return self._buffer[oid]
        value = self.get(oid)
        return value.content if value is not None and isinstance(value.content, int) else 0

    # The objects

    def _table(self) -> Iterator[tuple[Oid, Get]]:
        yield from self._unit_objects()
        yield from self._phase_objects()
        yield from self._control_objects()
        yield from self._coord_objects()
        yield from self._channel_objects()
        yield from self._detector_objects()

    def _number(self, oid: Oid, get: Callable[[], int]) -> tuple[Oid, Get]:
        return oid, lambda: Value(INTEGER, get())

    def _fixed(self, oid: Oid, number: int) -> tuple[Oid, Get]:
        value = integer(number)
        return oid, lambda: value

    def _unit_objects(self) -> Iterator[tuple[Oid, Get]]:
        cabinet = self._cabinet
        backup = scalar(oids.UNIT_BACKUP_TIME)
        self._settings[backup] = _Setting(0, 0xFFFF, lambda number: setattr(self, "_backup_s", number))
        yield self._number(backup, lambda: self._backup_s)
        yield self._number(scalar(oids.UNIT_CONTROL_STATUS), self._control_status)
        yield self._number(scalar(oids.UNIT_FLASH_STATUS), self._flash_status)
        yield self._number(scalar(oids.UNIT_ALARM_STATUS_1), lambda: 0x10 * (cabinet.conflict is not None))
        yield self._fixed(scalar(oids.UNIT_ALARM_STATUS_2), 0)
        yield self._number(scalar(oids.SHORT_ALARM_STATUS), self._short_alarm)
        yield scalar(oids.GLOBAL_TIME), lambda: Value(COUNTER32, cabinet.status.utc_s)
        yield self._number(scalar(oids.SET_ID_PARAMETER), lambda: self._set_id)
        transact = scalar(oids.DB_CREATE_TRANSACTION)
        self._settings[transact] = _Setting(NORMAL, DONE, self._transact)
        yield self._number(transact, lambda: self._transaction)
        yield self._number(scalar(oids.DB_VERIFY_STATUS), lambda: self._verified)
        yield scalar(oids.DB_VERIFY_ERROR), lambda: Value(OCTET_STRING, b"")

    def _control_status(self) -> int:
        mode = self._cabinet.mode
        if mode in (CabinetMode.START, CabinetMode.FLASH):
            return OTHER
        if mode is CabinetMode.MANUAL:
            return MANUAL
        if self._controlled:
            return SYSTEM_CONTROL
        if self.expired:
            return BACKUP_MODE
        return INTERCONNECT if mode in (CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN) else TIME_BASE

    def _flash_status(self) -> int:
        if self._cabinet.conflict is not None:
            return FLASH_MMU
        return FLASH_STARTUP if self._cabinet.signals.phase is Phase.FLASH else NOT_FLASH

    def _short_alarm(self) -> int:
        status = self._cabinet.status
        return 0x08 * bool(status.panel & POLICE) | 0x40 * bool(status.faults) | 0x80 * status.monitor

    def _phase_objects(self) -> Iterator[tuple[Oid, Get]]:
        stages, intersection = self._stages, self._cabinet.intersection
        yield self._fixed(scalar(oids.MAX_PHASES), stages.phases)
        yield self._fixed(scalar(oids.MAX_PHASE_GROUPS), len(groups(stages.phases)))
        yield self._fixed(scalar(oids.MAX_RINGS), len(stages.rings))
        for ring, order in enumerate(stages.rings, start=1):
            octets = Value(OCTET_STRING, bytes(order))
            yield cell(oids.SEQUENCE_TABLE, oids.SEQUENCE_DATA, 1, ring), partial(_same, octets)
            for phase in order:
                for column, number in phase_timings(intersection, stages, phase).items():
                    yield self._fixed(cell(oids.PHASE_TABLE, column, phase), number)
                yield self._fixed(cell(oids.PHASE_TABLE, oids.PHASE_RING, phase), ring)
                beside = Value(OCTET_STRING, bytes(stages.concurrent(phase)))
                name = cell(oids.PHASE_TABLE, oids.PHASE_CONCURRENCY, phase)
                yield name, partial(_same, beside)
        shown: dict[int, Callable[[], int]] = {
            oids.STATUS_REDS: lambda: self._reds(),
            oids.STATUS_YELLOWS: self._yellows,
            oids.STATUS_GREENS: self._greens,
            oids.STATUS_DONT_WALKS: lambda: self._all & ~self._walks(Aspect.WALK, Aspect.CLEARANCE),
            oids.STATUS_PED_CLEARS: lambda: self._walks(Aspect.CLEARANCE),
            oids.STATUS_WALKS: lambda: self._walks(Aspect.WALK),
            oids.STATUS_VEH_CALLS: lambda: self._masks[oids.CONTROL_VEH_CALL],
            oids.STATUS_PED_CALLS: lambda: self._ped_calls(),
            oids.STATUS_PHASE_ONS: self._ons,
            oids.STATUS_PHASE_NEXTS: self._nexts,
        }
        for column, get in shown.items():
            yield from self._grouped(oids.PHASE_STATUS_GROUP, column, stages.phases, get)

    def _grouped(
        self, table: Oid, column: int, items: int, get: Callable[[], int]
    ) -> Iterator[tuple[Oid, Get]]:
        for group in groups(items):
            shift = 8 * (group - 1)
            yield self._number(cell(table, column, group), partial(_byte, get, shift))

    @property
    def _all(self) -> int:
        return phase_mask(frozenset(phase for ring in self._stages.rings for phase in ring))

    def _ons(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            return self._stages.mask(engine.stage)
        return self._stages.mask(self._cabinet.left_stage) if engine.phase is Phase.INTERSTAGE else 0

    def _greens(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            return self._stages.mask(engine.stage)
        if engine.phase is Phase.INTERSTAGE:
            return self._stages.mask(self._cabinet.left_stage) & self._stages.mask(engine.stage)
        return 0

    def _yellows(self) -> int:
        engine = self._cabinet.signals
        yellow = engine.phase is Phase.INTERSTAGE and Aspect.YELLOW in engine.aspects
        return self._ons() & ~self._greens() if yellow else 0

    def _reds(self) -> int:
        dark = self._cabinet.signals.phase is Phase.FLASH
        return 0 if dark else self._all & ~self._greens() & ~self._yellows()

    def _nexts(self) -> int:
        engine = self._cabinet.signals
        if engine.phase is Phase.GREEN:
            there = self._stages.mask(engine.next_stage)
            return there & ~self._stages.mask(engine.stage)
        return self._stages.mask(engine.stage) & ~self._greens()

    def _walks(self, *aspects: Aspect) -> int:
        engine = self._cabinet.signals
        stages = self._cabinet.intersection.stages
        walking = [g for g, signal in enumerate(engine.signals) if signal.aspect in aspects]
        return sum(self._stages.mask(s) for s in (engine.stage,) if any(stages[s].serves(g) for g in walking))

    def _ped_calls(self) -> int:
        buttons = zip(self._buttons(), self._cabinet.shown_readings.buttons, strict=True)
        called = {group for detector, pressed in buttons if pressed for group in detector}
        mask = 0
        for stage, one in enumerate(self._cabinet.intersection.stages):
            if any(one.serves(group) for group in called):
                mask |= self._stages.mask(stage)
        return mask

    def _buttons(self) -> list[tuple[int, ...]]:
        return [d.groups for d in self._cabinet.intersection.detectors if d.kind == "button"]

    def _control_objects(self) -> Iterator[tuple[Oid, Get]]:
        for column in MASKS:
            for group in groups(self._stages.phases):
                name = cell(oids.PHASE_CONTROL_GROUP, column, group)
                shift = 8 * (group - 1)

                def put(number: int, column: int = column, shift: int = shift) -> None:
                    self._masks[column] = self._masks[column] & ~(0xFF << shift) | number << shift

                self._settings[name] = _Setting(0, 0xFF, put, control=True)
            yield from self._grouped(
                oids.PHASE_CONTROL_GROUP,
                column,
                self._stages.phases,
                partial(self._masks.__getitem__, column),
            )

    def _coord_objects(self) -> Iterator[tuple[Oid, Get]]:
        cabinet = self._cabinet
        pattern, sync = scalar(oids.SYSTEM_PATTERN_CONTROL), scalar(oids.SYSTEM_SYNC_CONTROL)
        self._settings[pattern] = _Setting(0, 255, lambda n: setattr(self, "_pattern", n), control=True)
        # The cabinet has a clock of its own; a position in the cycle from outside is not taken.
        self._settings[sync] = _Setting(255, 255, lambda n: setattr(self, "_sync", n), control=True)
        yield self._number(pattern, lambda: self._pattern)
        yield self._number(sync, lambda: self._sync)
        yield self._fixed(scalar(oids.COORD_OPERATIONAL_MODE), 0)
        yield self._number(scalar(oids.COORD_PATTERN_STATUS), self._pattern_status)
        yield self._number(
            scalar(oids.COORD_CYCLE_STATUS), lambda: cabinet.status.cycle_s - cabinet.status.cycle_second
        )
        yield self._number(scalar(oids.COORD_SYNC_STATUS), lambda: cabinet.status.cycle_second)
        yield self._fixed(scalar(oids.MAX_PATTERNS), self._most)
        yield self._fixed(scalar(oids.MAX_SPLITS), self._most)
        for number in range(1, self._most + 1):
            yield from self._pattern_objects(number)

    def _pattern_objects(self, number: int) -> Iterator[tuple[Oid, Get]]:
        def plan() -> Plan | None:
            return self._patterns.get(number)

        def cycle() -> int:
            found = plan()
            return found.cycle_s if found else 0

        def offset() -> int:
            found = plan()
            return found.offset_s if found else 0

        for column, get in ((oids.PATTERN_CYCLE, cycle), (oids.PATTERN_OFFSET, offset)):
            name = cell(oids.PATTERN_TABLE, column, number)
            self._settings[name] = _Setting(0, 0xFFFF, _nothing, transaction=True)
            yield self._number(name, get)
        name = cell(oids.PATTERN_TABLE, oids.PATTERN_SPLIT, number)
        self._settings[name] = _Setting(number, number, _nothing, transaction=True)
        yield self._fixed(name, number)
        yield self._fixed(cell(oids.PATTERN_TABLE, oids.PATTERN_SEQUENCE, number), 1)
        for phase in sorted(phase for ring in self._stages.rings for phase in ring):
            name = cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, number, phase)
            self._settings[name] = _Setting(0, 0xFFFF, _nothing, transaction=True)

            def split(phase: int = phase) -> int:
                found = plan()
                return split_times(found, self._stages).get(phase, 0) if found else 0

            yield self._number(name, split)

    def _pattern_status(self) -> int:
        mode = self._cabinet.mode
        if mode is CabinetMode.FLASH:
            return oids.FLASH_PATTERN
        if mode in (CabinetMode.ADAPTIVE, CabinetMode.START, CabinetMode.MANUAL):
            return oids.FREE_PATTERN
        return self._cabinet.status.plan or oids.FREE_PATTERN

    def _channel_objects(self) -> Iterator[tuple[Oid, Get]]:
        count = self._stages.channel_count
        kinds = [group.kind for group in self._cabinet.intersection.groups]

        def lit(column: int) -> int:
            mask = 0
            for index, aspect in enumerate(self._cabinet.signals.aspects):
                walks = kinds[index] is GroupKind.PEDESTRIAN
                if column_of(aspect, walks) == column:
                    mask |= 1 << self._stages.channels[index] - 1
            return mask

        yield self._fixed(scalar(oids.MAX_CHANNELS), count)
        for column in (oids.CHANNEL_REDS, oids.CHANNEL_YELLOWS, oids.CHANNEL_GREENS):
            yield from self._grouped(oids.CHANNEL_STATUS_GROUP, column, count, partial(lit, column))

    def _detector_objects(self) -> Iterator[tuple[Oid, Get]]:
        layout, cabinet = self._cabinet.layout, self._cabinet
        yield self._fixed(scalar(oids.MAX_VEHICLE_DETECTORS), layout.loops)
        yield self._number(scalar(oids.VOLUME_OCCUPANCY_SEQUENCE), lambda: self._sequence)
        yield self._fixed(scalar(oids.VOLUME_OCCUPANCY_PERIOD), 1)
        yield self._fixed(scalar(oids.ACTIVE_DETECTORS), layout.loops)
        for loop in range(layout.loops):
            table = oids.VOLUME_OCCUPANCY_TABLE
            for column, values in (
                (oids.DETECTOR_VOLUME, lambda: self._volume),
                (oids.DETECTOR_OCCUPANCY, lambda: self._occupancy),
            ):
                yield self._number(
                    cell(table, column, loop + 1),
                    partial(_nth, values, loop),
                )
        yield from self._grouped(
            oids.PED_DETECTOR_STATUS_GROUP,
            oids.PED_DETECTOR_ACTIVE,
            layout.buttons,
            lambda: sum(1 << n for n, pressed in enumerate(cabinet.shown_readings.buttons) if pressed),
        )
        for zone in range(layout.zones):
            yield from self._zone_objects(zone)

    def _zone_objects(self, zone: int) -> Iterator[tuple[Oid, Get]]:
        cabinet = self._cabinet

        def name(column: int, output: int) -> Oid:
            return cell(oids.TSS_DATA, column, zone + 1, output)

        def zones() -> ZoneReading:
            return cabinet.shown_readings.zones[zone]

        def of(get: Callable[[], float]) -> Get:
            return lambda: Value(INTEGER, round(get()))

        yield (
            name(oids.TSS_END_TIME, 1),
            lambda: Value(COUNTER32, max(0, cabinet.status.utc_s - zones().age_ds // 10)),
        )
        yield name(oids.TSS_VOLUME, 1), of(lambda: zones().vehicles)
        yield name(oids.TSS_VOLUME, 2), of(lambda: zones().queued)
        yield name(oids.TSS_OCCUPANCY, 1), of(lambda: zones().occupancy * 1000)
        yield name(oids.TSS_SPEED, 1), of(lambda: zones().speed_kmh * 10)
        yield name(oids.TSS_ZONE_STATUS, 1), of(lambda: ZONE_FAULT if zones().fault else ZONE_OK)


def _nothing(_number: int) -> None:
    """Set by the transaction's end."""


def _same(value: Value) -> Value:
    return value


def _byte(get: Callable[[], int], shift: int) -> int:
    """Eight items of a mask: a group."""
    return get() >> shift & 0xFF


def _nth(values: Callable[[], Sequence[int]], place: int) -> int:
    """Of a loop; 0 before the first period."""
    found = values()
    return found[place] if found else 0
