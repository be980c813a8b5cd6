"""One HTTP POST to a receiver: no redirects, no proxies, within a deadline, an answer of bounded length.

The status alone counts: an answer whose content is too long, too slow or cut is taken as far as it came.
2xx says that the receiver has what it was sent. 400, 413, 415 and 422 say that it will never take it; every
other answer, and none, that it should be tried again: a wrong key or address (401, 403, 404) can be mended.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

from denxanh.errors import FeedError, RefusedError

MAX_ANSWER_BYTES = 65_536
"""Of an answer that is read; nobody has to say more."""
MAX_HEADER_BYTES = 16_384
SAID = 200
"""Characters of an answer's content that a trouble repeats."""
REFUSES = frozenset((400, 413, 415, 422))
"""RFC 9110: what was sent is wrong, too long, of the wrong type, or not to be processed."""
_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Within:
    """Deadlines, s.

    Attributes:
        connect_s: until there is a connection, TLS included.
        answer_s: from the first byte of the request to the answer's last that is waited for.
    """

    connect_s: float
    answer_s: float


async def post(
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    within: Within,
    tls: ssl.SSLContext | None,
    where: str,
) -> bytes:
    """Post a body on a connection of its own; returns the answer's, or as much of it as came.

    Args:
        url: http or https.
        content: as it goes.
        headers: Content-Type and what else the receiver needs, another Host, too; length and the end of the
            connection are added.
        within: how long it may take; what has come of an answer's content by then is all there is.
        tls: for https.
        where: how errors name the receiver; nothing secret.

    Raises:
        RefusedError: the answer says that the receiver will never take it.
        FeedError: any other answer, or none.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        ("Host", parts.netloc.rpartition("@")[2]),
        *headers.items(),
        ("Content-Length", str(len(content))),
        ("Connection", "close"),
    ]
    fields = {name.lower(): (name, value) for name, value in lines}  # the last of a name counts
    answer = _Answer()
    try:
        request = h11.Request(method="POST", target=target, headers=list(fields.values()))
        async with asyncio.timeout(within.connect_s):
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if secure else 80), ssl=tls if secure else None
            )
        try:
            async with asyncio.timeout(within.answer_s):
                await _exchange(reader, writer, request, content, answer)
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            if not answer.status:
                raise
        finally:
            await _leave(writer)
    except TimeoutError as error:
        raise FeedError("does not answer in time", where=where) from error
    except h11.ProtocolError as error:
        raise FeedError(f"speaks no HTTP: {error}", where=where) from error
    except OSError as error:
        raise FeedError(f"cannot be reached: {error.strerror or error}", where=where) from error
    except ValueError as error:  # an address or a header that HTTP has no letters for
        raise FeedError(f"cannot be asked: {error}", where=where) from error
    if 200 <= answer.status < 300:
        return bytes(answer.content)
    kind = RefusedError if answer.status in REFUSES else FeedError
    words = answer.content[:SAID].decode("utf-8", "replace")
    raise kind(f"answers {answer.status}: {words}", where=where)


@dataclass(slots=True)
class _Answer:
    """As far as it has come; no status: nothing yet."""

    status: int = 0
    content: bytearray = field(default_factory=bytearray)


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: h11.Request,
    content: bytes,
    answer: _Answer,
) -> None:
    """Send the request and read the answer, to its end or to `MAX_ANSWER_BYTES`."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
    writer.write((http.send(request) or b"") + (http.send(h11.Data(data=content)) or b""))
    writer.write(http.send(h11.EndOfMessage()) or b"")
    # An answer may come before all was sent (413), so both go on at once.
    sending = asyncio.ensure_future(writer.drain())
    try:
        await _read(http, reader, answer)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending


async def _read(http: h11.Connection, reader: asyncio.StreamReader, answer: _Answer) -> None:
    while len(answer.content) < MAX_ANSWER_BYTES:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            answer.status = event.status_code
        elif isinstance(event, h11.Data):
            answer.content += event.data
        elif isinstance(event, h11.EndOfMessage):
            return
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("the connection ended before the answer")


async def _leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
