"""The virtual cabinet as an NTCIP 1202 controller: its objects, their values now, and what setting them does.

Same signals, conflict monitor, plans and detectors as over Modbus; only the language differs.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from denxanh.plc.cabinet.cabinet import POLICE, VirtualCabinet
from denxanh.plc.cabinet.direction import Direction
from denxanh.plc.cabinet.engine import Phase
from denxanh.plc.cabinet.ntcip.database import PlanDatabase
from denxanh.plc.cabinet.ntcip.detectors import Detectors
from denxanh.plc.cabinet.ntcip.orders import StandingOrders
from denxanh.plc.cabinet.ntcip.phases import Phases
from denxanh.plc.cabinet.ntcip.table import Get, Objects, Setting, Settings, fixed, number
from denxanh.plc.contract import CabinetMode, Readings
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import COUNTER32, INTEGER, TIME_TICKS, Oid, Value
from denxanh.plc.ntcip.message import ErrorStatus
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.stagemap import StageMap, derived

OTHER, SYSTEM_CONTROL, BACKUP_MODE, MANUAL, TIME_BASE, INTERCONNECT = 1, 2, 4, 5, 6, 7
"""unitControlStatus."""
NOT_FLASH, FLASH_MMU, FLASH_STARTUP = 2, 6, 7
"""unitFlashStatus."""
TICKS_PER_S = 100
"""Of sysUpTime."""
TICKS_MAX = 1 << 32


class NtcipFace:
    """Attaches itself to a cabinet.

    Args:
        cabinet: whose objects these are.
        stages: its phases; None: one phase per stage. Other maps work, but plans can be downloaded only where
            each stage is one phase.
        backup_s: unitBackupTime at power-up, seconds.

    Attributes:
        orders: accepted writes of control objects.
        refused: SETs that were refused.
    """

    def __init__(self, cabinet: VirtualCabinet, stages: StageMap | None = None, backup_s: int = 0) -> None:
        self.orders = self.refused = 0
        self._cabinet = cabinet
        stages = stages or derived(cabinet.intersection)
        self._standing = StandingOrders(cabinet, stages, backup_s)
        self._database = PlanDatabase(cabinet, stages)
        self._phases = Phases(cabinet, stages, self._standing)
        self._detectors = Detectors(cabinet)
        self._up_s = 0
        self._serial = secrets.randbelow(oids.SET_SERIAL_MAX + 1)
        """snmpSetSerialNo: begins anywhere, so that what was recorded before a restart stays refused."""
        self._settings: Settings = {}
        self._objects: dict[Oid, Get] = dict(self._table())
        self._order = sorted(self._objects)
        self._after: dict[Oid, Oid] = dict(zip(self._order, self._order[1:], strict=False))
        cabinet.steer_by(self)

    # The cabinet's side

    @property
    def expired(self) -> bool:
        """See `Steering`."""
        return self._standing.expired

    def second(self) -> Direction | None:
        """See `Steering`: what the control objects ask for, the backup timer moved on."""
        self._up_s += 1
        return self._standing.second()

    def restarted(self) -> None:
        """See `Steering`."""
        self._up_s = 0
        self._serial = secrets.randbelow(oids.SET_SERIAL_MAX + 1)
        self._standing.restart()
        self._database.restart()

    def shown(self, readings: Readings) -> None:
        """See `Steering`."""
        self._detectors.period(readings)

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
        control = False
        for oid, value in pairs:
            setting, content = self._settings[oid], value.content
            assert isinstance(content, int)
            if setting.transaction:
                self._database.buffer(oid, content)
                continue
            setting.put(content)
            control |= setting.control
        if control:
            self.orders += 1
            self._standing.touched()
        return ErrorStatus.NO_ERROR, 0

    def _objection(self, oid: Oid, value: Value) -> ErrorStatus:
        if oid not in self._objects:
            return ErrorStatus.NO_SUCH_NAME
        setting = self._settings.get(oid)
        if setting is None:
            return ErrorStatus.READ_ONLY
        content = value.content
        if value.tag != INTEGER or not isinstance(content, int) or not setting.low <= content <= setting.high:
            return ErrorStatus.BAD_VALUE
        if setting.transaction and not self._database.open:
            return ErrorStatus.GEN_ERR
        if setting.allowed is not None and not setting.allowed(content):
            return setting.refusal
        return ErrorStatus.NO_ERROR

    # The objects

    def _table(self) -> Objects:
        yield from self._unit()
        yield from self._phases.objects()
        yield from self._standing.objects(self._settings)
        yield from self._database.objects(self._settings)
        yield from self._detectors.objects()

    def _unit(self) -> Objects:
        cabinet, standing = self._cabinet, self._standing
        yield number(scalar(oids.UNIT_CONTROL_STATUS), self._control_status)
        yield number(scalar(oids.UNIT_FLASH_STATUS), self._flash_status)
        yield number(scalar(oids.UNIT_ALARM_STATUS_1), lambda: 0x10 * (cabinet.conflict is not None))
        yield fixed(scalar(oids.UNIT_ALARM_STATUS_2), 0)
        yield number(scalar(oids.SHORT_ALARM_STATUS), self._short_alarm)
        yield scalar(oids.GLOBAL_TIME), lambda: Value(COUNTER32, cabinet.status.utc_s)
        yield scalar(oids.SYS_UP_TIME), lambda: Value(TIME_TICKS, self._up_s * TICKS_PER_S % TICKS_MAX)
        pattern = scalar(oids.SYSTEM_PATTERN_CONTROL)
        self._settings[pattern] = Setting(
            0, 255, standing.put_pattern, control=True, allowed=self._database.runnable
        )
        yield number(pattern, lambda: standing.pattern)
        serial = scalar(oids.SET_SERIAL)
        self._settings[serial] = Setting(
            0,
            oids.SET_SERIAL_MAX,
            self._count_set,
            allowed=lambda now: now == self._serial,
            refusal=ErrorStatus.INCONSISTENT_VALUE,
        )
        yield number(serial, lambda: self._serial)

    def _count_set(self, now: int) -> None:
        self._serial = now + 1 if now < oids.SET_SERIAL_MAX else 0

    def _control_status(self) -> int:
        mode = self._cabinet.mode
        if mode in (CabinetMode.START, CabinetMode.FLASH):
            return OTHER
        if mode is CabinetMode.MANUAL:
            return MANUAL
        if self._standing.controlled:
            return SYSTEM_CONTROL
        if self._standing.expired:
            return BACKUP_MODE
        return INTERCONNECT if mode in (CabinetMode.ADAPTIVE, CabinetMode.CENTRAL_PLAN) else TIME_BASE

    def _flash_status(self) -> int:
        if self._cabinet.conflict is not None:
            return FLASH_MMU
        return FLASH_STARTUP if self._cabinet.signals.phase is Phase.FLASH else NOT_FLASH

    def _short_alarm(self) -> int:
        status = self._cabinet.status
        return 0x08 * bool(status.panel & POLICE) | 0x40 * bool(status.faults) | 0x80 * status.monitor
