"""The register map: round trips, garbage, and what stands where."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import FrameError, ProfileError
from denxanh.plc.contract import (
    CabinetMode,
    CabinetStatus,
    Command,
    Fault,
    LoopReading,
    ModeRequest,
    Readings,
    Refusal,
    ZoneReading,
)
from denxanh.plc.modbus.config import config_crc, config_words
from denxanh.plc.modbus.layout import (
    COMMAND_ADDRESS,
    COMMAND_FIELDS,
    COMMAND_LENGTH,
    STATUS_FIELDS,
    Layout,
    layout,
)
from denxanh.plc.modbus.registers import (
    CommandError,
    crc16,
    decode_calls,
    decode_command,
    decode_loops,
    decode_report,
    decode_status,
    decode_zones,
    encode_calls,
    encode_command,
    encode_loops,
    encode_readings,
    encode_status,
    encode_zones,
)

LAYOUT = Layout("X", junction=7, stages=4, groups=6, loops=3, zones=2, buttons=2)
WORD = st.integers(0, 0xFFFF)
commands = st.builds(
    Command,
    seq=st.integers(1, 0xFFFF),
    epoch=st.integers(1, 0xFFFF),
    heartbeat_echo=WORD,
    ttl_ds=st.integers(1, 100),
    mode=st.sampled_from(ModeRequest),
    stage=WORD,
    plan=WORD,
    committed_end_ds=WORD,
    committed_next=WORD,
).map(lambda c: replace(c, stage=0) if c.mode is ModeRequest.PLAN else replace(c, plan=0))


@st.composite
def statuses(draw: st.DrawFn) -> CabinetStatus:
    colours = draw(st.lists(st.integers(0, 4), min_size=LAYOUT.groups, max_size=LAYOUT.groups))
    green, yellow, red, flashing = (
        sum(1 << group for group, colour in enumerate(colours) if colour == wanted) for wanted in range(4)
    )
    return CabinetStatus(
        map_version=1,
        junction=LAYOUT.junction,
        mode=draw(st.sampled_from(CabinetMode)),
        faults=Fault(draw(WORD)),
        heartbeat=draw(WORD),
        accepted_seq=draw(WORD),
        refusal=draw(st.sampled_from(Refusal)),
        epoch=draw(WORD),
        lease_ds=draw(WORD),
        heard_ds=draw(WORD),
        stage=draw(st.integers(0, LAYOUT.stages - 1)),
        stage_elapsed_ds=draw(WORD),
        stage_next=draw(st.integers(0, LAYOUT.stages - 1)),
        plan=draw(WORD),
        cycle_second=draw(WORD),
        cycle_s=draw(WORD),
        utc_s=draw(st.integers(0, 2**32 - 1)),
        green=green,
        yellow=yellow,
        red=red,
        flashing=flashing,
        lamp_fault=draw(st.integers(0, 2**LAYOUT.groups - 1)),
        panel=draw(WORD),
        config_crc=draw(WORD),
        countdown_s=draw(WORD),
        monitor=draw(WORD),
        min_left_s=tuple(draw(st.lists(WORD, min_size=LAYOUT.stages, max_size=LAYOUT.stages))),
    )


def one_status() -> CabinetStatus:
    values = {field.name: 0 for field in STATUS_FIELDS}
    return CabinetStatus(
        **{
            **values,
            "map_version": 1,
            "junction": 7,
            "mode": CabinetMode.ADAPTIVE,
            "faults": Fault.NONE,
            "refusal": Refusal.NONE,
        },
        min_left_s=(0, 0, 0, 0),
    )


@given(commands)
def test_command_round_trip(command):
    words = encode_command(command)
    assert len(words) == COMMAND_LENGTH
    assert decode_command(words) == command


@given(commands, st.integers(0, 11), st.integers(1, 0xFFFF))
def test_one_wrong_register_is_never_a_command(command, position, difference):
    words = list(encode_command(command))
    words[position] ^= difference
    with pytest.raises(CommandError) as caught:
        decode_command(words)
    assert caught.value.refusal is Refusal.MALFORMED


@given(st.lists(st.one_of(WORD, st.integers(), st.none(), st.floats()), max_size=14))
def test_command_decoder_is_total(words):
    with pytest.raises(CommandError, match="register 10"):
        decode_command(words)


@pytest.mark.parametrize(("position", "value"), [(1, 0), (2, 0), (4, 0), (4, 101), (5, 3), (9, 1), (10, 1)])
def test_command_value_outside_its_range_with_a_good_crc(position, value):
    words = list(encode_command(Command(1, 1, 0, 30, ModeRequest.ADAPTIVE, 0)))
    words[position] = value
    words[11] = crc16(words[:11])
    with pytest.raises(CommandError, match=f"register {1000 + position} "):
        decode_command(words)


def test_command_block_and_crc_stand_as_published():
    """Pinned: an independent client builds the same block."""
    words = encode_command(Command(5, 2, 77, 30, ModeRequest.ADAPTIVE, 1, 0, 80, 3))
    assert words[:11] == (0xC7A0, 5, 2, 77, 30, 2, 1, 80, 3, 0, 0)
    assert crc16([0x3132, 0x3334, 0x3536, 0x3738]) == crc_of(b"12345678")
    assert encode_command(Command(5, 2, 77, 30, ModeRequest.PLAN, 0, 4))[6] == 4


def crc_of(data: bytes) -> int:
    """CRC-16/MODBUS bit by bit from its definition (polynomial 0x8005, reflected in and out)."""
    register = 0xFFFF
    for byte in data:
        for bit in range(8):
            top = register >> 15 ^ (byte >> bit & 1)
            register = (register << 1 & 0xFFFF) ^ (0x8005 if top else 0)
    return int(f"{register:016b}"[::-1], 2)


@given(st.binary(min_size=2, max_size=40).filter(lambda data: len(data) % 2 == 0))
def test_crc_agrees_with_its_definition(data):
    assert crc16(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)) == crc_of(data)


def test_crc_check_value():
    assert crc_of(b"123456789") == 0x4B37  # the catalogue's check value of CRC-16/MODBUS


@given(statuses())
def test_status_round_trip(status):
    words = encode_status(status)
    assert len(words) == 64
    assert decode_status(words, LAYOUT) == status


@pytest.mark.parametrize(
    ("offset", "value", "name"),
    [
        (0, 2, "map_version"),
        (1, 8, "junction"),
        (2, 9, "mode"),
        (6, 11, "refusal"),
        (10, 4, "stage"),
        (12, 65535, "stage_next"),
        (19, 64, "green"),
        (20, 1, "yellow"),
        (22, 0x8000, "red"),
        (25, 64, "flashing"),
        (26, 1, "lamp_fault"),
    ],
)
def test_impossible_status_names_its_register(offset, value, name):
    words = list(encode_status(one_status()))
    words[offset] = value
    with pytest.raises(FrameError) as caught:
        decode_status(words, LAYOUT)
    assert name in caught.value.where
    assert caught.value.fix


def test_one_group_in_two_masks_is_garbage():
    words = list(encode_status(one_status()))
    words[19] = words[21] = 0b10
    with pytest.raises(FrameError, match="yellow"):
        decode_status(words, LAYOUT)


def test_unknown_fault_bits_are_kept():
    words = list(encode_status(one_status()))
    words[3] = 0x4001
    assert decode_status(words, LAYOUT).faults == Fault.CONFLICT | 0x4000


@given(st.lists(st.builds(LoopReading, WORD, WORD, st.booleans(), WORD), max_size=30))
def test_loops_round_trip(loops):
    assert decode_loops(encode_loops(loops), len(loops)) == tuple(loops)


@given(st.lists(st.booleans(), max_size=40))
def test_calls_round_trip(calls):
    assert decode_calls(encode_calls(calls), len(calls)) == tuple(calls)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 1000), st.integers(0, 3000), WORD)
def test_zone_round_trip(first, second, occupancy, speed, age):
    zone = ZoneReading(
        max(first, second), min(first, second), occupancy / 1000, speed / 10, fault=False, age_ds=age
    )
    assert decode_zones(encode_zones([zone]), 1) == (zone,)


@given(st.lists(WORD, min_size=6, max_size=6))
def test_any_zone_registers_give_a_reading_in_range(words):
    (zone,) = decode_zones(words, 1)
    assert 0 <= zone.queued <= zone.vehicles
    assert 0.0 <= zone.occupancy <= 1.0
    assert 0.0 <= zone.speed_kmh <= 300.0
    impossible = words[1] > words[0] or words[2] > 1000 or words[3] > 3000 or words[4] != 0
    assert zone.fault is impossible


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_reading_that_is_no_number_goes_out_as_a_fault(bad):
    zones = (ZoneReading(3, 1, bad, 20.0, False, 0), ZoneReading(3, 1, 0.5, bad, False, 0))
    assert all(zone.fault for zone in decode_zones(encode_zones(zones), 2))


def test_negative_counts_go_out_as_zero():
    (zone,) = decode_zones(encode_zones([ZoneReading(-3, -1, -0.5, -20.0, False, 0)]), 1)
    assert (zone.vehicles, zone.queued, zone.occupancy, zone.speed_kmh) == (0, 0, 0.0, 0.0)


garbage = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3), WORD),
    lambda inner: st.lists(inner, max_size=70) | st.tuples(inner, inner, inner, inner),
    max_leaves=80,
)


@given(garbage)
def test_report_decoder_is_total_on_anything(words):
    with pytest.raises(FrameError):
        decode_report(words, LAYOUT)


@settings(max_examples=200)
@given(
    statuses(),
    st.lists(st.tuples(st.integers(0, 63), WORD), max_size=4),
    st.lists(WORD, min_size=12, max_size=12),
    st.lists(WORD, min_size=1, max_size=1),
    st.lists(WORD, min_size=12, max_size=12),
)
def test_report_decoder_is_total_on_damaged_polls(status, damage, loops, calls, zones):
    words = list(encode_status(status))
    for offset, value in damage:
        words[offset] = value
    blocks = (tuple(words), tuple(loops), tuple(calls), tuple(zones))
    with contextlib.suppress(FrameError):
        report = decode_report(blocks, LAYOUT)
        assert report.words == blocks
        # Lists are how a journal gives them back.
        assert decode_report([list(block) for block in blocks], LAYOUT) == report


def test_readings_round_trip_through_a_report():
    readings = Readings(
        loops=(LoopReading(65535, 12, False, 3),) * 3,
        zones=(ZoneReading(12, 4, 0.25, 31.5, False, 9),) * 2,
        buttons=(False, True),
    )
    loops, calls, zones = encode_readings(readings)
    report = decode_report((encode_status(one_status()), loops, calls, zones), LAYOUT)
    assert report.readings == readings


def test_layout_counts_the_example(crossroads):
    assert layout(crossroads) == Layout("X1", junction=1, stages=3, groups=6, loops=12, zones=12, buttons=2)


def test_intersection_too_big_for_the_map(crossroads):
    many = replace(crossroads, stages=crossroads.stages * 11)
    with pytest.raises(ProfileError, match="holds 32 stages, the intersection has 33"):
        layout(many)


def plan_words(plan):
    pairs = [word for split in plan.splits for word in (split.stage, split.split_s)]
    return plan.number, plan.offset_s, len(plan.splits), *pairs


def test_config_block_proves_equal_tables(crossroads):
    words = config_words(crossroads)
    groups, stages = len(crossroads.groups), len(crossroads.stages)
    plans = [word for plan in crossroads.plans for word in plan_words(plan)]
    tables = 8 + 8 * groups + 6 * stages + groups * groups
    assert words[tables:-1] == (len(crossroads.plans), *plans)
    assert words[-1] == crc16(words[:-1]) == config_crc(crossroads)
    assert words[:4] == (2, crossroads.number, stages, groups)


def with_longer_split(plan):
    first, *others = plan.splits
    return replace(plan, splits=(replace(first, split_s=first.split_s + 1), *others))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: replace(x, commitment_s=x.commitment_s + 1),
        lambda x: replace(x, groups=(replace(x.groups[0], min_green_s=9), *x.groups[1:])),
        lambda x: replace(x, intergreens=((0, 6, *x.intergreens[0][2:]), *x.intergreens[1:])),
        lambda x: replace(x, transitions=((False, False, True), *x.transitions[1:])),
        lambda x: replace(x, stages=(x.stages[1], x.stages[0], x.stages[2])),
        lambda x: replace(x, plans=x.plans[:1]),
        lambda x: replace(x, plans=()),
        lambda x: replace(x, plans=(replace(x.plans[0], number=7), *x.plans[1:])),
        lambda x: replace(x, plans=(replace(x.plans[0], offset_s=x.plans[0].offset_s + 1), *x.plans[1:])),
        lambda x: replace(x, plans=(with_longer_split(x.plans[0]), *x.plans[1:])),
    ],
)
def test_config_crc_sees_every_table(crossroads, change):
    assert config_crc(change(crossroads)) != config_crc(crossroads)


def test_the_published_page_names_every_register():
    page = (Path(__file__).parents[2] / "docs" / "cabinet-modbus.md").read_text(encoding="utf-8")
    for field in STATUS_FIELDS:
        place = f"{field.offset}–{field.offset + 1}" if field.words == 2 else f"{field.offset}"
        assert f"| {place} | `{field.name}` |" in page
    for position, name in enumerate(COMMAND_FIELDS):
        assert f"| {COMMAND_ADDRESS + position} | `{name}` |" in page
