"""Messages that a receiver will never take, in a file of their own: nothing is dropped without a trace."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from denxanh.controller.centre.feeds.contract import Message
from denxanh.controller.centre.feeds.envelope import envelope
from denxanh.controller.centre.store.rows import canonical
from denxanh.controller.clock import VIETNAM
from denxanh.errors import FeedError

MAX_BYTES = 64 * 1024 * 1024
"""Longest file; when it is full, the feed stops instead (assumed: more than that is no poisonous message)."""


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
            with self.path.open("ab") as file:
                if file.tell() + len(line) > MAX_BYTES:
                    raise FeedError(
                        f"is full ({MAX_BYTES} bytes)",
                        where=str(self.path),
                        fix="find out what the receiver refuses, then move the file away",
                    )
                file.write(line.encode() + b"\n")
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
