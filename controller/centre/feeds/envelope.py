"""A message as receivers get it: `{"body": …, "id": …, "topic": …}`, by `schemas/envelope-v1.schema.json`."""

from __future__ import annotations

from typing import Any

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.store.rows import canonical


def envelope(message: Message) -> dict[str, Any]:
    """The message as JSON knows it."""
    return {"id": message.id, "topic": message.topic, "body": dict(message.body)}


def encoded(message: Message) -> bytes:
    """The envelope as one line of JSON in UTF-8, without the line's end; the same bytes each time."""
    return canonical(envelope(message)).encode()
