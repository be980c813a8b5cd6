"""A poll over NTCIP is what its registers say: the journal keeps these, and a replay decodes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from denxanh.errors import FrameError
from denxanh.networks.example import crossroads
from denxanh.plc.contract import Refusal
from denxanh.plc.modbus.layout import layout
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.ntcip import oids, reading
from denxanh.plc.ntcip.detecting import Detectors
from denxanh.plc.ntcip.driving import Promise
from denxanh.plc.ntcip.numbers import Numbers, Places, poll_names
from denxanh.plc.ntcip.reading import Trail
from denxanh.plc.ntcip.reporting import Remembered, Reporter
from denxanh.plc.ntcip.stagemap import derived

ITS = crossroads()
LAYOUT, STAGES = layout(ITS), derived(ITS)
NAMES = poll_names(LAYOUT, STAGES)
FEWER = tuple(
    name for name in NAMES if name[: len(oids.PED_DETECTOR_STATUS_GROUP)] != oids.PED_DETECTOR_STATUS_GROUP
)
REPORTER = Reporter(ITS, LAYOUT)

octets = st.integers(0, 255)
likely = st.sampled_from((0, 1, 2, 4, 254, 255))
hostile = st.integers(-(2**31), 2**32 - 1) | st.integers(-2, 4000)
remembered = st.builds(
    Remembered,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.sampled_from(Refusal),
    st.none() | st.builds(Promise, st.integers(0, 2), st.integers(0, 60), st.integers(0, 2)),
    st.booleans(),
    st.booleans(),
)


@given(st.data(), st.sampled_from((NAMES, FEWER)), remembered)
def test_whatever_comes_the_report_is_what_its_registers_say(data, names, ours) -> None:
    """Only a mask that is none stops it, before there is a report."""
    places = Places(names)
    detectors, trail = Detectors(ITS, STAGES, places), Trail()
    numbers = data.draw(st.sampled_from((octets, likely, octets | hostile)))
    for _ in range(2):
        found = Numbers(places, data.draw(st.lists(numbers, min_size=len(names), max_size=len(names))))
        try:
            trail = reading.passed(trail, found)
            trail, shown = reading.signals(trail, found, ITS, STAGES)
            seen = detectors.read(trail.counters, found)
        except FrameError:
            return
        trail = trail._replace(counters=seen.counters)
        report = REPORTER.report(found, trail, shown, seen, ours)
        assert report == decode_report(report.words, LAYOUT)
        assert all(type(word) is int for block in report.words for word in block)
