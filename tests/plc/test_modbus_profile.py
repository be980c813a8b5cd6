"""Vendor profiles: what they may move, and what is refused at load."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from denxanh.errors import FrameError, ProfileError
from denxanh.plc.modbus import profile as profiles
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.modbus.profile import load, parse, spans
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.modbus.schema import Profile
from denxanh.plc.modbus.translate import canonical

LAYOUT = Layout("X", junction=7, stages=4, groups=6, loops=3, zones=2, buttons=18)
WORD = st.integers(0, 0xFFFF)


def test_shipped_profile_is_the_published_map():
    assert load("denxanh") == load("default") == Profile()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("[status]\naddress = 70000", "status.address"),
        ("[status]\naddress = '0'", "status.address"),
        ("[status]\ntable = 'coil'", "status.table"),
        ("[status.registers.colour]\noffset = 3", "registers.colour"),
        ("[status.registers.mode]\noffset = 64", "registers.mode"),
        ("[status.registers.green]\noffset = 63", "registers.green"),
        ("[status.registers.mode]\noffset = 3\nconstant = 1", "status.registers.mode"),
        ("[status.registers.mode]\nvalues = {auto = 3}", "auto"),
        ("[status.registers.mode]\nscale = nan", "scale"),
        ("[detectors]\nstride = 2", "status: register 2 is outside the stride"),
        ("[zones]\nspeed = 6", "speed"),
        ("[zones]\noccupancy_scale = 0", "zones.occupancy_scale"),
        ("word_order = 'middle'", "word_order"),
        ("map_version = 2", "map_version"),
        ("[status\naddress", "no TOML"),
    ],
)
def test_every_defect_names_file_and_field(text, named):
    with pytest.raises(ProfileError) as caught:
        parse(text, "vendor.toml")
    assert "vendor.toml" in str(caught.value)
    assert named in str(caught.value)


def test_all_defects_come_at_once():
    with pytest.raises(ProfileError) as caught:
        parse("colour = 1\nword_order = 'x'\n[zones]\nstride = 0", "vendor.toml")
    assert len(caught.value.defects) == 3


def test_missing_file_and_bad_bytes(tmp_path):
    with pytest.raises(ProfileError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match=r"bad\.toml"):
        load(bad)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[detectors]\naddress = 60", "overlaps"),
        ("[zones]\naddress = 65530", "end of the address space"),
        ("[command]\naddress = 64", "command"),
        ("[calls]\naddress = 2501", "calls"),
        ("[status]\nmin_left = 62", "4 stages do not fit"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_at_load(text, named):
    profile = parse(text, "vendor.toml")
    with pytest.raises(ProfileError, match="does not fit") as caught:
        spans(profile, LAYOUT)
    assert named in str(caught.value)


def test_fit_depends_on_the_intersection():
    profile = parse("[calls]\naddress = 100", "vendor.toml")
    spans(profile, LAYOUT)
    with pytest.raises(ProfileError):
        spans(profile, replace(LAYOUT, loops=10))


def raw_for(profile: Profile, layout: Layout, value: int = 0) -> dict[str, list[int]]:
    return {span.block: [value] * span.count for span in spans(profile, layout)}


@pytest.mark.parametrize("name", ["mode", "refusal", "stage"])
@given(code=st.integers(0, 0xFFFF))
@settings(max_examples=30, deadline=None)
@example(code=3)
@example(code=0)
def test_a_code_that_the_vendors_table_does_not_name_is_none_of_ours(name, code):
    """3 may be his word for flashing, and is ours for adaptive."""
    profile = parse(
        f"""
        [status]
        registers.{name} = {{ offset = 60, values = {{ 10 = 1, 20 = 2 }} }}
        registers.map_version = {{ constant = 1 }}
        registers.junction = {{ constant = 7 }}
        """,
        "vendor.toml",
    )
    raw = raw_for(profile, LAYOUT)
    raw["status"][60] = code
    if code in (10, 20):
        report = decode_report(canonical(profile, LAYOUT, raw), LAYOUT)
        assert int(getattr(report.status, name)) == code // 10
    else:
        with pytest.raises(FrameError, match=name):
            decode_report(canonical(profile, LAYOUT, raw), LAYOUT)


def test_vendor_values_end_up_in_the_published_places():
    profile = parse(
        """
        word_order = "little"
        [status]
        table = "input"
        address = 3000
        length = 40
        min_left = -1
        [status.registers]
        mode = { offset = 0, values = { 1 = 3, 2 = 5 } }
        map_version = { constant = 1 }
        junction = { constant = 7 }
        stage_elapsed_ds = { offset = 1, scale = 10.0 }
        green = { offset = 5 }
        [calls]
        table = "coil"
        address = 0
        [zones]
        occupancy_scale = 10.0
        """,
        "vendor.toml",
    )
    raw = raw_for(profile, LAYOUT)
    raw["status"][0] = 1
    raw["status"][1] = 12
    raw["status"][5], raw["status"][6] = 0b101, 0
    raw["calls"][17] = 1
    raw["zones"][0] = 2
    raw["zones"][2] = 35
    assert {span.table for span in spans(profile, LAYOUT) if span.block == "status"} == {"input"}
    assert [span.count for span in spans(profile, LAYOUT) if span.block == "calls"] == [18]
    report = decode_report(canonical(profile, LAYOUT, raw), LAYOUT)
    assert report.status.mode.name == "ADAPTIVE"
    assert report.status.stage_elapsed_ds == 120
    assert report.status.green == 0b101
    assert report.readings.buttons == (*[False] * 17, True)
    assert report.readings.zones[0].occupancy == 0.35


@given(st.data())
def test_translation_is_total_and_stays_within_registers(data):
    scales = data.draw(st.lists(st.sampled_from([0.001, 0.5, 1.0, 10.0, 10_000.0]), min_size=4, max_size=4))
    profile = parse(
        f"[detectors]\nage_scale = {scales[0]}\n[zones]\noccupancy_scale = {scales[1]}\n"
        f"speed_scale = {scales[2]}\n[status.registers.heartbeat]\nscale = {scales[3]}",
        "vendor.toml",
    )
    raw = {
        span.block: data.draw(st.lists(WORD, min_size=span.count, max_size=span.count))
        for span in spans(profile, LAYOUT)
    }
    words = canonical(profile, LAYOUT, raw)
    assert tuple(map(len, words)) == LAYOUT.lengths
    assert all(0 <= word <= 0xFFFF for block in words for word in block)
    with contextlib.suppress(FrameError):
        decode_report(words, LAYOUT)


def test_published_profile_changes_nothing():
    profile = Profile()
    raw = {span.block: [(7 * n + 3) % 65_536 for n in range(span.count)] for span in spans(profile, LAYOUT)}
    words = canonical(profile, LAYOUT, raw)
    expected = [raw[name] for name in ("status", "detectors", "calls", "zones")]
    expected[0] = [*expected[0][:36], *[0] * 28]  # minima of stages that do not exist
    assert [list(block) for block in words] == expected


def test_default_profile_name_is_the_file_name():
    assert load("denxanh").name == profiles.DEFAULT
