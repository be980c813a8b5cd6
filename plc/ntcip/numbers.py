"""What a poll asks for, and its numbers by name. Pure."""

from __future__ import annotations

from collections.abc import Sequence

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
CALLS = (oids.STATUS_PED_CALLS,)
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
        names += [cell(oids.PHASE_STATUS_GROUP, column, number) for column in (*PHASES, *CALLS)]
        names += [cell(oids.PHASE_CONTROL_GROUP, column, number) for column in MASKS]
    for number in groups(stages.channel_count):
        names += [cell(oids.CHANNEL_STATUS_GROUP, column, number) for column in CHANNELS]
    if layout.loops:
        names.append(scalar(oids.VOLUME_OCCUPANCY_SEQUENCE, suffix))
    for loop in range(1, layout.loops + 1):
        names += loop_names(loop)
    names += [
        cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, number)
        for number in groups(layout.buttons)
    ]
    for zone in range(1, layout.zones + 1):
        names += zone_names(zone)
    return tuple(names)


def loop_names(loop: int) -> tuple[Oid, Oid]:
    """A loop's volume and occupancy; loops count from 1."""
    table = oids.VOLUME_OCCUPANCY_TABLE
    return cell(table, oids.DETECTOR_VOLUME, loop), cell(table, oids.DETECTOR_OCCUPANCY, loop)


def zone_names(zone: int) -> tuple[Oid, ...]:
    """A zone's vehicles, queue (its volume's second output), occupancy, speed, end of period and status."""
    columns = (
        (oids.TSS_VOLUME, 1),
        (oids.TSS_VOLUME, 2),
        (oids.TSS_OCCUPANCY, 1),
        (oids.TSS_SPEED, 1),
        (oids.TSS_END_TIME, 1),
        (oids.TSS_ZONE_STATUS, 1),
    )
    return tuple(cell(oids.TSS_DATA, column, zone, output) for column, output in columns)


def optional(name: Oid) -> bool:
    """Whether control works without this object.

    Sensor zones (1209), button states (1202 v03), sysUpTime, snmpSetSerialNo. Without them the zones read as
    faulty, a button as called where the controller shows a pedestrian call of one of its phases, a restart
    shows only in a unitBackupTime that is another, and a copy of a SET is obeyed again.
    """
    return any(name[: len(table)] == table for table in _OPTIONAL)


_SCALARS = (*SCALARS, oids.VOLUME_OCCUPANCY_SEQUENCE)
_OPTIONAL = (oids.TSS, oids.PED_DETECTOR_STATUS_GROUP, oids.SYS_UP_TIME, oids.SET_SERIAL)


class Places:
    """Where each number of a poll stands: found once, not every second.

    Args:
        names: as they are asked, each once.
        suffix: instance of scalars.

    Attributes:
        scalars: each scalar's; None where it was not asked for.
    """

    def __init__(self, names: Sequence[Oid], suffix: Oid = (0,)) -> None:
        self.names = tuple(names)
        self._of = {name: place for place, name in enumerate(names)}
        self.scalars = {oid: self._of.get((*oid, *suffix)) for oid in _SCALARS}
        self._groups: dict[tuple[Oid, tuple[int, ...], int], tuple[tuple[int, ...], ...]] = {}

    def of(self, name: Oid) -> int | None:
        """One instance's; None where it was not asked for."""
        return self._of.get(name)

    def groups(self, table: Oid, columns: tuple[int, ...], items: int) -> tuple[tuple[int, ...], ...]:
        """Of each column its groups', lowest first.

        Raises:
            FrameError: one was not asked for.
        """
        key = (table, columns, items)
        found = self._groups.get(key)
        if found is None:
            numbers = groups(items)
            found = self._groups[key] = tuple(
                tuple(self.needed(cell(table, column, number)) for number in numbers) for column in columns
            )
        return found

    def needed(self, name: Oid) -> int:
        """One instance's, of what control does not work without; raises `FrameError` where it is missing."""
        place = self._of.get(name)
        if place is None:
            raise _absent(name)
        return place


class Numbers:
    """The integers of one poll; asking for one that did not come is a `FrameError`.

    Attributes:
        values: in the order of the names.
    """

    __slots__ = ("_places", "values")

    def __init__(self, places: Places, values: Sequence[int]) -> None:
        self._places = places
        self.values = values

    def scalar(self, oid: Oid) -> int:
        """A scalar's."""
        place = self._places.scalars[oid]
        if place is None:
            raise _absent(oid)
        return self.values[place]

    def scalar_if_any(self, oid: Oid) -> int | None:
        """The same; None where it was not asked for."""
        place = self._places.scalars[oid]
        return None if place is None else self.values[place]

    def masks(self, table: Oid, columns: tuple[int, ...], items: int) -> list[int]:
        """Of each column the octets of its groups together, bit n for item n + 1.

        Raises:
            FrameError: one is no octet.
        """
        found = []
        for places in self._places.groups(table, columns, items):
            mask = shift = 0
            for place in places:
                octet = self.values[place]
                if not 0 <= octet <= 0xFF:
                    raise FrameError(
                        f"{octet} is no mask of 8 items",
                        where=text(self._places.names[place]),
                        fix="check that the peer is an NTCIP 1202 controller",
                    )
                mask |= octet << shift
                shift += oids.ITEMS_PER_GROUP
            found.append(mask)
        return found


def _absent(name: Oid) -> FrameError:
    return FrameError("no number came for this object", where=text(name), fix="poll again")
