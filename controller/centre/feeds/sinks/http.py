"""Messages by HTTP: one POST of JSON per batch; 2xx acknowledges it (`centre.post` has the other answers).

A receiver that has seen a message before (by its id) must answer 2xx, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import envelope
from denxanh.controller.centre.feeds.settings import ToHttp
from denxanh.controller.centre.feeds.sinks.secured import context
from denxanh.controller.centre.post import Within, post
from denxanh.controller.centre.store.rows import canonical
from denxanh.plc.security.secrets import read_line

CONNECT_S = 10.0
"""Longest time until there is a connection, TLS included, s."""
ANSWER_S = 30.0
"""Longest time from the first byte of a request to the answer's last, s."""


class HttpSink:
    """Posts to one URL; see `feeds.contract.Sink`."""

    def __init__(self, feed: str, to: ToHttp, folder: Path) -> None:
        self._feed = feed
        self._to = to
        self._folder = folder
        parts = urlsplit(to.url)
        # Without the query, which may hold a key: it stands in logs, in the store and on every viewer's page.
        self._where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._secure = parts.scheme == "https"

    async def send(self, messages: Sequence[Message]) -> None:
        """Post them all; without any, nothing is sent."""
        if not messages:
            return
        content = self._content(messages)
        headers, tls = await asyncio.to_thread(self._prepared, content, messages)
        within = Within(CONNECT_S, ANSWER_S)
        await post(self._to.url, content, headers, within=within, tls=tls, where=self._where)

    async def close(self) -> None:
        """Nothing is open between two batches."""

    def _content(self, messages: Sequence[Message]) -> bytes:
        if self._to.shape == "bodies":
            return ("[" + ",".join(canonical(one.body) for one in messages) + "]").encode()
        return canonical({"feed": self._feed, "messages": [envelope(one) for one in messages]}).encode()

    def _prepared(
        self, content: bytes, messages: Sequence[Message]
    ) -> tuple[dict[str, str], ssl.SSLContext | None]:
        """Headers and TLS; keys are read each time, so that a new one counts at once."""
        headers = {
            "User-Agent": "denxanh-feeds",
            "Content-Type": self._to.content_type,
            "Idempotency-Key": json.dumps(f"{messages[0].id}..{messages[-1].id}"),
        }
        if self._to.token_file is not None:
            headers["Authorization"] = f"Bearer {read_line(self._folder / self._to.token_file)}"
        if self._to.hmac_file is not None:
            stamp = str(int(time.time()))
            key = read_line(self._folder / self._to.hmac_file).encode()
            signed = hmac.new(key, stamp.encode() + b"." + content, hashlib.sha256).hexdigest()
            headers |= {"X-Timestamp": stamp, "X-Signature": f"sha256={signed}"}
        return headers, context(self._to, self._folder) if self._secure else None
