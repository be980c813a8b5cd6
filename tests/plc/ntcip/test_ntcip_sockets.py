"""NTCIP over real UDP sockets: the adapter, the virtual controller, Debian's SNMP tools, and bad company."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import socket
from dataclasses import replace

import pytest

from denxanh.errors import UnreachableError
from denxanh.plc.contract import CabinetMode, LoopReading, ModeRequest, Refusal
from denxanh.plc.modbus.layout import WORD_MAX
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.ntcip import numbers as wanted
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Value, integer, text
from denxanh.plc.ntcip.link import Settings
from denxanh.plc.ntcip.message import Kind, Message, Version, decode, encode
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.stagemap import derived

HOST = "127.0.0.1"
HOLD = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_HOLD, 1)
OMIT = cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_PHASE_OMIT, 1)
PATTERN = scalar(oids.SYSTEM_PATTERN_CONTROL)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)
CONTROL = scalar(oids.UNIT_CONTROL_STATUS)
CONTROL_OBJECTS = (
    *(cell(oids.PHASE_CONTROL_GROUP, column, 1) for column in range(2, 8)),
    PATTERN,
)


# The good case


async def test_a_poll_is_what_the_cabinet_says(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for second in range(12):
        loops = (LoopReading(7 + second, 8 + second * 3, False, 0),) * driver.layout.loops
        made = replace(driver.readings(), loops=loops)
        driver.readings = lambda *pressed, made=made: made
        report = await bench.second(client)
        status = driver.status
        assert report.status == replace(
            status,
            heartbeat=status.utc_s & WORD_MAX,
            accepted_seq=report.status.accepted_seq,
            epoch=driver.epoch,
            lease_ds=0,
            heard_ds=0,
            min_left_s=(0,) * driver.layout.stages,
        )
        assert (report.readings.zones, report.readings.buttons) == (made.zones, made.buttons)
        assert decode_report(report.words, driver.layout) == report
        if second == 0:
            first = report.readings.loops
        for before, now in zip(first, report.readings.loops, strict=True):
            assert (now.count - before.count, now.occupied_ds - before.occupied_ds) == (second, second * 3)
    assert report.status.accepted_seq == driver.seq - 1


async def test_buttons_stay_called_until_their_walk(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    driver.run(40)
    driver.tick(0)
    assert (await client.poll()).readings.buttons == driver.cabinet.shown_readings.buttons


@pytest.mark.parametrize("asked_s", [8, 13])
async def test_a_command_over_the_wire_moves_the_lamps_at_the_committed_second(bench, asked_s):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(committed_end_ds=asked_s * 10, committed_next=1))
    for left in range(asked_s, 0, -1):
        report = await bench.second(client, committed_end_ds=left * 10, committed_next=1)
        assert (report.status.stage, driver.status.stage) == (0, 0), left
        assert report.status.countdown_s == left
        assert (report.status.stage_next, report.status.refusal) == (1, Refusal.NONE)
    report = await bench.second(client)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (1, 0)
    assert (report.status.stage, report.status.stage_elapsed_ds, report.status.countdown_s) == (1, 0, 0)
    for _ in range(12):
        report = await bench.second(client)
    assert report.status.stage_elapsed_ds == driver.status.stage_elapsed_ds > 0
    assert report.status.mode is CabinetMode.ADAPTIVE
    assert driver.observer.faults() == []


async def test_without_button_states_a_pedestrian_call_of_the_phase_counts(bench):
    driver, client = bench.driver, bench.client()
    bench.hide(cell(oids.PED_DETECTOR_STATUS_GROUP, oids.PED_DETECTOR_ACTIVE, 1))
    await bench.adaptive(client)
    driver.run(40)
    assert not any((await client.poll()).readings.buttons)
    driver.tick(0)
    pressed = driver.cabinet.shown_readings.buttons
    assert any(pressed)
    assert (await client.poll()).readings.buttons == pressed


async def test_a_dual_ring_controller_is_driven_stage_by_stage(dual):
    driver, client = dual.driver, dual.client()
    await dual.adaptive(client)
    seen = []
    for _ in range(150):
        status = driver.status
        following = (status.stage + 1) % 3
        ready = status.stage_elapsed_ds >= 200 and not seen[-1].countdown_s
        order = {"committed_end_ds": 80, "committed_next": following} if ready else {}
        seen.append((await dual.second(client, **order)).status)
        assert (seen[-1].stage, seen[-1].green, seen[-1].yellow, seen[-1].red) == (
            driver.status.stage,
            driver.status.green,
            driver.status.yellow,
            driver.status.red,
        )
    assert {status.refusal for status in seen} == {Refusal.NONE}
    assert {status.stage for status in seen} == {0, 1, 2}
    assert {status.mode for status in seen[5:]} == {CabinetMode.ADAPTIVE}
    assert driver.observer.faults() == []


async def test_the_cabinets_own_engine_decides(bench, stranger):
    """Force-off of a green that has just begun waits for the minimum green, whoever asks."""
    driver = bench.driver
    driver.start()
    await stranger(
        bench.server.port,
        (PATTERN, oids.FREE_PATTERN),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_FORCE_OFF, 1), 0xFF),
        (cell(oids.PHASE_CONTROL_GROUP, oids.CONTROL_VEH_CALL, 1), 0xFF),
    )
    driver.run(60)
    assert driver.status.monitor == 0
    assert driver.observer.faults() == []


async def test_plan_by_pattern_and_unknown_orders(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    number = driver.intersection.plans[-1].number
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.PLAN, plan=number))
    assert bench.standing == [0, 0, 0, 0, 0, 0, number]
    report = await bench.second(client, mode=ModeRequest.PLAN, plan=number)
    assert (report.status.mode, report.status.plan) == (CabinetMode.CENTRAL_PLAN, number)
    assert driver.status.plan == number
    await client.command(driver.command(mode=ModeRequest.PLAN, plan=99))
    assert (await client.poll()).status.refusal is Refusal.UNKNOWN_PLAN
    await client.command(driver.command(stage=9))
    assert (await client.poll()).status.refusal is Refusal.UNKNOWN_STAGE


# Who may speak


async def test_wrong_community_gets_no_answer_and_is_logged_once(bench, caplog, stranger):
    client = bench.client(Settings(read=b"guess", write=b"guess"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with pytest.raises(UnreachableError):
                await client.poll()
        with pytest.raises(UnreachableError):
            await stranger(bench.server.port, (HOLD, 1), community=b"public")
    assert [r.message for r in caplog.records if "community" in r.message] == [
        f"port {bench.server.port}: ignored a datagram from {HOST}: GET with a wrong community"
    ]
    assert bench.standing == [0] * 7


@pytest.mark.parametrize("seed", range(4))
async def test_garbage_at_the_controller_changes_nothing(bench, seed):
    driver, rng = bench.driver, random.Random(seed)
    client = bench.client()
    await bench.adaptive(client)
    before = bench.standing
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
    good = encode(
        Message(Version.V1, b"administrator", Kind.SET, 5, ((PATTERN, integer(255)), (HOLD, integer(999))))
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        for _ in range(60):
            noise = bytearray(good if rng.random() < 0.5 else rng.randbytes(rng.randint(0, 300)))
            if noise and rng.random() < 0.5:
                noise = noise[: rng.randrange(len(noise))]
            plain.sendto(noise, (HOST, bench.server.port))
        await asyncio.sleep(0.05)
    assert bench.standing == before
    assert (await bench.second(client)).status.stage == driver.status.stage
    assert troubles == []


async def test_duplicated_reordered_foreign_and_garbled_answers_change_nothing(bench, relay):
    """Every answer comes twice, after last second's, after garbage, and after one with a foreign number."""
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    old: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up:
            return [data]
        message = decode(data)
        lie = tuple((oid, Value(value.tag, 1)) for oid, value in message.varbinds)
        foreign = replace(message, request_id=message.request_id ^ 0x55555, varbinds=lie)
        before = old[-1:]
        old.append(data)
        return [b"", b"\x30\x84\xff\xff\xff\xff", data[:-3], encode(foreign), *before, data, data]

    middle.meddle = meddle
    await bench.adaptive(client)
    for _ in range(6):
        report = await bench.second(client)
        assert report.status.utc_s == driver.status.utc_s
        assert report.status.green == driver.status.green
        assert report.status.stage_elapsed_ds == driver.status.stage_elapsed_ds
    assert report.status.mode is CabinetMode.ADAPTIVE


async def test_right_number_from_a_wrong_address_is_dropped(bench, relay):
    middle, port = relay
    client = bench.client(port=port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:

        def meddle(data: bytes, up: bool) -> list[bytes]:
            if not up:
                message = decode(data)
                lie = tuple((oid, Value(value.tag, 1)) for oid, value in message.varbinds)
                forger.sendto(encode(replace(message, varbinds=lie)), middle.client)
            return [data]

        middle.meddle = meddle
        await bench.adaptive(client)
        report = await bench.second(client)
    assert report.status.utc_s == bench.driver.status.utc_s


# Debian's tools


async def snmp(tool: str, port: int, community: str, *arguments: str) -> tuple[int, str]:
    program = shutil.which(tool)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{tool} is missing: apt-get install snmp")
        pytest.skip(f"{tool} is not installed (Debian package snmp)")
    process = await asyncio.create_subprocess_exec(
        program,
        *("-v1" if tool != "snmpwalk" else "-v2c", "-c", community, "-On", "-Oq", "-Ot", "-r", "0"),
        *("-t", "0.5", "-m", "", f"{HOST}:{port}", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, out.decode()


def numbers(output: str) -> dict[str, str]:
    """By name; the walk's last line, past the end of the tree, repeats a name without a value."""
    lines = [line for line in output.splitlines() if line.startswith(".1.") and "No more" not in line]
    return dict(line.lstrip(".").split(" ", 1) for line in lines)


async def test_snmpget_and_snmpwalk_read_what_the_adapter_reads(bench):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    status = (await client.poll()).status
    names = [
        cell(oids.CHANNEL_STATUS_GROUP, oids.CHANNEL_GREENS, 1),
        scalar(oids.GLOBAL_TIME),
        scalar(oids.COORD_SYNC_STATUS),
        CONTROL,
        PATTERN,
        HOLD,
    ]
    _, out = await snmp("snmpget", bench.server.port, "public", *map(text, names))
    found = numbers(out)
    assert [int(found[text(name)]) for name in names] == [
        status.green,
        status.utc_s,
        status.cycle_second,
        2,
        oids.FREE_PATTERN,
        1 << status.stage,
    ]
    _, out = await snmp("snmpwalk", bench.server.port, "public", "1.3.6.1")
    walked = numbers(out)
    assert len(out.splitlines()) == len(walked) + 1 > 200
    polled = wanted.poll_names(driver.layout, derived(driver.intersection))
    assert {text(name) for name in polled} <= set(walked)
    for name, said in walked.items():
        value = bench.face.get(tuple(map(int, name.split("."))))
        assert value is not None
        if isinstance(value.content, int):
            assert int(said) == value.content, name


async def test_snmpset_needs_the_right_community(bench):
    bench.driver.start()
    port = bench.server.port
    for community in ("public", "guess"):
        code, out = await snmp("snmpset", port, community, text(BACKUP), "i", "15")
        assert (code, bench.number(BACKUP)) == (1, 0), out
    code, out = await snmp("snmpset", port, "administrator", text(BACKUP), "i", "15")
    assert (code, bench.number(BACKUP)) == (0, 15), out
    code, out = await snmp("snmpset", port, "administrator", text(PATTERN), "i", "255")
    assert (code, bench.number(PATTERN)) == (2, 0), out
    assert "badValue" in out
    code, out = await snmp("snmpset", port, "administrator", text(CONTROL), "i", "2")
    assert code == 2, out
