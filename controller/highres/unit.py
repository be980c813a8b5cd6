"""Events of the intersection as a whole: who is in charge, which plan runs, what the cabinet says. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from denxanh.controller.guardtypes import GuardRefusal
from denxanh.controller.highres.codes import Code
from denxanh.controller.highres.memory import UnitMemory
from denxanh.controller.highres.moment import Moment, SignalEvent
from denxanh.controller.mode import Mode
from denxanh.networks.model import Intersection
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault

MODES = {mode: number for number, mode in enumerate(Mode, start=1)}
"""Parameter of 901 and 903: 1 FLASH, 2 MANUAL, 3 PREEMPT, 4 ADAPTIVE, 5 PLAN, 6 LOCAL."""
_WAITING = (GuardRefusal.STARTING, GuardRefusal.INTERSTAGE, GuardRefusal.COMMITTED)
"""These only say: not yet."""
REFUSALS = {one.value: number for number, one in enumerate(GuardRefusal, start=1) if one not in _WAITING}
"""Parameter of 902, by `GuardRefusal`."""
ALARMS = (*Fault.__members__.values(),)[1:]
"""Parameter of 200 and 201: the position + 1 of the cabinet's fault; then `LAMPS`, `DOOR`."""
LAMPS = len(ALARMS) + 1
"""Lamps fed back are not those asked for."""
DOOR = LAMPS + 1
"""The cabinet's door is open."""
FREE, FLASHING = 254, 255
"""No plan runs; flash (NTCIP 1202, coordPatternStatus)."""
_PLANS = (CabinetMode.LOCAL_PLAN, CabinetMode.CENTRAL_PLAN)
_FLASH = {
    CabinetMode.START: 7,
    CabinetMode.FLASH: 5,
    CabinetMode.FAULT: 5,
    CabinetMode.DARK: 1,
}
"""NTCIP 1202 unitFlashStatus; else 2."""
_DOOR_BIT, _BATTERY_BIT = 1, 4


class Unit:
    """One intersection's mode, plan and cabinet."""

    def __init__(self, intersection: Intersection) -> None:
        self._plans = {plan.number: (plan.cycle_s, plan.offset_s) for plan in intersection.plans}

    def second(self, memory: UnitMemory, moment: Moment) -> Iterator[SignalEvent]:
        """What has changed; without an answer of the cabinet only what the centre itself knows."""
        found = [*self._mode(memory, moment), *self._guard(memory, moment)]
        if moment.readings is not None:
            found += self._pattern(memory, moment.status)
        if moment.status is not None:
            found += self._cabinet(memory, moment.status)
        for code, parameter in found:
            yield SignalEvent(moment.at_ms, code, parameter)

    def _mode(self, memory: UnitMemory, moment: Moment) -> Iterator[tuple[Code, int]]:
        before, now = memory.mode, MODES[moment.mode]
        memory.mode = now
        if now == before:
            return
        adaptive = MODES[Mode.ADAPTIVE]
        if before == MODES[Mode.PREEMPT]:
            yield Code.PREEMPT_CALL_OFF, 1
        if before == MODES[Mode.MANUAL]:
            yield Code.MANUAL_CONTROL, 0
        if before == adaptive:
            yield Code.ADAPTIVE_OFF, now
            if moment.fallback:
                memory.fallback = True
                yield Code.FALLBACK_BEGAN, now
        if now == adaptive:
            if memory.fallback:
                memory.fallback = False
                yield Code.FALLBACK_ENDED, 0
            yield Code.ADAPTIVE_ON, 0
        elif now == MODES[Mode.PREEMPT]:
            yield Code.PREEMPT_CALL_ON, 1
            yield Code.PREEMPT_ENTRY, 1
        elif now == MODES[Mode.MANUAL]:
            yield Code.MANUAL_CONTROL, 1

    def _guard(self, memory: UnitMemory, moment: Moment) -> Iterator[tuple[Code, int]]:
        refusal = REFUSALS.get(moment.guard_refusal or "", 0)
        if refusal and refusal != memory.refusal:
            yield Code.GUARD_INTERVENED, refusal
        memory.refusal = refusal
        promise = moment.commitment
        if promise is not None and not memory.committed:
            yield Code.COMMITTED_STAGE, promise.next_stage + 1
            yield Code.COMMITTED_SECONDS, promise.end_in_s
        memory.committed = promise is not None

    def _pattern(self, memory: UnitMemory, status: CabinetStatus | None) -> Iterator[tuple[Code, int]]:
        before, pattern = memory.pattern, FREE
        if status is not None and status.mode in _PLANS:
            pattern = status.plan or FREE
        elif status is not None and status.mode in _FLASH:
            pattern = FLASHING
        memory.pattern = pattern
        if pattern != before:
            cycle_s, offset_s = self._plans.get(pattern, (0, 0))
            yield Code.PATTERN_CHANGE, pattern
            yield Code.CYCLE_CHANGE, cycle_s
            if cycle_s:
                yield Code.OFFSET_CHANGE, offset_s
            else:
                yield Code.COORD_STATE, 0
        elif pattern < FREE and status is not None and status.cycle_second < memory.cycle_second:
            yield Code.COORD_STATE, 5
        memory.cycle_second = 0 if status is None else status.cycle_second

    def _cabinet(self, memory: UnitMemory, status: CabinetStatus) -> Iterator[tuple[Code, int]]:
        flash = _FLASH.get(status.mode, 2)
        if flash != memory.flash and (memory.flash is not None or flash != 2):
            yield Code.FLASH_STATUS, flash
        memory.flash = flash
        battery = bool(status.panel & _BATTERY_BIT)
        if battery != memory.battery:
            yield (Code.POWER_FAILURE if battery else Code.POWER_RESTORED), 0
        memory.battery = battery
        if memory.epoch is not None and status.epoch != memory.epoch:
            yield Code.LEASE_CHANGED, status.epoch
        memory.epoch = status.epoch
        alarms = status.faults & sum(ALARMS)
        alarms |= bool(status.lamp_fault) << (LAMPS - 1) | bool(status.panel & _DOOR_BIT) << (DOOR - 1)
        changed = alarms ^ memory.alarms
        for number in range(1, DOOR + 1):
            if changed >> (number - 1) & 1:
                yield (Code.ALARM_ON if alarms >> (number - 1) & 1 else Code.ALARM_OFF), number
        memory.alarms = alarms
