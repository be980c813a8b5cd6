"""Messages to a syslog collector: RFC 5424, framed by octet counting (RFC 6587), over TLS (RFC 5425) or TCP.

The protocol has no acknowledgement. What can be had instead: each batch goes over a connection of its own,
which we end and the collector must end, too. A program that closes with bytes unread, or dies, resets the
connection; so an orderly end says that it has read everything. Whether it has kept it, nothing can tell.
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
SEND_S = 30.0
"""Longest time until the collector has read a batch, s."""
NOTICE = 5
"""Severity of a message whose body has no `severity` from 0 (emergency) to 7 (debug), RFC 5424, table 2."""
MAX_ID = 32
"""Characters of MSGID, RFC 5424."""
_BOM = b"\xef\xbb\xbf"
"""Says that the text is UTF-8, RFC 5424, 6.4."""
_READ = 4096


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
        tls = await asyncio.to_thread(context, self._to, self._folder) if self._to.tls else None
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    self._to.host,
                    self._to.port,
                    ssl=tls,
                    ssl_shutdown_timeout=None if tls is None else SEND_S,
                )
            try:
                async with asyncio.timeout(SEND_S):
                    await _exchange(reader, writer, content)
            finally:
                writer.transport.abort()
        except TimeoutError as error:
            raise FeedError("does not read what is sent", where=self._where) from error
        except (OSError, ssl.SSLError) as error:
            raise FeedError(f"cannot be reached: {error.strerror or error}", where=self._where) from error

    async def close(self) -> None:
        """Nothing is open between two batches."""

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


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes) -> None:
    """Write everything, end our side, and read until the collector has ended its own."""
    writer.write(content)
    await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
        while await reader.read(_READ):
            pass
        return
    # TLS: closing sends close_notify and waits for the collector's.
    writer.close()
    await writer.wait_closed()


def _printable(text: str, longest: int) -> str:
    """A header's field: printable ASCII without spaces, never empty."""
    clean = "".join(c if "!" <= c <= "~" else "_" for c in text)[:longest]
    return clean or "-"
