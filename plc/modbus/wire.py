"""Modbus/TCP from the client's side: one connection, one request at a time, every octet of an answer checked.

A frame is a header (transaction, protocol 0, octets that follow, unit) and a PDU (MODBUS Messaging on TCP/IP
Implementation Guide V1.0b, 3.1.3; MODBUS Application Protocol V1.1b3, 6). What is not the answer to the
request under way is none to the next one either: the caller drops the connection.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import struct
from collections.abc import Sequence
from functools import partial

from denxanh.errors import FrameError

_HEADER = struct.Struct(">HHHB")
_READ = struct.Struct(">BHH")
_BEFORE_LENGTH_ENDS = 6
"""Octets of the header that its length does not count."""
MAX_LENGTH = 254
"""Octets of unit and PDU."""
_FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_WRITE_REGISTERS = 16
_EXCEPTION_BIT = 0x80
_FIX = "check that the device is a cabinet and its profile is right"


class Line(asyncio.Protocol):
    """One connection to one unit; see `connect`."""

    def __init__(self, unit: int) -> None:
        self.transport: asyncio.Transport | None = None
        self._unit = unit
        # Not from 1 at each connection: a gateway may bring the last one's answer late.
        self._number = secrets.randbelow(0xFFFF)
        self._waiting: asyncio.Future[bytes] | None = None
        self._heard = b""

    @property
    def alive(self) -> bool:
        """Whether a request can be sent."""
        return self.transport is not None and not self.transport.is_closing()

    async def ask(self, pdu: bytes, timeout_s: float) -> bytes:
        """The answer's PDU; at most one request at a time.

        Raises:
            FrameError: what came is no answer to it.
            OSError: the connection is or was cut.
            TimeoutError: nothing whole came within `timeout_s`.
        """
        if self.transport is None or self._waiting is not None:
            raise ConnectionResetError("the connection is closed")
        loop = asyncio.get_running_loop()
        self._number = self._number % 0xFFFF + 1
        self._heard = b""
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting = answer
        timer = loop.call_later(timeout_s, _expire, answer, timeout_s)
        try:
            self.transport.write(_HEADER.pack(self._number, 0, len(pdu) + 1, self._unit) + pdu)
            return await answer
        finally:
            timer.cancel()
            self._waiting = None

    def close(self) -> None:
        """Hang up at once; never raises."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("the cabinet has hung up"))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._waiting is None or self._waiting.done():
            self.close()  # nobody has asked: it must not be taken for the next answer
            return
        self._heard = heard = self._heard + data
        if len(heard) < _HEADER.size:
            return
        number, protocol, length, unit = _HEADER.unpack_from(heard)
        whole = _BEFORE_LENGTH_ENDS + length
        sound = (number, protocol, unit) == (self._number, 0, self._unit) and 2 <= length <= MAX_LENGTH
        if not sound or len(heard) > whole:
            self._waiting.set_exception(
                FrameError(f"no answer to our request: {heard[:16].hex(' ')}", where="frame", fix=_FIX)
            )
        elif len(heard) == whole:
            self._waiting.set_result(heard[_HEADER.size :])


async def connect(
    host: str, port: int, unit: int, timeout_s: float, context: ssl.SSLContext | None = None
) -> Line:
    """A connection, over TLS with a `context`, whose peer is then the caller's to check.

    Raises:
        OSError: there is none (`ssl.SSLError` included).
        TimeoutError: there is none within `timeout_s`.
    """
    make, loop = partial(Line, unit), asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        if context is None:
            _, line = await loop.create_connection(make, host, port)
        else:
            # A peer that stops in the middle of a handshake holds no socket of ours for asyncio's 30 s.
            _, line = await loop.create_connection(
                make, host, port, ssl=context, ssl_shutdown_timeout=timeout_s
            )
    return line


def read_request(table: str, address: int, count: int) -> bytes:
    """The PDU that reads `count` values of a table (`coil`, `discrete`, `holding`, `input`)."""
    return _READ.pack(_FUNCTIONS[table], address, count)


def read_values(request: bytes, answer: bytes) -> tuple[int, ...]:
    """The values that were asked for: registers 0..65535, or bits as 0 and 1.

    Raises:
        FrameError: an exception, another function, or another number of values.
    """
    function, address, count = _READ.unpack(request)
    _check(function, address, answer)
    bits = function <= _FUNCTIONS["discrete"]
    size = (count + 7) // 8 if bits else 2 * count
    if len(answer) != 2 + size or answer[1] != size:
        raise FrameError(
            f"{len(answer) - 2} octets came where {count} values were asked for",
            where=f"register {address}",
            fix=_FIX,
        )
    if not bits:
        return struct.unpack_from(f">{count}H", answer, 2)
    return tuple(answer[2 + n // 8] >> n % 8 & 1 for n in range(count))


def write_request(address: int, words: Sequence[int]) -> bytes:
    """The PDU that writes registers in one piece.

    Raises:
        struct.error: a word does not fit; the caller's bug.
    """
    count = len(words)
    return struct.pack(f">BHHB{count}H", _WRITE_REGISTERS, address, count, 2 * count, *words)


def check_written(request: bytes, answer: bytes) -> None:
    """Whether a write was taken.

    Raises:
        FrameError: it was not: an exception, or an answer to something else.
    """
    _, address, _ = _READ.unpack_from(request)
    _check(_WRITE_REGISTERS, address, answer)
    if answer != request[: _READ.size]:
        raise FrameError("the answer is to another write", where=f"register {address}", fix=_FIX)


def _check(function: int, address: int, answer: bytes) -> None:
    """Refuse an exception, and an answer to another function."""
    if answer[0] == function | _EXCEPTION_BIT and len(answer) == 2:
        raise FrameError(
            f"the cabinet answers with Modbus exception {answer[1]}",
            where=f"register {address}",
            fix="check the profile's addresses and the unit number",
        )
    if answer[0] != function:
        raise FrameError(
            f"the answer is to function {answer[0]}, not {function}", where=f"register {address}", fix=_FIX
        )


def _expire(answer: asyncio.Future[bytes], timeout_s: float) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError(f"nothing came within {timeout_s:g} s"))
