"""Made-up vendors' profiles: both ways through another map, and what such a map may not be."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.errors import FrameError, ProfileError
from denxanh.networks.example import crossroads
from denxanh.plc.cabinet.dialect import Dialect
from denxanh.plc.contract import Command, LoopReading, ModeRequest, Readings, ZoneReading
from denxanh.plc.modbus.command import CommandError, crc16, decode_command
from denxanh.plc.modbus.commandform import command_words, published_words
from denxanh.plc.modbus.layout import STATUS_LENGTH, layout
from denxanh.plc.modbus.profile import load, parse, spans
from denxanh.plc.modbus.registers import decode_report, encode_readings, encode_status
from denxanh.plc.modbus.translate import canonical

LAYOUT = layout(crossroads())
VENDORS = ("songhau", "phusa")
WORD = st.integers(0, 0xFFFF)
COMMANDS = st.builds(
    Command,
    seq=st.integers(1, 65_535),
    epoch=st.integers(1, 65_535),
    heartbeat_echo=WORD,
    ttl_ds=st.sampled_from((10, 20, 30)),
    mode=st.sampled_from(ModeRequest),
    stage=st.integers(0, LAYOUT.stages - 1),
    plan=st.integers(0, 65_535),
    committed_end_ds=st.sampled_from((0, 10, 80, 450)),
    committed_next=st.integers(0, LAYOUT.stages - 1),
)


def sane(command: Command) -> Command:
    """As the controller builds them: a plan in mode plan only, a next stage with a commitment only."""
    planned = command.mode is ModeRequest.PLAN
    return replace(
        command,
        stage=0 if planned else command.stage,
        plan=command.plan if planned else 0,
        committed_next=command.committed_next if command.committed_end_ds else 0,
    )


def fetched(tables, profile) -> dict[str, list[int]]:
    """What a poll reads from a cabinet's tables."""
    return {
        span.block: list(tables[span.table][span.address])[: span.count] for span in spans(profile, LAYOUT)
    }


def blocks_of(status, readings: Readings) -> dict[int, tuple[int, ...]]:
    loops, calls, zones = encode_readings(readings)
    return {0: (*encode_status(status), *loops), 900: calls, 1000: (0,) * 12, 2500: zones, 4000: (1, 2)}


@pytest.mark.parametrize("vendor", VENDORS)
@given(command=COMMANDS)
def test_a_command_survives_another_form(vendor, command):
    profile, command = load(vendor), sane(command)
    words = command_words(profile, command)
    assert len(words) == profile.command.length
    assert decode_command(published_words(profile, words)) == command


@pytest.mark.parametrize("vendor", VENDORS)
@given(data=st.data())
def test_whatever_is_written_is_a_command_or_refused(vendor, data):
    profile = load(vendor)
    size = profile.command.length
    words = data.draw(st.lists(WORD, max_size=size + 2) | st.lists(WORD, min_size=size, max_size=size))
    if len(words) == size and vendor == "songhau":  # past the gates that random words never pass
        words[0] = 21930
        words[-1] = crc16(words[:-1])
    with contextlib.suppress(CommandError):
        decode_command(published_words(profile, words))


@given(command=COMMANDS, position=st.integers(0, 13), flip=st.integers(1, 0xFFFF))
def test_a_changed_word_is_no_command(command, position, flip):
    profile = load("songhau")
    words = list(command_words(profile, sane(command)))
    words[position] ^= flip
    with pytest.raises(CommandError, match="profile songhau"):
        published_words(profile, words)


def test_no_bit_is_no_stage():
    """A block of zeros in the stage must never be stage 0."""
    profile = load("phusa")
    command = Command(5, 1, 7, 30, ModeRequest.ADAPTIVE, 0, committed_end_ds=80, committed_next=1)
    words = list(command_words(profile, command))
    for position in (1, 3):  # low words of stage and committed_next
        bare = [*words]
        bare[position] = 0
        with pytest.raises(CommandError, match="one bit"):
            published_words(profile, bare)
        bare[position] = 3
        with pytest.raises(CommandError, match="one bit at most"):
            published_words(profile, bare)


@given(end=st.integers(1, 600))
def test_a_committed_end_is_never_early(end):
    """In whole seconds it is rounded as the cabinet itself rounds it: up."""
    profile = load("songhau")
    command = Command(5, 1, 7, 30, ModeRequest.ADAPTIVE, 0, committed_end_ds=end, committed_next=1)
    back = decode_command(published_words(profile, command_words(profile, command)))
    assert back.committed_end_ds == -(-end // 10) * 10


@pytest.mark.parametrize("vendor", VENDORS)
@settings(deadline=None, max_examples=40)
@given(
    counts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10)), max_size=30),
    start=st.sampled_from((0, 65_530)),
)
def test_loops_count_on_in_any_width(vendor, counts, start):
    profile = load(vendor)
    cabinet = Dialect(profile, LAYOUT)
    status = status_of_start()
    count = occupied = start
    before = None
    for more, longer in [(0, 0), *counts]:
        count, occupied = count + more, occupied + longer
        loops = (LoopReading(count & 0xFFFF, occupied & 0xFFFF, False, 20),) * LAYOUT.loops
        zones = (ZoneReading(4, 2, 0.25, 30.0, False, 20),) * LAYOUT.zones
        readings = Readings(loops, zones, (True,) + (False,) * (LAYOUT.buttons - 1))
        words = canonical(profile, LAYOUT, fetched(cabinet.tables(blocks_of(status, readings)), profile))
        report = decode_report(words, LAYOUT)
        assert report.readings.zones == zones
        assert report.readings.buttons == readings.buttons
        loop = report.readings.loops[-1]
        if before is not None:
            assert (loop.count - before.count) % 65_536 == more
            assert (loop.occupied_ds - before.occupied_ds) % 65_536 == longer
        before = loop


def status_of_start():
    from denxanh.plc.cabinet.cabinet import VirtualCabinet

    return VirtualCabinet(crossroads(), lambda date, second: 1).status


@pytest.mark.parametrize("vendor", VENDORS)
@settings(deadline=None)
@given(data=st.data())
def test_whatever_a_vendor_answers_is_a_report_or_refused(vendor, data):
    profile = load(vendor)
    raw = {}
    for span in spans(profile, LAYOUT):
        noise = data.draw(st.binary(min_size=2 * span.count, max_size=2 * span.count))
        most = 1 if span.table in ("coil", "discrete") else 0xFFFF
        raw[span.block] = [word & most for word in struct.unpack(f">{span.count}H", noise)]
    words = canonical(profile, LAYOUT, raw)
    assert len(words[0]) == STATUS_LENGTH
    assert all(0 <= word <= 0xFFFF for block in words for word in block)
    with contextlib.suppress(FrameError):
        decode_report(words, LAYOUT)


@pytest.mark.parametrize("bits", [(), (0, 1), (0, 1, 2)])
def test_not_exactly_one_stage_is_no_report(bits):
    profile = load("phusa")
    readings = Readings(
        (LoopReading(0, 0, False, 0),) * LAYOUT.loops,
        (ZoneReading(0, 0, 0.0, 0.0, False, 0),) * LAYOUT.zones,
        (False,) * LAYOUT.buttons,
    )
    raw = fetched(Dialect(profile, LAYOUT).tables(blocks_of(status_of_start(), readings)), profile)
    decode_report(canonical(profile, LAYOUT, raw), LAYOUT)
    raw["status.bits.stage"] = [int(stage in bits) for stage in range(LAYOUT.stages)]
    with pytest.raises(FrameError, match="stage"):
        decode_report(canonical(profile, LAYOUT, raw), LAYOUT)


NEEDED = "\n".join(
    f"{name} = {{ offset = {place} }}"
    for place, name in enumerate(
        ("seq", "epoch", "heartbeat_echo", "ttl_ds", "mode", "stage", "committed_end_ds", "committed_next")
    )
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[status.bits.mode]\ntable = 'coil'\naddress = 0", "bits.mode"),
        ("[status.bits.green]\ntable = 'holding'\naddress = 0", "status.bits.green.table"),
        (
            "[status.registers]\ngreen = {offset = 3}\n[status.bits]\ngreen = {table = 'coil', address = 0}",
            "bits.green",
        ),
        ("[status.registers.heartbeat]\noffset = 63\nwords = 2", "registers.heartbeat"),
        ("[status.registers.mode]\nvalues = {016 = 3}", "016"),
        ("[detectors]\ncounter_words = 2", "occupied"),
        ("[detectors]\noccupied_scale = 0.1", "occupied_scale"),
        ("[detectors]\nstride = 8\noccupied = 2\nstatus = 4\nage = 5\ncounter_words = 3", "counter_words"),
        ("[command]\nlength = 13", "length"),
        ("[command.registers]\nseq = {offset = 0}", "registers.epoch"),
        (f"[command.registers]\n{NEEDED}\ncolour = {{offset = 9}}", "registers.colour"),
        (f"[command.registers]\n{NEEDED}\nmagic = {{offset = 9}}", "registers.magic"),
        (f"[command.registers]\n{NEEDED}\ncrc = {{offset = 9}}", "registers.crc"),
        (f"[command.registers]\n{NEEDED}\nplan = {{offset = 3}}", "register 3 is ttl_ds's"),
        (f"[command.registers]\n{NEEDED}\nplan = {{offset = 12}}", "registers.plan"),
        (f"[command.registers]\n{NEEDED}".replace("4 }", "4, values = {5 = 2} }"), "registers.mode"),
        (f"[command.registers]\n{NEEDED}".replace("1 }", "1, scale = 2.0 }"), "registers.epoch"),
        (f"[command.registers]\n{NEEDED}".replace("5 }", "5, one_hot = true }"), "registers.plan"),
        (f"[command.registers]\n{NEEDED}".replace("0 }", "0, one_hot = true }"), "registers.seq"),
        (f"[command.registers]\n{NEEDED}".replace("6 }", "6, scale = 100.0 }"), "committed_end_ds"),
    ],
)
def test_every_defect_of_a_wider_profile_names_file_and_field(text, named):
    with pytest.raises(ProfileError, match=named) as caught:
        parse(text, "vendor.toml")
    assert "vendor.toml" in str(caught.value)


def test_bits_that_do_not_fit_the_intersection():
    shape = replace(LAYOUT, stages=20)
    text = f"[command.registers]\n{NEEDED}\nplan = {{ offset = 9 }}".replace("5 }", "5, one_hot = true }")
    with pytest.raises(ProfileError, match=r"command\.registers\.stage"):
        spans(parse(text, "vendor.toml"), shape)
    overlap = "[status.bits]\ngreen = {table = 'coil', address = 0}\nred = {table = 'coil', address = 4}"
    with pytest.raises(ProfileError, match=r"status\.bits\.green .* overlaps status\.bits\.red"):
        spans(parse(overlap, "vendor.toml"), LAYOUT)


def test_tables_that_run_into_another_block_are_refused_when_served():
    profile = parse("[config]\naddress = 990", "vendor.toml")
    blocks = {0: (0,) * (64 + 4 * LAYOUT.loops), 4000: (0,) * 40}
    with pytest.raises(ProfileError, match="990"):
        Dialect(profile, LAYOUT).tables(blocks)
