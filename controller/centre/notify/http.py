"""One HTTP POST: no redirects, no proxies, a bounded answer."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from denxanh.errors import FeedError, RefusedError

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; nobody has to say more."""
_REFUSED = frozenset((400, 413, 415, 422))
"""Answers that are about the message. A wrong key or address (401, 403, 404) can be mended while it waits."""


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, ca_file: Path | None = None
) -> bytes:
    """Post a body; returns the answer's body if its status is 2xx.

    Args:
        url: http or https.
        body: as it goes.
        headers: Content-Type and what else is needed.
        timeout_s: of each step; a server that drips holds this thread for longer, and nobody else.
        ca_file: who signs the server's certificate; None: the machine's list.

    Raises:
        RefusedError: the answer says that the message is wrong.
        FeedError: any other answer, or none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    connection: http.client.HTTPConnection
    try:
        if parts.scheme == "https":
            tls = ssl.create_default_context(cafile=ca_file)
            connection = http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=tls)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            status, said = answer.status, answer.read(MAX_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FeedError(f"cannot be reached: {error or type(error).__name__}", where=where) from error
    if 200 <= status < 300:
        return said
    words = said[:200].decode("utf-8", "replace")
    kind = RefusedError if status in _REFUSED else FeedError
    raise kind(f"answers {status} {words}".rstrip(), where=where)
