"""The lock-step clock channel against well-behaved, slow, rude and vanishing controllers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from denxanh.controller.lockstep import LockStepClock
from denxanh.errors import PortInUseError
from denxanh.sim import grants
from denxanh.sim.grants import Grant, GrantServer
from denxanh.sim.pace import Pace

HOST = "127.0.0.1"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[GrantServer, int]]:
    monkeypatch.setattr(grants, "ACK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(grants, "LATE_TICK_S", 0.001)
    one = GrantServer()
    port = await one.start(HOST, 0)
    yield one, port
    await one.close()


def tick(number: int) -> Grant:
    return Grant(number, 23_400.0 + number, "2026-11-23")


class Peer:
    """A controller by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def attach(cls, server: GrantServer, port: int) -> Peer:
        peer = cls(*await asyncio.open_connection(HOST, port))
        assert await server.wait_for_controller(2.0)
        return peer

    async def next(self) -> dict[str, object]:
        return json.loads(await self.reader.readline())

    def ack(self, number: int) -> None:
        self.writer.write(json.dumps({"ack": number}).encode() + b"\n")

    async def follow(self, count: int) -> list[object]:
        seen = []
        for _ in range(count):
            seen.append((await self.next())["tick"])
            self.ack(int(str(seen[-1])))
        return seen


async def test_every_tick_waits_for_every_controller(server) -> None:
    one, port = server
    peers = [await Peer.attach(one, port)]
    peers.append(Peer(*await asyncio.open_connection(HOST, port)))
    await asyncio.sleep(0.05)
    following = [asyncio.create_task(peer.follow(5)) for peer in peers]
    for number in range(5):
        assert await one.grant(tick(number))
    assert [await task for task in following] == [[0, 1, 2, 3, 4]] * 2
    assert one.deterministic
    assert one.missed == 0
    for peer in peers:
        peer.writer.close()


async def test_grant_says_when_it_is(server) -> None:
    one, port = server
    peer = await Peer.attach(one, port)
    granting = asyncio.create_task(one.grant(tick(0)))
    assert await peer.next() == {"tick": 0, "clock_s": 23400.0, "date": "2026-11-23"}
    assert not granting.done()
    peer.ack(0)
    assert await granting
    peer.writer.close()


async def test_late_controller_is_waited_for_again_once_it_catches_up(server) -> None:
    one, port = server
    peer = await Peer.attach(one, port)
    assert not await one.grant(tick(0))
    assert one.missed == 1
    begun = asyncio.get_running_loop().time()
    for number in range(1, 50):
        assert await one.grant(tick(number))
    assert asyncio.get_running_loop().time() - begun < 5, "not the patience of each tick, 9.8 s"
    peer.ack(49)
    await asyncio.sleep(0.05)
    granting = asyncio.create_task(one.grant(tick(50)))
    await asyncio.sleep(0.05)
    assert not granting.done()
    peer.ack(50)
    assert await granting
    assert not one.deterministic
    assert one.missed == 1
    peer.writer.close()


async def test_the_street_runs_no_faster_than_who_is_late_but_not_for_ever(
    server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "LATE_TICK_S", 0.3)
    monkeypatch.setattr(grants, "MAX_LATE", 2)
    one, port = server
    peer = await Peer.attach(one, port)
    assert not await one.grant(tick(0))
    granting = asyncio.create_task(one.grant(tick(1)))
    await asyncio.sleep(0.05)
    assert not granting.done()
    peer.ack(1)
    assert await granting, "it has come up with the street"
    assert not await one.grant(tick(2))
    begun = asyncio.get_running_loop().time()
    for number in range(3, 50):
        assert await one.grant(tick(number))
    assert 0.5 < asyncio.get_running_loop().time() - begun < 5
    peer.writer.close()


async def test_controller_that_vanishes_is_not_waited_for(server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "ACK_TIMEOUT_S", 60)
    one, port = server
    peer = await Peer.attach(one, port)
    granting = asyncio.create_task(one.grant(tick(0)))
    await peer.next()
    peer.writer.close()
    await asyncio.wait_for(granting, 20)
    assert not one.deterministic


@pytest.mark.parametrize(
    "rude",
    [
        b"hello\n",
        b'{"ack": "1"}\n',
        b'{"ack": -1}\n',
        b'{"ack": true}\n',
        b'{"ack": 7}\n',
        b"[]\n",
        b"x" * 9000,
    ],
)
async def test_rude_controller_is_dropped_and_the_street_goes_on(server, rude: bytes) -> None:
    one, port = server
    peer = await Peer.attach(one, port)
    peer.writer.write(rude)
    await peer.writer.drain()
    assert await asyncio.wait_for(peer.reader.read(), 20) == b""
    assert await one.grant(tick(0))
    peer.writer.close()


@pytest.mark.parametrize("unread_ticks", [0, 40_000])
async def test_end_is_no_error_and_waits_for_no_peer(
    monkeypatch: pytest.MonkeyPatch, unread_ticks: int
) -> None:
    monkeypatch.setattr(grants, "ACK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(grants, "CLOSE_S", 0.2)
    monkeypatch.setattr(grants, "LATE_TICK_S", 0.001)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    one = GrantServer()
    peer = await Peer.attach(one, await one.start(HOST, 0))
    for number in range(unread_ticks):
        await one.grant(tick(number))
    await asyncio.wait_for(one.close(), 20)
    await asyncio.sleep(0.05)
    assert complaints == []
    assert unread_ticks or await peer.reader.read() == b""
    peer.writer.close()


async def test_an_acknowledgement_after_the_end_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a starved machine the street may be over before the controller has finished its last tick."""
    monkeypatch.setattr(grants, "ACK_TIMEOUT_S", 0.05)
    one = GrantServer()
    clock = await LockStepClock.connect(HOST, await one.start(HOST, 0))
    assert await one.wait_for_controller(2.0)
    granting = asyncio.create_task(one.grant(tick(0)))
    last = await clock.next()
    assert not await granting
    closing = asyncio.create_task(one.close())
    await asyncio.sleep(0)
    await clock.done(last)
    assert await clock.next() is None
    await clock.close()
    await asyncio.wait_for(closing, 20)


async def test_attaching_in_mid_run_is_no_longer_deterministic(server) -> None:
    one, port = server
    assert await one.grant(tick(0))
    assert one.deterministic
    peer = await Peer.attach(one, port)
    assert not one.deterministic
    peer.writer.close()


async def test_nobody_comes(server) -> None:
    one, _ = server
    assert not await one.wait_for_controller(0.05)


async def test_port_in_use_says_which(server) -> None:
    _, port = server
    with pytest.raises(PortInUseError, match=str(port)):
        await GrantServer().start(HOST, port)


async def test_pace_holds_the_speed_and_does_not_catch_up() -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(50.0)
    begun = loop.time()
    for _ in range(10):
        await pace.second()
    assert 0.19 <= loop.time() - begun < 1.0
    await asyncio.sleep(0.3)
    await pace.second()
    begun = loop.time()
    for _ in range(5):
        await pace.second()
    assert loop.time() - begun >= 0.08
