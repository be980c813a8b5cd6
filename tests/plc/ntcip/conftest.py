"""A virtual NTCIP controller behind a real UDP port, the adapter in front of it, and a relay between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.cabinet.snmp_server import SnmpServer
from denxanh.plc.ntcip import oids
from denxanh.plc.ntcip.client import NtcipCabinet
from denxanh.plc.ntcip.link import Link, Settings
from denxanh.plc.ntcip.oids import cell, scalar
from denxanh.plc.ntcip.stagemap import StageMap, derived, problems

HOST = "127.0.0.1"
CONTROL_OBJECTS = (
    *(cell(oids.PHASE_CONTROL_GROUP, column, 1) for column in range(2, 8)),
    scalar(oids.SYSTEM_PATTERN_CONTROL),
)


class Bench:
    """A virtual controller behind a port, and the adapter in front of it."""

    def __init__(self, driver, stages: StageMap | None = None) -> None:
        self.driver = driver
        self.stages = stages or derived(driver.intersection)
        self.face = NtcipFace(driver.cabinet, self.stages)
        self.server = SnmpServer(self.face)
        self.clients: list[NtcipCabinet] = []

    def client(self, settings: Settings | None = None, port: int | None = None) -> NtcipCabinet:
        intersection = self.driver.intersection
        client = NtcipCabinet(
            HOST, port or self.server.port, intersection, self.stages, settings or Settings()
        )
        self.clients.append(client)
        return client

    def number(self, oid: tuple[int, ...]) -> int:
        value = self.face.get(oid)
        assert value is not None
        assert isinstance(value.content, int)
        return value.content

    def hide(self, oid: tuple[int, ...]) -> None:
        """This controller does not have the object."""
        get = self.face.get
        self.face.get = lambda name: None if name == oid else get(name)  # type: ignore[method-assign]

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


async def _stranger(
    port: int, *pairs: tuple[tuple[int, ...], int], community: bytes = b"administrator"
) -> None:
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


@pytest.fixture(name="dual")
async def _dual(driver) -> AsyncIterator[Bench]:
    """A dual-ring controller: two phases in each stage."""
    stages = StageMap(
        stages=(frozenset({2, 6}), frozenset({1, 5}), frozenset({4, 8})),
        rings=((1, 2, 4), (5, 6, 8)),
        barriers=(frozenset({1, 2, 5, 6}), frozenset({4, 8})),
        channels=(2, 4, 1, 8, 10, 12),
    )
    assert list(problems(stages, driver.intersection)) == []
    bench = Bench(driver, stages)
    await bench.server.start()
    yield bench
    for client in bench.clients:
        await client.close()
    await bench.server.stop()


@pytest.fixture(name="relay")
async def _relay(bench) -> AsyncIterator[tuple[Relay, int]]:
    relay = Relay(bench.server.port)
    port = await relay.start()
    yield relay, port
    relay.transport.close()


@pytest.fixture
def stranger() -> Callable[..., object]:
    """Another centre's SET: `await stranger(port, (oid, number), …)`."""
    return _stranger
