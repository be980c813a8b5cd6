"""SNMPv3 on the wire: asks, learns who the controller is and what its time is, and asks again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.ntcip.ber import Oid
from denxanh.plc.ntcip.carrier import Answer
from denxanh.plc.ntcip.courier import REQUEST_IDS, Address, Question
from denxanh.plc.ntcip.message import Kind, Message, Pdu, Version
from denxanh.plc.ntcip.usm import Heard, Level, Peer, User

ROUNDS = 4
"""Messages for one request: for the engine id, for its time, the request itself, and one to spare."""
USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
REPORTS = {
    1: "it wants another security level",
    2: "its time is another one",
    3: "it does not know this user",
    4: "its engine id is another one",
    5: "the passphrase or the algorithm of the authentication is wrong",
    6: "the passphrase of the encryption is wrong",
}
"""Counters below `USM_STATS`: why it refused a message (RFC 3414, 5)."""
NOT_IN_TIME, UNKNOWN_ENGINE = 2, 4
ENGINE_ID = range(5, 33)
"""Octets of an engine id (RFC 3411)."""


class UserCarrier(asyncio.DatagramProtocol):
    """One controller, one user, a socket of its own; keys of two controllers never meet.

    Args:
        user: whom the controller knows.

    Attributes:
        dropped: datagrams that answered nothing, or were not to be believed.
    """

    def __init__(self, user: User) -> None:
        self.dropped = 0
        self._peer = Peer(user)
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[int, tuple[Address, asyncio.Future[Heard]]] = {}

    async def request(
        self, address: Address, kind: Kind, questions: Sequence[Question], timeout_s: float
    ) -> list[Answer]:
        """See `Carrier`; the first request to a controller also learns its engine id and time."""
        asked = (self._request(address, kind, question.varbinds, timeout_s) for question in questions)
        return await asyncio.gather(*asked)

    async def _request(self, address: Address, kind: Kind, varbinds: bytes, timeout_s: float) -> Answer:
        said = "it goes on asking for another time"
        try:
            async with asyncio.timeout(timeout_s):
                for _ in range(ROUNDS):
                    heard = await self._round(address, kind, varbinds)
                    if heard.pdu.kind is Kind.RESPONSE:
                        return _message(heard.pdu)
                    if not self._learnt(heard):
                        said = REPORTS.get(_counter(heard.pdu), "it does not say why it refuses")
                        break
        except TimeoutError:
            said = f"no answer within {timeout_s:g} s"
        except OSError as error:
            said = error.strerror or str(error)
        return UnreachableError(
            said,
            where=f"{address[0]}:{address[1]}",
            fix="check power, cable, address, the user's name and both passphrases",
        )

    def close(self) -> None:
        """See `Carrier`."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def _round(self, address: Address, kind: Kind, varbinds: bytes) -> Heard:
        """One message and its answer."""
        transport = await self._open()
        number = secrets.randbelow(REQUEST_IDS) + 1
        answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (address, answer)
        try:
            transport.sendto(self._peer.question(number, kind, varbinds), address)
            return await answer
        finally:
            del self._waiting[number]

    def _learnt(self, report: Heard) -> bool:
        """Take up what a report says of the controller; whether to ask again."""
        counter = _counter(report.pdu)
        if counter == UNKNOWN_ENGINE and len(report.engine_id) in ENGINE_ID:
            self._peer.engine_id = report.engine_id
            return True
        # The security model has taken over the time of a signed report; any other one may be a stranger's.
        return counter == NOT_IN_TIME and report.level >= Level.SIGNED

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
        awaited = {number: answer for number, (of, answer) in self._waiting.items() if of == addr[:2]}
        try:
            heard = self._peer.heard(data, awaited)
        except FrameError:
            self.dropped += 1
            return
        answer = awaited[heard.number]
        if answer.done() or not self._believed(heard):
            self.dropped += 1
            return
        answer.set_result(heard)

    def _believed(self, heard: Heard) -> bool:
        """An answer is signed and encrypted, of the controller that was asked; a report need not be."""
        if heard.pdu.kind is Kind.REPORT:
            return True
        same = heard.engine_id == self._peer.engine_id and heard.pdu.request_id == heard.number
        return heard.pdu.kind is Kind.RESPONSE and heard.level is Level.SECURE and same

    def error_received(self, exc: Exception) -> None:
        """An ICMP message: the timeout says it better."""


def _message(pdu: Pdu) -> Message:
    return Message(
        Version.V2C, b"", pdu.kind, pdu.request_id, pdu.varbinds, pdu.error_status, pdu.error_index
    )


def _counter(report: Pdu) -> int:
    """Which of the counters below `USM_STATS` a report shows; 0 for none."""
    for oid, _ in report.varbinds:
        if oid[: len(USM_STATS)] == USM_STATS and len(oid) == len(USM_STATS) + 2:
            return oid[len(USM_STATS)]
    return 0
