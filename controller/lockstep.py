"""The clock of a demo: a simulated street grants each tick over TCP, and waits until it is dealt with."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import datetime

from denxanh.controller.clock import Tick
from denxanh.errors import ClockError, UnreachableError

_LOG = logging.getLogger(__name__)

LOCK_STEP_ANSWER_S = 0.9
"""Wall seconds for a poll, and again for a command: both within the 2 s after which the street no longer
waits (`sim/grants.py`)."""
_SECONDS_PER_DAY = 86_400.0
_MAX_LINE_BYTES = 4096


class LockStepClock:
    """Ticks granted by a simulated street over TCP, one JSON object per line (see `connect`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, where: str) -> None:
        self._reader = reader
        self._writer = writer
        self._where = where
        self._pending: asyncio.Queue[Tick | ClockError | None] = asyncio.Queue()
        self._listener = asyncio.create_task(self._listen(), name="clock")
        self._last = 0.0
        self._missed = 0

    @classmethod
    async def connect(cls, host: str, port: int, *, timeout_s: float = 10.0) -> LockStepClock:
        """Join the street's clock channel.

        Raises:
            UnreachableError: nobody listens there within `timeout_s` (wall time).
        """
        where = f"clock {host}:{port}"
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    reader, writer = await asyncio.open_connection(host, port, limit=_MAX_LINE_BYTES)
                return cls(reader, writer, where)
            except (OSError, TimeoutError) as error:
                if time.monotonic() >= deadline:
                    raise UnreachableError(
                        "the street's clock does not answer",
                        where=where,
                        fix="start the street first (a simulated month has none: denxanh console)",
                    ) from error
                await asyncio.sleep(0.1)

    @property
    def missed(self) -> int:
        """See `Clock`."""
        return self._missed

    @property
    def max_lateness_s(self) -> float:
        """See `Clock`: a granted tick is never late."""
        return 0.0

    @property
    def spread_s(self) -> float:
        """See `Clock`: simulated time stands still while the controller works."""
        return 0.0

    @property
    def answer_s(self) -> float:
        """See `Clock`: longer, because a busy machine must not look like a lost link."""
        return LOCK_STEP_ANSWER_S

    def now(self) -> float:
        """Simulated seconds: the number of the tick being worked on."""
        return self._last

    async def next(self) -> Tick | None:
        """See `Clock`. When the street has run on, the latest tick counts and the others are missed."""
        item = await self._pending.get()
        while isinstance(item, Tick) and not self._pending.empty():
            following = self._pending.get_nowait()
            if isinstance(following, Tick):
                self._missed += 1
            item = following
        if isinstance(item, ClockError):
            raise item
        if item is not None:
            self._last = float(item.number)
        return item

    async def turn(self) -> None:
        """See `Clock`: the street waits, so it is now."""

    async def done(self, tick: Tick) -> None:
        """Acknowledge the tick."""
        with contextlib.suppress(ConnectionError):  # the listener sees the end and says so
            self._writer.write(json.dumps({"ack": tick.number}).encode() + b"\n")
            await self._writer.drain()

    async def close(self) -> None:
        """See `Clock`."""
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                self._pending.put_nowait(_parse_tick(line, self._where))
        except ClockError as error:
            self._pending.put_nowait(error)
            return
        except (OSError, ValueError) as error:  # readline: ValueError when the line is too long
            self._pending.put_nowait(ClockError(f"the channel broke: {error}", where=self._where))
            return
        _LOG.info("%s: the street has ended", self._where)
        self._pending.put_nowait(None)


def _parse_tick(line: bytes, where: str) -> Tick:
    try:
        message = json.loads(line)
        number, clock_s, date = message["tick"], message["clock_s"], message["date"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClockError(f"not a tick: {line[:80]!r}", where=where) from error
    if type(number) is not int or number < 0:
        raise ClockError(f"tick must be a whole number of at least 0, not {number!r}", where=where)
    if type(clock_s) not in (int, float) or not 0 <= clock_s < _SECONDS_PER_DAY:
        raise ClockError(f"clock_s must lie in [0, 86400), not {clock_s!r}", where=where)
    try:
        valid = isinstance(date, str) and datetime.strptime(date, "%Y-%m-%d").date().isoformat() == date
    except ValueError:
        valid = False
    if not valid:
        raise ClockError(f"date must read YYYY-MM-DD, not {date!r}", where=where)
    return Tick(number, float(clock_s), date)
