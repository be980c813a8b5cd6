"""The control objects: they stand until they are changed, or until the backup timer clears them all.

Every SET of one restarts the timer. A unitBackupTime of 0 means: never; that is how such controllers leave
the factory, and how this one starts.
"""

from __future__ import annotations

import logging
from functools import partial

from denxanh.networks.model import DetectorKind, GroupKind
from denxanh.plc.cabinet.cabinet import VirtualCabinet
from denxanh.plc.cabinet.direction import Direction
from denxanh.plc.cabinet.engine import Phase
from denxanh.plc.cabinet.ntcip.table import Objects, Setting, Settings, grouped, number
from denxanh.plc.contract import ModeRequest
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.oids import cell, groups, scalar
from denxanh.plc.ntcip.stagemap import StageMap

log = logging.getLogger(__name__)

MASKS = (
    oids.CONTROL_PHASE_OMIT,
    oids.CONTROL_PED_OMIT,
    oids.CONTROL_HOLD,
    oids.CONTROL_FORCE_OFF,
    oids.CONTROL_VEH_CALL,
    oids.CONTROL_PED_CALL,
)


class StandingOrders:
    """What a centre has set, and what it asks of the cabinet in each second.

    Args:
        cabinet: obeys.
        stages: its phases.
        backup_s: unitBackupTime at power-up, seconds.

    Attributes:
        masks: by column of phaseControlGroup; changed in place, for what is read is bound to it.
        pattern: systemPatternControl.
        expired: whether the backup timer ended the last centre's control.
    """

    def __init__(self, cabinet: VirtualCabinet, stages: StageMap, backup_s: int) -> None:
        self.masks = dict.fromkeys(MASKS, 0)
        self.pattern = oids.STANDBY_PATTERN
        self.expired = False
        self._cabinet = cabinet
        self._stages = stages
        self._backup_s = self._factory_backup_s = backup_s
        self._silence_s = 0
        self._sync = oids.OWN_TIME_BASE
        self._synced_at = 0
        """Of the cabinet's heartbeat: when systemSyncControl was set."""
        self._carried = {
            index: stages.carriers(cabinet.intersection, index)
            for index, group in enumerate(cabinet.intersection.groups)
            if group.kind is GroupKind.PEDESTRIAN
        }

    @property
    def controlled(self) -> bool:
        """Whether a centre is in charge."""
        return self.pattern != oids.STANDBY_PATTERN or any(self.masks.values())

    def touched(self) -> None:
        """A control object was set."""
        self._silence_s = 0
        self.expired = False

    def restart(self) -> None:
        """Return of power: nothing of all that is remembered."""
        self._clear()
        self.expired = False
        self._backup_s = self._factory_backup_s

    def second(self) -> Direction | None:
        """The second's orders, the backup timer moved on; None where no centre is in charge."""
        if not self.controlled:
            return None
        self._silence_s += 1
        if 0 < self._backup_s < self._silence_s:
            name = self._cabinet.intersection.id
            log.warning("%s: no control object set for %d s, own time base", name, self._backup_s)
            self._clear()
            self.expired = True
            return None
        if oids.STANDBY_PATTERN < self.pattern < oids.FREE_PATTERN:
            return Direction(ModeRequest.PLAN, plan=self.pattern, cycle_second=self._cycle_second())
        engine, masks = self._cabinet.signals, self.masks
        running = self._stages.mask(engine.stage)
        forced = running & masks[oids.CONTROL_FORCE_OFF]
        if engine.phase is not Phase.GREEN:
            masks[oids.CONTROL_FORCE_OFF] = 0  # clears itself with the end of the green
            forced = 0
        return Direction(
            ModeRequest.ADAPTIVE,
            hold=bool(running & masks[oids.CONTROL_HOLD]) and not forced,
            force_to=self._successor(engine.stage) if forced else None,
            omitted=self._omitted(running),
        )

    def ped_calls(self) -> int:
        """Phases of the crossings whose buttons are pressed."""
        intersection = self._cabinet.intersection
        buttons = [d.groups for d in intersection.detectors if d.kind is DetectorKind.BUTTON]
        pressed = zip(buttons, self._cabinet.shown_readings.buttons, strict=True)
        called = {group for detector, on in pressed if on for group in detector}
        mask = 0
        for stage, one in enumerate(intersection.stages):
            if any(one.serves(group) for group in called):
                mask |= self._stages.mask(stage)
        return mask

    def objects(self, settings: Settings) -> Objects:
        """phaseControlGroup, systemPatternControl without its check, systemSyncControl, unitBackupTime."""
        for column in MASKS:
            for group in groups(self._stages.phases):
                name = cell(oids.PHASE_CONTROL_GROUP, column, group)
                put = partial(self._put_mask, column, 8 * (group - 1))
                settings[name] = Setting(0, 0xFF, put, control=True)
            get = partial(self.masks.__getitem__, column)
            yield from grouped(oids.PHASE_CONTROL_GROUP, column, self._stages.phases, get)
        sync = scalar(oids.SYSTEM_SYNC_CONTROL)
        settings[sync] = Setting(0, oids.OWN_TIME_BASE, self._put_sync, control=True)
        yield number(sync, lambda: self._sync)
        backup = scalar(oids.UNIT_BACKUP_TIME)
        settings[backup] = Setting(0, 0xFFFF, self._put_backup)
        yield number(backup, lambda: self._backup_s)

    def put_pattern(self, pattern: int) -> None:
        """Set systemPatternControl; whether the pattern can be run is the caller's to check."""
        self.pattern = pattern

    def _put_mask(self, column: int, shift: int, octet: int) -> None:
        self.masks[column] = self.masks[column] & ~(0xFF << shift) | octet << shift

    def _put_sync(self, position: int) -> None:
        self._sync, self._synced_at = position, self._cabinet.heartbeat

    def _put_backup(self, seconds: int) -> None:
        self._backup_s = seconds

    def _clear(self) -> None:
        self.pattern, self._sync = oids.STANDBY_PATTERN, oids.OWN_TIME_BASE
        self.masks.update(dict.fromkeys(MASKS, 0))
        self._silence_s = 0

    def _cycle_second(self) -> int | None:
        """Where the centre wants the cycle to be, not wrapped; None: by the cabinet's own clock."""
        if self._sync == oids.OWN_TIME_BASE:
            return None
        return self._sync + (self._cabinet.heartbeat - self._synced_at) % 0x10000

    def _omitted(self, running: int) -> frozenset[int]:
        """Crossings all of whose running phases are told to start no walk."""
        omit = self.masks[oids.CONTROL_PED_OMIT]
        serving = {group: carriers & running for group, carriers in self._carried.items()}
        return frozenset(group for group, phases in serving.items() if phases and not phases & ~omit)

    def _successor(self, stage: int) -> int | None:
        """The next stage of the ring that is called (all of its phases), not omitted, and legal."""
        count = len(self._stages.stages)
        calls = self.masks[oids.CONTROL_VEH_CALL] | self.masks[oids.CONTROL_PED_CALL] | self.ped_calls()
        for step in range(1, count):
            other = (stage + step) % count
            mask = self._stages.mask(other)
            legal = self._cabinet.intersection.transitions[stage][other]
            if legal and mask & calls == mask and not mask & self.masks[oids.CONTROL_PHASE_OMIT]:
                return other
        return None
