"""One UDP socket for many agents: who asked what, and whose answer it is.

An answer counts only when its request id is waiting and it comes from the address that was asked; everything
else (late, duplicated, reordered, foreign, garbage) is dropped. Request ids start anywhere, so that a
stranger who sees nothing of the traffic cannot guess them.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.ntcip.message import Kind, Message, Version, decode, frame

REQUEST_IDS = 0x7FFFFFFF
"""Request ids run 1..2**31 - 1."""
RECEIVE_BUFFER = 4 << 20
"""Octets: the answers of some hundred cabinets that all come in one instant."""

Address = tuple[str, int]


class Courier(asyncio.DatagramProtocol):
    """Opens its socket with the first request; `close` it at the end.

    Attributes:
        dropped: datagrams that answered nothing.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[int, tuple[Address, asyncio.Future[Message]]] = {}
        self._last = secrets.randbelow(REQUEST_IDS)

    async def request(
        self,
        address: Address,
        version: Version,
        community: bytes,
        kind: Kind,
        varbinds: bytes,
        timeout_s: float,
    ) -> Message:
        """Send once and wait.

        Raises:
            UnreachableError: no answer within `timeout_s`, or the socket cannot be opened or cannot send.
        """
        self._last = self._last % REQUEST_IDS + 1
        number = self._last
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (address, answer)
        try:
            transport = await self._open()
            transport.sendto(frame(version, community, kind, number, varbinds), address)
            return await asyncio.wait_for(answer, timeout_s)
        except (TimeoutError, OSError, ValueError) as error:
            where = f"{address[0]}:{address[1]}"
            raise UnreachableError(
                f"no answer within {timeout_s:g} s" if isinstance(error, TimeoutError) else str(error),
                where=where,
                fix="check power, cable, address, port and community (agents ignore a wrong one)",
            ) from None
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Let go of the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def _open(self) -> asyncio.DatagramTransport:
        async with self._opening:
            if self._transport is None or self._transport.is_closing():
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=("0.0.0.0", 0)
                )
            return self._transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """One datagram."""
        try:
            message = decode(data)
        except FrameError:
            self.dropped += 1
            return
        address, answer = self._waiting.get(message.request_id, (None, None))
        if message.kind is not Kind.RESPONSE or answer is None or address != addr[:2] or answer.done():
            self.dropped += 1
            return
        answer.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """An ICMP message: the timeout says it better."""
