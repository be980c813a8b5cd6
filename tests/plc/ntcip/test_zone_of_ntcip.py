"""A sensor zone's numbers over NTCIP: what is sound, and what is a fault of that zone alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.example import crossroads
from denxanh.plc.contract import ZoneReading
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_zones
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.detecting import Counters, Detectors
from denxanh.plc.ntcip.numbers import Numbers, Places, poll_names
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.stagemap import derived

ITS = crossroads()
LAYOUT, STAGES = layout(ITS), derived(ITS)
NAMES = poll_names(LAYOUT, STAGES)
PLACES = Places(NAMES)
DETECTORS = Detectors(ITS, STAGES, PLACES)
NOW = 1_790_000_000


def zone(end_time: int, **numbers: int) -> ZoneReading:
    """The first zone, with every other number of the poll 0."""
    given = {"vehicles": 4, "queued": 2, "occupancy": 250, "speed": 85, "status": 1, **numbers}
    found = dict.fromkeys(NAMES, 0)
    found[scalar(oids.GLOBAL_TIME)] = NOW
    for column, value in (
        (oids.TSS_END_TIME, end_time),
        (oids.TSS_VOLUME, given["vehicles"]),
        (oids.TSS_OCCUPANCY, given["occupancy"]),
        (oids.TSS_SPEED, given["speed"]),
        (oids.TSS_ZONE_STATUS, given["status"]),
    ):
        found[cell(oids.TSS_DATA, column, 1, 1)] = value
    found[cell(oids.TSS_DATA, oids.TSS_VOLUME, 1, 2)] = given["queued"]
    *_, zones = DETECTORS.read(Counters(), Numbers(PLACES, tuple(found.values()))).words
    return decode_zones(zones, LAYOUT.zones)[0]


@pytest.mark.parametrize(
    ("ahead_s", "age_ds", "fault"), [(0, 0, False), (-3, 30, False), (1, 0, False), (2, 0, True)]
)
def test_a_poll_that_straddles_the_second_is_no_fault(ahead_s, age_ds, fault):
    """Its messages are answered one after the other: zones may come of the next second already."""
    seen = zone(NOW + ahead_s)
    assert (seen.age_ds, seen.fault) == (age_ds, fault)


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.fixed_dictionaries(
        {
            name: st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 4000)
            for name in ("vehicles", "queued", "occupancy", "speed", "status")
        }
    ),
)
def test_whatever_it_says_the_reading_is_within_its_ranges(end_time, numbers):
    seen = zone(end_time, **numbers)
    assert 0 <= seen.queued <= seen.vehicles <= 0xFFFF
    assert 0.0 <= seen.occupancy <= 1.0
    assert 0.0 <= seen.speed_kmh <= 300.0
    assert 0 <= seen.age_ds <= 0xFFFF
    sound = numbers["status"] == 1 and 0 <= numbers["queued"] <= numbers["vehicles"] <= 0xFFFF
    assert seen.fault or sound
