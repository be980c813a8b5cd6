"""The SNMP agent in front of a virtual cabinet: v1 and v2c over UDP, GET, GETNEXT and SET.

As agents do, it answers only who knows a community: the write community for SET, either for reading. Anything
else, garbage included, gets no answer; strangers are logged once a minute.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from denxanh.errors import FrameError, PortInUseError
from denxanh.plc.cabinet.ntcip.face import NtcipFace
from denxanh.plc.ntcip.ber import END_OF_MIB, NO_SUCH_INSTANCE, NOTHING, Value
from denxanh.plc.ntcip.message import (
    MAX_DATAGRAM,
    ErrorStatus,
    Kind,
    Message,
    Varbind,
    Version,
    decode,
    encode,
)

log = logging.getLogger(__name__)

READ_COMMUNITY, WRITE_COMMUNITY = b"public", b"administrator"
"""What NTCIP 1201 names for reading, and for everything."""
LOG_AGAIN_S = 60.0
MAX_STRANGERS = 256
"""Addresses that the log remembers."""


class SnmpServer:
    """One cabinet on one UDP port.

    Args:
        face: the objects.
        host: address to listen on.
        port: port to listen on; 0 takes a free one, which is kept over `stop` and `start`.
        read: community for reading.
        write: community for reading and writing.
    """

    def __init__(
        self,
        face: NtcipFace,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        read: bytes = READ_COMMUNITY,
        write: bytes = WRITE_COMMUNITY,
    ) -> None:
        self.strangers = 0
        self._face = face
        self._host, self._port = host, port
        self._read, self._write = read, write
        self._transport: asyncio.DatagramTransport | None = None
        self._logged: dict[str, float] = {}

    @property
    def port(self) -> int:
        """The port; the one that was taken when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port is taken or not allowed.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Door(self), local_addr=(self._host, self._port)
            )
        except OSError as error:
            raise PortInUseError(
                f"the port cannot be listened on: {error.strerror}",
                where=f"{self._host}:{self._port} (UDP)",
                fix="end the program that uses it, or choose another port",
            ) from None
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        """Close the port."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await asyncio.sleep(0)  # the socket closes in the loop's next turn

    def answer(self, data: bytes, host: str, now_s: float) -> bytes | None:
        """The answer to one datagram; None where silence is the answer."""
        try:
            message = decode(data)
        except FrameError as error:
            self._complain(host, now_s, str(error))
            return None
        if message.kind is Kind.RESPONSE:
            return None
        known = (self._write,) if message.kind is Kind.SET else (self._read, self._write)
        if message.community not in known:
            self._complain(host, now_s, f"{message.kind.name} with a wrong community")
            return None
        status, index, varbinds = self._work(message)
        reply = Message(
            message.version, message.community, Kind.RESPONSE, message.request_id, varbinds, status, index
        )
        octets = encode(reply)
        if len(octets) <= MAX_DATAGRAM:
            return octets
        return encode(
            Message(
                message.version,
                message.community,
                Kind.RESPONSE,
                message.request_id,
                (),
                ErrorStatus.TOO_BIG,
            )
        )

    def _work(self, message: Message) -> tuple[int, int, tuple[Varbind, ...]]:
        if message.kind is Kind.SET:
            error, index = self._face.put(message.varbinds)
            return _said(error, message.version), index, message.varbinds
        found: list[Varbind] = []
        for place, (oid, _) in enumerate(message.varbinds, start=1):
            name = self._face.following(oid) if message.kind is Kind.GETNEXT else oid
            value = None if name is None else self._face.get(name)
            if name is None or value is None:
                if message.version is Version.V1:
                    return (
                        ErrorStatus.NO_SUCH_NAME,
                        place,
                        tuple((one, NOTHING) for one, _ in message.varbinds),
                    )
                tag = END_OF_MIB if message.kind is Kind.GETNEXT else NO_SUCH_INSTANCE
                found.append((oid, Value(tag, None)))
            else:
                found.append((name, value))
        return ErrorStatus.NO_ERROR, 0, tuple(found)

    def _complain(self, host: str, now_s: float, what: str) -> None:
        self.strangers += 1
        if now_s - self._logged.get(host, -LOG_AGAIN_S) < LOG_AGAIN_S:
            return
        if len(self._logged) >= MAX_STRANGERS:
            self._logged.clear()
        self._logged[host] = now_s
        log.warning("port %d: ignored a datagram from %s: %s", self._port, host, what)


def _said(error: ErrorStatus, version: Version) -> int:
    """v2c has more precise words than v1 (RFC 3584, 4.4)."""
    if version is Version.V1:
        return ErrorStatus.BAD_VALUE if error is ErrorStatus.INCONSISTENT_VALUE else error
    return {
        ErrorStatus.READ_ONLY: ErrorStatus.NOT_WRITABLE,
        ErrorStatus.BAD_VALUE: ErrorStatus.WRONG_VALUE,
        ErrorStatus.NO_SUCH_NAME: ErrorStatus.NO_ACCESS,
    }.get(error, error)


class _Door(asyncio.DatagramProtocol):
    def __init__(self, server: SnmpServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self._server.answer(data, str(addr[0]), asyncio.get_running_loop().time())
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
