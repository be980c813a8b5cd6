"""The Modbus TCP side of the `Cabinet` contract.

One connection per cabinet, one request at a time, no retries and no background task: a poll that fails is
followed by the next tick's poll, after a pause that doubles up to `MAX_PAUSE_S` while the cabinet stays away.
After any failure the connection is dropped, so that a late or garbled answer can never be taken for the next
one. Requests are bounded by `TIMEOUT_S`; one that is cancelled from outside costs the connection, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from denxanh.errors import SecretError, UnreachableError, WireError
from denxanh.plc.contract import Command, Report
from denxanh.plc.modbus.commandform import command_words
from denxanh.plc.modbus.layout import Layout
from denxanh.plc.modbus.profile import Span, load, spans
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.modbus.schema import DEFAULT, Profile
from denxanh.plc.modbus.secure import SecureLink
from denxanh.plc.modbus.translate import canonical
from denxanh.plc.modbus.wire import Line, check_written, connect, read_request, read_values, write_request

TIMEOUT_S = 0.5
"""Bound of one connect or one request, seconds; half a tick."""
MIN_PAUSE_S = 0.1
"""Pause after the first failure, seconds."""
MAX_PAUSE_S = 2.0
"""Longest pause between two attempts, seconds."""
MAX_REGISTERS = 125
"""Registers in one read (Modbus application protocol 1.1b3)."""
MAX_BITS = 2000
"""Bits in one read (Modbus application protocol 1.1b3)."""

_Result = TypeVar("_Result")
_FIX = "check power, cable, address and port"


class ModbusCabinet:
    """One cabinet at `host:port`, unit `unit`.

    Args:
        host: name or address.
        port: TCP port.
        unit: Modbus unit identifier, 0..255.
        profile: a profile, or the name or path of one.
        layout: the part of the map that the intersection uses.
        link: for mutual TLS; None for plain TCP.

    Raises:
        ProfileError: the profile is wrong or does not fit the intersection.
    """

    def __init__(
        self,
        host: str,
        port: int,
        unit: int,
        profile: Profile | str | None,
        layout: Layout,
        link: SecureLink | None = None,
    ) -> None:
        self._host, self._port, self._unit = host, port, unit
        self._profile = profile if isinstance(profile, Profile) else load(profile or DEFAULT)
        self._layout = layout
        self._link = link
        self._reads = _reads(spans(self._profile, layout))
        self._line: Line | None = None
        self._lock = asyncio.Lock()
        self._pause_s = MIN_PAUSE_S
        self._not_before = 0.0

    @property
    def where(self) -> str:
        """Intersection, host, port and unit, for errors."""
        return f"{self._layout.intersection} at {self._host}:{self._port} unit {self._unit}"

    @property
    def keeps_promises(self) -> bool:
        """See `Cabinet`: a commitment travels in the command block, and the cabinet executes it."""
        return True

    async def poll(self) -> Report:
        """Read status, detectors, calls and zones.

        Raises:
            UnreachableError: no connection, no answer in time, or too soon after a failure.
            FrameError: an answer that the map does not allow.
        """
        return await self._guarded(self._poll)

    async def command(self, command: Command) -> None:
        """Write one command block; see `poll` for errors."""
        request = write_request(self._profile.command.address, command_words(self._profile, command))

        async def write(line: Line) -> None:
            check_written(request, await line.ask(request, TIMEOUT_S))

        await self._guarded(write)

    async def config_words(self, count: int) -> tuple[int, ...]:
        """The first `count` registers of the config block; see `poll` for errors."""
        block = self._profile.config

        async def read(line: Line) -> tuple[int, ...]:
            words: list[int] = []
            for at in range(0, count, MAX_REGISTERS):
                size = min(MAX_REGISTERS, count - at)
                words += await _read(line, read_request(block.table, block.address + at, size))
            return tuple(words)

        return await self._guarded(read)

    async def close(self) -> None:
        """Let go of the connection."""
        async with self._lock:
            self._drop()

    async def _poll(self, line: Line) -> Report:
        raw: dict[str, tuple[int, ...]] = {}
        for members, span, request in self._reads:
            words = await _read(line, request)
            for member in members:
                start = member.address - span.address
                raw[member.block] = raw.get(member.block, ()) + words[start : start + member.count]
        return decode_report(canonical(self._profile, self._layout, raw), self._layout)

    async def _guarded(self, work: Callable[[Line], Awaitable[_Result]]) -> _Result:
        """Run one exchange on a live connection; on any failure drop the connection, and say it our way."""
        async with self._lock:
            done = False
            try:
                result = await work(await self._connect())
                done = True
            except WireError as error:
                error.where = error.where if self._host in error.where else f"{self.where}, {error.where}"
                raise
            except SecretError as error:
                raise UnreachableError(f"no secure link: {error}", where=self.where, fix=error.fix) from None
            except (OSError, TimeoutError) as error:
                raise UnreachableError(f"no answer: {error}", where=self.where, fix=_FIX) from None
            finally:
                if done:
                    self._pause_s = MIN_PAUSE_S
                else:
                    self._back_off()
            return result

    async def _connect(self) -> Line:
        if self._line is not None and self._line.alive:
            return self._line
        self._drop()
        if asyncio.get_running_loop().time() < self._not_before:
            raise UnreachableError(
                "still away, waiting before the next attempt",
                where=self.where,
                fix=_FIX,
            )
        context = None if self._link is None else self._link.context()
        try:
            self._line = line = await connect(self._host, self._port, self._unit, TIMEOUT_S, context)
        except (OSError, TimeoutError) as error:
            said = f": {error}" if str(error) else ""
            raise UnreachableError(f"no connection{said}", where=self.where, fix=_FIX) from None
        if self._link is not None:
            self._link.check(line.transport, self.where)
        return line

    def _back_off(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._not_before:
            self._not_before = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
        self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


async def _read(line: Line, request: bytes) -> tuple[int, ...]:
    return read_values(request, await line.ask(request, TIMEOUT_S))


def _reads(found: Sequence[Span]) -> tuple[tuple[tuple[Span, ...], Span, bytes], ...]:
    """Reads that cover all spans, with requests: neighbours in one table share one, long ones are cut."""
    pieces: list[Span] = []
    for span in found:
        most = MAX_BITS if span.table in ("coil", "discrete") else MAX_REGISTERS
        for at in range(0, span.count, most):
            size = min(most, span.count - at)
            pieces.append(Span(span.block, span.table, span.address + at, size))
    requests: list[tuple[tuple[Span, ...], Span]] = []
    for piece in pieces:
        if requests:
            members, whole = requests[-1]
            most = MAX_BITS if whole.table in ("coil", "discrete") else MAX_REGISTERS
            adjacent = piece.table == whole.table and piece.address == whole.address + whole.count
            if adjacent and whole.count + piece.count <= most:
                joined = Span(whole.block, whole.table, whole.address, whole.count + piece.count)
                requests[-1] = ((*members, piece), joined)
                continue
        requests.append(((piece,), piece))
    return tuple(
        (members, whole, read_request(whole.table, whole.address, whole.count)) for members, whole in requests
    )
