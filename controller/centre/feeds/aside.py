"""Messages that a receiver will never take, in a file of their own: nothing is dropped without a trace."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import envelope
from denxanh.controller.centre.store.rows import canonical
from denxanh.controller.clock import VIETNAM
from denxanh.errors import FeedError

MAX_BYTES = 64 * 1024 * 1024
"""Longest file; when it is full, the feed stops instead (assumed: more than that is no poisonous message)."""


_OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Aside:
    """The file of one feed; a message that is put there again after a crash stands there twice."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, message: Message, why: str) -> None:
        """Write a message; on the disk when this returns.

        Raises:
            FeedError: the file cannot be written, or is full.
        """
        line = canonical(
            {
                **envelope(message),
                "refused": why,
                "refused_at": datetime.now(VIETNAM).isoformat(timespec="seconds"),
            }
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.path, _OPEN, 0o600), "r+b") as file:
                length = file.seek(0, os.SEEK_END)
                if length + len(line) > MAX_BYTES:
                    raise FeedError(
                        f"is full ({MAX_BYTES} bytes)",
                        where=str(self.path),
                        fix="find out what the receiver refuses, then move the file away",
                    )
                file.write(_ended(file, length) + line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FeedError(f"cannot be written: {error.strerror}", where=str(self.path)) from error

    def count(self) -> int:
        """How many messages are there."""
        try:
            with self.path.open("rb") as file:
                return sum(1 for _ in file)
        except FileNotFoundError:
            return 0


def _ended(file: BinaryIO, length: int) -> bytes:
    """What ends a line that a crash has torn, so that it does not take the next one with it."""
    if not length:
        return b""
    file.seek(length - 1)
    return b"" if file.read(1) == b"\n" else b"\n"
