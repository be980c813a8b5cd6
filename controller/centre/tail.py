"""Follow a growing journal: rotation, truncation and torn or foreign lines are everyday events here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

FIRST_READ_BYTES = 8 * 1024 * 1024
"""How far back a page that starts late looks into an old journal."""
READ_BYTES = 4 * 1024 * 1024
"""Most that one read takes, so that a burst cannot hold the page's loop for long."""
MAX_LINE_BYTES = 1024 * 1024
"""A longer line is no record of ours."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one read brought: parsed records, and how old the newest of them may be (seconds, >= 0)."""

    records: tuple[dict[str, Any], ...]
    age_s: float
    more: bool
    """The read stopped at its byte limit: read again at once."""


class JournalTail:
    """Reads what was appended to `path` since the last read.

    A file that does not exist yet is an empty journal. A new file under the same name (rotation) is read
    from its start, after the rest of the old one; a file that shrank is read from its start again.
    Lines that are not JSON objects are counted in `skipped` and left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self._file: BufferedReader | None = None
        self._torn = b""
        self._overlong = False

    def read(self) -> Read:
        """Take what is new; never raises for what the file holds or for its absence."""
        first = self._file is None
        if first and not self._open():
            return Read((), 0.0, more=False)
        if first:
            self._skip_to_recent()
        assert self._file is not None
        status = os.fstat(self._file.fileno())
        if status.st_size < self._file.tell():
            self._file.seek(0)
            self._forget_partial()
        data = self._file.read(READ_BYTES)
        records = tuple(self._records(data))
        age = max(0.0, time.time() - status.st_mtime)
        more = len(data) == READ_BYTES
        if not more and self._replaced(status):
            more = self._open()
        return Read(records, age, more)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        try:
            file = self.path.open("rb")
        except OSError:
            return False
        self.close()
        self._file = file
        self._forget_partial()
        return True

    def _skip_to_recent(self) -> None:
        assert self._file is not None
        size = os.fstat(self._file.fileno()).st_size
        if size > FIRST_READ_BYTES:
            self._file.seek(size - FIRST_READ_BYTES)
            self._file.readline(MAX_LINE_BYTES)

    def _replaced(self, status: os.stat_result) -> bool:
        try:
            now = self.path.stat()
        except OSError:
            return False
        return (now.st_ino, now.st_dev) != (status.st_ino, status.st_dev)

    def _forget_partial(self) -> None:
        if self._torn or self._overlong:
            self.skipped += 1
        self._torn = b""
        self._overlong = False

    def _records(self, data: bytes) -> Iterator[dict[str, Any]]:
        *lines, self._torn = (self._torn + data).split(b"\n")
        for line in lines:
            if self._overlong:
                self._overlong = False
                self.skipped += 1
                continue
            record = _parsed(line)
            if record is not None:
                yield record
            elif line.strip():
                self.skipped += 1
        if len(self._torn) > MAX_LINE_BYTES:
            self._torn = b""
            self._overlong = True


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
