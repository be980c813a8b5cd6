"""Ticks: absolute deadlines, no bunching, a wall clock that may jump; and the lock-step channel."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controller.clock import LockStepClock, MonotonicClock
from denxanh.errors import ClockError, UnreachableError

MIDNIGHT_UTC7 = 1_795_280_400.0
"""2026-11-22 00:00 in Vietnam."""


class Hands:
    """A clock whose time passes only by sleeping and by work."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.wall = MIDNIGHT_UTC7

    def pass_by(self, seconds: float) -> None:
        self.at += seconds
        self.wall += seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def clock(self) -> MonotonicClock:
        return MonotonicClock(monotonic=lambda: self.at, wall=lambda: self.wall, sleep=self.sleep)


async def test_lateness_does_not_add_up() -> None:
    hands = Hands()
    clock = hands.clock()
    numbers = []
    for work in (0.3, 0.9, 0.1, 0.7):
        tick = await clock.next()
        assert hands.at == pytest.approx(1000.0 + tick.number)
        numbers.append(tick.number)
        hands.pass_by(work)
    assert numbers == [0, 1, 2, 3]
    assert clock.missed == 0


async def test_missed_ticks_are_counted_and_not_made_up_for() -> None:
    hands = Hands()
    clock = hands.clock()
    await clock.next()
    hands.pass_by(3.4)
    late = await clock.next()
    assert (late.number, clock.missed) == (3, 2)
    assert clock.max_lateness_s == pytest.approx(0.4)
    assert (await clock.next()).number == 4
    assert hands.at == pytest.approx(1004.0)


@given(st.lists(st.floats(0, 5), max_size=20))
async def test_every_second_is_a_tick_or_missed(work: list[float]) -> None:
    hands = Hands()
    clock = hands.clock()
    last = -1
    for seconds in work:
        tick = await clock.next()
        assert tick.number > last
        assert hands.at >= 1000.0 + tick.number - 1e-6
        last = tick.number
        hands.pass_by(seconds)
    assert clock.missed == last + 1 - len(work)


@pytest.mark.parametrize("jump", [-86_400.0, -3.0, 3600.0, 1e6])
async def test_a_jump_of_the_wall_clock_moves_only_the_time_of_day(jump: float) -> None:
    hands = Hands()
    clock = hands.clock()
    before = await clock.next()
    hands.wall += jump
    after = await clock.next()
    assert (after.number, clock.missed) == (1, 0)
    assert hands.at == pytest.approx(1001.0)
    assert before.clock_s == pytest.approx(0.0)
    assert after.clock_s == pytest.approx((1 + jump) % 86_400)


async def test_local_time_is_vietnams() -> None:
    hands = Hands()
    hands.wall = MIDNIGHT_UTC7 - 0.5
    clock = hands.clock()
    tick = await clock.next()
    assert (tick.date, tick.clock_s) == ("2026-11-21", pytest.approx(86_399.5))
    tick = await clock.next()
    assert (tick.date, tick.clock_s) == ("2026-11-22", pytest.approx(0.5))


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
