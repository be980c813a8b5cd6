"""SNMPv3: the adapter and Debian's tools against the virtual controller, and who is not let in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.errors import FrameError, SecretError, UnreachableError
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.usm_server import UsmServer
from denxanh.plc.contract import CabinetMode, CabinetStatus, Fault, ModeRequest
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.courier import Question
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.message import ErrorStatus, Kind, ask, encode_varbinds
from denxanh.plc.ntcip.numbers import poll_names
from denxanh.plc.ntcip.oids import scalar
from denxanh.plc.ntcip.stagemap import derived
from denxanh.plc.ntcip.usm import Authentication, Peer, User
from denxanh.plc.ntcip.usm_carrier import UserCarrier

HOST = "127.0.0.1"
SIGN, ENCRYPT = "sông Hậu nước lớn".encode().hex(), "bến Ninh Kiều".encode().hex()
USER = User("centre", SIGN, ENCRYPT)
PEER = Peer(USER)
ANY = range(1 << 31)
"""Every message waits for an answer."""
PATTERN = scalar(oids.SYSTEM_PATTERN_CONTROL)
BACKUP = scalar(oids.UNIT_BACKUP_TIME)
MAX_PHASES = scalar(oids.MAX_PHASES)


class Bench:
    """A virtual controller behind a port."""

    def __init__(self, driver) -> None:
        self.driver = driver
        self.face = NtcipFace(driver.cabinet)
        self.server = UsmServer(self.face, USER, driver.intersection.id)
        self.closing: list[NtcipCabinet | Link] = []

    def client(self, user: User = USER, port: int | None = None) -> NtcipCabinet:
        one = self.driver.intersection
        carrier = UserCarrier(user)
        client = NtcipCabinet(HOST, port or self.server.port, one, derived(one), Settings(), carrier)
        self.closing.append(client)
        return client

    def link(self, user: User = USER, port: int | None = None) -> Link:
        link = Link(HOST, port or self.server.port, "X1", Settings(), UserCarrier(user))
        self.closing.append(link)
        return link

    def number(self, oid: tuple[int, ...]) -> int:
        value = self.face.get(oid)
        assert value is not None
        assert isinstance(value.content, int)
        return value.content


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """The virtual agent is slow (all pysnmp), a machine may be busy, and time-outs are not the subject."""
    monkeypatch.setattr("denxanh.plc.ntcip.link.TIMEOUT_S", 5.0)


@pytest.fixture(name="bench")
async def _bench(driver) -> AsyncIterator[Bench]:
    bench = Bench(driver)
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
    await bench.server.start()
    yield bench
    for one in bench.closing:
        if isinstance(one, Link):
            one.close()
        else:
            await one.close()
    await bench.server.stop()
    await asyncio.sleep(0.01)
    assert troubles == []


async def debian(program: str, *words: str) -> tuple[int, str]:
    """One of net-snmp's tools: exit status, and both its outputs."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is missing: apt-get install snmp")
        pytest.skip("net-snmp is not installed (Debian package snmp)")
    process = await asyncio.create_subprocess_exec(
        found, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    # The first of them on a machine makes its folder, and says so.
    lines = [
        line for line in out.decode().splitlines(keepends=True) if not line.startswith("Created directory:")
    ]
    return process.returncode, "".join(lines)


def keys(port: int, level: str = "authPriv", **other: str) -> list[str]:
    words = ["-v3", "-l", level, "-u", other.get("user", "centre"), "-On", "-t", "5", "-r", "0"]
    words += ["-a", other.get("auth", "SHA-256"), "-A", other.get("sign", SIGN)]
    if level == "authPriv":
        words += ["-x", "AES", "-X", other.get("encrypt", ENCRYPT)]
    return [*words, f"{HOST}:{port}"]


async def test_the_adapter_drives_a_cabinet_over_v3(bench):
    driver, client = bench.driver, bench.client()
    driver.start()
    await client.poll()
    for _ in range(4):
        driver.tick()
        report = await client.poll()
        await client.command(driver.command(stage=report.status.stage))
    assert report.status.mode is CabinetMode.ADAPTIVE
    assert (report.status.green, report.status.stage) == (driver.status.green, driver.status.stage)
    assert bench.number(BACKUP) == Settings().backup_s
    driver.tick()
    await client.poll()
    await client.command(driver.command(mode=ModeRequest.RELEASE))
    assert bench.number(PATTERN) == oids.STANDBY_PATTERN
    assert bench.server.strangers == 0


async def test_what_debians_tools_read_and_set_is_what_the_cabinet_says(bench):
    bench.driver.start()
    words = keys(bench.server.port)
    status, out = await debian("snmpget", *words, "1.3.6.1.4.1.1206.4.2.1.1.1.0")
    assert (status, out) == (0, f".1.3.6.1.4.1.1206.4.2.1.1.1.0 = INTEGER: {bench.number(MAX_PHASES)}\n")
    status, out = await debian("snmpset", *words, "1.3.6.1.4.1.1206.4.2.1.3.3.0", "i", "12")
    assert (status, bench.number(BACKUP)) == (0, 12), out
    status, out = await debian("snmpset", *words, "1.3.6.1.4.1.1206.4.2.1.4.14.0", "i", "255")
    assert status != 0
    assert "wrongValue" in out
    status, out = await debian("snmpwalk", *words, "1.3.6.1.4.1.1206.4.2.1.8.4.1")
    assert (status, len(out.splitlines())) == (0, 3), out


@pytest.mark.parametrize(
    ("level", "other", "said"),
    [
        ("authPriv", {"sign": "not this one"}, "Authentication failure"),
        ("authPriv", {"encrypt": "nor this one"}, "Decryption error"),
        ("authPriv", {"user": "somebody"}, "Unknown user name"),
        ("authPriv", {"auth": "SHA"}, "Authentication failure"),
        ("authNoPriv", {}, "Unsupported security level"),
    ],
)
async def test_who_is_not_let_in_changes_nothing_and_is_logged(bench, caplog, level, other, said):
    bench.driver.start()
    words = keys(bench.server.port, level, **other)
    with caplog.at_level(logging.WARNING):
        status, out = await debian("snmpset", *words, "1.3.6.1.4.1.1206.4.2.1.3.3.0", "i", "12")
    assert status != 0
    assert said in out
    assert bench.number(BACKUP) == 0
    assert bench.server.strangers >= 1
    assert len([one for one in caplog.records if "ignored a message" in one.message]) == 1


async def test_communities_are_not_answered(bench):
    status, out = await debian(
        "snmpget", "-v2c", "-c", "public", "-t", "1", "-r", "0", f"{HOST}:{bench.server.port}", "1.3.6.1"
    )
    assert status != 0
    assert "Timeout" in out


@pytest.mark.parametrize(
    "user",
    [
        User("centre", SIGN[::-1], ENCRYPT),
        User("centre", SIGN, ENCRYPT[::-1]),
        User("another", SIGN, ENCRYPT),
        User("centre", SIGN, ENCRYPT, Authentication.SHA_512),
    ],
)
async def test_the_adapter_says_so_when_it_is_not_let_in(bench, user):
    with pytest.raises(UnreachableError, match=r"user's name and both passphrases"):
        await bench.link(user).get((MAX_PHASES,))


@pytest.mark.parametrize("kind", [Authentication.SHA_1, Authentication.SHA_512])
async def test_other_signatures(driver, kind):
    user = User("centre", SIGN, ENCRYPT, kind)
    server = UsmServer(NtcipFace(driver.cabinet), user, "X1")
    await server.start()
    link = Link(HOST, server.port, "X1", Settings(), UserCarrier(user))
    try:
        assert await link.get_one(MAX_PHASES) == len(driver.intersection.stages)
    finally:
        link.close()
        await server.stop()


class Relay(asyncio.DatagramProtocol):
    """Between client and controller; keeps what went up."""

    def __init__(self, upstream: int) -> None:
        self.upstream = (HOST, upstream)
        self.client = None
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.silent = False

    async def start(self) -> int:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        return self.transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr) -> None:
        if addr == self.upstream:
            self.down.append(data)
            if self.client is not None:
                self.transport.sendto(data, self.client)
            return
        self.client = addr
        self.up.append(data)
        if not self.silent:
            self.transport.sendto(data, self.upstream)

    def again(self, data: bytes) -> None:
        self.client = None
        self.transport.sendto(data, self.upstream)


async def test_an_old_command_is_refused_after_a_restart_and_outside_the_time_window(bench, monkeypatch):
    relay = Relay(bench.server.port)
    link = bench.link(port=await relay.start())
    try:
        await link.get_one(BACKUP)  # a SET is sent once; who the controller is must be known by then
        await link.set({BACKUP: 11})
        old = relay.up[-1]
        await link.set({BACKUP: 12})
        assert USER.name.encode() in old
        assert bench.number(BACKUP) == 12

        from pysnmp.proto.secmod.rfc3414 import service

        clock = service.time.time
        with monkeypatch.context() as later:
            later.setattr(service.time, "time", lambda: clock() + 200)  # 150 s is the window
            relay.again(old)
            await asyncio.sleep(0.5)
        assert bench.number(BACKUP) == 12

        await bench.server.stop()
        bench.server = UsmServer(bench.face, USER, "X1", port=bench.server.port, boots=2**30)
        await bench.server.start()
        relay.again(old)
        await asyncio.sleep(0.1)
        assert bench.number(BACKUP) == 12
        relay.client = None
        await link.set({BACKUP: 13})  # an honest client learns the new number of boots
        assert bench.number(BACKUP) == 13
    finally:
        relay.transport.close()


async def test_inside_the_time_window_a_copy_of_an_order_is_refused_and_without_a_serial_it_is_seen(bench):
    """RFC 3414 lets a copy pass for 150 s; snmpSetSerialNo (RFC 3418) does not."""
    relay = Relay(bench.server.port)
    client = bench.client(port=await relay.start())
    driver, face = bench.driver, bench.face

    async def second(**order) -> CabinetStatus:
        driver.tick()
        report = await client.poll()
        await client.command(driver.command(stage=report.status.stage, **order))
        return report.status

    plan = {"mode": ModeRequest.PLAN, "plan": 2}
    try:
        driver.start()
        await client.poll()
        for _ in range(2):
            await second()
        free = relay.up[-1]
        await second(**plan)
        assert bench.number(PATTERN) == 2
        relay.again(free)
        await asyncio.sleep(0.3)
        assert (bench.number(PATTERN), face.refused) == (2, 1)

        get, serial = face.get, scalar(oids.SET_SERIAL)
        face.get = lambda name: None if name == serial else get(name)
        client._poll = None  # what it has is asked again
        client._names = poll_names(client._layout, client._stages)
        await second(**plan)
        await second()
        free = relay.up[-1]
        for _ in range(7):
            await second(**plan)
        relay.again(free)
        await asyncio.sleep(0.3)
        assert bench.number(PATTERN) == oids.FREE_PATTERN
        assert (await second(**plan)).faults == Fault.FOREIGN
    finally:
        relay.transport.close()


async def test_a_message_that_was_changed_on_its_way_changes_nothing(bench):
    relay = Relay(bench.server.port)
    link = bench.link(port=await relay.start())
    rng = random.Random(5)
    try:
        await link.get_one(BACKUP)  # a SET is sent once; who the controller is must be known by then
        await link.set({BACKUP: 11})
        good = relay.up[-1]
        await link.set({BACKUP: 12})
        for _ in range(40):
            wrong = bytearray(good)
            wrong[rng.randrange(len(wrong))] ^= 1 << rng.randrange(8)
            relay.again(bytes(wrong))
        await asyncio.sleep(0.3)
        assert bench.number(BACKUP) == 12
    finally:
        relay.transport.close()


async def test_garbage_at_the_controller_and_at_the_client_stops_neither(bench):
    relay, rng = Relay(bench.server.port), random.Random(7)
    link = bench.link(port=await relay.start())
    stages = len(bench.driver.intersection.stages)
    assert await link.get_one(MAX_PHASES) == stages
    for _ in range(50):
        noise = rng.randbytes(rng.randint(0, 200))
        wrong = bytearray(rng.choice(relay.down))
        wrong[rng.randrange(len(wrong))] ^= 1 << rng.randrange(8)
        relay.transport.sendto(noise, relay.upstream)
        relay.transport.sendto(noise, relay.client)
        relay.transport.sendto(bytes(wrong), relay.client)
    await asyncio.sleep(0.1)
    assert await link.get_one(MAX_PHASES) == stages
    relay.transport.close()


async def test_an_answer_of_somebody_else_or_to_another_question_is_not_believed(bench, monkeypatch):
    """Somebody who knows everything but the passphrases, and a true answer that comes a second time."""
    relay = Relay(bench.server.port)
    link = bench.link(port=await relay.start())
    try:
        await link.get_one(BACKUP)
        old = relay.down[-1]
        relay.silent = True
        monkeypatch.setattr("denxanh.plc.ntcip.link.TIMEOUT_S", 0.3)
        asking = asyncio.create_task(link.get_one(BACKUP))
        await asyncio.sleep(0.1)
        relay.transport.sendto(old, relay.client)
        for flags in (0, 1):  # the same, as if it were unsigned or not encrypted
            wrong = old.replace(b"\x04\x01\x03\x02\x01\x03", bytes((4, 1, flags, 2, 1, 3)), 1)
            assert wrong != old
            relay.transport.sendto(wrong, relay.client)
        with pytest.raises(UnreachableError, match="no answer"):
            await asking
    finally:
        relay.transport.close()


@given(st.binary(max_size=300))
def test_whatever_comes_is_heard_or_refused(data):
    with contextlib.suppress(FrameError):
        PEER.heard(data, ANY)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_question_is_refused(place, flip):
    data = bytearray(PEER.question(5, Kind.GET, encode_varbinds(ask((MAX_PHASES,)))))
    data[place % len(data)] ^= flip
    with contextlib.suppress(FrameError):
        heard = PEER.heard(bytes(data), ANY)
        assert heard.pdu.kind is Kind.GET  # its own question, unsigned: no answer, so nobody takes it for one


async def test_a_silent_controller_costs_one_time_out(bench):
    port = bench.server.port
    await bench.server.stop()
    carrier = UserCarrier(USER)
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked = [Question(encode_varbinds(ask((MAX_PHASES,))))]
    (error,) = await carrier.request((HOST, port), Kind.GET, asked, 0.2)
    assert isinstance(error, UnreachableError)
    assert "no answer within" in str(error)
    assert loop.time() - began < 2.0
    carrier.close()


async def test_an_object_that_is_not_there_is_named(bench):
    link = bench.link()
    there = await link.missing((MAX_PHASES, scalar((*oids.ASC, 99))))
    assert there == (scalar((*oids.ASC, 99)),)
    answer = await UserCarrier_request(bench, Kind.SET)
    assert answer == ErrorStatus.NOT_WRITABLE


async def UserCarrier_request(bench: Bench, kind: Kind) -> int:  # noqa: N802
    """The error status of a SET of what may only be read."""
    from denxanh.plc.ntcip.ber import integer

    carrier = UserCarrier(USER)
    try:
        asked = [Question(encode_varbinds(((MAX_PHASES, integer(1)),)))]
        (answer,) = await carrier.request((HOST, bench.server.port), kind, asked, 2.0)
        return answer.error_status
    finally:
        carrier.close()


def test_short_passphrases_and_long_names_are_refused():
    with pytest.raises(SecretError, match="8 characters"):
        User("centre", "short", ENCRYPT)
    with pytest.raises(SecretError, match="32"):
        User("c" * 33, SIGN, ENCRYPT)
    assert SIGN not in repr(USER)


async def test_nothing_is_kept_of_strangers_messages(bench):
    """The security model remembers messages by a number; a flood must not fill it."""
    relay = Relay(bench.server.port)
    link = bench.link(port=await relay.start())
    await link.get_one(MAX_PHASES)
    peer = link._carrier._peer
    good = relay.down[-1]
    for place in range(len(good)):
        wrong = bytearray(good)
        wrong[place] ^= 1
        relay.transport.sendto(bytes(wrong), relay.client)
        with contextlib.suppress(FrameError):
            peer.heard(bytes(wrong), ())
    await asyncio.sleep(0.1)
    assert await link.get_one(MAX_PHASES) == len(bench.driver.intersection.stages)
    assert peer._model._cache.is_empty()
    relay.transport.close()
