"""How long the centre waits for who talks to it, and with how many it talks at once.

Without limits, a few hundred connections that send a byte now and then (slow loris) keep everybody else out.
All figures are assumed; each is far above what a browser in a control room needs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from denxanh.controller.centre.people.limiter import subscriber

HANDSHAKE_S = 5.0
"""A TLS handshake takes two round trips."""
REQUEST_S = 20.0
"""From a connection's beginning, or the last answer, to the whole request, head and body."""
STALL_S = 60.0
"""A client that takes nothing of what is sent is let go; when its connection closes, in twice as long."""
MAX_CONNECTIONS = 512
"""At once; half of the 1,024 files that a process may usually open."""
MAX_PER_ADDRESS = 128
"""At once, of one IPv4 address or one /64 of IPv6: twenty browsers of six connections each behind one router.
A named proxy speaks for many: no limit."""

log = logging.getLogger(__name__)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that ends connections which take too long or come in crowds."""

    proxies: ClassVar[Collection[str]] = ()
    """Addresses and networks of the proxies in front."""
    _reading: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, or end it at once where there are too many."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (_plain(self.client[0]), self.client[1])
        if self._crowded():
            transport.abort()
            return
        self._watch()
        self._see_off()

    def data_received(self, data: bytes) -> None:
        """Read on; the clock stops when the request is complete."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The clock starts again for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """No clock outlives its connection."""
        for handle in (self._reading, self._stalled, self._leaving):
            if handle is not None:
                handle.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes nothing; so it may for a while."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken something."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def _watch(self) -> None:
        """The clock runs as long as a request has not been read as a whole."""
        wanting = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing()
        if wanting and self._reading is None:
            self._reading = self.loop.call_later(REQUEST_S, self._give_up)
        elif not wanting and self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _see_off(self) -> None:
        """However a connection came to close, its client may not leave the rest lying for ever.

        asyncio itself waits without end, and writes less than its high-water mark without `pause_writing`.
        """
        closing = self.transport.is_closing()
        self._leaving = self.loop.call_later(STALL_S, self.transport.abort if closing else self._see_off)

    def _give_up(self) -> None:
        log.info("no whole request of %s within %.0f s", self._address(), REQUEST_S)
        self.transport.abort()

    def _crowded(self) -> bool:
        if len(self.connections) > MAX_CONNECTIONS:
            return True
        mine = self._address()
        if any(ip_address(mine) in ip_network(one) for one in self.proxies):
            return False
        clients = [one.client for one in self.connections if isinstance(one, H11Protocol)]
        lines = [subscriber(client[0]) for client in clients if client is not None]
        return lines.count(subscriber(mine)) > MAX_PER_ADDRESS

    def _address(self) -> str:
        return self.client[0] if self.client else "0.0.0.0"


def _plain(address: str) -> str:
    """A server that listens on `::` sees IPv4 as `::ffff:a.b.c.d`, which is in no IPv4 network."""
    found = ip_address(address)
    return address if found.version == 4 else str(found.ipv4_mapped or address)


class PatientLoop(asyncio.SelectorEventLoop):
    """asyncio alone waits 60 s for a TLS handshake, and uvicorn cannot tell it otherwise."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """As asyncio does, with our limit for handshakes."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_S
        return await super().create_server(*args, **options)


def protocol_behind(proxies: Collection[str]) -> type[PatientProtocol]:
    """The protocol of a server that these proxies stand in front of."""
    return type("ProxiedProtocol", (PatientProtocol,), {"proxies": tuple(proxies)})
