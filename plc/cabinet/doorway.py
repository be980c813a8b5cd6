"""A guarded way into a Modbus server: addresses, certificates, roles, rates and patience come first.

pymodbus' own TLS server would take a whole buffer for one frame, cannot ask for a role, and says nothing of
who was refused; so connections are accepted here, and what is admitted goes on to its plain TCP handling.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler

from denxanh.errors import SecretError
from denxanh.plc.security.certificates import Identity, identity
from denxanh.plc.security.door import (
    COMMANDS_AT_ONCE,
    COMMANDS_PER_S,
    REQUESTS_AT_ONCE,
    REQUESTS_PER_S,
    Bucket,
    Door,
    NotAdmitted,
    Rights,
)

_LOG = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
"""Longest TLS handshake."""
IDLE_S = 60.0
"""A connection without a request for so long is closed; a controller asks every second."""
MAX_EARLY = 260
"""Bytes that are kept of a client that does not wait: one frame (Modbus application protocol 1.1b3)."""
READS = (1, 2, 3, 4)
"""Function codes that change nothing."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Mutual TLS at a door; `role_oid`: of the extension with a client's role."""

    context: ssl.SSLContext
    role_oid: str


class Doorway:
    """Accepts for one Modbus server.

    Args:
        server: not listening yet.
        door: the rules and who is inside.
        tls: None for plain TCP.
        name: of the cabinet, for the log.
        seconds: the cabinet's own count; a controller's rate is judged by it, so that a simulated street may
            run faster than the clock on the wall.
    """

    def __init__(
        self,
        server: ModbusTcpServer,
        door: Door,
        tls: Tls | None,
        name: str,
        seconds: Callable[[], float],
    ) -> None:
        self.server, self.door, self.tls, self.name, self.seconds = server, door, tls, name, seconds
        self.handshakes: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> asyncio.Server | None:
        """The listening socket; None if it cannot be had."""
        try:
            listener = await asyncio.get_running_loop().create_server(lambda: _Knock(self), host, port)
        except OSError:
            return None
        return listener

    def refuse(self, host: str, why: NotAdmitted, more: str = "") -> None:
        """Say once per peer and reason that somebody stays outside."""
        if self.door.first_time(host, why):
            _LOG.warning("%s: refused %s: %s%s", self.name, host, why.value, f" ({more})" if more else "")


class _Knock(asyncio.Protocol):
    """A connection before it is admitted."""

    def __init__(self, doorway: Doorway) -> None:
        self._doorway = doorway
        self._host = ""
        self._early = bytearray()
        self._gone = False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It may end between its handshake and its admission; nobody else would hear of it."""
        self._gone = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Decide by address; what has a right to a handshake gets one."""
        assert isinstance(transport, asyncio.Transport)
        address = transport.get_extra_info("peername")
        self._host = str(address[0]) if address else ""
        doorway = self._doorway
        why = doorway.door.knock(self._host)
        if why is not None:
            doorway.refuse(self._host, why)
            transport.abort()
            return
        leave = partial(doorway.door.leave, self._host)
        if doorway.tls is None:
            _admit(doorway, transport, None, leave, self._host)
            return
        transport.pause_reading()
        task = asyncio.create_task(self._shake_hands(transport, leave))
        doorway.handshakes.add(task)
        task.add_done_callback(doorway.handshakes.discard)

    def data_received(self, data: bytes) -> None:
        """What comes right after the handshake, before the server has taken over."""
        if len(self._early) < MAX_EARLY:
            self._early += data

    async def _shake_hands(self, transport: asyncio.Transport, leave: Callable[[], None]) -> None:
        doorway = self._doorway
        assert doorway.tls is not None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, doorway.tls.context, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
            if secured is None or self._gone:
                raise ConnectionResetError("it left at once")
            certificate = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if not certificate:
                raise SecretError("it showed no certificate")
            peer = identity(certificate, doorway.tls.role_oid)
        except (OSError, SecretError, asyncio.CancelledError) as error:
            leave()
            transport.abort()
            if not self._gone:
                doorway.refuse(self._host, NotAdmitted.HANDSHAKE, _why(error))
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        handler = _admit(doorway, secured, peer, leave, self._host)
        if handler is not None and self._early:
            handler.data_received(bytes(self._early))


def _why(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return str(error) or type(error).__name__


def _admit(
    doorway: Doorway,
    transport: asyncio.Transport,
    peer: Identity | None,
    leave: Callable[[], None],
    host: str,
) -> _Handler | None:
    """Hand a connection to the server, with what it may do there; None if that is nothing."""
    rights = doorway.door.rights(peer)
    if isinstance(rights, NotAdmitted):
        doorway.refuse(host, rights, "" if peer is None else f"role {peer.role!r}")
        leave()
        transport.abort()
        return None
    handler = _Handler(doorway, rights, leave)
    # As pymodbus' own `handle_new_connection` does it.
    doorway.server.active_connections[handler.unique_id] = handler
    handler.listener = doorway.server
    transport.set_protocol(handler)
    handler.connection_made(transport)
    transport.resume_reading()
    return handler


class _Handler(ServerRequestHandler):
    """One admitted connection."""

    def __init__(self, doorway: Doorway, rights: Rights, leave: Callable[[], None]) -> None:
        super().__init__(doorway.server, None, None, None)  # type: ignore[no-untyped-call]
        self._seconds, self._rights, self._leave = doorway.seconds, rights, leave
        now = self._seconds()
        self._requests = Bucket(REQUESTS_PER_S, REQUESTS_AT_ONCE, now)
        self._commands = Bucket(COMMANDS_PER_S, COMMANDS_AT_ONCE, now)
        self._idle = self.loop.call_later(IDLE_S, self._too_quiet)
        self._left = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Counted out once, however it ended."""
        self._idle.cancel()
        if not self._left:
            self._left = True
            self._leave()
        super().connection_lost(exc)

    async def handle_request(self) -> None:
        """Rights and rates, then the server."""
        request = self.last_pdu
        if not request:
            return
        self._idle.cancel()
        self._idle = self.loop.call_later(IDLE_S, self._too_quiet)
        writes = request.function_code not in READS
        now = self._seconds()
        if not self._requests.take(now) or (writes and not self._commands.take(now)):
            _LOG.warning("a connection is closed: more requests than a controller has reason for")
            self._hang_up()
            return
        if writes and self._rights is not Rights.COMMAND:
            answer = ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_FUNCTION)
            answer.transaction_id, answer.dev_id = request.transaction_id, request.dev_id
            self.server_send(answer, self.last_addr)  # type: ignore[no-untyped-call]
            return
        await super().handle_request()  # type: ignore[no-untyped-call]

    def _too_quiet(self) -> None:
        self._hang_up()

    def _hang_up(self) -> None:
        transport = self.transport
        if isinstance(transport, asyncio.Transport):
            transport.abort()
