"""The HTTP door under attack: real sockets, wrong tokens, slow and broken senders."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from denxanh.controller.vds import http
from denxanh.controller.vds.arrival import Reason, Source
from denxanh.controller.vds.client import Pusher
from denxanh.controller.vds.gate import BURST, Gate
from denxanh.controller.vds.http import Receiver
from denxanh.controller.vds.message import MAX_BYTES

TOKEN = "t" * 40
GOOD = {
    "v": 1,
    "source": "cam-1",
    "seq": 1,
    "time_s": 1.0,
    "zones": [{"id": "z1", "vehicles": 1, "queued": 0, "occupancy": 0.1, "speed_kmh": 30.0}],
}
BODY = json.dumps(GOOD).encode()


class Door:
    """A receiver on a free port and what it has let pass."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, bytes]] = []
        self.gate = Gate([Source("cam-1", "X", ("z1",), 2.0)])
        self.receiver = Receiver(
            self.gate, {"cam-1": TOKEN}, lambda source, body: self.passed.append((source, body))
        )
        self.port = 0

    def pusher(self, source: str = "cam-1", token: str = TOKEN) -> Pusher:
        return Pusher("127.0.0.1", self.port, source, token)

    async def raw(self, data: bytes) -> bytes:
        """What comes back on a connection that says only this, until it is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            async with asyncio.timeout(20):
                return await reader.read()
        finally:
            writer.close()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    one = Door()
    one.port = await one.receiver.start("127.0.0.1", 0)
    yield one
    await one.receiver.stop()


async def test_samples_pass_over_one_connection(door: Door) -> None:
    async with door.pusher() as pusher:
        assert [(await pusher.push(BODY)).status for _ in range(5)] == [204] * 5
    assert [json.loads(body)["zones"][0]["vehicles"] for _, body in door.passed] == [1] * 5


@pytest.mark.parametrize(
    ("source", "token", "status"),
    [
        ("cam-1", "u" * 40, 401),
        ("cam-2", TOKEN, 401),
        ("cam-1", "x", 401),
        ("../cam-1", TOKEN, 401),
        ("x" * 60, TOKEN, 404),
    ],
)
async def test_only_a_known_source_with_its_token(door: Door, source: str, token: str, status: int) -> None:
    async with door.pusher(source, token) as pusher:
        assert (await pusher.push(BODY)).status == status
    assert door.passed == []
    counted = [("cam-1", Reason.UNAUTHORISED, 1)] if source == "cam-1" else []
    assert door.gate.turned() == counted


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{}", 422, "malformed"),
        (json.dumps({**GOOD, "plate": "65A-123.45"}).encode(), 422, "unknown-field"),
        (json.dumps({**GOOD, "source": "cam-2"}).encode(), 422, "wrong-source"),
        (BODY.replace(b"z1", b"z2"), 422, "unknown-zone"),
        (b" " * (MAX_BYTES + 1), 413, "too-long"),
    ],
)
async def test_what_the_schema_refuses(door: Door, body: bytes, status: int, reason: str) -> None:
    async with door.pusher() as pusher:
        reply = await pusher.push(body)
        assert (reply.status, json.loads(reply.text)["refused"]) == (status, reason)
        assert (await pusher.push(BODY)).status == 204  # the next one is heard all the same


async def test_a_source_that_sends_too_much_is_held_back(door: Door) -> None:
    async with door.pusher() as pusher:
        statuses = [(await pusher.push(BODY)).status for _ in range(int(BURST) + 30)]
    assert statuses[: int(BURST)] == [204] * int(BURST)
    assert 429 in statuses
    assert {reason for _, reason, _ in door.gate.turned()} == {Reason.TOO_OFTEN}


HEAD = b"POST /vds/v1/cam-1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + TOKEN.encode() + b"\r\n"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"HTTP/1.1 400"),
        (b"GET /vds/v1/cam-1 HTTP/1.1\r\nhost: x\r\n\r\n", b"HTTP/1.1 405"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"HTTP/1.1 404"),
        (b"POST " + b"x" * 20_000, b"HTTP/1.1 4"),
        (HEAD + b"a: b\r\n" * 3000, b"HTTP/1.1 4"),
        (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello", b"HTTP/1.1 400"),
        (HEAD + b"content-length: 99999999\r\n\r\n" + b" " * (MAX_BYTES + 1), b"HTTP/1.1 413"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1000\r\n" + b" " * 4096 + b"\r\n" * 1, b""),
        (HEAD + b"expect: 100-continue\r\ncontent-length: 3\r\n\r\n", b"HTTP/1.1 417"),
    ],
)
async def test_broken_senders_get_an_answer_or_the_end(
    door: Door, monkeypatch: pytest.MonkeyPatch, data: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(http, "REQUEST_S", 0.5)
    monkeypatch.setattr(http, "IDLE_S", 0.5)
    assert (await door.raw(data)).startswith(answer)
    assert door.passed == []
    async with door.pusher() as pusher:
        assert (await pusher.push(BODY)).status == 204


async def test_slow_senders_are_cut_off_and_others_served_meanwhile(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_S", 0.5)
    slow = [asyncio.create_task(door.raw(HEAD + b"content-length: 100\r\n\r\nx")) for _ in range(50)]
    async with door.pusher() as pusher:
        assert (await pusher.push(BODY)).status == 204
    assert await asyncio.gather(*slow) == [b""] * 50


async def test_connections_are_counted(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_CONNECTIONS", 2)
    async with door.pusher() as one, door.pusher() as two:
        assert (await one.push(BODY)).status == 204
        assert (await two.push(BODY)).status == 204
        assert (await door.raw(b"")).startswith(b"HTTP/1.1 503")
    await asyncio.sleep(0.1)
    async with door.pusher() as three:
        assert (await three.push(BODY)).status == 204
