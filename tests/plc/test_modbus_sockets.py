"""Client and server over real sockets: the good case, and every way in which a link can be bad."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import shutil
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from denxanh.errors import FrameError, PortInUseError, ProfileError, UnreachableError, WireError
from denxanh.plc.cabinet.server import CabinetServer, serve
from denxanh.plc.contract import CabinetMode, ModeRequest, Refusal
from denxanh.plc.modbus.client import TIMEOUT_S, ModbusCabinet
from denxanh.plc.modbus.config import config_words
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.modbus.profile import parse
from denxanh.plc.modbus.registers import decode_report, encode_command

HOST = "127.0.0.1"
Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


every_vendor = pytest.mark.parametrize("serving", ["denxanh", "songhau", "phusa"], indirect=True)
"""The test runs through every shipped profile, the made-up vendors' included."""


@pytest.fixture(name="serving")
async def _serving(driver, request) -> AsyncIterator[tuple[object, CabinetServer]]:
    driver.profile = getattr(request, "param", "denxanh")
    server = CabinetServer(driver.cabinet, profile=driver.profile)
    await server.start()
    yield driver, server
    await server.stop()


def client_of(driver, port: int, **more: object) -> ModbusCabinet:
    profile = more.pop("profile", driver.profile)
    return ModbusCabinet(HOST, port, more.pop("unit", 1), profile, driver.layout)


NOT_SHOWN = {
    "denxanh": {},
    "songhau": {"lease_ds": 0},
    "phusa": {"min_left_s": (0, 0, 0), "panel": 0, "monitor": 0},
}
"""What the made-up vendors' cabinets do not report, and what is read instead."""


def as_shown(driver):
    """The cabinet's status as far as its vendor shows it."""
    return replace(driver.status, **NOT_SHOWN[driver.profile])


async def until_back(client: ModbusCabinet, within_s: float = 20.0):
    """Poll as a controller would until an answer comes."""
    end = time.monotonic() + within_s
    while True:
        try:
            return await client.poll()
        except WireError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def peer(connection: Connection, port: int = 0) -> AsyncIterator[int]:
    """A TCP server that behaves as `connection` says; closes everything at the end."""
    writers: list[asyncio.StreamWriter] = []
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        handlers.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await connection(reader, writer)

    server = await asyncio.start_server(handle, HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        if handlers:
            await asyncio.wait(handlers)


@every_vendor
async def test_a_poll_is_what_the_cabinet_says(serving):
    driver, server = serving
    client = client_of(driver, server.port)
    driver.adaptive()
    driver.tick(1)
    report = await client.poll()
    assert report.status == as_shown(driver)
    assert report.readings == driver.readings()  # the walk has started: no call left
    assert decode_report(report.words, driver.layout) == report
    driver.tick(0)
    assert (await client.poll()).readings == driver.readings(0)
    await client.close()


@every_vendor
async def test_a_command_over_the_wire_moves_the_lamps(serving):
    driver, server = serving
    client = client_of(driver, server.port)
    driver.adaptive()
    driver.run(6)
    await client.command(driver.command(committed_end_ds=80, committed_next=1))
    assert (await client.poll()).status.refusal is Refusal.NONE
    driver.run(9)
    report = await client.poll()
    assert (report.status.stage, report.status.stage_elapsed_ds) == (1, 0)
    await client.command(driver.command(epoch=0x7FFF, stage=9))
    assert (await client.poll()).status.refusal is Refusal.UNKNOWN_STAGE
    await client.command(driver.command(mode=ModeRequest.PLAN, epoch=0x7FFF, stage=0, plan=99))
    assert (await client.poll()).status.refusal is Refusal.UNKNOWN_PLAN
    await client.command(driver.command(epoch=0x7FFE))
    assert (await client.poll()).status.refusal is Refusal.STALE_EPOCH
    await client.command(driver.command(epoch=0x7FFF, heartbeat_echo=(driver.status.heartbeat - 4) % 65_536))
    assert (await client.poll()).status.refusal is Refusal.EXPIRED
    await client.close()


@every_vendor
async def test_tables_can_be_compared_over_the_wire(serving):
    driver, server = serving
    client = client_of(driver, server.port)
    words = config_words(driver.intersection)
    assert await client.config_words(len(words)) == words
    await client.close()


async def test_vendor_profile_reads_the_same_cabinet(serving):
    driver, server = serving
    driver.adaptive()
    vendor = parse('name = "v"\n[status.registers]\nplan = { constant = 5 }\n', "v.toml")
    client = client_of(driver, server.port, profile=vendor)
    assert (await client.poll()).status.plan == 5
    await client.close()


async def test_nobody_there_then_somebody(driver):
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    client = client_of(driver, port)
    for _ in range(3):
        with pytest.raises(UnreachableError, match=f"X1 at {HOST}:{port} unit 1"):
            await client.poll()
    server = CabinetServer(driver.cabinet, HOST, port)
    await server.start()
    driver.tick()
    assert (await until_back(client)).status.heartbeat == 1
    await client.close()
    await server.stop()


@every_vendor
async def test_server_restart(serving):
    driver, server = serving
    client = client_of(driver, server.port)
    await client.poll()
    await server.stop()
    with pytest.raises(UnreachableError):
        await client.poll()
    with pytest.raises(UnreachableError):
        await client.command(driver.command())
    await server.start()
    driver.tick()
    assert (await until_back(client)).status.heartbeat == 1
    await client.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


async def test_hung_cabinet_costs_one_timeout_and_then_nothing(driver):
    async with peer(silent) as port:
        client = client_of(driver, port)
        begin = time.monotonic()
        with pytest.raises(UnreachableError):
            await client.poll()
        assert TIMEOUT_S * 0.8 < time.monotonic() - begin < TIMEOUT_S + 0.4
        begin = time.monotonic()
        with pytest.raises(UnreachableError, match="still away"):
            await client.command(driver.command())
        assert time.monotonic() - begin < 0.1
    server = CabinetServer(driver.cabinet, HOST, port)
    await server.start()
    await until_back(client)
    await client.close()
    await server.stop()


async def test_late_answer_is_never_taken_for_the_next_one(driver):
    """The device sleeps over the first request and answers it when the second one is waiting."""
    requests = 0

    async def sleepy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            header = await reader.readexactly(12)
            requests += 1
            await asyncio.sleep(TIMEOUT_S + 0.2 if requests == 1 else 0)
            count = struct.unpack(">H", header[10:12])[0]
            body = struct.pack(">BBB", header[6], header[7], 2 * count) + b"\xaa" * 2 * count
            writer.write(header[:4] + struct.pack(">H", len(body)) + body)

    async with peer(sleepy) as port:
        client = client_of(driver, port)
        with pytest.raises(UnreachableError):
            await client.poll()
        await asyncio.sleep(0.4)
        with pytest.raises(FrameError, match="register 0 "):  # the second answer, judged by itself
            await client.poll()
        await client.close()


def answers(make: Callable[[bytes], bytes]) -> Connection:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readexactly(12)
            writer.write(make(request))
            await writer.drain()

    return connection


def frame(request: bytes, body: bytes, *, transaction: int = 0, unit: int = 0, length: int = 0) -> bytes:
    number, protocol = struct.unpack(">HH", request[:4])
    head = struct.pack(
        ">HHHB", number + transaction & 0xFFFF, protocol, len(body) + 1 + length, request[6] + unit
    )
    return head + body


def registers(request: bytes, count: int | None = None) -> bytes:
    wanted = struct.unpack(">H", request[10:12])[0] if count is None else count
    return struct.pack(">BB", request[7], 2 * wanted & 0xFF) + b"\x00\x01" * wanted


@pytest.mark.parametrize(
    "make",
    [
        lambda q: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        lambda q: frame(q, registers(q)),
        lambda q: frame(q, registers(q, 3)),
        lambda q: frame(q, registers(q), transaction=1),
        lambda q: frame(q, registers(q), unit=5),
        lambda q: frame(q, registers(q), length=40),
        lambda q: frame(q, registers(q), length=-20),
        lambda q: frame(q, b"\x83\x02"),
        lambda q: frame(q, b"\x83\x63"),
        lambda q: frame(q, b"\x2a\x02"),
        lambda q: frame(q, b""),
        lambda q: b"",
        lambda q: b"\x00" * 300,
        lambda q: b"\xff" * 2000,
        lambda q: frame(q, registers(q))[:20],
        lambda q: q,
    ],
)
async def test_nonsense_is_a_wire_error_and_nothing_else(driver, make):
    async with peer(answers(make)) as port:
        client = client_of(driver, port)
        for _ in range(2):
            with pytest.raises(WireError):
                await client.poll()
            with contextlib.suppress(WireError):
                await client.command(driver.command())
        await client.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("seed", range(6))
async def test_random_bytes_are_a_wire_error(driver, seed):
    rng = random.Random(seed)

    def make(request: bytes) -> bytes:
        noise = rng.randbytes(rng.randint(0, 300))
        return noise if rng.random() < 0.3 else request[:4] + struct.pack(">H", len(noise)) + noise

    async with peer(answers(make)) as port:
        client = client_of(driver, port)
        for _ in range(4):
            with pytest.raises(WireError):
                await client.poll()
            await asyncio.sleep(0.02)
        await client.close()


async def test_connection_that_is_cut_in_the_middle(driver):
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        writer.write(frame(request, registers(request))[:30])
        await writer.drain()
        writer.transport.abort()

    async with peer(cut) as port:
        client = client_of(driver, port)
        with pytest.raises(UnreachableError):
            await client.poll()
        await client.close()


async def test_cancelled_poll_leaves_a_usable_client_and_no_task(driver):
    async with peer(silent) as port:
        client = client_of(driver, port)
        task = asyncio.create_task(client.poll())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    server = CabinetServer(driver.cabinet, HOST, port)
    await server.start()
    await until_back(client)
    await client.close()
    await server.stop()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_unreachable_name(driver):
    client = ModbusCabinet("cabinet.invalid", 502, 1, None, driver.layout)
    with pytest.raises(UnreachableError, match=re.escape("cabinet.invalid:502")):
        await client.poll()
    await client.close()


async def test_wrong_unit_and_wrong_intersection(serving):
    driver, server = serving
    stranger = client_of(driver, server.port, unit=9)
    with pytest.raises(FrameError, match="Modbus exception"):
        await stranger.poll()
    await stranger.close()
    layout = Layout("Y", 2, 3, 6, 12, 12, 2)
    other = ModbusCabinet(HOST, server.port, 1, None, layout)
    driver.tick()
    with pytest.raises(FrameError, match="junction"):
        await other.poll()
    await other.close()


async def test_profile_that_does_not_fit_is_refused_before_any_connection(driver):
    bad = parse("[zones]\naddress = 70", "v.toml")
    with pytest.raises(ProfileError, match="does not fit"):
        client_of(driver, 1, profile=bad)


async def test_port_in_use_is_named(serving, make_driver, crossroads):
    _, server = serving
    first = CabinetServer(make_driver(crossroads).cabinet)
    second = CabinetServer(make_driver(crossroads).cabinet, HOST, server.port)
    with pytest.raises(PortInUseError, match=f"{HOST}:{server.port}"):
        await serve([first, second])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, first.port)


class PlainModbus:
    """Modbus TCP written out on a plain socket, after the protocol's own specification."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transaction = 0

    async def ask(self, function: int, body: bytes, unit: int = 1) -> bytes:
        """The answer's PDU: function code and data."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        self._transaction += 1
        writer.write(struct.pack(">HHHBB", self._transaction, 0, len(body) + 2, unit, function) + body)
        transaction, protocol, length = struct.unpack(">HHH", await reader.readexactly(6))
        assert (transaction, protocol) == (self._transaction, 0)
        answer = await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()
        assert answer[0] == unit
        return answer[1:]

    async def read(self, address: int, count: int, function: int = 3) -> tuple[int, ...]:
        answer = await self.ask(function, struct.pack(">HH", address, count))
        assert answer[:2] == bytes([function, 2 * count])
        return struct.unpack(f">{count}H", answer[2:])

    async def write(self, address: int, *words: int) -> bytes:
        body = struct.pack(f">HHB{len(words)}H", address, len(words), 2 * len(words), *words)
        return await self.ask(16, body)


def block(seq: int, epoch: int, echo: int, mode: int, wanted: int, end: int = 0, after: int = 0) -> list[int]:
    """A command block from the published table alone, CRC by its definition."""
    words = [0xC7A0, seq, epoch, echo, 30, mode, wanted, end, after, 0, 0]
    crc = 0xFFFF
    for byte in struct.pack(">11H", *words):
        crc ^= byte
        for _ in range(8):
            low = crc & 1
            crc >>= 1
            if low:
                crc ^= 0xA001
    return [*words, crc]


async def test_independent_client_reads_commands_and_is_fenced(serving):
    driver, server = serving
    driver.start()
    plain = PlainModbus(server.port)
    status = await plain.read(0, 64)
    assert status == await plain.read(0, 64, function=4)
    assert status[:3] == (1, driver.intersection.number, CabinetMode.LOCAL_PLAN)
    assert await plain.write(1000, *block(1, 7, status[4], 2, status[10])) == struct.pack(
        ">BHH", 16, 1000, 12
    )
    driver.tick()
    status = await plain.read(0, 64)
    assert (status[2], status[5], status[6], status[7]) == (3, 1, 0, 7)
    await plain.write(1000, *block(900, 6, status[4], 2, status[10], 80, 1))
    status = await plain.read(0, 64)
    assert (status[5], status[6], status[7]) == (1, 3, 7)
    driver.tick()
    assert (await plain.read(30, 1)) == (0,)
    assert tuple(block(2, 7, 9, 2, 0)) == encode_command(
        driver.command(seq=2, epoch=7, heartbeat_echo=9, stage=0)
    )


async def test_whatever_is_not_one_whole_block_is_refused(serving):
    driver, server = serving
    driver.adaptive()
    plain = PlainModbus(server.port)
    words = block(1000, 1, driver.status.heartbeat, 2, driver.status.stage, 80, 1)
    before = driver.status
    assert (await plain.write(1000, *words[:6]))[0] == 16  # taken by the wire, not by the cabinet
    assert driver.status.refusal is Refusal.MALFORMED
    assert (await plain.write(1006, *words[6:]))[0] == 16
    assert (await plain.ask(6, struct.pack(">HH", 1007, 80)))[0] == 6
    assert driver.status.refusal is Refusal.MALFORMED
    for address, values in ((0, [1]), (4, [9]), (999, words), (1001, words), (2500, [0] * 6), (4000, [1])):
        assert await plain.write(address, *values) == b"\x90\x02"
    assert await plain.ask(6, struct.pack(">HH", 10, 2)) == b"\x86\x02"
    assert await plain.ask(5, struct.pack(">HH", 1000, 0xFF00)) == b"\x85\x01"
    assert (await plain.ask(22, struct.pack(">HHH", 1001, 0, 1)))[0] == 0x96
    assert (await plain.ask(23, struct.pack(">HHHHBH", 0, 2, 1000, 1, 2, 5)))[0] == 0x97
    driver.tick()
    assert driver.status.countdown_s == 0
    assert (driver.status.accepted_seq, driver.status.mode) == (before.accepted_seq, before.mode)


@pytest.mark.parametrize(
    ("address", "count"), [(0, 125), (112, 1), (901, 1), (1012, 1), (2499, 2), (60_000, 1)]
)
async def test_reads_outside_the_map(serving, address, count):
    _, server = serving
    answer = await PlainModbus(server.port).ask(3, struct.pack(">HH", address, count))
    assert answer == b"\x83\x02"


async def test_other_units_get_an_exception(serving):
    _, server = serving
    answer = await PlainModbus(server.port).ask(3, struct.pack(">HH", 0, 1), unit=7)
    assert answer == b"\x83\x0b"


async def mbpoll(port: int, *arguments: str) -> str:
    program = shutil.which("mbpoll")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mbpoll is missing: apt-get install mbpoll")
        pytest.skip("mbpoll is not installed (Debian package mbpoll)")
    process = await asyncio.create_subprocess_exec(
        program,
        *("-m", "tcp", "-p", str(port), "-a", "1", "-0", "-1", "-q", "-t", "4", "-o", "2"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    return out.decode()


def mbpoll_values(output: str) -> dict[int, int]:
    return {int(at): int(value) for at, value in re.findall(r"\[(\d+)\]:\s+(\d+)", output)}


async def test_mbpoll_reads_the_status_and_is_refused_a_stale_epoch(serving):
    driver, server = serving
    driver.epoch = 5
    driver.adaptive()
    driver.run(3)
    status = mbpoll_values(await mbpoll(server.port, "-r", "0", "-c", "64", HOST))
    assert len(status) == 64
    assert (status[0], status[1], status[2], status[4], status[7]) == (1, 1, 3, driver.status.heartbeat, 5)
    stale = [str(word) for word in block(77, 4, status[4], 2, status[10], 80, 1)]
    await mbpoll(server.port, "-r", "1000", HOST, *stale)
    status = mbpoll_values(await mbpoll(server.port, "-r", "0", "-c", "64", HOST))
    assert (status[5], status[6], status[7]) == (driver.status.accepted_seq, 3, 5)
    assert driver.status.refusal is Refusal.STALE_EPOCH


async def test_many_cabinets_at_once(make_driver, crossroads):
    drivers = [make_driver(crossroads) for _ in range(12)]
    servers = [CabinetServer(driver.cabinet) for driver in drivers]
    await serve(servers)
    clients = [client_of(driver, server.port) for driver, server in zip(drivers, servers, strict=True)]
    for second in range(3):
        for driver in drivers:
            driver.tick()
        reports = await asyncio.gather(*(client.poll() for client in clients))
        assert [report.status.heartbeat for report in reports] == [second + 1] * 12
    await asyncio.gather(*(client.close() for client in clients))
    for server in servers:
        await server.stop()


@every_vendor
@pytest.mark.parametrize("seed", range(4))
async def test_server_survives_garbage_and_keeps_serving(serving, seed):
    driver, server = serving
    driver.start()
    before = driver.status
    rng = random.Random(seed)
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
    for _ in range(15):
        reader, writer = await asyncio.open_connection(HOST, server.port)
        noise = rng.randbytes(rng.randint(1, 400))
        if rng.random() < 0.6:  # a proper header in front of it
            noise = struct.pack(">HHHBB", 1, 0, len(noise) + 2, 1, rng.randrange(256)) + noise
        writer.write(noise)
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(reader.read(300), 0.02)
        writer.transport.abort()
    client = client_of(driver, server.port)
    report = await client.poll()
    assert report.status.stage == before.stage
    assert report.status.accepted_seq == 0
    await client.close()
    assert troubles == []
