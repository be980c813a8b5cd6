"""The lock-step clock channel: the street grants a tick, every attached controller acknowledges it.

TCP, one JSON object per line. Street to controller `{"tick": n, "clock_s": 23400.0, "date": "2026-11-23"}`;
controller to street `{"ack": n}`. Whoever does not acknowledge in time is not waited for any more until it
acknowledges a running tick again; from then on the run depends on wall time and is no longer deterministic.
The street ends the run by closing its half; whoever is attached may still acknowledge, then closes the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
from dataclasses import dataclass
from typing import Protocol

from denxanh.errors import PortInUseError

logger = logging.getLogger(__name__)

ACK_TIMEOUT_S = 2.0
"""Wall seconds that a tick waits for acknowledgements (assumed; docs/safety.md, "Time limits")."""

LATE_TICK_S = 1.0
"""Wall seconds that a tick lasts while nobody acknowledges in time: a cabinet's watchdog counts real ones."""

MAX_LATE = 30
"""Who has not come up with the street after so many ticks is not waited for any more (assumed)."""

CLOSE_S = 1.0
"""Wall seconds that a controller has to take what was still on its way when the run ends (assumed)."""

LINE_LIMIT = 4096
"""Longest line that a controller may send, bytes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One tick: its number, local seconds since midnight, local date."""

    tick: int
    clock_s: float
    date: str

    def line(self) -> bytes:
        """As it travels."""
        body = {"tick": self.tick, "clock_s": self.clock_s, "date": self.date}
        return json.dumps(body).encode() + b"\n"


class Granting(Protocol):
    """Grants ticks to controllers and waits for them.

    Attributes:
        deterministic: nobody was late, attached in mid-run or went away before the end.
        missed: acknowledgements that did not come in time.
    """

    deterministic: bool
    missed: int

    async def grant(self, grant: Grant) -> bool:
        """Grant a tick; False when somebody did not acknowledge it in time."""
        ...


@dataclass(slots=True, eq=False)
class _Controller:
    """One attached controller; `prompt` says whether it is still waited for."""

    writer: asyncio.StreamWriter
    acked: int = -1
    prompt: bool = True
    late: int = 0
    """Ticks in a row without it."""


class GrantServer:
    """Grants ticks to whoever attaches.

    Attributes:
        deterministic: nobody was late, attached in mid-run or went away before the end.
        missed: acknowledgements that did not come in time.
    """

    def __init__(self) -> None:
        self.deterministic = True
        self.missed = 0
        self._controllers: set[_Controller] = set()
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tick = -1
        self._ending = False

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (`port` 0 takes a free one).

        Raises:
            PortInUseError: the port is taken.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=LINE_LIMIT)
        except OSError as cause:
            raise port_error(cause, host, port, "grants") from cause
        return int(self._server.sockets[0].getsockname()[1])

    async def wait_for_controller(self, seconds: float) -> bool:
        """Wait until somebody is attached; False when nobody came in this many wall seconds."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: bool(self._controllers)), seconds)
        return bool(self._controllers)

    async def grant(self, grant: Grant) -> bool:
        """Grant a tick and wait for the acknowledgements; False when one did not come in time."""
        self._tick = grant.tick
        line = grant.line()
        for controller in tuple(self._controllers):
            controller.writer.write(line)
        waited_for = tuple(one for one in self._controllers if one.prompt)
        if not waited_for:
            await self._wait_for_the_late()
            return True

        def done() -> bool:
            return all(one.acked >= grant.tick or one not in self._controllers for one in waited_for)

        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(done), ACK_TIMEOUT_S)
        late = [one for one in waited_for if one.acked < grant.tick]
        for one in late:
            one.prompt = False
        if late:
            self.missed += len(late)
            self.deterministic = False
            logger.warning("tick %d: %d acknowledgement(s) missing, running on", grant.tick, len(late))
        return not late

    async def _wait_for_the_late(self) -> None:
        """Run no faster than real time for a while, so that who was late can come up with the street."""
        for one in self._controllers:
            one.late += 1
        if all(one.late > MAX_LATE for one in self._controllers):
            await asyncio.sleep(0)
            return
        async with self._changed:
            prompt = self._changed.wait_for(
                lambda: not self._controllers or any(one.prompt for one in self._controllers)
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(prompt, LATE_TICK_S)

    async def close(self) -> None:
        """End of the run: let go of everybody.

        Our half first, while acknowledgements are still read: a socket that is closed with one unread, or on
        its way, answers with a reset, and a controller that was only late would take the end for a fault.
        """
        self._ending = True
        if self._server is not None:
            self._server.close()
        for controller in tuple(self._controllers):
            with contextlib.suppress(OSError):  # a peer that has gone needs no end
                controller.writer.write_eof()
        # Not cancelled: a server's cancelled connection is reported as an error by asyncio (Python 3.11).
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        for controller in tuple(self._controllers):
            controller.writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        controller = _Controller(writer, acked=self._tick)
        if self._tick >= 0:
            self.deterministic = False
        async with self._changed:
            self._controllers.add(controller)
            self._changed.notify_all()
        try:
            await self._listen(reader, controller)
        except (ConnectionError, ValueError) as error:
            logger.warning("a controller's clock channel broke: %s", error)
        finally:
            self._tasks.discard(task)
            self._controllers.discard(controller)
            if not self._ending:
                self.deterministic = False
                async with self._changed:
                    self._changed.notify_all()
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, controller: _Controller) -> None:
        """Take acknowledgements until the peer goes; ValueError on anything else."""
        while line := await reader.readline():
            tick = _acknowledged(line)
            if tick > self._tick:
                raise ValueError(f"acknowledges tick {tick} before it is granted")
            async with self._changed:
                controller.acked = max(controller.acked, tick)
                controller.prompt = controller.prompt or tick == self._tick
                controller.late = 0 if controller.prompt else controller.late
                self._changed.notify_all()


def _acknowledged(line: bytes) -> int:
    try:
        message = json.loads(line)
        tick = message["ack"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"not an acknowledgement: {line[:80]!r}") from None
    if not isinstance(tick, int) or isinstance(tick, bool) or tick < 0:
        raise ValueError(f"not a tick: {tick!r}")
    return tick


def port_error(cause: OSError, host: str, port: int, what: str) -> PortInUseError:
    """The error to raise when a server cannot listen."""
    reason = "the port is in use" if cause.errno == errno.EADDRINUSE else f"cannot listen: {cause.strerror}"
    return PortInUseError(
        reason, where=f"{what} {host}:{port}", fix="choose another port, or 0 for a free one"
    )
