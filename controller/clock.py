"""When it is: the controller's ticks, on the street from the monotonic clock; in a demo see `lockstep`.

A tick is one second. Nothing above this module reads a clock: time limits count ticks, the local time
of day comes with the tick, and how long a decision took is asked of the clock (`now`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Protocol

from denxanh.controller.turns import Turns

TICK_S = 1.0
"""Length of a tick, s: one call of the guard."""
POLL_SPREAD_S = 0.4
"""Cabinets are polled over this part of the second, so that 200 do not answer at once.

Own measurement, 200 Modbus connections on loopback: 99 % of the answers within 142 ms when all are asked
in one instant, within 10 ms when they are spread over the second.
"""
TURN_S = 0.05
"""Seconds between two turns, in which all that have answered meanwhile are decided upon (assumed): short
against a tick, and some 25 of 200 cabinets. Measured: docs/measurements.md."""
ANSWER_S = 0.45
"""Wall seconds for a poll, and again for a command, on the street."""
VIETNAM = timezone(timedelta(hours=7))
"""Vietnam has one time zone and no summer time."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One second. `clock_s` is local seconds since midnight in [0, 86400), `date` the local YYYY-MM-DD."""

    number: int
    clock_s: float
    date: str


class Clock(Protocol):
    """Where ticks come from."""

    @property
    def missed(self) -> int:
        """Ticks that passed unused because the controller was late."""
        ...

    @property
    def max_lateness_s(self) -> float:
        """How long after its due time a tick was handed out at worst, s."""
        ...

    @property
    def spread_s(self) -> float:
        """Seconds over which the cabinets' polls are spread; 0 when time stands still between ticks."""
        ...

    @property
    def answer_s(self) -> float:
        """Wall seconds that a cabinet has to answer a poll, or to take a command."""
        ...

    def now(self) -> float:
        """Seconds on this clock's own scale, for time budgets."""
        ...

    async def next(self) -> Tick | None:
        """The next tick, at its time; None when there will be no more.

        Raises:
            ClockError: the channel broke.
        """
        ...

    async def turn(self) -> None:
        """Wait for the moment in which all that have been heard meanwhile are decided upon (`Turns`)."""
        ...

    async def done(self, tick: Tick) -> None:
        """Everything of this tick has been sent."""
        ...

    async def close(self) -> None:
        """Let go of the clock; never raises."""
        ...


def uptime_s() -> float:
    """Seconds from a clock that never jumps and that goes on while the machine is suspended.

    Linux stops its monotonic clock then; elsewhere there is no other.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class MonotonicClock:
    """1 Hz with absolute deadlines on a clock that never jumps.

    Lateness does not add up, missed ticks are counted and never made up for in a bunch, and a jump of the
    wall clock moves only the time of day.

    Args:
        monotonic: seconds from that clock.
        wall: seconds since 1970 (UTC), may jump.
        sleep: waits so many seconds on the monotonic clock.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = uptime_s,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._sleep = sleep
        self._turns = Turns(TURN_S)
        self._start = monotonic()
        self._number = -1
        self._max_lateness_s = 0.0
        self._missed = 0

    @property
    def missed(self) -> int:
        """See `Clock`."""
        return self._missed

    @property
    def max_lateness_s(self) -> float:
        """See `Clock`."""
        return self._max_lateness_s

    @property
    def spread_s(self) -> float:
        """See `Clock`."""
        return POLL_SPREAD_S

    @property
    def answer_s(self) -> float:
        """See `Clock`: poll and command fit into one tick."""
        return ANSWER_S

    def now(self) -> float:
        """See `Clock`."""
        return self._monotonic()

    async def next(self) -> Tick | None:
        """See `Clock`; never ends by itself."""
        due = self._number + 1
        wait = self._start + due * TICK_S - self._monotonic()
        if wait > 0:
            await self._sleep(wait)
        latest = max(due, math.floor((self._monotonic() - self._start) / TICK_S))
        self._missed += latest - due
        self._number = latest
        late_s = self._monotonic() - (self._start + latest * TICK_S)
        self._max_lateness_s = max(self._max_lateness_s, late_s)
        local = datetime.fromtimestamp(self._wall(), VIETNAM)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return Tick(latest, (local - midnight).total_seconds(), local.date().isoformat())

    async def turn(self) -> None:
        """See `Clock`."""
        await self._turns.next()

    async def done(self, tick: Tick) -> None:
        """See `Clock`; nothing waits for it."""

    async def close(self) -> None:
        """See `Clock`."""
