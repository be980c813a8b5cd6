"""One UDP socket for many agents: who asked what, and whose answer it is.

An answer counts only when its request id is waiting and it comes from the address that was asked; everything
else (late, duplicated, reordered, foreign, garbage) is dropped. Request ids start anywhere, so that a
stranger who sees nothing of the traffic cannot guess them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from denxanh.errors import FrameError, UnreachableError
from denxanh.plc.deadlines import Deadlines
from denxanh.plc.ntcip.batch import Batch
from denxanh.plc.ntcip.message import MAX_DATAGRAM, Kind, Message, Opened, Version, frame, opened

REQUEST_IDS = 0x7FFFFFFF
"""Request ids run 1..2**31 - 1."""
RECEIVE_BUFFER = 4 << 20
"""Octets: the answers of some hundred cabinets that all come in one instant."""
AT_ONCE = 64
"""Datagrams that are read in one go; then whatever else is to be done has its turn."""

Address = tuple[str, int]


class Question(NamedTuple):
    """Encoded varbinds, and, where the answer is to be read by position, the names in them."""

    varbinds: bytes
    batch: Batch | None = None


@dataclass(slots=True)
class _Asked:
    """Questions to one agent that wait together."""

    address: Address
    done: asyncio.Future[None]
    answers: list[Message | None]
    open: dict[int, tuple[int, Batch | None]] = field(default_factory=dict)
    """By request id: the question's place, and how its answer is read."""


class Courier:
    """Opens its socket with the first request; `close` it at the end.

    The socket is read here and not by asyncio's transport, which makes room for 256 KiB each time: more work
    than all the rest of a datagram.

    Attributes:
        dropped: datagrams that answered nothing.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._socket: socket.socket | None = None
        self._waiting: dict[int, _Asked] = {}
        self._deadlines = Deadlines()
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
        (answer,) = await self.several(address, version, community, kind, (Question(varbinds),), timeout_s)
        if answer is None:
            raise silent(address, timeout_s)
        return answer

    async def several(
        self,
        address: Address,
        version: Version,
        community: bytes,
        kind: Kind,
        questions: Sequence[Question],
        timeout_s: float,
    ) -> list[Message | None]:
        """Send each once and wait for all; None where no answer came within `timeout_s`.

        Raises:
            UnreachableError: the socket cannot be opened or cannot send.
        """
        loop = asyncio.get_running_loop()
        asked = _Asked(address, loop.create_future(), [None] * len(questions))
        try:
            sending = self._socket or self._open(loop)
            for place, question in enumerate(questions):
                self._last = number = self._last % REQUEST_IDS + 1
                asked.open[number] = (place, question.batch)
                self._waiting[number] = asked
                try:
                    sending.sendto(frame(version, community, kind, number, question.varbinds), address)
                except BlockingIOError:
                    continue  # a full buffer loses it, as the network may
            await self._deadlines.wait(asked.done, timeout_s, None)
        except (OSError, ValueError) as error:
            raise _unreachable(address, str(error)) from None
        finally:
            for number in asked.open:
                del self._waiting[number]
        return asked.answers

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended before it
                asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _open(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        made.bind(("0.0.0.0", 0))
        loop.add_reader(made, self._readable, made)
        self._socket = made
        return made

    def _readable(self, receiving: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = receiving.recvfrom(MAX_DATAGRAM + 1)
            except OSError:  # nothing more, or an ICMP message: the timeout says it better
                return
            self.received(data, address)

    def received(self, data: bytes, address: tuple[str | Any, int]) -> None:
        """One datagram."""
        try:
            message = opened(data)
            if not self._answered(message, address):
                self.dropped += 1
        except FrameError:
            self.dropped += 1

    def _answered(self, message: Opened, address: tuple[str | Any, int]) -> bool:
        """Whether it answers a question; raises `FrameError` where its varbinds are none."""
        number = message.head.request_id
        asked = self._waiting.get(number)
        if message.head.kind is not Kind.RESPONSE or asked is None or asked.address != address[:2]:
            return False
        place, batch = asked.open[number]
        if asked.answers[place] is not None:
            return False
        asked.answers[place] = message.read(batch)
        if None not in asked.answers and not asked.done.done():
            asked.done.set_result(None)
        return True


def silent(address: Address, timeout_s: float) -> UnreachableError:
    """Nothing came in time."""
    return _unreachable(address, f"no answer within {timeout_s:g} s")


def _unreachable(address: Address, what: str) -> UnreachableError:
    return UnreachableError(
        what,
        where=f"{address[0]}:{address[1]}",
        fix="check power, cable, address, port and community (agents ignore a wrong one)",
    )
