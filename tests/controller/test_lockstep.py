"""The lock-step channel: a street grants ticks, and whatever else comes over it is a clear error."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from denxanh.controller.lockstep import LockStepClock
from denxanh.errors import ClockError, UnreachableError

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _street(handler: Handler) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handler(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _line(number: int) -> bytes:
    return json.dumps({"tick": number, "clock_s": 23_400.0 + number, "date": "2026-11-23"}).encode() + b"\n"


async def test_lock_step_grants_and_acknowledges() -> None:
    acknowledged = []

    async def street(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(3):
            writer.write(_line(number))
            acknowledged.append(json.loads(await reader.readline()))

    async with _street(street) as port:
        clock = await LockStepClock.connect("127.0.0.1", port)
        seen = []
        while (tick := await clock.next()) is not None:
            seen.append((tick.number, tick.clock_s, tick.date, clock.now()))
            await clock.done(tick)
        await clock.close()
    assert acknowledged == [{"ack": 0}, {"ack": 1}, {"ack": 2}]
    assert seen == [(n, 23_400.0 + n, "2026-11-23", float(n)) for n in range(3)]
    assert clock.missed == 0


async def test_when_the_street_has_run_on_only_the_latest_tick_counts() -> None:
    go = asyncio.Event()

    async def street(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(_line(number) for number in range(5)))
        await writer.drain()
        go.set()
        await reader.readline()

    async with _street(street) as port:
        clock = await LockStepClock.connect("127.0.0.1", port)
        await go.wait()
        await asyncio.sleep(0.1)
        tick = await clock.next()
        assert tick is not None
        assert (tick.number, clock.missed) == (4, 4)
        await clock.done(tick)
        assert await clock.next() is None
        await clock.close()


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b"7\n",
        b"{}\n",
        b'{"tick": -1, "clock_s": 1, "date": "2026-11-23"}\n',
        b'{"tick": true, "clock_s": 1, "date": "2026-11-23"}\n',
        b'{"tick": 1, "clock_s": 86400, "date": "2026-11-23"}\n',
        b'{"tick": 1, "clock_s": NaN, "date": "2026-11-23"}\n',
        b'{"tick": 1, "clock_s": 1, "date": "tomorrow"}\n',
        b'{"tick": 1, "clock_s": 1, "date": "2026-99-99"}\n',
        b"x" * 10_000,
        b"\xff\x00\n",
    ],
)
async def test_garbage_on_the_channel_is_a_clear_error(line: bytes) -> None:
    async def street(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await writer.drain()
        await reader.read(1)

    async with _street(street) as port:
        clock = await LockStepClock.connect("127.0.0.1", port)
        with pytest.raises(ClockError, match=f"clock 127.0.0.1:{port}"):
            await clock.next()
        await clock.close()


async def test_nobody_there() -> None:
    with pytest.raises(UnreachableError, match="clock does not answer"):
        await LockStepClock.connect("127.0.0.1", 1, timeout_s=0.2)
