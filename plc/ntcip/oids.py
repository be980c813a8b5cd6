"""Object identifiers of NTCIP 1202 (signals), 1201 (global) and 1209 (sensors), in one place.

Numbers as in the standard's MIBs (1202 v01 to v03, 1201 v02/v03, 1209 v01), read from the compiled MIBs; a
test pins them, because wrong tables circulate. Scalars take the instance `.0`; some controllers answer
another suffix, so a scalar here has none and `scalar` adds it. Groups pack 8 items in an octet, lowest bit
first.
"""

from __future__ import annotations

from denxanh.plc.ntcip.ber import Oid

NEMA: Oid = (1, 3, 6, 1, 4, 1, 1206)
ASC: Oid = (*NEMA, 4, 2, 1)
TSS: Oid = (*NEMA, 4, 2, 4)
GLOBAL: Oid = (*NEMA, 4, 2, 6)

ITEMS_PER_GROUP = 8

# MIB-II, which every agent has
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3)

# SNMPv2-MIB (RFC 3418), which an agent of SNMPv2 or v3 has
SET_SERIAL: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 6, 1)
"""snmpSetSerialNo, a TestAndIncr (RFC 2579): a SET that carries it is obeyed only with its present value, and
moves it on."""
SET_SERIAL_MAX = 0x7FFFFFFF
"""After this it is 0 again."""

# 1202 phase
MAX_PHASES: Oid = (*ASC, 1, 1)
PHASE_TABLE: Oid = (*ASC, 1, 2, 1)
PHASE_WALK, PHASE_PED_CLEAR, PHASE_MIN_GREEN, PHASE_MAX_1 = 2, 3, 4, 6
PHASE_YELLOW_CHANGE, PHASE_RED_CLEAR, PHASE_RING, PHASE_CONCURRENCY = 8, 9, 22, 23
MAX_PHASE_GROUPS: Oid = (*ASC, 1, 3)
PHASE_STATUS_GROUP: Oid = (*ASC, 1, 4, 1)
STATUS_REDS, STATUS_YELLOWS, STATUS_GREENS, STATUS_DONT_WALKS, STATUS_PED_CLEARS, STATUS_WALKS = range(2, 8)
STATUS_VEH_CALLS, STATUS_PED_CALLS, STATUS_PHASE_ONS, STATUS_PHASE_NEXTS = range(8, 12)
PHASE_CONTROL_GROUP: Oid = (*ASC, 1, 5, 1)
CONTROL_PHASE_OMIT, CONTROL_PED_OMIT, CONTROL_HOLD, CONTROL_FORCE_OFF = 2, 3, 4, 5
CONTROL_VEH_CALL, CONTROL_PED_CALL = 6, 7

# 1202 detector
MAX_VEHICLE_DETECTORS: Oid = (*ASC, 2, 1)
VOLUME_OCCUPANCY_SEQUENCE: Oid = (*ASC, 2, 5, 1)
VOLUME_OCCUPANCY_PERIOD: Oid = (*ASC, 2, 5, 2)
ACTIVE_DETECTORS: Oid = (*ASC, 2, 5, 3)
VOLUME_OCCUPANCY_TABLE: Oid = (*ASC, 2, 5, 4, 1)
DETECTOR_VOLUME, DETECTOR_OCCUPANCY = 1, 2
PED_DETECTOR_STATUS_GROUP: Oid = (*ASC, 2, 9, 1)
PED_DETECTOR_ACTIVE = 2
"""v03."""

# 1202 unit
UNIT_BACKUP_TIME: Oid = (*ASC, 3, 3)
UNIT_CONTROL_STATUS: Oid = (*ASC, 3, 5)
UNIT_FLASH_STATUS: Oid = (*ASC, 3, 6)
UNIT_ALARM_STATUS_2: Oid = (*ASC, 3, 7)
UNIT_ALARM_STATUS_1: Oid = (*ASC, 3, 8)
SHORT_ALARM_STATUS: Oid = (*ASC, 3, 9)

# 1202 coord
COORD_OPERATIONAL_MODE: Oid = (*ASC, 4, 1)
MAX_PATTERNS: Oid = (*ASC, 4, 5)
PATTERN_TABLE: Oid = (*ASC, 4, 7, 1)
PATTERN_CYCLE, PATTERN_OFFSET, PATTERN_SPLIT, PATTERN_SEQUENCE = 2, 3, 4, 5
MAX_SPLITS: Oid = (*ASC, 4, 8)
SPLIT_TABLE: Oid = (*ASC, 4, 9, 1)
SPLIT_TIME, SPLIT_MODE, SPLIT_COORD_PHASE = 3, 4, 5
COORD_PATTERN_STATUS: Oid = (*ASC, 4, 10)
COORD_CYCLE_STATUS: Oid = (*ASC, 4, 12)
COORD_SYNC_STATUS: Oid = (*ASC, 4, 13)
SYSTEM_PATTERN_CONTROL: Oid = (*ASC, 4, 14)
SYSTEM_SYNC_CONTROL: Oid = (*ASC, 4, 15)

# 1202 ring and channel
MAX_RINGS: Oid = (*ASC, 7, 1)
SEQUENCE_TABLE: Oid = (*ASC, 7, 3, 1)
SEQUENCE_DATA = 3
MAX_CHANNELS: Oid = (*ASC, 8, 1)
CHANNEL_STATUS_GROUP: Oid = (*ASC, 8, 4, 1)
CHANNEL_REDS, CHANNEL_YELLOWS, CHANNEL_GREENS = 2, 3, 4

# 1201 global
SET_ID_PARAMETER: Oid = (*GLOBAL, 1, 1)
DB_CREATE_TRANSACTION: Oid = (*GLOBAL, 2, 1)
DB_VERIFY_STATUS: Oid = (*GLOBAL, 2, 6)
DB_VERIFY_ERROR: Oid = (*GLOBAL, 2, 7)
GLOBAL_TIME: Oid = (*GLOBAL, 3, 1)

# 1209 data collection, by zone and output
TSS_DATA: Oid = (*TSS, 3, 1, 1)
TSS_END_TIME, TSS_VOLUME, TSS_OCCUPANCY, TSS_SPEED, TSS_ZONE_STATUS = 1, 2, 3, 4, 5

FREE_PATTERN, FLASH_PATTERN, STANDBY_PATTERN = 254, 255, 0
"""Values of systemPatternControl and coordPatternStatus; 1..253 are patterns."""
OWN_TIME_BASE = 255
"""systemSyncControl."""


def scalar(oid: Oid, suffix: Oid = (0,)) -> Oid:
    """A scalar's only instance; `suffix` is a controller's own habit where it is not `.0`."""
    return (*oid, *suffix)


def cell(table: Oid, column: int, *index: int) -> Oid:
    """One value of a table.

    >>> cell(PHASE_CONTROL_GROUP, CONTROL_HOLD, 1)[-5:]
    (1, 5, 1, 4, 1)
    """
    return (*table, column, *index)


def groups(items: int) -> range:
    """The group numbers that hold so many items.

    >>> list(groups(9))
    [1, 2]
    """
    return range(1, (items + ITEMS_PER_GROUP - 1) // ITEMS_PER_GROUP + 1)


def group_octets(mask: int, items: int) -> tuple[int, ...]:
    """A mask (bit n: item n + 1) as the values of its groups.

    >>> group_octets(0x101, 9)
    (1, 1)
    """
    return tuple([mask >> shift & 0xFF for shift in range(0, items, ITEMS_PER_GROUP)])
