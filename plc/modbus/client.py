"""The Modbus TCP side of the `Cabinet` contract.

One connection per cabinet, one request at a time, no retries and no background task: a poll that fails is
followed by the next tick's poll, after a pause that doubles up to `MAX_PAUSE_S` while the cabinet stays away.
After any failure the connection is dropped, so that a late or garbled answer can never be taken for the next
one. Requests are bounded by the client's own timeout: cancelling one from outside costs the next one, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from denxanh.errors import FrameError, SecretError, UnreachableError, WireError
from denxanh.plc.contract import Command, Report
from denxanh.plc.modbus.commandform import command_words
from denxanh.plc.modbus.layout import WORD_MAX, Layout
from denxanh.plc.modbus.profile import Span, load, spans
from denxanh.plc.modbus.registers import decode_report
from denxanh.plc.modbus.schema import DEFAULT, Profile
from denxanh.plc.modbus.secure import SecureClient, SecureLink
from denxanh.plc.modbus.translate import canonical

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it logs as an error, we raise as one

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
        self._client: AsyncModbusTcpClient | None = None
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
        words = list(command_words(self._profile, command))

        async def write(client: AsyncModbusTcpClient) -> None:
            address = self._profile.command.address
            answer = await client.write_registers(address, words, device_id=self._unit)
            self._check(answer, f"register {address}")

        await self._guarded(write)

    async def config_words(self, count: int) -> tuple[int, ...]:
        """The first `count` registers of the config block; see `poll` for errors."""
        block = self._profile.config

        async def read(client: AsyncModbusTcpClient) -> tuple[int, ...]:
            words: list[int] = []
            for at in range(0, count, MAX_REGISTERS):
                size = min(MAX_REGISTERS, count - at)
                words += await self._read(client, Span("config", block.table, block.address + at, size))
            return tuple(words)

        return await self._guarded(read)

    async def close(self) -> None:
        """Let go of the connection."""
        async with self._lock:
            self._drop()

    async def _poll(self, client: AsyncModbusTcpClient) -> Report:
        raw: dict[str, list[int]] = {}
        for members, span in self._reads:
            words = await self._read(client, span)
            for member in members:
                start = member.address - span.address
                raw.setdefault(member.block, []).extend(words[start : start + member.count])
        return decode_report(canonical(self._profile, self._layout, raw), self._layout)

    async def _read(self, client: AsyncModbusTcpClient, span: Span) -> Sequence[int]:
        method: Callable[..., Awaitable[ModbusPDU]] = {
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
        }[span.table]
        answer = await method(span.address, count=span.count, device_id=self._unit)
        where = f"register {span.address}"
        self._check(answer, where)
        bits = span.table in ("coil", "discrete")
        words = [int(bit) for bit in answer.bits][: span.count] if bits else list(answer.registers)
        if len(words) != span.count or not all(0 <= word <= WORD_MAX for word in words):
            raise FrameError(
                f"{len(words)} values came where {span.count} were asked for",
                where=f"{self.where}, {where}",
                fix="check that the device is a cabinet and its profile is right",
            )
        return words

    def _check(self, answer: ModbusPDU, where: str) -> None:
        if answer.isError():
            raise FrameError(
                f"the cabinet answers with Modbus exception {answer.exception_code}",
                where=f"{self.where}, {where}",
                fix="check the profile's addresses and the unit number",
            )

    async def _guarded(self, work: Callable[[AsyncModbusTcpClient], Awaitable[_Result]]) -> _Result:
        """Run one exchange on a live connection; on any failure drop the connection, and say it our way."""
        async with self._lock:
            done = False
            try:
                client = await self._connect()
                result = await work(client)
                done = True
            except WireError as error:
                error.where = error.where if self._host in error.where else f"{self.where}, {error.where}"
                raise
            except SecretError as error:
                raise UnreachableError(f"no secure link: {error}", where=self.where, fix=error.fix) from None
            except (ModbusException, OSError, TimeoutError) as error:
                raise UnreachableError(
                    f"no answer: {error}", where=self.where, fix="check power, cable, address and port"
                ) from None
            finally:
                if done:
                    self._pause_s = MIN_PAUSE_S
                else:
                    self._back_off()
            return result

    async def _connect(self) -> AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        self._drop()
        if asyncio.get_running_loop().time() < self._not_before:
            raise UnreachableError(
                "still away, waiting before the next attempt",
                where=self.where,
                fix="check power, cable, address and port",
            )
        client = self._new_client()
        self._client = client
        if not await client.connect():
            raise UnreachableError(
                "no connection", where=self.where, fix="check power, cable, address and port"
            )
        if self._link is not None:
            self._link.check(client.ctx.transport, self.where)
        return client

    def _new_client(self) -> AsyncModbusTcpClient:
        name = self._layout.intersection
        if self._link is not None:
            return SecureClient(self._host, self._port, name, TIMEOUT_S, self._link.context())
        return AsyncModbusTcpClient(
            self._host, port=self._port, name=name, timeout=TIMEOUT_S, retries=0, reconnect_delay=0
        )

    def _back_off(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._not_before:
            self._not_before = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
        self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _reads(found: Sequence[Span]) -> tuple[tuple[tuple[Span, ...], Span], ...]:
    """Requests that cover all spans: neighbours in one table share a request, long ones are cut."""
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
    return tuple(requests)
