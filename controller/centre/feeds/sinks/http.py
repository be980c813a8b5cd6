"""Messages by HTTP: one POST of JSON per batch on a connection of its own; 2xx acknowledges it.

A receiver that has seen a message before (by its id) must answer 2xx, too. 400, 413, 415 and 422 say that it
will never take one of the messages; every other answer, and none, that it should be tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import h11

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import envelope
from denxanh.controller.centre.feeds.settings import ToHttp
from denxanh.controller.centre.feeds.sinks.secured import context
from denxanh.controller.centre.store.rows import canonical
from denxanh.errors import FeedError, RefusedError
from denxanh.plc.security.secrets import read_line

CONNECT_S = 10.0
"""Longest time until there is a connection, TLS included, s."""
ANSWER_S = 30.0
"""Longest time from the first byte of a request to the answer's last, s."""
MAX_ANSWER_BYTES = 65_536
"""Of an answer that is read; its content is only for the log."""
MAX_HEADER_BYTES = 16_384
SAID = 200
"""Characters of an answer's content that a trouble repeats."""
REFUSES = frozenset((400, 413, 415, 422))
"""RFC 9110: what was sent is wrong, too long, of the wrong type, or not to be processed."""
_READ = 16_384


class HttpSink:
    """Posts to one URL; see `feeds.contract.Sink`."""

    def __init__(self, feed: str, to: ToHttp, folder: Path) -> None:
        self._feed = feed
        self._to = to
        self._folder = folder
        parts = urlsplit(to.url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc
        # Without the query, which may hold a key: it stands in logs, in the store and on every viewer's page.
        self._where = f"{parts.scheme}://{self._authority}{parts.path}"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def send(self, messages: Sequence[Message]) -> None:
        """Post them all; without any, nothing is sent."""
        if not messages:
            return
        content = self._content(messages)
        headers, tls = await asyncio.to_thread(self._prepared, content, messages)
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port, ssl=tls)
            try:
                async with asyncio.timeout(ANSWER_S):
                    status, said = await self._exchange(reader, writer, headers, content)
            finally:
                await _leave(writer)
        except TimeoutError as error:
            raise FeedError("does not answer in time", where=self._where) from error
        except (OSError, ssl.SSLError) as error:
            raise FeedError(f"cannot be reached: {error.strerror or error}", where=self._where) from error
        except h11.ProtocolError as error:
            raise FeedError(f"speaks no HTTP: {error}", where=self._where) from error
        if not 200 <= status < 300:
            kind = RefusedError if status in REFUSES else FeedError
            raise kind(f"answers {status}: {said}", where=self._where)

    async def close(self) -> None:
        """Nothing is open between two batches."""

    def _content(self, messages: Sequence[Message]) -> bytes:
        if self._to.shape == "bodies":
            return ("[" + ",".join(canonical(one.body) for one in messages) + "]").encode()
        return canonical({"feed": self._feed, "messages": [envelope(one) for one in messages]}).encode()

    def _prepared(
        self, content: bytes, messages: Sequence[Message]
    ) -> tuple[list[tuple[str, str]], ssl.SSLContext | None]:
        """Headers and TLS; keys are read each time, so that a new one counts at once."""
        headers = [
            ("Host", self._authority),
            ("User-Agent", "denxanh-feeds"),
            ("Content-Type", self._to.content_type),
            ("Content-Length", str(len(content))),
            ("Idempotency-Key", json.dumps(f"{messages[0].id}..{messages[-1].id}")),
            ("Connection", "close"),
        ]
        if self._to.token_file is not None:
            headers.append(("Authorization", f"Bearer {read_line(self._folder / self._to.token_file)}"))
        if self._to.hmac_file is not None:
            stamp = str(int(time.time()))
            key = read_line(self._folder / self._to.hmac_file).encode()
            signed = hmac.new(key, stamp.encode() + b"." + content, hashlib.sha256).hexdigest()
            headers += [("X-Timestamp", stamp), ("X-Signature", f"sha256={signed}")]
        return headers, context(self._to, self._folder) if self._secure else None

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        headers: list[tuple[str, str]],
        content: bytes,
    ) -> tuple[int, str]:
        """Send the request and read the whole answer: its status, and the beginning of its content."""
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
        request = h11.Request(method="POST", target=self._target, headers=headers)
        writer.write((http.send(request) or b"") + (http.send(h11.Data(data=content)) or b""))
        writer.write(http.send(h11.EndOfMessage()) or b"")
        # An answer may come before all was sent (413), so both go on at once.
        sending = asyncio.ensure_future(writer.drain())
        try:
            return await _answer(http, reader)
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sending


async def _answer(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, str]:
    status, said = 0, b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            said += event.data
            if len(said) > MAX_ANSWER_BYTES:
                raise h11.RemoteProtocolError("the answer is too long")
        elif isinstance(event, h11.EndOfMessage):
            return status, said[:SAID].decode("utf-8", "replace")
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("the connection ended before the answer")


async def _leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
