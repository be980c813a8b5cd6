"""The HTTP channels' way out; blocks, for the thread of a channel."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from denxanh.controller.centre.notify.tables import HttpChannel
from denxanh.controller.centre.post import Within
from denxanh.controller.centre.post import post as posted
from denxanh.errors import FeedError


def post(channel: HttpChannel, folder: Path, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Post a body to a channel's address; returns the answer's body if its status is 2xx.

    Args:
        channel: its address, time limit and authority.
        folder: where relative paths in it start.
        body: as it goes.
        headers: Content-Type and what else is needed.

    Raises:
        RefusedError: the answer says that the message is wrong.
        FeedError: any other answer, or none.
    """
    parts = urlsplit(channel.url)
    # Without the path, which may be a webhook's secret.
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    within = Within(channel.timeout_s, channel.timeout_s)
    try:
        ca_file = None if channel.ca_file is None else folder / channel.ca_file
        tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
    except OSError as error:
        raise FeedError(f"ca_file cannot be used: {error}", where=str(channel.ca_file)) from error
    return asyncio.run(posted(channel.url, body, headers, within=within, tls=tls, where=where))
