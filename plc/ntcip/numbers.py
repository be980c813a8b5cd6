"""What a poll asks for, and its numbers by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from denxanh.errors import FrameError
from denxanh.plc.modbus.layout import Layout
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
    oids.SYS_UP_TIME,
    oids.SET_SERIAL,
)


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
    """Whether control works without this object.

    Sensor zones (1209), button states (1202 v03), sysUpTime, snmpSetSerialNo. Without them the zones read as
    faulty, a button as called where the controller shows a pedestrian call of one of its phases, a restart
    shows only in a unitBackupTime that is another, and a copy of a SET is obeyed again.
    """
    return any(name[: len(table)] == table for table in _OPTIONAL)


_OPTIONAL = (oids.TSS, oids.PED_DETECTOR_STATUS_GROUP, oids.SYS_UP_TIME, oids.SET_SERIAL)


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

    def has_scalar(self, oid: Oid) -> bool:
        """Whether a scalar was asked for and came."""
        return self.has((*oid, *self._suffix))

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
