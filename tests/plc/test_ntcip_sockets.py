"""NTCIP over real UDP sockets: the adapter, the virtual controller, Debian's SNMP tools, and bad company."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.contract import CabinetMode, Fault, LoopReading, ModeRequest, Refusal
from denxanh.plc.modbus.layout import WORD_MAX
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.ntcip import numbers as wanted
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.ber import Value, integer, text
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.link import Link, Settings
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


class Bench:
    """A virtual controller behind a port, and the adapter in front of it."""

    def __init__(self, driver) -> None:
        self.driver = driver
        self.face = NtcipFace(driver.cabinet)
        self.server = SnmpServer(self.face)
        self.clients: list[NtcipCabinet] = []

    def client(self, settings: Settings | None = None, port: int | None = None) -> NtcipCabinet:
        intersection = self.driver.intersection
        client = NtcipCabinet(
            HOST, port or self.server.port, intersection, derived(intersection), settings or Settings()
        )
        self.clients.append(client)
        return client

    def number(self, oid: tuple[int, ...]) -> int:
        value = self.face.get(oid)
        assert value is not None
        assert isinstance(value.content, int)
        return value.content

    @property
    def standing(self) -> list[int]:
        return [self.number(oid) for oid in CONTROL_OBJECTS]

    async def second(self, client: NtcipCabinet, **command: object):
        """As the controller does: tick, poll, command. The poll's report."""
        self.driver.tick()
        report = await client.poll()
        await client.command(self.driver.command(stage=report.status.stage, **command))
        return report

    async def adaptive(self, client: NtcipCabinet) -> None:
        self.driver.start()
        await client.poll()
        await client.command(self.driver.command())
        await self.second(client)


@pytest.fixture(name="bench")
async def _bench(driver) -> AsyncIterator[Bench]:
    bench = Bench(driver)
    await bench.server.start()
    yield bench
    for client in bench.clients:
        await client.close()
    await bench.server.stop()


async def stranger(
    port: int, *pairs: tuple[tuple[int, ...], int], community: bytes = b"administrator"
) -> None:
    """Another centre's SET."""
    link = Link(HOST, port, "another centre", Settings(write=community), None)
    try:
        await link.set(dict(pairs))
    finally:
        link.close()


class Relay(asyncio.DatagramProtocol):
    """Between the adapter and the controller; `meddle` says what becomes of each datagram.

    It gets the datagram and whether it goes to the controller, and returns what is passed on.
    """

    def __init__(self, upstream: int) -> None:
        self.meddle: Callable[[bytes, bool], list[bytes]] = lambda data, up: [data]
        self.upstream = (HOST, upstream)
        self.client: tuple[str, int] | None = None

    async def start(self) -> int:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        return self.transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr) -> None:
        up = addr != self.upstream
        if up:
            self.client = addr
        for one in self.meddle(data, up):
            self.transport.sendto(one, self.upstream if up else self.client)


@pytest.fixture(name="relay")
async def _relay(bench) -> AsyncIterator[tuple[Relay, int]]:
    relay = Relay(bench.server.port)
    port = await relay.start()
    yield relay, port
    relay.transport.close()


def kind_of(data: bytes) -> Kind:
    return decode(data).kind


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


async def test_the_cabinets_own_engine_decides(bench):
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


async def test_wrong_community_gets_no_answer_and_is_logged_once(bench, caplog):
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


# The backup timer


async def test_no_control_while_the_backup_timer_is_off(bench):
    client = bench.client(Settings(set_backup_time=False))
    bench.driver.start()
    await client.poll()
    with pytest.raises(FrameError, match=re.escape(text(BACKUP)) + ".*unitBackupTime is 0") as caught:
        await client.command(bench.driver.command())
    assert "set_backup_time" in str(caught.value.fix)
    assert bench.standing == [0] * 7
    assert (await client.poll()).status.refusal is Refusal.LOCAL_CONTROL
    await stranger(bench.server.port, (BACKUP, 20))
    await client.poll()
    await client.command(bench.driver.command())
    assert bench.number(BACKUP) == 20
    assert bench.standing != [0] * 7


async def test_heartbeat_refreshes_and_silence_ends_control(bench):
    driver, client = bench.driver, bench.client(Settings(backup_s=6))
    await bench.adaptive(client)
    assert bench.number(BACKUP) == 6
    for _ in range(20):
        assert (await bench.second(client)).status.mode is CabinetMode.ADAPTIVE
    driver.run(6)
    assert driver.status.mode is CabinetMode.ADAPTIVE
    driver.tick()
    assert bench.standing == [0] * 7
    assert driver.status.mode is CabinetMode.LOCAL_PLAN
    report = await client.poll()
    assert report.status.mode is CabinetMode.LOCAL_PLAN
    assert report.status.faults == driver.status.faults == Fault.WATCHDOG
    assert report.status.epoch == driver.epoch  # nobody else is suspected
    await client.command(driver.command())
    # A change that its own plan has begun is still its own; after that it obeys again.
    modes = [(await bench.second(client)).status.mode for _ in range(30)]
    assert set(modes) <= {CabinetMode.ADAPTIVE, CabinetMode.LOCAL_ACTUATED}
    assert modes[-1] is CabinetMode.ADAPTIVE
    assert driver.observer.faults() == []


# Release


async def test_release_writes_zeros_and_is_verified(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.RELEASE))
    assert bench.standing == [0] * 7
    driver.tick()
    assert (await client.poll()).status.mode is CabinetMode.LOCAL_PLAN

    await client.command(driver.command())
    driver.tick()
    await client.poll()

    def swallow(data: bytes, up: bool) -> list[bytes]:
        """The SET is answered, but the controller never sees it."""
        message = decode(data)
        if up and message.kind is Kind.SET:
            middle.transport.sendto(encode(replace(message, kind=Kind.RESPONSE)), middle.client)
            return []
        return [data]

    middle.meddle = swallow
    with pytest.raises(FrameError, match="still says systemControl"):
        await client.command(driver.command(mode=ModeRequest.RELEASE))


@pytest.mark.parametrize("mode", [ModeRequest.RELEASE, ModeRequest.PLAN])
async def test_commitment_survives_release_and_plan(bench, mode):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(committed_end_ds=80, committed_next=1))
    for left in range(8, 0, -1):
        report = await bench.second(client, mode=mode, plan=1)
        assert (driver.status.stage, report.status.countdown_s) == (0, left)
    await bench.second(client, mode=mode, plan=1)
    assert (driver.status.stage, driver.status.stage_elapsed_ds) == (1, 0)
    await bench.second(client, mode=mode, plan=1)
    released = mode is ModeRequest.RELEASE
    assert bench.standing == [0, 0, 0, 0, 0, 0, 0 if released else 1]
    report = await bench.second(client, mode=mode, plan=1)
    assert report.status.mode is (CabinetMode.LOCAL_PLAN if released else CabinetMode.CENTRAL_PLAN)
    assert driver.observer.faults() == []


# Other writers


async def test_another_writer_is_noticed_alarmed_and_left_alone(bench, caplog):
    driver, client = bench.driver, bench.client()
    await bench.adaptive(client)
    await bench.second(client)
    await stranger(bench.server.port, (OMIT, 0b100))
    driver.tick()
    with caplog.at_level(logging.ERROR):
        report = await client.poll()
    assert report.status.refusal is Refusal.STALE_EPOCH
    assert report.status.epoch == driver.epoch + 1
    assert ["somebody else" in r.message for r in caplog.records] == [True]
    assert bench.standing == [0] * 7
    await stranger(bench.server.port, (PATTERN, 1))
    for _ in range(3):
        report = await bench.second(client)
        assert bench.standing == [0, 0, 0, 0, 0, 0, 1]
    assert report.status.refusal is Refusal.STALE_EPOCH


async def test_zeros_after_another_writer_are_tried_until_answered(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    await bench.second(client)
    await stranger(bench.server.port, (OMIT, 0b100))
    middle.meddle = lambda data, up: [] if up and kind_of(data) is Kind.SET else [data]
    driver.tick()
    await client.poll()
    assert bench.number(OMIT) == 0b100
    middle.meddle = lambda data, up: [data]
    driver.tick()
    await client.poll()
    assert bench.standing == [0] * 7


async def test_what_an_earlier_run_left_is_not_taken_over(bench):
    driver, client = bench.driver, bench.client()
    driver.start()
    await stranger(bench.server.port, (BACKUP, 5), (HOLD, 1))
    await client.poll()
    await client.command(driver.command())
    assert (await client.poll()).status.refusal is Refusal.LOCAL_CONTROL
    assert bench.number(PATTERN) == 0
    driver.run(7)
    await client.poll()
    await client.command(driver.command())
    assert bench.number(PATTERN) == oids.FREE_PATTERN


@pytest.mark.parametrize("lost", ["request", "answer", "refused"])
async def test_own_sets_without_an_answer_are_no_other_writer(bench, relay, lost):
    """Three different orders in a row of which the fate is unknown; then the link is back."""
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    for _ in range(12):
        await bench.second(client)

    def meddle(data: bytes, up: bool) -> list[bytes]:
        message = decode(data)
        control = message.varbinds[0][0] == OMIT  # a SET of the control objects, or its answer
        if not control or (lost == "answer" and up):
            return [data]
        if lost == "refused" and up:
            refusal = replace(message, kind=Kind.RESPONSE, error_status=5, error_index=1)
            middle.transport.sendto(encode(refusal), middle.client)
        return []

    middle.meddle = meddle
    orders = [{"mode": ModeRequest.PLAN, "plan": 1}, {"mode": ModeRequest.PLAN, "plan": 2}, {}]
    for order in orders:
        driver.tick()
        assert (await client.poll()).status.epoch == driver.epoch
        with pytest.raises(FrameError if lost == "refused" else UnreachableError):
            await client.command(driver.command(**order))
    middle.meddle = lambda data, up: [data]
    report = await bench.second(client)
    assert report.status.epoch == driver.epoch
    report = await bench.second(client)
    assert (report.status.epoch, report.status.refusal) == (driver.epoch, Refusal.NONE)
    assert driver.observer.faults() == []


async def test_a_late_copy_of_an_own_set_is_no_other_writer(bench, relay):
    middle, port = relay
    driver, client = bench.driver, bench.client(port=port)
    await bench.adaptive(client)
    sets: list[bytes] = []

    def meddle(data: bytes, up: bool) -> list[bytes]:
        if up and kind_of(data) is Kind.SET:
            sets.append(data)
        return [data]

    middle.meddle = meddle
    await bench.second(client)
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.PLAN, plan=2))
    middle.transport.sendto(sets[0], middle.upstream)
    await asyncio.sleep(0.05)
    assert bench.number(PATTERN) == oids.FREE_PATTERN
    report = await bench.second(client, mode=ModeRequest.PLAN, plan=2)
    assert report.status.epoch == driver.epoch
    assert bench.number(PATTERN) == 2


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
    _, out = await snmp("snmpwalk", bench.server.port, "public", text(oids.NEMA))
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
