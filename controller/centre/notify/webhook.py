"""A webhook: JSON (notice-v1.schema.json), signed with HMAC-SHA256 over its time and body."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

from denxanh.controller.centre.notify.http import post
from denxanh.controller.centre.notify.letter import Item, Letter
from denxanh.controller.centre.notify.tables import WebhookChannel
from denxanh.controller.centre.notify.wording import EN, VI, line
from denxanh.controller.localtime import local
from denxanh.plc.security.secrets import read_line

VERSION = 1


class Webhook:
    """A receiver of signed JSON. The key is read at each message, so that it can be changed.

    Args:
        channel: of the city's file.
        folder: where relative paths in it start.
    """

    def __init__(self, channel: WebhookChannel, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._key = folder / channel.key_file

    def send(self, letter: Letter) -> None:
        """Deliver; the receiver leaves out an `Idempotency-Key` that it has had."""
        body = json.dumps(document(letter), ensure_ascii=False, sort_keys=True).encode()
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.id,
            "X-Denxanh-Timestamp": stamp,
            "X-Denxanh-Signature": signature(read_line(self._key), stamp, body),
        }
        post(self._channel, self._folder, body, headers)


def signature(key: str, stamp: str, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of `stamp.body`: the time cannot be exchanged either."""
    return "v1=" + hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def document(letter: Letter) -> dict[str, Any]:
    """A letter as notice-v1.schema.json describes it."""
    return {"v": VERSION, "id": letter.id, "notices": [_notice(item) for item in letter.items]}


def _notice(item: Item) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "severity": item.severity.value,
        "notice": item.notice,
        "rule": item.rule,
        "intersection": item.place or None,
        "name": {"vi": item.name[VI], "en": item.name[EN]},
        "what": {"vi": item.words[VI], "en": item.words[EN]},
        "text": {"vi": line(item, VI), "en": line(item, EN)},
        "detail": [{"vi": vi, "en": en} for vi, en in item.detail],
        "since": local(item.since_ms).isoformat(timespec="seconds"),
        "at": local(item.at_ms).isoformat(timespec="seconds"),
        "lasted_s": item.lasted_ms // 1000,
        "times": item.times,
    }
