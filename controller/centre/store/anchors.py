"""Notes of the audit log's head outside the database: what shows that its end was cut off (docs/store.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from denxanh.controller.centre.store.audit import Anchor
from denxanh.controller.centre.store.rows import now_ms
from denxanh.errors import StoreError

FILE_NAME = "audit-anchors.jsonl"
"""In the site's state folder; only ever appended to."""


def note(path: Path, anchor: Anchor) -> None:
    """Add a note, unless it is the last one already; it is on the disk afterwards.

    Raises:
        OSError: it cannot be written.
    """
    text = _text(path)
    before = text.splitlines()
    if before and _anchor(before[-1]) == anchor:
        return
    torn = "" if not text or text.endswith("\n") else "\n"
    line = torn + json.dumps({"at_ms": now_ms(), "seq": anchor.seq, "hash": anchor.hash}) + "\n"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(line)
        file.flush()
        os.fsync(fd)


def noted(path: Path) -> tuple[Anchor, ...]:
    """All notes; none where there is no file. A torn line, from a power cut, is left out.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        lines = _text(path).splitlines()
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return tuple(anchor for line in lines if (anchor := _anchor(line)) is not None)


def parse(text: str) -> Anchor:
    """An anchor as a person writes it down: `NUMBER:HASH`.

    Raises:
        StoreError: it is none.
    """
    number, _, digest = text.partition(":")
    if number.isdecimal() and len(digest) == 64 and set(digest) <= set("0123456789abcdef"):
        return Anchor(int(number), digest)
    raise StoreError("is no anchor", where=text[:80], fix="NUMBER:HASH, as `denxanh store status` prints it")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _anchor(line: str) -> Anchor | None:
    try:
        found = json.loads(line)
        return Anchor(int(found["seq"]), str(found["hash"]))
    except (ValueError, KeyError, TypeError):
        return None
