"""Messages to a syslog collector: RFC 5424, framed by octet counting (RFC 6587), over TLS (RFC 5425) or TCP.

The protocol has no acknowledgement. What can be had instead: each batch goes over a connection of its own,
which we end and the collector must end, too. A program that closes with bytes unread, or dies, resets the
connection; so an orderly end (over TLS: its close_notify) says that it has read everything. Whether it has
kept it, nothing can tell.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import encoded
from denxanh.controller.centre.feeds.settings import ToSyslog
from denxanh.controller.centre.feeds.sinks.secured import context
from denxanh.errors import FeedError

CONNECT_S = 10.0
"""Longest time until there is a connection, TLS included, s."""
SEND_S = 20.0
"""Longest time for a batch to leave, and again for the collector to have read it, s."""
NOTICE = 5
"""Severity of a message whose body has no `severity` from 0 (emergency) to 7 (debug), RFC 5424, table 2."""
MAX_ID = 32
"""Characters of MSGID, RFC 5424."""
_BOM = b"\xef\xbb\xbf"
"""Says that the text is UTF-8, RFC 5424, 6.4."""


class SyslogSink:
    """Writes to one collector; see `feeds.contract.Sink`."""

    def __init__(self, feed: str, to: ToSyslog, folder: Path) -> None:
        self._to = to
        self._folder = folder
        self._app = feed
        self._host = _printable(socket.gethostname(), 255)
        self._where = f"{to.host}:{to.port}"

    async def send(self, messages: Sequence[Message]) -> None:
        """Write them all, and wait until the collector has read them; without any, nothing is done."""
        if not messages:
            return
        content = b"".join(frame(self._record(one)) for one in messages)
        await asyncio.to_thread(self._write, content)

    async def close(self) -> None:
        """Nothing is open between two batches."""

    def _write(self, content: bytes) -> None:
        """Over one connection, until the collector has ended it. Blocks.

        A TLS stream of asyncio does not tell whether the other side's end was its own word or a cut.
        """
        try:
            with socket.create_connection((self._to.host, self._to.port), CONNECT_S) as plain:
                if not self._to.tls:
                    plain.settimeout(SEND_S)
                    _exchange(plain, content)
                    return
                tls = context(self._to, self._folder)
                with tls.wrap_socket(plain, server_hostname=self._to.host) as secure:
                    secure.settimeout(SEND_S)
                    secure.sendall(content)
                    # Sends close_notify and waits for the collector's: an end that nobody can forge.
                    secure.unwrap()
        except TimeoutError as error:
            raise FeedError("does not read what is sent", where=self._where) from error
        except (OSError, ssl.SSLError) as error:
            raise FeedError(f"cannot be reached: {error.strerror or error}", where=self._where) from error

    def _record(self, message: Message) -> bytes:
        """One syslog message: the body's `cef` if it has one, else the envelope as JSON."""
        severity = message.body.get("severity")
        if not (isinstance(severity, int) and 0 <= severity <= 7):
            severity = NOTICE
        at = message.body.get("at")
        stamp = _printable(at, 32) if isinstance(at, str) else "-"
        head = (
            f"<{self._to.facility * 8 + severity}>1 {stamp} {self._host} denxanh-{self._app} - "
            f"{_printable(message.kind, MAX_ID)} - "
        )
        cef = message.body.get("cef")
        text = cef.encode("utf-8", "backslashreplace") if isinstance(cef, str) else encoded(message)
        return head.encode("ascii") + _BOM + text


def frame(record: bytes) -> bytes:
    """A message behind its length in octets."""
    return str(len(record)).encode("ascii") + b" " + record


def _exchange(connection: socket.socket, content: bytes) -> None:
    """Write everything, end our side, and wait until the collector has ended its own without a word."""
    connection.sendall(content)
    connection.shutdown(socket.SHUT_WR)
    if connection.recv(1):
        raise ConnectionError("answers, which a syslog collector does not")


def _printable(text: str, longest: int) -> str:
    """A header's field: printable ASCII without spaces, never empty."""
    clean = "".join(c if "!" <= c <= "~" else "_" for c in text)[:longest]
    return clean or "-"
