"""The object identifiers, pinned to the standard's MIBs: wrong tables circulate."""

from __future__ import annotations

import pytest

from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import text
from denxanh.plc.ntcip.oids import cell, scalar

ASC, GLOBAL, TSS = "1.3.6.1.4.1.1206.4.2.1", "1.3.6.1.4.1.1206.4.2.6", "1.3.6.1.4.1.1206.4.2.4"


@pytest.mark.parametrize(
    ("oid", "number"),
    [
        (oids.SYS_UP_TIME, "1.3.6.1.2.1.1.3.0"),
        (oids.SET_SERIAL, "1.3.6.1.6.3.1.1.6.1.0"),
        (oids.MAX_PHASES, f"{ASC}.1.1.0"),
        (oids.MAX_PHASE_GROUPS, f"{ASC}.1.3.0"),
        (oids.MAX_VEHICLE_DETECTORS, f"{ASC}.2.1.0"),
        (oids.VOLUME_OCCUPANCY_SEQUENCE, f"{ASC}.2.5.1.0"),
        (oids.VOLUME_OCCUPANCY_PERIOD, f"{ASC}.2.5.2.0"),
        (oids.ACTIVE_DETECTORS, f"{ASC}.2.5.3.0"),
        (oids.UNIT_BACKUP_TIME, f"{ASC}.3.3.0"),
        (oids.UNIT_CONTROL_STATUS, f"{ASC}.3.5.0"),
        (oids.UNIT_FLASH_STATUS, f"{ASC}.3.6.0"),
        (oids.UNIT_ALARM_STATUS_2, f"{ASC}.3.7.0"),
        (oids.UNIT_ALARM_STATUS_1, f"{ASC}.3.8.0"),
        (oids.SHORT_ALARM_STATUS, f"{ASC}.3.9.0"),
        (oids.COORD_OPERATIONAL_MODE, f"{ASC}.4.1.0"),
        (oids.MAX_PATTERNS, f"{ASC}.4.5.0"),
        (oids.MAX_SPLITS, f"{ASC}.4.8.0"),
        (oids.COORD_PATTERN_STATUS, f"{ASC}.4.10.0"),
        (oids.COORD_CYCLE_STATUS, f"{ASC}.4.12.0"),
        (oids.COORD_SYNC_STATUS, f"{ASC}.4.13.0"),
        (oids.SYSTEM_PATTERN_CONTROL, f"{ASC}.4.14.0"),
        (oids.SYSTEM_SYNC_CONTROL, f"{ASC}.4.15.0"),
        (oids.MAX_RINGS, f"{ASC}.7.1.0"),
        (oids.SET_ID_PARAMETER, f"{GLOBAL}.1.1.0"),
        (oids.DB_CREATE_TRANSACTION, f"{GLOBAL}.2.1.0"),
        (oids.DB_VERIFY_STATUS, f"{GLOBAL}.2.6.0"),
        (oids.DB_VERIFY_ERROR, f"{GLOBAL}.2.7.0"),
        (oids.GLOBAL_TIME, f"{GLOBAL}.3.1.0"),
    ],
)
def test_scalars(oid: tuple[int, ...], number: str) -> None:
    assert text(scalar(oid)) == number


@pytest.mark.parametrize(
    ("oid", "number"),
    [
        (cell(oids.PHASE_TABLE, oids.PHASE_WALK, 2), f"{ASC}.1.2.1.2.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_PED_CLEAR, 2), f"{ASC}.1.2.1.3.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_MIN_GREEN, 2), f"{ASC}.1.2.1.4.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_MAX_1, 2), f"{ASC}.1.2.1.6.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_YELLOW_CHANGE, 2), f"{ASC}.1.2.1.8.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_RED_CLEAR, 2), f"{ASC}.1.2.1.9.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_RING, 2), f"{ASC}.1.2.1.22.2"),
        (cell(oids.PHASE_TABLE, oids.PHASE_CONCURRENCY, 2), f"{ASC}.1.2.1.23.2"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_REDS, 1), f"{ASC}.1.4.1.2.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_YELLOWS, 1), f"{ASC}.1.4.1.3.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_GREENS, 1), f"{ASC}.1.4.1.4.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_DONT_WALKS, 1), f"{ASC}.1.4.1.5.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_PED_CLEARS, 1), f"{ASC}.1.4.1.6.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_WALKS, 1), f"{ASC}.1.4.1.7.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_VEH_CALLS, 1), f"{ASC}.1.4.1.8.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_PED_CALLS, 1), f"{ASC}.1.4.1.9.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_PHASE_ONS, 1), f"{ASC}.1.4.1.10.1"),
        (cell(oids.PHASE_STATUS_GROUP, oids.STATUS_PHASE_NEXTS, 1), f"{ASC}.1.4.1.11.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PHASE_OMIT, 1), f"{ASC}.1.5.1.2.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PED_OMIT, 1), f"{ASC}.1.5.1.3.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1), f"{ASC}.1.5.1.4.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_FORCE_OFF, 1), f"{ASC}.1.5.1.5.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_VEH_CALL, 1), f"{ASC}.1.5.1.6.1"),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PED_CALL, 1), f"{ASC}.1.5.1.7.1"),
        (cell(oids.VOLUME_OCCUPANCY_TABLE, oids.DETECTOR_VOLUME, 3), f"{ASC}.2.5.4.1.1.3"),
        (cell(oids.VOLUME_OCCUPANCY_TABLE, oids.DETECTOR_OCCUPANCY, 3), f"{ASC}.2.5.4.1.2.3"),
        (cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, 1), f"{ASC}.2.9.1.2.1"),
        (cell(oids.PATTERN_TABLE, oids.PATTERN_CYCLE, 4), f"{ASC}.4.7.1.2.4"),
        (cell(oids.PATTERN_TABLE, oids.PATTERN_OFFSET, 4), f"{ASC}.4.7.1.3.4"),
        (cell(oids.PATTERN_TABLE, oids.PATTERN_SPLIT, 4), f"{ASC}.4.7.1.4.4"),
        (cell(oids.PATTERN_TABLE, oids.PATTERN_SEQUENCE, 4), f"{ASC}.4.7.1.5.4"),
        (cell(oids.SPLIT_TABLE, oids.SPLIT_TIME, 4, 2), f"{ASC}.4.9.1.3.4.2"),
        (cell(oids.SPLIT_TABLE, oids.SPLIT_MODE, 4, 2), f"{ASC}.4.9.1.4.4.2"),
        (cell(oids.SEQUENCE_TABLE, oids.SEQUENCE_DATA, 1, 2), f"{ASC}.7.3.1.3.1.2"),
        (cell(oids.CHANNEL_STATUS_GROUP, oids.CHANNEL_REDS, 1), f"{ASC}.8.4.1.2.1"),
        (cell(oids.CHANNEL_STATUS_GROUP, oids.CHANNEL_YELLOWS, 1), f"{ASC}.8.4.1.3.1"),
        (cell(oids.CHANNEL_STATUS_GROUP, oids.CHANNEL_GREENS, 1), f"{ASC}.8.4.1.4.1"),
        (cell(oids.TSS_DATA, oids.TSS_END_TIME, 1, 1), f"{TSS}.3.1.1.1.1.1"),
        (cell(oids.TSS_DATA, oids.TSS_VOLUME, 1, 1), f"{TSS}.3.1.1.2.1.1"),
        (cell(oids.TSS_DATA, oids.TSS_OCCUPANCY, 1, 1), f"{TSS}.3.1.1.3.1.1"),
        (cell(oids.TSS_DATA, oids.TSS_SPEED, 1, 1), f"{TSS}.3.1.1.4.1.1"),
        (cell(oids.TSS_DATA, oids.TSS_ZONE_STATUS, 1, 1), f"{TSS}.3.1.1.5.1.1"),
    ],
)
def test_table_cells(oid: tuple[int, ...], number: str) -> None:
    assert text(oid) == number
